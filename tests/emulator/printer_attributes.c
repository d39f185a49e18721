/* printer_attributes.c - what a device sends (full and sparse updates, PWG 5100.18 5.9) and what a
 * client then sees: the printer's own attributes, under them those of the device. */
#include "tests/emulator/printers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/events.h"
#include "tests/emulator/operations.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool matches(const char *name, const char *const *list, size_t count, bool prefix)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t len = strlen(list[i]);

		if (strncmp(name, list[i], len) == 0 && (prefix || name[len] == '\0'))
			return true;
	}
	return false;
}

bool attribute_is_forbidden(const char *name)
{
	static const char *const names[] = {
		"ippget-event-life",
		"job-ids-supported",
		"multiple-document-jobs-supported",
		"multiple-operation-time-out",
		"multiple-operation-time-out-action",
		"output-device-uuid-supported",
		"printer-get-attributes-supported",
		"printer-more-info",
		"printer-supply-info-uri",
		"printer-uri-supported",
		"printer-uuid",
		"printer-xri-supported",
		"uri-authentication-supported",
		"uri-security-supported",
		"which-jobs-supported",
	};
	static const char *const prefixes[] = { "notify-", "oauth-", "printer-mode-" };

	return matches(name, names, COUNT(names), false) ||
	       matches(name, prefixes, COUNT(prefixes), true);
}

/* Attributes that are the printer's own, whatever a device says. */
static bool is_own(const char *name)
{
	static const char *const names[] = {
		"charset-configured",
		"charset-supported",
		"generated-natural-language-supported",
		"ipp-features-supported",
		"ipp-versions-supported",
		"natural-language-configured",
		"operations-supported",
		"printer-config-change-date-time",
		"printer-config-change-time",
		"printer-current-time",
		"printer-is-accepting-jobs",
		"printer-name",
		"printer-state",
		"printer-state-change-date-time",
		"printer-state-change-time",
		"printer-state-reasons",
		"printer-up-time",
		"queued-job-count",
	};

	return matches(name, names, COUNT(names), false) || attribute_is_forbidden(name);
}

static bool is_known_suffix(const char *name)
{
	static const char *const suffixes[] = { "-default", "-ready", "-supported", "-database",
		                                "-configured" };
	size_t i, len = strlen(name);

	for (i = 0; i < COUNT(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && strcmp(name + len - n, suffixes[i]) == 0)
			return true;
	}
	return false;
}

static bool is_accepted(const struct printer *p, const char *name)
{
	static const char *const prefixes[] = { "printer-",
		                                "pwg-raster-",
		                                "urf-",
		                                "mopria-",
		                                "pages-per-minute",
		                                "queued-job-count",
		                                "color-supported",
		                                "marker-",
		                                "device-service-count",
		                                "device-uuid",
		                                "pdf-",
		                                "jpeg-",
		                                "landscape-" };
	static const char *const ippserver[] = { "copies",
		                                 "document-format",
		                                 "finishings",
		                                 "media",
		                                 "print-",
		                                 "sides",
		                                 "printer-alert",
		                                 "printer-input",
		                                 "printer-output",
		                                 "printer-resolution",
		                                 "printer-state",
		                                 "pwg-raster",
		                                 "urf-" };

	if (printer_quirk(p, QUIRK_IPPSERVER_15))
		return matches(name, ippserver, COUNT(ippserver), true);
	if (p->up != NULL)
		return true; /* looked at before */
	return !attribute_is_forbidden(name) &&
	       (is_known_suffix(name) || matches(name, prefixes, COUNT(prefixes), true));
}

/* Splits name.N or name.M-N; false: an ordinary name. */
static bool parse_sparse(const char *name, size_t *len, int *first, int *last)
{
	const char *dot = strrchr(name, '.');
	char *end;

	if (dot == NULL || dot[1] < '1' || dot[1] > '9')
		return false;
	*first = *last = (int)strtol(dot + 1, &end, 10);
	if (*end == '-')
		*last = (int)strtol(end + 1, &end, 10);
	if (*end != '\0' || *last < *first || *last > 10000)
		return false;
	*len = (size_t)(dot - name);
	return true;
}

static void copy_value(ipp_t *to, ipp_attribute_t **dst, int at, ipp_attribute_t *src, int from)
{
	ipp_tag_t tag = ippGetValueTag(src);
	int lower, upper, y;
	ipp_res_t units;

	if (tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM) {
		ippSetInteger(to, dst, at, ippGetInteger(src, from));
	} else if (tag == IPP_TAG_BOOLEAN) {
		ippSetBoolean(to, dst, at, ippGetBoolean(src, from));
	} else if (tag == IPP_TAG_RANGE) {
		lower = ippGetRange(src, from, &upper);
		ippSetRange(to, dst, at, lower, upper);
	} else if (tag == IPP_TAG_RESOLUTION) {
		lower = ippGetResolution(src, from, &y, &units);
		ippSetResolution(to, dst, at, units, lower, y);
	} else if (tag == IPP_TAG_BEGIN_COLLECTION) {
		ipp_t *copy = ippNew();

		ippCopyAttributes(copy, ippGetCollection(src, from), 0, NULL, NULL);
		ippSetCollection(to, dst, at, copy);
		ippDelete(copy);
	} else if (tag == IPP_TAG_STRING) {
		const void *data = ippGetOctetString(src, from, &lower);

		ippSetOctetString(to, dst, at, data, lower);
	} else {
		ippSetString(to, dst, at, ippGetString(src, from, NULL));
	}
}

/* ippDeleteValues() of libcups 2.4 never deletes the last value: the first ones go instead, and
 * what stays is written over them. */
static void delete_values(ipp_t *attrs, ipp_attribute_t **a, int at, int count)
{
	ipp_t *aside = ippNew();
	ipp_attribute_t *before = ippCopyAttribute(aside, *a, 0);
	int i, total = ippGetCount(before);

	if (count < total && ippDeleteValues(attrs, a, 0, count)) {
		for (i = 0; i < total - count; i++)
			copy_value(attrs, a, i, before, i < at ? i : i + count);
	} else if (count >= total) {
		ippDeleteAttribute(attrs, *a);
		*a = NULL;
	}
	ippDelete(aside);
}

/* -1: there is nothing to be updated so. */
static int update_sparse(struct device *d, ipp_attribute_t *a, const char *base, int first,
                         int last)
{
	ipp_attribute_t *old = ippFindAttribute(d->attrs, base, IPP_TAG_ZERO);
	int i, n = ippGetCount(a);

	if (old == NULL || first > ippGetCount(old) + 1 || n > last - first + 1 ||
	    ippGetValueTag(a) != ippGetValueTag(old))
		return -1;
	for (i = 0; i < n; i++)
		copy_value(d->attrs, &old, first - 1 + i, a, i);
	if (last > ippGetCount(old))
		last = ippGetCount(old);
	if (first + n <= last)
		delete_values(d->attrs, &old, first - 1 + n, last - first - n + 1);
	return 0;
}

static int update_one(struct printer *p, struct device *d, ipp_attribute_t *a)
{
	const char *name = ippGetName(a);
	ipp_attribute_t *old, *copy;
	int first, last;
	size_t len;

	if (parse_sparse(name, &len, &first, &last)) {
		AUTO(free_str) char *base = xprintf("%.*s", (int)len, name);
		int shift = printer_quirk(p, QUIRK_IPPSERVER_15) ? 1 : 0;

		if (!is_accepted(p, base))
			return -1;
		return update_sparse(d, a, base, first + shift, last + shift);
	}
	if (!is_accepted(p, name))
		return -1;
	old = ippFindAttribute(d->attrs, name, IPP_TAG_ZERO);
	if (old != NULL)
		ippDeleteAttribute(d->attrs, old);
	if (ippGetValueTag(a) == IPP_TAG_DELETEATTR)
		return 0;
	copy = ippCopyAttribute(d->attrs, a, 0);
	ippSetGroupTag(d->attrs, &copy, IPP_TAG_PRINTER);
	return 0;
}

int device_update(struct printer *p, struct device *d, ipp_t *request, ipp_t *answer)
{
	bool state_named = false, config_named = false;
	int before = printer_state(p), ignored = 0;
	ipp_attribute_t *a;

	for (a = ippFirstAttribute(request); a != NULL; a = ippNextAttribute(request)) {
		const char *name = ippGetName(a);

		if (name == NULL || ippGetGroupTag(a) != IPP_TAG_PRINTER)
			continue;
		if (update_one(p, d, a) < 0) {
			if (printer_quirk(p, QUIRK_IPPSERVER_15))
				continue;
			ippAddOutOfBand(answer, IPP_TAG_UNSUPPORTED_GROUP,
			                IPP_TAG_UNSUPPORTED_VALUE, name);
			ignored++;
			continue;
		}
		if (strncmp(name, "printer-state", 13) == 0)
			state_named = true;
		else
			config_named = true;
		if (strcmp(name, "printer-state") == 0)
			d->state = ippGetInteger(a, 0);
	}
	d->updates++;
	d->last_us = clock_us();
	if (printer_state(p) != before)
		p->state_changed_us = d->last_us;
	if (config_named || printer_quirk(p, QUIRK_IPPSERVER_15))
		events_printer(p, EVENT_PRINTER_CONFIG);
	if (state_named && !printer_quirk(p, QUIRK_IPPSERVER_15))
		events_printer(p, printer_state(p) == IPP_PSTATE_STOPPED &&
		                                  before != IPP_PSTATE_STOPPED
		                          ? EVENT_PRINTER_STOPPED
		                          : EVENT_PRINTER_STATE);
	return ignored;
}

bool printer_takes_format(const struct printer *p, const char *format)
{
	static const char *const own[] = { "application/octet-stream",
		                           "application/pdf",
		                           "application/postscript",
		                           "image/jpeg",
		                           "image/png",
		                           "image/pwg-raster",
		                           "image/urf",
		                           "application/oxps",
		                           "application/vnd.ms-xpsdocument",
		                           "text/plain" };
	const struct device *d = TAILQ_FIRST(&p->devices);
	ipp_attribute_t *a;

	if (strcmp(format, own[0]) == 0)
		return true;
	if (d != NULL && !printer_quirk(p, QUIRK_PAPPL_13)) {
		a = ippFindAttribute(d->attrs, "document-format-supported", IPP_TAG_MIMETYPE);
		if (a != NULL)
			return ippContainsString(a, format) != 0;
	}
	return matches(format, own, COUNT(own), false);
}

struct writer {
	const struct printer *p;
	ipp_t *to;
	bool (*wanted)(const char *name, void *data);
	void *data;
};

static void put_strings(const struct writer *w, ipp_tag_t tag, const char *name, int count,
                        const char *const *values)
{
	if (w->wanted(name, w->data))
		ippAddStrings(w->to, IPP_TAG_PRINTER, tag, name, count, NULL, values);
}

static void put_string(const struct writer *w, ipp_tag_t tag, const char *name, const char *value)
{
	put_strings(w, tag, name, 1, &value);
}

static void put_integer(const struct writer *w, ipp_tag_t tag, const char *name, int value)
{
	if (w->wanted(name, w->data))
		ippAddInteger(w->to, IPP_TAG_PRINTER, tag, name, value);
}

static void put_boolean(const struct writer *w, const char *name, bool value)
{
	if (w->wanted(name, w->data))
		ippAddBoolean(w->to, IPP_TAG_PRINTER, name, value);
}

static void put_reasons(const struct writer *w)
{
	const struct device *d;
	const char *values[64];
	int n = 0, i;

	if (TAILQ_EMPTY(&w->p->devices))
		values[n++] = "shutdown";
	if (w->p->paused)
		values[n++] = printer_state(w->p) == IPP_PSTATE_PROCESSING ? "moving-to-paused"
		                                                           : "paused";
	if (w->p->identify.pending)
		values[n++] = "identify-printer-requested";
	TAILQ_FOREACH(d, &w->p->devices, entry)
	{
		ipp_attribute_t *a =
			ippFindAttribute(d->attrs, "printer-state-reasons", IPP_TAG_KEYWORD);

		for (i = 0; a != NULL && i < ippGetCount(a) && n < 64; i++) {
			const char *reason = ippGetString(a, i, NULL);

			if (strcmp(reason, "none") != 0)
				values[n++] = reason;
		}
	}
	if (n == 0)
		values[n++] = "none";
	put_strings(w, IPP_TAG_KEYWORD, "printer-state-reasons", n, values);
}

static void put_state(const struct writer *w)
{
	const struct printer *p = w->p;
	int up = (int)((clock_us() - p->started_us) / 1000000) + 1;

	put_integer(w, IPP_TAG_ENUM, "printer-state", printer_state(p));
	put_reasons(w);
	put_boolean(w, "printer-is-accepting-jobs", true);
	put_integer(w, IPP_TAG_INTEGER, "queued-job-count", printer_queued(p));
	put_integer(w, IPP_TAG_INTEGER, "printer-up-time", up);
	put_integer(w, IPP_TAG_INTEGER, "printer-state-change-time",
	            (int)((p->state_changed_us - p->started_us) / 1000000) + 1);
	if (w->wanted("printer-current-time", w->data))
		ippAddDate(w->to, IPP_TAG_PRINTER, "printer-current-time",
		           ippTimeToDate(time(NULL)));
}

static void put_uris(const struct writer *w, const char *host)
{
	static const char *const auths[] = { "none", "basic", "certificate" };
	const char *auth = auths[w->p->auth];

	AUTO(free_str) char *uri = xprintf("ipp://%s%s", host ? host : "localhost", w->p->path);
	put_string(w, IPP_TAG_URI, "printer-uri-supported", uri);
	put_string(w, IPP_TAG_KEYWORD, "uri-authentication-supported", auth);
	put_string(w, IPP_TAG_URI, "printer-uuid", w->p->uuid);
	put_string(w, IPP_TAG_NAME, "printer-name", w->p->name);
}

#define PUT_LIST(w, tag, name, ...)                                                                \
	do {                                                                                       \
		static const char *const values_[] = { __VA_ARGS__ };                              \
		put_strings(w, tag, name, (int)COUNT(values_), values_);                           \
	} while (0)

static void put_abilities(const struct writer *w, bool tls)
{
	const struct printer *p = w->p;
	int operations[OPERATIONS_MAX];
	int n = operations_list(operations);

	if (w->wanted("operations-supported", w->data))
		ippAddIntegers(w->to, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", n,
		               operations);
	PUT_LIST(w, IPP_TAG_CHARSET, "charset-configured", "utf-8");
	PUT_LIST(w, IPP_TAG_CHARSET, "charset-supported", "us-ascii", "utf-8");
	PUT_LIST(w, IPP_TAG_LANGUAGE, "natural-language-configured", "en");
	PUT_LIST(w, IPP_TAG_LANGUAGE, "generated-natural-language-supported", "en");
	PUT_LIST(w, IPP_TAG_KEYWORD, "ipp-versions-supported", "1.1", "2.0");
	PUT_LIST(w, IPP_TAG_KEYWORD, "ipp-features-supported", "infrastructure-printer",
	         "document-object");
	PUT_LIST(w, IPP_TAG_KEYWORD, "which-jobs-supported", "completed", "not-completed", "all",
	         "fetchable");
	PUT_LIST(w, IPP_TAG_KEYWORD, "notify-pull-method-supported", "ippget");
	PUT_LIST(w, IPP_TAG_KEYWORD, "notify-events-default", "job-completed");
	if (w->wanted("notify-events-supported", w->data)) {
		const char *names[EVENT_COUNT];
		int i;

		for (i = 0; i < EVENT_COUNT; i++)
			names[i] = event_name((enum event)i);
		ippAddStrings(w->to, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "notify-events-supported",
		              EVENT_COUNT, NULL, names);
	}
	put_string(w, IPP_TAG_KEYWORD, "uri-security-supported", tls ? "tls" : "none");
	put_integer(w, IPP_TAG_INTEGER, "ippget-event-life", (int)p->event_life_s);
	put_integer(w, IPP_TAG_INTEGER, "notify-lease-duration-default", 86400);
	if (w->wanted("notify-lease-duration-supported", w->data))
		ippAddRange(w->to, IPP_TAG_PRINTER, "notify-lease-duration-supported", 0, 67108863);
	put_integer(w, IPP_TAG_INTEGER, "multiple-operation-time-out", 900);
	PUT_LIST(w, IPP_TAG_KEYWORD, "multiple-operation-time-out-action", "process-job");
	put_boolean(w, "multiple-document-jobs-supported", !printer_quirk(p, QUIRK_IPPSERVER_12));
	put_boolean(w, "job-ids-supported", true);
	put_boolean(w, "printer-get-attributes-supported", false);
}

static void put_media_col(const struct writer *w)
{
	ipp_t *size, *media;

	if (!w->wanted("media-col-default", w->data))
		return;
	size = ippNew();
	media = ippNew();
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", 21000);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", 29700);
	ippAddCollection(media, IPP_TAG_ZERO, "media-size", size);
	ippAddCollection(w->to, IPP_TAG_PRINTER, "media-col-default", media);
	ippDelete(size);
	ippDelete(media);
}

/* Only where no device says it. */
static void put_defaults(const struct writer *w)
{
	PUT_LIST(w, IPP_TAG_KEYWORD, "compression-supported", "none", "gzip", "deflate");
	PUT_LIST(w, IPP_TAG_MIMETYPE, "document-format-default", "application/octet-stream");
	PUT_LIST(w, IPP_TAG_MIMETYPE, "document-format-supported", "application/octet-stream",
	         "application/pdf", "image/jpeg", "image/png", "image/pwg-raster", "image/urf");
	PUT_LIST(w, IPP_TAG_KEYWORD, "identify-actions-supported", "display", "sound", "flash");
	PUT_LIST(w, IPP_TAG_KEYWORD, "identify-actions-default", "display");
	PUT_LIST(w, IPP_TAG_KEYWORD, "pdl-override-supported", "attempted");
	PUT_LIST(w, IPP_TAG_TEXT, "printer-info", "cloud emulator");
	PUT_LIST(w, IPP_TAG_TEXT, "printer-location", "");
	PUT_LIST(w, IPP_TAG_TEXT, "printer-make-and-model", "Cloud Emulator");
	PUT_LIST(w, IPP_TAG_TEXT, "printer-state-message", "");
	PUT_LIST(w, IPP_TAG_URI, "printer-more-info", "http://localhost/");
	PUT_LIST(w, IPP_TAG_KEYWORD, "job-hold-until-supported", "no-hold", "indefinite");
	PUT_LIST(w, IPP_TAG_KEYWORD, "job-hold-until-default", "no-hold");
	PUT_LIST(w, IPP_TAG_KEYWORD, "job-creation-attributes-supported", "copies", "media",
	         "sides", "job-name", "job-priority", "job-hold-until", "print-quality");
	PUT_LIST(w, IPP_TAG_KEYWORD, "media-supported", "iso_a4_210x297mm", "na_letter_8.5x11in");
	PUT_LIST(w, IPP_TAG_KEYWORD, "media-default", "iso_a4_210x297mm");
	put_media_col(w);
	put_boolean(w, "color-supported", true);
	put_integer(w, IPP_TAG_INTEGER, "copies-default", 1);
	if (w->wanted("copies-supported", w->data))
		ippAddRange(w->to, IPP_TAG_PRINTER, "copies-supported", 1, 999);
	put_integer(w, IPP_TAG_INTEGER, "job-priority-supported", 100);
	put_integer(w, IPP_TAG_INTEGER, "job-priority-default", 50);
}

static bool wanted_and_absent(const char *name, void *data)
{
	const struct writer *w = data;

	return ippFindAttribute(w->to, name, IPP_TAG_ZERO) == NULL && w->wanted(name, w->data);
}

static void put_device(const struct writer *w, const struct device *d)
{
	bool doubled = printer_quirk(w->p, QUIRK_IPPSERVER_15);
	ipp_attribute_t *a;

	for (a = ippFirstAttribute(d->attrs); a != NULL; a = ippNextAttribute(d->attrs)) {
		const char *name = ippGetName(a);
		bool hidden = printer_quirk(w->p, QUIRK_PAPPL_13) &&
		              strcmp(name, "document-format-supported") == 0;
		bool again = doubled && strncmp(name, "printer-state", 13) == 0;

		if ((!is_own(name) || again) && !hidden && w->wanted(name, w->data) &&
		    (again || ippFindAttribute(w->to, name, IPP_TAG_ZERO) == NULL))
			ippCopyAttribute(w->to, a, 0);
	}
}

void printer_write_ipp(const struct printer *p, const char *host, bool tls, ipp_t *to,
                       bool (*wanted)(const char *name, void *data), void *data)
{
	struct writer w = { p, to, wanted, data };
	struct writer rest = { p, to, wanted_and_absent, &w };
	const struct device *d;

	put_uris(&w, host);
	if (printer_quirk(p, QUIRK_PAPPL_12))
		put_string(&w, IPP_TAG_TEXT, "printer-make-and-model", "");
	else if (printer_quirk(p, QUIRK_IPPSERVER_15))
		put_string(&w, IPP_TAG_TEXT, "printer-make-and-model", "Unknown");
	if (printer_quirk(p, QUIRK_IPPSERVER_15)) {
		put_integer(&w, IPP_TAG_ENUM, "printer-state", IPP_PSTATE_IDLE);
		put_string(&w, IPP_TAG_KEYWORD, "printer-state-reasons", "none");
		put_boolean(&w, "printer-is-accepting-jobs", false);
	} else {
		put_state(&w);
	}
	put_abilities(&w, tls);
	TAILQ_FOREACH(d, &p->devices, entry)
	put_device(&w, d);
	put_defaults(&rest);
	if (printer_quirk(p, QUIRK_IPPSERVER_15))
		put_state(&rest);
}
