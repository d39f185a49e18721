/* job_answers.c - jobs as IPP attributes for clients and proxies, and as JSON for tests. */
#include "tests/emulator/jobs.h"

#include <string.h>
#include <time.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/json.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/up.h"

#define EACH_VALUE 32

static const char *const reason_names[] = {
#define REASON_NAME(id, name) [JOB_REASON_##id] = name,
	JOB_REASONS(REASON_NAME)
#undef REASON_NAME
};

const char *job_state_name(int state)
{
	static const char *const names[] = { "pending",    "pending-held",
		                             "processing", "processing-stopped",
		                             "canceled",   "aborted",
		                             "completed" };

	return state >= 3 && state <= 9 ? names[state - 3] : "unknown";
}

static int job_list_reasons(const struct job *j, const char **ret, int max)
{
	int i, n = 0;

	for (i = 0; i < JOB_REASON_COUNT && n < max; i++) {
		if (j->reasons >> i & 1)
			ret[n++] = reason_names[i];
	}
	for (i = 0; i < j->device_reason_count && n < max; i++)
		ret[n++] = j->device_reasons[i];
	if (n == 0)
		ret[n++] = "none";
	return n;
}

struct writer {
	ipp_t *to;
	ipp_tag_t group;
	bool (*wanted)(const char *name, void *data);
	void *data;
};

static void put_integer(const struct writer *w, ipp_tag_t tag, const char *name, int64_t value)
{
	if (value >= 0 && w->wanted(name, w->data))
		ippAddInteger(w->to, w->group, tag, name, (int)value);
}

static void put_string(const struct writer *w, ipp_tag_t tag, const char *name, const char *value)
{
	if (value != NULL && w->wanted(name, w->data))
		ippAddString(w->to, w->group, tag, name, NULL, value);
}

static void put_time(const struct writer *w, const struct printer *p, const char *what, int64_t us)
{
	AUTO(free_str) char *since_start = xprintf("time-at-%s", what);
	AUTO(free_str) char *date = xprintf("date-time-at-%s", what);

	if (us == 0) {
		if (w->wanted(since_start, w->data))
			ippAddOutOfBand(w->to, w->group, IPP_TAG_NOVALUE, since_start);
		if (w->wanted(date, w->data))
			ippAddOutOfBand(w->to, w->group, IPP_TAG_NOVALUE, date);
		return;
	}
	if (w->wanted(since_start, w->data))
		ippAddInteger(w->to, w->group, IPP_TAG_INTEGER, since_start,
		              (int)((us - p->started_us) / 1000000 + 1));
	if (w->wanted(date, w->data))
		ippAddDate(w->to, w->group, date, ippTimeToDate((time_t)(us / 1000000)));
}

void job_write_ipp(const struct job *j, ipp_t *to, ipp_tag_t group,
                   bool (*wanted)(const char *name, void *data), void *data)
{
	const struct printer *p = j->printer;
	const struct writer w = { to, group, wanted, data };
	const char *reasons[EACH_VALUE];
	ipp_attribute_t *a;
	int64_t bytes = 0;
	int i;

	AUTO(free_str)
	char *printer = p->up ? xstrdup(p->up->uri) : xprintf("ipp://localhost%s", p->path);
	AUTO(free_str) char *uri = xprintf("%s/%s%d", printer, p->up ? "jobs/" : "", j->id);

	for (i = 0; i < j->document_count; i++)
		bytes += (int64_t)j->documents[i]->length;
	put_integer(&w, IPP_TAG_INTEGER, "job-id", j->id);
	put_string(&w, IPP_TAG_URI, "job-uri", uri);
	put_string(&w, IPP_TAG_URI, "job-uuid", j->uuid);
	put_string(&w, IPP_TAG_URI, "job-printer-uri", printer);
	put_string(&w, IPP_TAG_NAME, "job-name", j->name);
	put_string(&w, IPP_TAG_NAME, "job-originating-user-name", j->user);
	put_integer(&w, IPP_TAG_ENUM, "job-state", j->state);
	if (wanted("job-state-reasons", data))
		ippAddStrings(to, group, IPP_TAG_KEYWORD, "job-state-reasons",
		              job_list_reasons(j, reasons, EACH_VALUE), NULL, reasons);
	put_string(&w, IPP_TAG_TEXT, "job-state-message", j->message ? j->message : "");
	put_integer(&w, IPP_TAG_INTEGER, "job-priority", j->priority);
	put_integer(&w, IPP_TAG_INTEGER, "job-printer-up-time",
	            (clock_us() - p->started_us) / 1000000 + 1);
	put_integer(&w, IPP_TAG_INTEGER, "job-k-octets", (bytes + 1023) / 1024);
	put_integer(&w, IPP_TAG_INTEGER, "job-impressions-completed",
	            j->impressions < 0 ? 0 : j->impressions);
	put_integer(&w, IPP_TAG_INTEGER, "job-media-sheets-completed",
	            j->sheets < 0 ? 0 : j->sheets);
	put_integer(&w, IPP_TAG_INTEGER, "job-pages-completed", j->pages);
	put_integer(&w, IPP_TAG_INTEGER, "job-k-octets-processed", j->k_octets);
	if (!printer_quirk(p, QUIRK_PAPPL_3))
		put_integer(&w, IPP_TAG_INTEGER, "number-of-documents", j->document_count);
	if (j->document_count > 0)
		put_string(&w, IPP_TAG_MIMETYPE, "document-format-supplied",
		           j->documents[0]->supplied);
	put_string(&w, IPP_TAG_URI, "output-device-uuid-assigned", j->device);
	put_integer(&w, IPP_TAG_ENUM, "output-device-job-state",
	            j->device_state ? j->device_state : -1);
	put_time(&w, p, "creation", j->created_us);
	put_time(&w, p, "processing", j->processing_us);
	put_time(&w, p, "completed", j->final_us);
	for (a = ippFirstAttribute(j->attrs); a != NULL; a = ippNextAttribute(j->attrs)) {
		ipp_attribute_t *copy;

		if (ippGetName(a) == NULL || !wanted(ippGetName(a), data))
			continue;
		copy = ippCopyAttribute(to, a, 0);
		ippSetGroupTag(to, &copy, group);
	}
}

static void document_write_json(struct document *d, struct buffer *b)
{
	json_open(b, NULL, '{');
	json_number(b, "number", d->number);
	json_string(b, "name", d->name);
	json_string(b, "format", d->format);
	json_string(b, "format_supplied", d->supplied);
	json_string(b, "compression", d->compression);
	json_number(b, "length", (int64_t)d->length);
	json_string(b, "sha256", document_hash(d));
	json_number(b, "state", d->state);
	json_string(b, "message", d->message);
	json_number(b, "impressions", d->impressions);
	json_number(b, "fetches", d->fetches);
	json_bool(b, "whole", d->whole);
	json_bool(b, "acknowledged", d->acknowledged);
	json_number(b, "refusal", d->refusal);
	json_time(b, "first_byte", d->first_byte_us);
	json_time(b, "last_byte", d->last_byte_us);
	json_close(b, '}');
}

static void told_write_json(const struct told *t, struct buffer *b)
{
	json_open(b, NULL, '{');
	json_time(b, "time", t->us);
	json_string(b, "side", t->side);
	json_string(b, "operation", ippOpString((ipp_op_t)t->operation));
	json_number(b, "status", t->status);
	json_number(b, "state", t->state);
	json_string(b, "reasons", t->reasons);
	json_string(b, "message", t->message);
	json_number(b, "impressions", t->impressions);
	json_number(b, "sheets", t->sheets);
	json_number(b, "document", t->document);
	json_number(b, "fetch_status", t->fetch_status);
	json_number(b, "job_state", t->job_state);
	json_close(b, '}');
}

static void job_write_times(const struct job *j, struct buffer *b)
{
	json_open(b, "times", '{');
	json_time(b, "created", j->created_us);
	json_time(b, "submitted", j->submitted_us);
	json_time(b, "fetchable", j->fetchable_us);
	json_time(b, "fetched", j->fetched_us);
	json_time(b, "acknowledged", j->acknowledged_us);
	json_time(b, "first_byte", j->document_count ? j->documents[0]->first_byte_us : 0);
	json_time(b, "last_byte",
	          j->document_count ? j->documents[j->document_count - 1]->last_byte_us : 0);
	json_time(b, "processing", j->processing_us);
	json_time(b, "canceled", j->canceled_us);
	json_time(b, "final", j->final_us);
	json_close(b, '}');
}

static void job_write_microsoft(const struct job *j, struct buffer *b)
{
	ipp_attribute_t *a;

	if (j->microsoft == NULL)
		return;
	json_open(b, "microsoft", '{');
	for (a = ippFirstAttribute(j->microsoft); a != NULL; a = ippNextAttribute(j->microsoft)) {
		AUTO(free_str) char *text = xcalloc(1, 2048);

		ippAttributeString(a, text, 2048);
		json_string(b, ippGetName(a), text);
	}
	json_close(b, '}');
}

void job_write_json(struct job *j, struct buffer *b, const char *key, bool with_told)
{
	const char *reasons[EACH_VALUE];
	int i, n = job_list_reasons(j, reasons, EACH_VALUE);

	json_open(b, key, '{');
	json_string(b, "printer", j->printer->name);
	json_number(b, "id", j->id);
	json_string(b, "uuid", j->uuid);
	json_string(b, "name", j->name);
	json_string(b, "user", j->user);
	json_number(b, "state", j->state);
	json_string(b, "state_name", job_state_name(j->state));
	json_open(b, "reasons", '[');
	for (i = 0; i < n; i++)
		json_string(b, NULL, reasons[i]);
	json_close(b, ']');
	json_string(b, "message", j->message);
	json_string(b, "device", j->device);
	json_number(b, "refusal", j->refusal);
	json_number(b, "impressions", j->impressions);
	json_number(b, "sheets", j->sheets);
	json_number(b, "final_told", j->final_told);
	job_write_times(j, b);
	job_write_microsoft(j, b);
	if (with_told) {
		json_open(b, "documents", '[');
		for (i = 0; i < j->document_count; i++)
			document_write_json(j->documents[i], b);
		json_close(b, ']');
		json_open(b, "told", '[');
		for (i = 0; i < j->told_count; i++)
			told_write_json(&j->told[i], b);
		json_close(b, ']');
	}
	json_close(b, '}');
}
