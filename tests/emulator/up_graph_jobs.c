/* up_graph_jobs.c - a user's job: created, uploaded in ranges, started, watched, canceled. */
#include "tests/emulator/up_graph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "tests/emulator/base64.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/json_read.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up_web.h"
#include "tests/emulator/uuid.h"

#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define RANGE_MAX      (10u << 20)
#define SESSION_US     INT64_C(3600000000)
#define RANGES_MAX     16
#define DOCUMENT_ID(j) ((j)->uuid + strlen("urn:uuid:"))

struct session {
	TAILQ_ENTRY(session) entry;
	char *id, *secret;
	struct up_printer *printer; /* borrowed, kept to the end */
	int job;
	int64_t size, expires_us;
	char *name, *format;
	struct buffer data;
};

static TAILQ_HEAD(, session) sessions = TAILQ_HEAD_INITIALIZER(sessions);

static void session_free(struct session *s)
{
	TAILQ_REMOVE(&sessions, s, entry);
	free(s->id);
	free(s->secret);
	free(s->name);
	free(s->format);
	buffer_clear(&s->data);
	free(s);
}

void graph_free(void)
{
	while (!TAILQ_EMPTY(&sessions))
		session_free(TAILQ_FIRST(&sessions));
}

static bool has_reason(const struct job *j, const char *reason)
{
	int i;

	for (i = 0; i < j->device_reason_count; i++) {
		if (strcmp(j->device_reasons[i], reason) == 0)
			return true;
	}
	return false;
}

static const char *state_of(const struct job *j, const char **detail)
{
	*detail = NULL;
	if (!j->closed && !job_is_final(j)) {
		*detail = "uploadPending";
		return "paused";
	}
	switch (j->state) {
	case IPP_JSTATE_HELD:
		*detail = "releaseWait";
		return "paused";
	case IPP_JSTATE_PROCESSING:
		return "processing";
	case IPP_JSTATE_STOPPED:
		if (j->device == NULL)
			return "pending";
		return j->device_state == IPP_JSTATE_STOPPED ? "stopped" : "processing";
	case IPP_JSTATE_CANCELED:
		return "canceled";
	case IPP_JSTATE_ABORTED:
		return "aborted";
	case IPP_JSTATE_COMPLETED:
		*detail = has_reason(j, "job-completed-with-errors")     ? "completedWithErrors"
		          : has_reason(j, "job-completed-with-warnings") ? "completedWithWarnings"
		                                                         : "completedSuccessfully";
		return "completed";
	default:
		return "pending";
	}
}

static void write_status(struct buffer *b, const char *key, const struct job *j)
{
	const char *detail, *state = state_of(j, &detail);

	if (key != NULL)
		json_open(b, key, '{');
	json_string(b, "state", state);
	json_string(b, "description", j->message ? j->message : "");
	json_bool(b, "isAcquiredByPrinter", j->device != NULL);
	json_open(b, "details", '[');
	if (detail != NULL)
		json_string(b, NULL, detail);
	json_close(b, ']');
	if (key != NULL)
		json_close(b, '}');
}

static void write_job(struct buffer *b, const struct job *j)
{
	const struct document *d = j->document_count > 0 ? j->documents[0] : NULL;
	AUTO(free_str) char *id = xprintf("%d", j->id);

	json_string(b, "id", id);
	json_string(b, "displayName", j->name);
	graph_time(b, "createdDateTime", j->created_us);
	graph_time(b, "acknowledgedDateTime", j->acknowledged_us);
	graph_time(b, "completedDateTime", j->final_us);
	json_bool(b, "isFetchable", job_is_fetchable(j));
	json_open(b, "createdBy", '{');
	json_string(b, "userPrincipalName", j->user);
	json_close(b, '}');
	write_status(b, "status", j);
	json_open(b, "documents", '[');
	json_open(b, NULL, '{');
	json_string(b, "id", DOCUMENT_ID(j));
	json_string(b, "displayName", d ? d->name : "");
	json_string(b, "contentType", d ? d->format : NULL);
	json_number(b, "size", d ? (int64_t)d->length : 0);
	json_close(b, '}');
	json_close(b, ']');
}

static void put_word(struct job *j, const char *name, const char *value)
{
	ippAddString(j->attrs, IPP_TAG_JOB, IPP_TAG_KEYWORD, name, NULL, value);
}

/* Names of Graph on the left, of IPP on the right. */
static void put_translated(struct job *j, const struct json *configuration, const char *key,
                           const char *name, const char *const (*pairs)[2], size_t count)
{
	const char *value = json_find_string(configuration, key);
	size_t i;

	for (i = 0; value != NULL && i < count; i++) {
		if (strcmp(pairs[i][0], value) == 0)
			put_word(j, name, pairs[i][1]);
	}
}

static void put_ranges(struct job *j, const struct json *list)
{
	int lower[RANGES_MAX], upper[RANGES_MAX], n = 0;
	const struct json *v;

	for (v = list ? list->first : NULL; v != NULL && n < RANGES_MAX; v = v->next) {
		lower[n] = (int)json_find_number(v, "start", 1);
		upper[n] = (int)json_find_number(v, "end", 2147483647);
		n++;
	}
	if (n > 0)
		ippAddRanges(j->attrs, IPP_TAG_JOB, "page-ranges", n, lower, upper);
}

static void put_configuration(struct job *j, const struct json *c)
{
	static const char *const duplex[][2] = { { "flipOnLongEdge", "two-sided-long-edge" },
		                                 { "flipOnShortEdge", "two-sided-short-edge" },
		                                 { "oneSided", "one-sided" } };
	static const char *const color[][2] = { { "blackAndWhite", "monochrome" },
		                                { "grayscale", "monochrome" },
		                                { "color", "color" },
		                                { "auto", "auto" } };
	static const char *const media[][2] = { { "A4", "iso_a4_210x297mm" },
		                                { "A3", "iso_a3_297x420mm" },
		                                { "A5", "iso_a5_148x210mm" },
		                                { "North America Letter", "na_letter_8.5x11in" },
		                                { "North America Legal", "na_legal_8.5x14in" } };
	static const char *const qualities[] = { "low", "medium", "high" };
	const char *quality = json_find_string(c, "quality"), *bin;
	int i, n = (int)json_find_number(c, "copies", 0);

	if (n > 0)
		ippAddInteger(j->attrs, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", n);
	n = (int)json_find_number(c, "pagesPerSheet", 0);
	if (n > 0)
		ippAddInteger(j->attrs, IPP_TAG_JOB, IPP_TAG_INTEGER, "number-up", n);
	put_translated(j, c, "duplexMode", "sides", duplex, COUNT(duplex));
	put_translated(j, c, "colorMode", "print-color-mode", color, COUNT(color));
	put_translated(j, c, "mediaSize", "media", media, COUNT(media));
	for (i = 0; quality != NULL && i < 3; i++) {
		if (strcmp(qualities[i], quality) == 0)
			ippAddInteger(j->attrs, IPP_TAG_JOB, IPP_TAG_ENUM, "print-quality", i + 3);
	}
	bin = json_find_string(c, "outputBin");
	if (bin != NULL)
		put_word(j, "output-bin", bin);
	put_ranges(j, json_find(c, "pageRanges"));
}

/* The job of the second star. */
static unsigned int find_job(struct web *w, struct job **ret)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	*ret = job_find(p->printer, (int)strtol(w->segment[1], NULL, 10));
	return *ret ? 0 : web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "No job %s.", w->segment[1]);
}

unsigned int graph_list_jobs(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;
	int i;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	json_open(&w->json, "value", '[');
	for (i = 0; i < p->printer->job_count; i++) {
		json_open(&w->json, NULL, '{');
		write_job(&w->json, p->printer->jobs[i]);
		json_close(&w->json, '}');
	}
	json_close(&w->json, ']');
	return MHD_HTTP_OK;
}

unsigned int graph_create_job(struct web *w)
{
	AUTO(json_free_at)
	struct json *body = json_read(w->body.data ? w->body.data : "", w->body.len);
	const char *name = json_find_string(body, "displayName");
	unsigned int status = graph_check_user(w);
	struct up_printer *p;
	struct job *j;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	if (body == NULL || body->type != JSON_OBJECT)
		return web_error(w, MHD_HTTP_BAD_REQUEST, "BadRequest", "Want a JSON object.");
	j = job_new(p->printer, name ? name : "Untitled", up.graph_user);
	AUTO(free_str) char *uri = xprintf("mailto:%s", up.graph_user);
	ippAddString(j->attrs, IPP_TAG_JOB, IPP_TAG_URI, "job-originating-user-uri", NULL, uri);
	put_configuration(j, json_find(body, "configuration"));
	write_job(&w->json, j);
	return MHD_HTTP_CREATED;
}

unsigned int graph_get_job(struct web *w)
{
	struct job *j;
	unsigned int status = find_job(w, &j);

	if (status != 0)
		return status;
	write_job(&w->json, j);
	return MHD_HTTP_OK;
}

unsigned int graph_start_job(struct web *w)
{
	struct job *j;
	unsigned int status = find_job(w, &j);

	if (status != 0)
		return status;
	if (j->document_count == 0 || j->closed || job_is_final(j))
		return web_error(w, MHD_HTTP_CONFLICT, "Conflict", "The job cannot be started.");
	job_close(j);
	write_status(&w->json, NULL, j);
	return MHD_HTTP_OK;
}

unsigned int graph_cancel_job(struct web *w)
{
	struct job *j;
	unsigned int status = find_job(w, &j);

	if (status != 0)
		return status;
	job_cancel(j);
	w->bare = true;
	return MHD_HTTP_NO_CONTENT;
}

static void write_expected(struct web *w, const struct session *s)
{
	AUTO(free_str) char *range = xprintf("%zu-", s->data.len);

	graph_time(&w->json, "expirationDateTime", s->expires_us);
	json_open(&w->json, "nextExpectedRanges", '[');
	if ((int64_t)s->data.len < s->size)
		json_string(&w->json, NULL, range);
	json_close(&w->json, ']');
}

unsigned int graph_create_session(struct web *w)
{
	AUTO(json_free_at)
	struct json *body = json_read(w->body.data ? w->body.data : "", w->body.len);
	const struct json *properties = json_find(body, "properties");
	const char *format = json_find_string(properties, "contentType");
	double size = json_find_number(properties, "size", -1);
	char uuid[46];
	struct session *s;
	struct job *j;
	unsigned int status = find_job(w, &j);

	if (status != 0)
		return status;
	if (strcmp(w->segment[2], DOCUMENT_ID(j)) != 0)
		return web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "No such document.");
	if (format == NULL || size < 1)
		return web_error(w, MHD_HTTP_BAD_REQUEST, "BadRequest",
		                 "properties: want contentType and size.");
	if (j->closed || j->document_count > 0)
		return web_error(w, MHD_HTTP_CONFLICT, "Conflict", "The document is here.");
	uuid_make(uuid);
	s = xcalloc(1, sizeof(*s));
	s->id = xstrdup(uuid + strlen("urn:uuid:"));
	s->secret = base64_random(32);
	s->printer = up_printer_find(w->printer);
	s->job = j->id;
	s->size = (int64_t)size;
	s->expires_us = clock_us() + SESSION_US;
	s->name = xstrdup(json_find_string(properties, "documentName"));
	s->format = xstrdup(format);
	TAILQ_INSERT_TAIL(&sessions, s, entry);
	AUTO(free_str)
	char *url =
		xprintf("%s/uploadSessions/%s?tempauthtoken=%s", w->host->url, s->id, s->secret);
	web_string(w, "uploadUrl", url);
	write_expected(w, s);
	return MHD_HTTP_OK;
}

static struct session *find_session(struct web *w)
{
	const char *secret = web_query(w, "tempauthtoken");
	struct session *s;

	TAILQ_FOREACH(s, &sessions, entry)
	{
		if (strcmp(s->id, w->segment[0]) == 0)
			break;
	}
	return s != NULL && secret != NULL && strcmp(s->secret, secret) == 0 ? s : NULL;
}

static unsigned int finish_upload(struct web *w, struct session *s)
{
	struct job *j = s->printer->printer ? job_find(s->printer->printer, s->job) : NULL;
	struct document *d;

	if (j == NULL || j->document_count > 0 || job_is_final(j)) {
		session_free(s);
		return web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "The job is gone.");
	}
	d = document_new(&s->data, 0, 1);
	d->name = xstrdup(s->name);
	d->format = xstrdup(s->format);
	d->supplied = xstrdup(s->format);
	d->compression = xstrdup("none");
	j->documents = xcalloc(1, sizeof(struct document *));
	j->documents[j->document_count++] = d;
	session_free(s);
	return MHD_HTTP_CREATED;
}

unsigned int graph_put_range(struct web *w)
{
	const char *range = web_header(w, "Content-Range");
	int64_t from = -1, to = -1, total = -1;
	struct session *s = find_session(w);

	if (s == NULL)
		return web_error(w, MHD_HTTP_NOT_FOUND, "itemNotFound", "No such session.");
	w->printer = s->printer->id;
	if (range == NULL ||
	    sscanf(range, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &from, &to, &total) != 3 ||
	    total != s->size || to < from || to >= total || (int64_t)w->body.len != to - from + 1 ||
	    w->body.len > RANGE_MAX)
		return web_error(w, MHD_HTTP_BAD_REQUEST, "invalidRange", "Content-Range %s.",
		                 range ? range : "is missing");
	if (from != (int64_t)s->data.len) {
		web_error(w, MHD_HTTP_RANGE_NOT_SATISFIABLE, "invalidRange", "Not expected now.");
		write_expected(w, s);
		return MHD_HTTP_RANGE_NOT_SATISFIABLE;
	}
	buffer_reserve(&s->data, (size_t)s->size + 1);
	buffer_add(&s->data, w->body.data, w->body.len);
	if ((int64_t)s->data.len == s->size)
		return finish_upload(w, s);
	write_expected(w, s);
	return MHD_HTTP_ACCEPTED;
}
