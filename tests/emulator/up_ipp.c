#include "tests/emulator/up_ipp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/host.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/rules.h"
#include "tests/emulator/up.h"
#include "tests/emulator/up_hosts.h"

#define PRINTERS "/printers"

/* The id in "ipps://host/printers/ID" or "/printers/ID"; NULL: another form. */
static const char *id_of(const char *uri)
{
	const char *at = strstr(uri, "://");

	if (at != NULL) {
		if (strncmp(uri, "ipps://", 7) != 0 && strncmp(uri, "https://", 8) != 0)
			return NULL;
		at = strchr(at + 3, '/');
	} else {
		at = uri;
	}
	if (at == NULL || strncmp(at, PRINTERS "/", sizeof(PRINTERS)) != 0)
		return NULL;
	at += sizeof(PRINTERS);
	return *at != '\0' && strchr(at, '/') == NULL ? at : NULL;
}

/* The token's printer. NULL: the HTTP status is 401. */
static struct up_token *admit(struct exchange *x)
{
	const char *text = up_bearer(
		MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Authorization"));
	struct up_token *t = text ? up_token_find(text) : NULL;

	if (text == NULL)
		record_violation(x, "no-token", "no bearer token");
	else if (t == NULL)
		record_violation(x, "unknown-token", "a token that was not given here");
	else if (t->kind != UP_TOKEN_PRINTER)
		record_violation(x, "wrong-token", "a user's token, want the printer's");
	else if (!up_token_lives(t))
		record_notice(x, "dead-token", "the token of %s was revoked or has expired",
		              t->printer->id);
	else
		return t;
	return NULL;
}

static void check_http(struct exchange *x)
{
	if (MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Content-Length") == NULL)
		record_violation(x, "content-length", "no Content-Length");
	if (MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Expect") != NULL)
		record_violation(x, "expect", "a proxy sends Expect");
}

/* Whether requests go there. */
static bool is_path(const struct exchange *x)
{
	if (x->peer->host->kind == HOST_NOTIFICATION && *up.notification_path != '\0')
		return strcmp(x->path, up.notification_path) == 0;
	return strcmp(x->path, PRINTERS) == 0 || id_of(x->path) != NULL;
}

/* Whether printer-uri names the host that was spoken to, by the name under which it was. */
static bool is_its_host(const struct exchange *x, const char *uri)
{
	const char *host = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Host");
	const char *at = strstr(uri, "://") + 3;
	size_t len = strcspn(at, "/");

	if (x->peer->host->kind == HOST_NOTIFICATION && up.names_print != 0)
		host = strstr(up_hosts_find("print")->url, "://") + 3;
	return host != NULL && strlen(host) == len && strncasecmp(host, at, len) == 0;
}

unsigned int up_identify(struct exchange *x)
{
	const char *uri = exchange_string(x, "printer-uri"), *id;
	struct up_printer *p;
	struct up_token *t;

	if (x->peer->host->bad != NULL) {
		record_violation(x, "bad-tls", "a request although the server is %s",
		                 x->peer->host->bad);
		return MHD_HTTP_BAD_REQUEST;
	}
	if (!is_path(x)) {
		record_violation(x, "path", "POST %s", x->path);
		return MHD_HTTP_NOT_FOUND;
	}
	check_http(x);
	t = admit(x);
	if (t == NULL)
		return MHD_HTTP_UNAUTHORIZED;
	id = uri ? id_of(uri) : NULL;
	if (id == NULL)
		id = id_of(x->path);
	if (id == NULL)
		id = t->printer->id; /* Update-Active-Jobs names none */
	p = up_printer_find(id);
	if (p != t->printer) {
		record_violation(x, "isolation", "a token of %s for %s", t->printer->id, id);
		return MHD_HTTP_FORBIDDEN;
	}
	t->uses++;
	p->requests++;
	p->seen_us = clock_us();
	x->printer = p->printer;
	x->gone = p->printer == NULL;
	return 0;
}

/* Whether this host has the operation. */
static bool is_here(const struct exchange *x)
{
	bool notification = x->peer->host->kind == HOST_NOTIFICATION;

	switch (x->op->code) {
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
	case IPP_OP_RENEW_SUBSCRIPTION:
	case IPP_OP_CANCEL_SUBSCRIPTION:
	case IPP_OP_GET_NOTIFICATIONS:
		return notification;
	case IPP_OP_GET_JOBS:
	case IPP_OP_GET_JOB_ATTRIBUTES:
	case IPP_OP_GET_PRINTER_ATTRIBUTES:
	case IPP_OP_GET_OUTPUT_DEVICE_ATTRIBUTES:
	case IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES:
	case IPP_OP_UPDATE_ACTIVE_JOBS:
	case IPP_OP_FETCH_JOB:
	case IPP_OP_ACKNOWLEDGE_JOB:
	case IPP_OP_FETCH_DOCUMENT:
	case IPP_OP_ACKNOWLEDGE_DOCUMENT:
	case IPP_OP_UPDATE_JOB_STATUS:
		return !notification;
	default:
		return false;
	}
}

static int check_operation(struct exchange *x)
{
	if (x->op->code == IPP_OP_UPDATE_ACTIVE_JOBS && !up.active_jobs)
		return exchange_refuse(x, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED,
		                       "not supported");
	if (is_here(x))
		return 0;
	record_violation(x, "operation", "%s is nothing for the %s host",
	                 operation_name(x->op->code),
	                 x->peer->host->kind == HOST_PRINT ? "print" : "notification");
	return exchange_refuse(x, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED, "operation %s",
	                       operation_name(x->op->code));
}

static int check_printer(struct exchange *x)
{
	const char *uri = exchange_string(x, "printer-uri"), *id = uri ? id_of(uri) : NULL;
	const char *path_id = id_of(x->path);

	if (uri == NULL && x->op->code != IPP_OP_UPDATE_ACTIVE_JOBS) {
		record_violation(x, "missing-attribute", "no printer-uri");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want printer-uri");
	}
	if (uri != NULL && id == NULL) {
		record_violation(x, "printer-uri", "%s is not ipps://HOST/printers/ID", uri);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "Invalid printer-uri");
	}
	if (uri != NULL && !is_its_host(x, uri)) {
		record_violation(x, "printer-uri", "%s is not at the host that it was sent to",
		                 uri);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "Invalid printer-uri");
	}
	if (id != NULL && path_id != NULL && strcasecmp(id, path_id) != 0) {
		record_violation(x, "target", "printer-uri is %s and the HTTP path %s", uri,
		                 x->path);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "printer-uri is not %s",
		                       x->path);
	}
	if (x->uuid == NULL) {
		record_violation(x, "missing-output-device-uuid", "no output-device-uuid");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want output-device-uuid");
	}
	if (strcasecmp(x->uuid, x->printer->uuid) != 0) {
		record_violation(x, "output-device-uuid", "%s is not urn:uuid:%s", x->uuid,
		                 x->printer->up->id);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "output-device-uuid: want urn:uuid:%s", x->printer->up->id);
	}
	return 0;
}

static int check_head(struct exchange *x)
{
	static const char *const names[] = { "attributes-charset", "attributes-natural-language",
		                             "printer-uri" };
	ipp_attribute_t *a = ippFirstAttribute(x->request);
	const char *charset = exchange_string(x, names[0]);
	int i, minor;

	if (ippGetVersion(x->request, &minor) < 1) {
		record_violation(x, "version", "IPP version 0.%d", minor);
		return exchange_refuse(x, IPP_STATUS_ERROR_VERSION_NOT_SUPPORTED, "want 2.0");
	}
	if (ippGetRequestId(x->request) <= 0) {
		record_violation(x, "request-id", "request-id %d", ippGetRequestId(x->request));
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "request-id below 1");
	}
	for (i = 0; i < 3; i++, a = ippNextAttribute(x->request)) {
		bool fits = a && ippGetName(a) && strcmp(ippGetName(a), names[i]) == 0;

		if (fits)
			continue;
		if (i == 2) {
			if (exchange_string(x, names[i]) != NULL)
				record_notice(x, "head-order", "printer-uri is not attribute 3");
			break;
		}
		record_violation(x, "head-order", "attribute %d is not %s", i + 1, names[i]);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "attribute %d is not %s",
		                       i + 1, names[i]);
	}
	if (charset == NULL || strcasecmp(charset, "utf-8") != 0) {
		record_violation(x, "charset", "attributes-charset is not utf-8");
		return exchange_refuse(x, IPP_STATUS_ERROR_CHARSET, "want utf-8");
	}
	return 0;
}

int up_rules_check(struct exchange *x)
{
	int status;

	if (x->gone || x->printer->up == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_GONE, "the printer is not registered");
	status = check_operation(x);
	if (status == 0)
		status = check_head(x);
	if (status == 0)
		status = check_printer(x);
	if (status == 0)
		status = rules_check_groups(x);
	if (status == 0 && x->body.len != x->document_offset) {
		record_violation(x, "data", "%zu bytes follow the message",
		                 x->body.len - x->document_offset);
		status = exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "no document expected");
	}
	return status;
}

int up_update_attributes(struct exchange *x)
{
	struct device *d = device_find(x->printer, x->uuid);
	ipp_t *taken = ippNew();
	ipp_attribute_t *a;
	int wrong = 0;

	for (a = ippFirstAttribute(x->request); a != NULL; a = ippNextAttribute(x->request)) {
		const char *why = NULL;

		if (ippGetName(a) == NULL || ippGetGroupTag(a) != IPP_TAG_PRINTER)
			continue;
		switch (up_attribute_check(a, &why)) {
		case UP_ATTRIBUTE_TAKEN:
			ippCopyAttribute(taken, a, 0);
			break;
		case UP_ATTRIBUTE_UNKNOWN:
			record_notice(x, "unhandled-attribute", "%s", ippGetName(a));
			break;
		case UP_ATTRIBUTE_WRONG:
			record_violation(x, "printer-attribute", "%s %s", ippGetName(a), why);
			ippAddOutOfBand(x->answer, IPP_TAG_UNSUPPORTED_GROUP,
			                IPP_TAG_UNSUPPORTED_VALUE, ippGetName(a));
			wrong++;
			break;
		}
	}
	if (d == NULL)
		d = device_add(x->printer, x->uuid);
	x->device = d;
	wrong += device_update(x->printer, d, taken, x->answer);
	ippDelete(taken);
	return wrong > 0 ? IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED : IPP_STATUS_OK;
}

void up_keep_microsoft(struct exchange *x, struct job *j)
{
	ipp_attribute_t *a, *old;

	for (a = ippFirstAttribute(x->request); a != NULL; a = ippNextAttribute(x->request)) {
		if (ippGetName(a) == NULL || strncmp(ippGetName(a), "microsoft-", 10) != 0)
			continue;
		if (j->microsoft == NULL)
			j->microsoft = ippNew();
		old = ippFindAttribute(j->microsoft, ippGetName(a), IPP_TAG_ZERO);
		if (old != NULL)
			ippDeleteAttribute(j->microsoft, old);
		ippCopyAttribute(j->microsoft, a, 0);
	}
}
