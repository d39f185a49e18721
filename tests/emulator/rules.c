#include "tests/emulator/rules.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/host.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The syntax of attributes, by group. Text and name may carry a language. */
struct syntax {
	const char *name;
	ipp_tag_t tag;
	bool many;
};

static const struct syntax operation_syntax[] = {
	{ "attributes-charset", IPP_TAG_CHARSET, false },
	{ "attributes-natural-language", IPP_TAG_LANGUAGE, false },
	{ "compression", IPP_TAG_KEYWORD, false },
	{ "compression-accepted", IPP_TAG_KEYWORD, true },
	{ "document-format", IPP_TAG_MIMETYPE, false },
	{ "document-format-accepted", IPP_TAG_MIMETYPE, true },
	{ "document-name", IPP_TAG_NAME, false },
	{ "document-number", IPP_TAG_INTEGER, false },
	{ "fetch-status-code", IPP_TAG_ENUM, false },
	{ "fetch-status-message", IPP_TAG_TEXT, false },
	{ "first-job-id", IPP_TAG_INTEGER, false },
	{ "identify-actions", IPP_TAG_KEYWORD, true },
	{ "ipp-attribute-fidelity", IPP_TAG_BOOLEAN, false },
	{ "job-id", IPP_TAG_INTEGER, false },
	{ "job-ids", IPP_TAG_INTEGER, true },
	{ "job-name", IPP_TAG_NAME, false },
	{ "job-uri", IPP_TAG_URI, false },
	{ "last-document", IPP_TAG_BOOLEAN, false },
	{ "limit", IPP_TAG_INTEGER, false },
	{ "message", IPP_TAG_TEXT, false },
	{ "my-jobs", IPP_TAG_BOOLEAN, false },
	{ "notify-sequence-numbers", IPP_TAG_INTEGER, true },
	{ "notify-subscription-id", IPP_TAG_INTEGER, false },
	{ "notify-subscription-ids", IPP_TAG_INTEGER, true },
	{ "notify-wait", IPP_TAG_BOOLEAN, false },
	{ "output-device-job-states", IPP_TAG_ENUM, true },
	{ "output-device-uuid", IPP_TAG_URI, false },
	{ "output-device-x509-certificate", IPP_TAG_TEXT, true },
	{ "output-device-x509-request", IPP_TAG_TEXT, true },
	{ "printer-service-type", IPP_TAG_KEYWORD, true },
	{ "printer-uri", IPP_TAG_URI, false },
	{ "printer-xri-requested", IPP_TAG_BEGIN_COLLECTION, true },
	{ "requested-attributes", IPP_TAG_KEYWORD, true },
	{ "requesting-user-name", IPP_TAG_NAME, false },
	{ "requesting-user-uri", IPP_TAG_URI, false },
	{ "system-uri", IPP_TAG_URI, false },
	{ "which-jobs", IPP_TAG_KEYWORD, false },
};

static const struct syntax job_syntax[] = {
	{ "copies", IPP_TAG_INTEGER, false },
	{ "job-hold-until", IPP_TAG_KEYWORD, false },
	{ "job-impressions-completed", IPP_TAG_INTEGER, false },
	{ "job-k-octets-completed", IPP_TAG_INTEGER, false },
	{ "job-k-octets-processed", IPP_TAG_INTEGER, false },
	{ "job-media-sheets-completed", IPP_TAG_INTEGER, false },
	{ "job-pages-completed", IPP_TAG_INTEGER, false },
	{ "job-priority", IPP_TAG_INTEGER, false },
	{ "microsoft-job-fetched-time-seconds", IPP_TAG_INTEGER, false },
	{ "microsoft-job-printed-time-seconds", IPP_TAG_INTEGER, false },
	{ "microsoft-job-printer-time-in-seconds", IPP_TAG_INTEGER, false },
	{ "microsoft-job-processed-time-seconds", IPP_TAG_INTEGER, false },
	{ "microsoft-job-spooler-time-in-seconds", IPP_TAG_INTEGER, false },
	{ "microsoft-output-device-job-state-message", IPP_TAG_TEXT, false },
	{ "microsoft-pdf-to-xps-job-conversion-time-milliseconds", IPP_TAG_INTEGER, false },
	{ "microsoft-print-ticket-generation-mappings", IPP_TAG_TEXT, true },
	{ "microsoft-print-ticket-generation-time-milliseconds", IPP_TAG_INTEGER, false },
	{ "output-device-job-state", IPP_TAG_ENUM, false },
	{ "output-device-job-state-message", IPP_TAG_TEXT, false },
	{ "output-device-job-state-reasons", IPP_TAG_KEYWORD, true },
};

static const struct syntax document_syntax[] = {
	{ "impressions-completed", IPP_TAG_INTEGER, false },
	{ "k-octets-processed", IPP_TAG_INTEGER, false },
	{ "media-sheets-completed", IPP_TAG_INTEGER, false },
	{ "output-device-document-state", IPP_TAG_ENUM, false },
	{ "output-device-document-state-message", IPP_TAG_TEXT, false },
	{ "output-device-document-state-reasons", IPP_TAG_KEYWORD, true },
	{ "pages-completed", IPP_TAG_INTEGER, false },
};

static const struct syntax subscription_syntax[] = {
	{ "notify-charset", IPP_TAG_CHARSET, false },
	{ "notify-events", IPP_TAG_KEYWORD, true },
	{ "notify-lease-duration", IPP_TAG_INTEGER, false },
	{ "notify-natural-language", IPP_TAG_LANGUAGE, false },
	{ "notify-pull-method", IPP_TAG_KEYWORD, false },
	{ "notify-time-interval", IPP_TAG_INTEGER, false },
	{ "notify-user-data", IPP_TAG_STRING, false },
};

static const struct syntax printer_syntax[] = {
	{ "color-supported", IPP_TAG_BOOLEAN, false },
	{ "compression-supported", IPP_TAG_KEYWORD, true },
	{ "copies-default", IPP_TAG_INTEGER, false },
	{ "copies-supported", IPP_TAG_RANGE, false },
	{ "document-format-default", IPP_TAG_MIMETYPE, false },
	{ "document-format-supported", IPP_TAG_MIMETYPE, true },
	{ "finishings-default", IPP_TAG_ENUM, true },
	{ "finishings-ready", IPP_TAG_ENUM, true },
	{ "finishings-supported", IPP_TAG_ENUM, true },
	{ "identify-actions-supported", IPP_TAG_KEYWORD, true },
	{ "ipp-versions-supported", IPP_TAG_KEYWORD, true },
	{ "job-creation-attributes-supported", IPP_TAG_KEYWORD, true },
	{ "media-bottom-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-col-database", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-col-default", IPP_TAG_BEGIN_COLLECTION, false },
	{ "media-col-ready", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-col-supported", IPP_TAG_KEYWORD, true },
	{ "media-default", IPP_TAG_KEYWORD, false },
	{ "media-left-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-ready", IPP_TAG_KEYWORD, true },
	{ "media-right-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-size-supported", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-source-supported", IPP_TAG_KEYWORD, true },
	{ "media-supported", IPP_TAG_KEYWORD, true },
	{ "media-top-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-type-supported", IPP_TAG_KEYWORD, true },
	{ "orientation-requested-default", IPP_TAG_ENUM, false },
	{ "orientation-requested-supported", IPP_TAG_ENUM, true },
	{ "output-bin-default", IPP_TAG_KEYWORD, false },
	{ "output-bin-supported", IPP_TAG_KEYWORD, true },
	{ "page-ranges-supported", IPP_TAG_BOOLEAN, false },
	{ "pages-per-minute", IPP_TAG_INTEGER, false },
	{ "pages-per-minute-color", IPP_TAG_INTEGER, false },
	{ "print-color-mode-default", IPP_TAG_KEYWORD, false },
	{ "print-color-mode-supported", IPP_TAG_KEYWORD, true },
	{ "print-quality-default", IPP_TAG_ENUM, false },
	{ "print-quality-supported", IPP_TAG_ENUM, true },
	{ "printer-alert", IPP_TAG_STRING, true },
	{ "printer-alert-description", IPP_TAG_TEXT, true },
	{ "printer-device-id", IPP_TAG_TEXT, false },
	{ "printer-geo-location", IPP_TAG_URI, false },
	{ "printer-info", IPP_TAG_TEXT, false },
	{ "printer-input-tray", IPP_TAG_STRING, true },
	{ "printer-is-accepting-jobs", IPP_TAG_BOOLEAN, false },
	{ "printer-location", IPP_TAG_TEXT, false },
	{ "printer-make-and-model", IPP_TAG_TEXT, false },
	{ "printer-name", IPP_TAG_NAME, false },
	{ "printer-output-tray", IPP_TAG_STRING, true },
	{ "printer-resolution-default", IPP_TAG_RESOLUTION, false },
	{ "printer-resolution-supported", IPP_TAG_RESOLUTION, true },
	{ "printer-state", IPP_TAG_ENUM, false },
	{ "printer-state-message", IPP_TAG_TEXT, false },
	{ "printer-state-reasons", IPP_TAG_KEYWORD, true },
	{ "printer-supply", IPP_TAG_STRING, true },
	{ "printer-supply-description", IPP_TAG_TEXT, true },
	{ "printer-up-time", IPP_TAG_INTEGER, false },
	{ "pwg-raster-document-resolution-supported", IPP_TAG_RESOLUTION, true },
	{ "pwg-raster-document-sheet-back", IPP_TAG_KEYWORD, false },
	{ "pwg-raster-document-type-supported", IPP_TAG_KEYWORD, true },
	{ "queued-job-count", IPP_TAG_INTEGER, false },
	{ "sides-default", IPP_TAG_KEYWORD, false },
	{ "sides-supported", IPP_TAG_KEYWORD, true },
	{ "urf-supported", IPP_TAG_KEYWORD, true },
};

static const struct syntax *find_syntax(const struct syntax *list, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

static const struct syntax *syntax_of(ipp_attribute_t *a, bool up_side)
{
	const char *name = ippGetName(a);
	ipp_tag_t group = ippGetGroupTag(a);

	if (group == IPP_TAG_OPERATION)
		return find_syntax(operation_syntax, COUNT(operation_syntax), name);
	if (group == IPP_TAG_JOB)
		return find_syntax(job_syntax, COUNT(job_syntax), name);
	if (group == IPP_TAG_DOCUMENT)
		return find_syntax(document_syntax, COUNT(document_syntax), name);
	if (group == IPP_TAG_SUBSCRIPTION)
		return find_syntax(subscription_syntax, COUNT(subscription_syntax), name);
	if (group == IPP_TAG_PRINTER && !up_side)
		return find_syntax(printer_syntax, COUNT(printer_syntax), name);
	return NULL;
}

static bool tag_fits(const struct syntax *s, ipp_tag_t tag)
{
	if (tag == s->tag)
		return true;
	if (s->tag == IPP_TAG_TEXT)
		return tag == IPP_TAG_TEXTLANG;
	if (s->tag == IPP_TAG_NAME)
		return tag == IPP_TAG_NAMELANG;
	if (s->tag == IPP_TAG_KEYWORD) /* most keyword attributes are "keyword | name" */
		return tag == IPP_TAG_NAME || tag == IPP_TAG_NAMELANG;
	return false;
}

/* libcups compiles a regular expression for each value of most syntaxes, which costs more than all
 * the rest of a request: what was found valid is known by its hash from then on. */
static bool is_valid(ipp_attribute_t *a)
{
	static uint64_t valid[4096];
	char text[1024];
	size_t len = ippAttributeString(a, text, sizeof text);
	uint64_t hash = 14695981039346656037u + (uint64_t)ippGetValueTag(a);
	const char *part[] = { ippGetName(a), text };

	if (len >= sizeof text)
		return ippValidateAttribute(a);
	for (size_t i = 0; i < 2; i++)
		for (const char *c = part[i]; c && *c; c++)
			hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	if (valid[hash % 4096] != hash) {
		if (!ippValidateAttribute(a))
			return false;
		valid[hash % 4096] = hash;
	}
	return true;
}

static int check_syntax(struct exchange *x, ipp_attribute_t *a)
{
	const struct syntax *s = syntax_of(a, host_is_up(x->peer->host));
	ipp_tag_t tag = ippGetValueTag(a), group = ippGetGroupTag(a);
	bool out_of_band =
		tag == IPP_TAG_NOVALUE || tag == IPP_TAG_UNKNOWN || tag == IPP_TAG_DELETEATTR;

	if (s == NULL && group != IPP_TAG_PRINTER && host_is_up(x->peer->host))
		record_notice(x, "unhandled-attribute", "%s", ippGetName(a));
	if (s == NULL || (out_of_band && group != IPP_TAG_OPERATION))
		return 0;
	if (!tag_fits(s, tag)) {
		record_violation(x, "value-tag", "%s is %s, not %s", s->name, ippTagString(tag),
		                 ippTagString(s->tag));
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "%s: wrong syntax",
		                       s->name);
	}
	if (!s->many && ippGetCount(a) != 1) {
		record_violation(x, "value-count", "%s has %d values", s->name, ippGetCount(a));
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "%s: one value only",
		                       s->name);
	}
	if (!is_valid(a)) {
		record_violation(x, "value", "%s has a value that its syntax does not allow",
		                 s->name);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "%s: bad value", s->name);
	}
	return 0;
}

/* Which groups may come after the first. */
static bool group_fits(const struct operation *op, ipp_tag_t group)
{
	switch (op->code) {
	case IPP_OP_PRINT_JOB:
	case IPP_OP_VALIDATE_JOB:
	case IPP_OP_CREATE_JOB:
		return group == IPP_TAG_JOB || group == IPP_TAG_SUBSCRIPTION ||
		       group == IPP_TAG_DOCUMENT;
	case IPP_OP_UPDATE_JOB_STATUS:
		return group == IPP_TAG_JOB;
	case IPP_OP_SEND_DOCUMENT:
	case IPP_OP_UPDATE_DOCUMENT_STATUS:
		return group == IPP_TAG_DOCUMENT;
	case IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES:
		return group == IPP_TAG_PRINTER;
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
	case IPP_OP_RENEW_SUBSCRIPTION:
		return group == IPP_TAG_SUBSCRIPTION;
	default:
		return false;
	}
}

int rules_check_groups(struct exchange *x)
{
	ipp_tag_t last = IPP_TAG_OPERATION;
	ipp_attribute_t *a, *b;
	int status;

	for (a = ippFirstAttribute(x->request); a != NULL; a = ippNextAttribute(x->request)) {
		ipp_tag_t group = ippGetGroupTag(a);

		if (ippGetName(a) == NULL)
			continue;
		if (group != IPP_TAG_OPERATION && !group_fits(x->op, group)) {
			record_violation(x, "group", "%s stands in group %s", ippGetName(a),
			                 ippTagString(group));
			return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
			                       "%s: not in this group", ippGetName(a));
		}
		if (group == IPP_TAG_OPERATION && last != IPP_TAG_OPERATION) {
			record_violation(x, "group-order", "%s: operation group after another",
			                 ippGetName(a));
			return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
			                       "operation attributes come first");
		}
		last = group;
		status = check_syntax(x, a);
		if (status != 0)
			return status;
		if (group != IPP_TAG_OPERATION && !host_is_up(x->peer->host))
			continue;
		b = ippFindAttribute(x->request, ippGetName(a), IPP_TAG_ZERO);
		if (b != a && b != NULL && ippGetGroupTag(b) == group) {
			record_violation(x, "duplicate", "%s twice", ippGetName(a));
			return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "%s: twice",
			                       ippGetName(a));
		}
		/* the look-up moved the cursor: go on behind this attribute */
		for (b = ippFirstAttribute(x->request); b != a;)
			b = ippNextAttribute(x->request);
	}
	return 0;
}

static int check_head(struct exchange *x)
{
	static const char *const names[] = { "attributes-charset", "attributes-natural-language" };
	ipp_attribute_t *a = ippFirstAttribute(x->request);
	const char *target = "printer-uri";
	int i, major, minor;

	major = ippGetVersion(x->request, &minor);
	if (major < 1 || major > 2) {
		record_violation(x, "version", "IPP version %d.%d", major, minor);
		return exchange_refuse(x, IPP_STATUS_ERROR_VERSION_NOT_SUPPORTED, "version %d.%d",
		                       major, minor);
	}
	if (ippGetRequestId(x->request) <= 0) {
		record_violation(x, "request-id", "request-id %d", ippGetRequestId(x->request));
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "request-id below 1");
	}
	for (i = 0; i < 2; i++, a = ippNextAttribute(x->request)) {
		if (a == NULL || ippGetName(a) == NULL || strcmp(ippGetName(a), names[i]) != 0) {
			record_violation(x, "head-order", "attribute %d is %s, not %s", i + 1,
			                 a && ippGetName(a) ? ippGetName(a) : "missing", names[i]);
			return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
			                       "attribute %d is not %s", i + 1, names[i]);
		}
	}
	if (strcasecmp(exchange_string(x, names[0]) ? exchange_string(x, names[0]) : "", "utf-8") !=
	            0 &&
	    strcasecmp(exchange_string(x, names[0]) ? exchange_string(x, names[0]) : "",
	               "us-ascii") != 0) {
		record_violation(x, "charset", "attributes-charset is not utf-8");
		return exchange_refuse(x, IPP_STATUS_ERROR_CHARSET, "want utf-8");
	}
	if (x->op->target == TARGET_ANY)
		return 0;
	if (x->op->target == TARGET_SYSTEM)
		target = "system-uri";
	for (a = ippFirstAttribute(x->request), i = 0; i < 2; i++)
		a = ippNextAttribute(x->request);
	if (a != NULL && ippGetName(a) != NULL && strcmp(ippGetName(a), "job-uri") == 0 &&
	    x->op->target >= TARGET_JOB && x->op->target <= TARGET_DOCUMENT)
		return 0;
	if (a != NULL && ippGetName(a) != NULL && strcmp(ippGetName(a), target) == 0)
		return 0;
	if (!x->as_proxy && exchange_string(x, target) != NULL) {
		record_notice(x, "head-order", "%s is not attribute 3", target);
		return 0; /* libcups' own look-ups are like this */
	}
	record_violation(x, "head-order", "attribute 3 is not %s", target);
	return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "attribute 3 is not %s", target);
}

/* The path in the target URI is that of the HTTP request. */
static int check_target(struct exchange *x)
{
	const char *name = x->op->target == TARGET_SYSTEM ? "system-uri" : "printer-uri";
	const char *uri = exchange_string(x, name), *path;

	if (uri == NULL)
		return 0;
	path = strstr(uri, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	if (path != NULL && strcmp(path, x->path) == 0)
		return 0;
	if (path != NULL && x->printer != NULL && strncmp(path, "/printers/", 10) == 0 &&
	    strcmp(path + 10, x->printer->name) == 0)
		return 0;
	if (x->op->target == TARGET_ANY)
		return 0;
	record_violation(x, "target", "%s is %s and the HTTP path %s", name, uri, x->path);
	return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "%s is not %s", name, x->path);
}

static int check_proxy(struct exchange *x)
{
	int minor;

	if (x->uuid == NULL) {
		if (x->op->side == SIDE_CLIENT && x->peer->proxy) {
			record_violation(x, "client-operation",
			                 "a client's operation on a proxy's connection");
			return exchange_refuse(x, IPP_STATUS_ERROR_FORBIDDEN,
			                       "a proxy is not a client here");
		}
		if (!x->as_proxy)
			return 0;
		record_violation(x, "missing-output-device-uuid", "no output-device-uuid");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want output-device-uuid");
	}
	if (x->op->side == SIDE_CLIENT && x->op->code != IPP_OP_IDENTIFY_PRINTER &&
	    x->op->code != IPP_OP_RELEASE_JOB) {
		record_violation(x, "client-operation",
		                 "a client's operation with output-device-uuid");
		return exchange_refuse(x, IPP_STATUS_ERROR_FORBIDDEN,
		                       "a proxy is not a client here");
	}
	if (strncmp(x->uuid, "urn:uuid:", 9) != 0 || strlen(x->uuid) != 45) {
		record_violation(x, "output-device-uuid", "%s is not a urn:uuid", x->uuid);
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "output-device-uuid: want urn:uuid:");
	}
	if (x->as_proxy && ippGetVersion(x->request, &minor) < 2) {
		record_violation(x, "version", "a proxy speaks IPP 2.0");
		return exchange_refuse(x, IPP_STATUS_ERROR_VERSION_NOT_SUPPORTED, "want 2.0");
	}
	return 0;
}

static int check_data(struct exchange *x)
{
	if (x->op->document || x->body.len == x->document_offset)
		return 0;
	record_violation(x, "data", "%zu bytes follow the message",
	                 x->body.len - x->document_offset);
	return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "no document expected");
}

int rules_check(struct exchange *x)
{
	int (*const checks[])(struct exchange *) = { check_head, rules_check_groups, check_target,
		                                     check_proxy, check_data };
	size_t i;
	int status = 0;

	for (i = 0; i < COUNT(checks) && status == 0; i++)
		status = checks[i](x);
	return status;
}
