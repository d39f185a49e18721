#include "connector/cloud/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/up_attributes.h"

#define REASONS_MAX 16 /* of one report */
#define PEM_LINES   256

static void add_text(ipp_t *m, ipp_tag_t group, ipp_tag_t tag, const char *name, const char *text)
{
	ippAddString(m, group, tag, name, NULL, text);
}

static void add_strings(ipp_t *m, ipp_tag_t group, const char *name, const char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	ippAddStrings(m, group, IPP_CONST_TAG(IPP_TAG_KEYWORD), name, n, NULL, list);
}

/* ---- target ---- */

/* The IPP URI of the same place, its port always told: http's own is not ipp's. */
static int ipp_uri(const struct uri *u, char *ret, size_t size)
{
	bool secure = uri_is_encrypted(u), v6 = strchr(u->host, ':');
	bool http = strncmp(u->scheme, "http", 4) == 0;
	int port = u->port ? u->port : !http ? 631 : secure ? 443 : 80;
	int n = snprintf(ret, size, "%s://%s%s%s:%d%s", secure ? "ipps" : "ipp", v6 ? "[" : "",
	                 u->host, v6 ? "]" : "", port, u->path);

	return n < 0 || (size_t)n >= size ? -1 : 0;
}

int target_set(struct target *t, const char *uri, const char *device_uuid, const char *user,
               struct err *err)
{
	char url[URI_SIZE], printer_uri[URI_SIZE];
	const char *uuid = device_uuid ? str_uuid_find(device_uuid) : NULL;
	struct uri u;

	if (uri_parse(uri, &u) < 0)
		return err_set(err, ERR_REJECTED, 0, "not a URI of a cloud printer: %.100s", uri);
	if (!uri_is_encrypted(&u) && !uri_is_loopback(&u))
		return err_set(err, ERR_REJECTED, 0,
		               "%s:// would send documents unencrypted to %.80s; use ipps://",
		               u.scheme, u.host);
	if (ipp_http_url(uri, url, sizeof(url), err) < 0)
		return -1;
	if (ipp_uri(&u, printer_uri, sizeof(printer_uri)) < 0)
		return err_set(err, ERR_REJECTED, 0, "the URI of a cloud printer is too long");
	if (device_uuid && !uuid)
		return err_set(err, ERR_REJECTED, 0, "not a UUID: %.60s", device_uuid);
	if (uuid)
		(void)snprintf(t->device_uri, sizeof(t->device_uri), "urn:uuid:%.36s", uuid);
	(void)str_copy(t->user, sizeof(t->user), user ? user : "print-connector");
	t->url = xstrdup(url);
	t->printer_uri = xstrdup(printer_uri);
	return 0;
}

void target_clear(struct target *t)
{
	free(t->url);
	free(t->printer_uri);
	*t = (struct target){ 0 };
}

/* ---- what all requests begin with ---- */

static void add_device(ipp_t *m, const struct target *t)
{
	if (t->device_uri[0])
		add_text(m, IPP_TAG_OPERATION, IPP_TAG_URI, "output-device-uuid", t->device_uri);
}

static ipp_t *start_request(const struct target *t, ipp_op_t op)
{
	ipp_t *m = ipp_request(op, "printer-uri", t->printer_uri);

	if (t->device_first)
		add_device(m, t);
	return m;
}

static ipp_t *add_who(ipp_t *m, const struct target *t)
{
	if (!t->device_first)
		add_device(m, t);
	if (t->user[0])
		add_text(m, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", t->user);
	return m;
}

ipp_t *request_new(const struct target *t, ipp_op_t op)
{
	return add_who(start_request(t, op), t);
}

static ipp_t *job_target(const struct target *t, ipp_op_t op, int32_t job)
{
	ipp_t *m = start_request(t, op);

	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-id", job);
	return m;
}

ipp_t *request_job(const struct target *t, ipp_op_t op, int32_t job)
{
	return add_who(job_target(t, op, job), t);
}

ipp_t *request_document(const struct target *t, ipp_op_t op, int32_t job, int32_t number)
{
	ipp_t *m = job_target(t, op, job);

	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "document-number", number);
	return add_who(m, t);
}

/* ---- the device ---- */

bool request_is_ignored(const struct request_ignored *ignored, const char *name)
{
	for (size_t i = 0; ignored && i < ignored->count; i++)
		if (strcmp(ignored->names[i], name) == 0)
			return true;
	return false;
}

static void copy_attributes(ipp_t *to, const struct dialect *d, ipp_t *src, struct attrs *but,
                            const struct request_ignored *ignored)
{
	for (ipp_attribute_t *a = ippFirstAttribute(src); a; a = ippNextAttribute(src)) {
		const char *name = ippGetName(a);
		ipp_attribute_t *copy;

		if (!name || !dialect_takes(d, name) || request_is_ignored(ignored, name) ||
		    (but && ippFindAttribute(attrs_ipp(but), name, IPP_TAG_ZERO)))
			continue;
		copy = ippCopyAttribute(to, a, 0);
		if (copy)
			ippSetGroupTag(to, &copy, IPP_TAG_PRINTER);
	}
}

ipp_t *request_attributes(const struct target *t, const struct dialect *d,
                          struct attrs *capabilities, struct attrs *state,
                          const struct request_ignored *ignored)
{
	ipp_t *m = request_new(t, IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);

	if (capabilities)
		copy_attributes(m, d, attrs_ipp(capabilities), state, ignored);
	if (state)
		copy_attributes(m, d, attrs_ipp(state), NULL, ignored);
	return m;
}

ipp_t *request_universal_attributes(const struct target *t, const struct up_host *host,
                                    struct attrs *capabilities, struct attrs *state,
                                    const struct request_ignored *ignored)
{
	ipp_t *m = request_new(t, IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	ipp_t *set = up_attributes_new(capabilities, state, host);

	copy_attributes(m, &dialect_universal_print, set, NULL, ignored);
	ippDelete(set);
	return m;
}

ipp_t *request_active(const struct target *t, const struct cloud_active *jobs, size_t count)
{
	ipp_t *m = request_new(t, IPP_OP_UPDATE_ACTIVE_JOBS);
	ipp_attribute_t *ids, *states;

	ids = ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-ids", jobs[0].job);
	states = ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_ENUM, "output-device-job-states",
	                       jobs[0].state);
	for (size_t i = 1; i < count; i++) {
		ippSetInteger(m, &ids, (int)i, jobs[i].job);
		ippSetInteger(m, &states, (int)i, jobs[i].state);
	}
	return m;
}

/* ---- notifications and the list ---- */

ipp_t *request_subscribe(const struct target *t, const struct dialect *d)
{
	ipp_t *m = request_new(t, IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS);

	add_text(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-pull-method", "ippget");
	add_strings(m, IPP_TAG_SUBSCRIPTION, "notify-events", d->events);
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              d->lease_s);
	return m;
}

ipp_t *request_renew(const struct target *t, const struct dialect *d, int32_t subscription)
{
	ipp_t *m = start_request(t, IPP_OP_RENEW_SUBSCRIPTION);

	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-id",
	              subscription);
	add_who(m, t);
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              d->lease_s);
	return m;
}

ipp_t *request_notifications(const struct target *t, const struct dialect *d, int32_t subscription,
                             int32_t from)
{
	ipp_t *m = request_new(t, IPP_OP_GET_NOTIFICATIONS);

	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-ids",
	              subscription);
	if (from > 0)
		ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-sequence-numbers",
		              from);
	if (d->notify_wait)
		ippAddBoolean(m, IPP_TAG_OPERATION, "notify-wait", 1);
	return m;
}

ipp_t *request_list(const struct target *t, const struct dialect *d)
{
	static const char *const wanted[] = { "job-id",
		                              "job-uuid",
		                              "job-state",
		                              "job-state-reasons",
		                              "job-priority",
		                              "date-time-at-creation",
		                              NULL };
	static const char *const all[] = { "all", NULL };
	ipp_t *m = request_new(t, IPP_OP_GET_JOBS);

	add_text(m, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "which-jobs", "fetchable");
	add_strings(m, IPP_TAG_OPERATION, "requested-attributes", d->list_all ? all : wanted);
	return m;
}

ipp_t *request_check(const struct target *t, int32_t job)
{
	static const char *const wanted[] = { "job-id", "job-uuid", "job-state",
		                              "job-state-reasons", NULL };
	ipp_t *m = request_job(t, IPP_OP_GET_JOB_ATTRIBUTES, job);

	add_strings(m, IPP_TAG_OPERATION, "requested-attributes", wanted);
	return m;
}

/* ---- one job ---- */

ipp_t *request_fetch_document(const struct target *t, const struct dialect *d, int32_t job,
                              int32_t number)
{
	ipp_t *m = request_document(t, IPP_OP_FETCH_DOCUMENT, job, number);

	if (d->compressions[0])
		add_strings(m, IPP_TAG_OPERATION, "compression-accepted", d->compressions);
	return m;
}

/* Splits at commas; words that are no keywords are left out. */
static void add_reasons(ipp_t *m, const char *reasons)
{
	char words[REASONS_MAX][NAME_SIZE];
	const char *list[REASONS_MAX];
	int n = 0;

	while (*reasons && n < REASONS_MAX) {
		size_t len = strcspn(reasons, ",");
		size_t good = strspn(reasons, "abcdefghijklmnopqrstuvwxyz0123456789-._");

		if (len && len < NAME_SIZE && good == len) {
			memcpy(words[n], reasons, len);
			words[n][len] = '\0';
			list[n] = words[n];
			n++;
		}
		reasons += len + (reasons[len] == ',');
	}
	if (n)
		ippAddStrings(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "output-device-job-state-reasons", n,
		              NULL, list);
}

/* What Microsoft's portal and support read, where it is known. */
static void add_microsoft(ipp_t *m, const struct cloud_report *r, ipp_jstate_t state)
{
	if (r->message[0] && state == IPP_JSTATE_ABORTED)
		add_text(m, IPP_TAG_JOB, IPP_TAG_TEXT, "microsoft-output-device-job-state-message",
		         r->message);
	if (r->fetched_s > 0)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "microsoft-job-fetched-time-seconds",
		              r->fetched_s);
	if (r->queued_s > 0)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER,
		              "microsoft-job-spooler-time-in-seconds", r->queued_s);
}

ipp_t *request_report(const struct target *t, const struct dialect *d, const struct cloud_report *r,
                      ipp_jstate_t state)
{
	ipp_t *m = request_job(t, IPP_OP_UPDATE_JOB_STATUS, r->job);

	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "output-device-job-state", (int)state);
	add_reasons(m, r->reasons);
	if (r->message[0])
		add_text(m, IPP_TAG_JOB, IPP_TAG_TEXT, "output-device-job-state-message",
		         r->message);
	if (r->impressions >= 0)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-impressions-completed",
		              r->impressions);
	if (r->sheets >= 0)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-media-sheets-completed",
		              r->sheets);
	if (d->microsoft)
		add_microsoft(m, r, state);
	return m;
}

ipp_t *request_document_report(const struct target *t, int32_t job, int32_t number,
                               ipp_jstate_t state)
{
	ipp_t *m = request_document(t, IPP_OP_UPDATE_DOCUMENT_STATUS, job, number);

	ippAddInteger(m, IPP_TAG_DOCUMENT, IPP_TAG_ENUM, "output-device-document-state",
	              (int)state);
	return m;
}

ipp_t *request_refuse(const struct target *t, int32_t job, int ipp_status, const char *message)
{
	ipp_t *m = request_job(t, IPP_OP_ACKNOWLEDGE_JOB, job);

	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_ENUM, "fetch-status-code", ipp_status);
	if (message[0])
		add_text(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, "fetch-status-message", message);
	return m;
}

/* ---- registration ---- */

ipp_t *request_probe(const struct target *t)
{
	static const char *const wanted[] = { "ipp-features-supported", "operations-supported",
		                              "printer-state", "printer-uuid", NULL };
	ipp_t *m = request_new(t, IPP_OP_GET_PRINTER_ATTRIBUTES);

	add_strings(m, IPP_TAG_OPERATION, "requested-attributes", wanted);
	return m;
}

/* A text value has at most 1023 bytes: one line each. */
static void add_pem(ipp_t *m, const char *name, const char *pem)
{
	ipp_attribute_t *a = NULL;
	char line[128];

	for (int n = 0; *pem && n < PEM_LINES;) {
		size_t len = strcspn(pem, "\r\n");

		if (len && len < sizeof(line)) {
			memcpy(line, pem, len);
			line[len] = '\0';
			if (n++ == 0)
				a = ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, name, NULL,
				                 line);
			else
				ippSetString(m, &a, n - 1, line);
		}
		pem += len + (pem[len] != '\0');
	}
}

ipp_t *request_register(const struct target *t, const char *request_pem)
{
	ipp_t *m = add_who(ipp_request(IPP_OP_REGISTER_OUTPUT_DEVICE, "system-uri", t->printer_uri),
	                   t);

	add_pem(m, "output-device-x509-request", request_pem);
	add_text(m, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "printer-service-type", "print");
	return m;
}
