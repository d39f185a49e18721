#include "tests/emulator/admin.h"

#include <stdlib.h>
#include <string.h>

#include <cups/ipp.h>
#include <microhttpd.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/certificates.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/faults.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/quirks.h"
#include "tests/emulator/record.h"
#include "tests/emulator/server.h"
#include "tests/emulator/up.h"
#include "tests/emulator/up_admin.h"
#include "tests/emulator/waits.h"

struct request {
	TAILQ_ENTRY(request) entry; /* among the waiting */
	struct sleeper sleeper;
	struct MHD_Connection *connection; /* borrowed */
	struct buffer body;
	struct buffer json;
	char *why; /* of a 400 */
	bool waiting;
};

static TAILQ_HEAD(, request) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static uint64_t looked_at;
static bool stopping;

void admin_stopping(void)
{
	stopping = true;
}

void admin_look(void)
{
	struct request *r, *after;

	if (looked_at == record_changes)
		return;
	looked_at = record_changes;
	for (r = TAILQ_FIRST(&waiting); r != NULL; r = after) {
		AUTO(free_str) char *why = NULL;

		after = TAILQ_NEXT(r, entry);
		if (r->sleeper.asleep && waits_check(r->connection, &why) != 0)
			sleeper_wake(&r->sleeper);
	}
}

static enum MHD_Result answer_bytes(struct request *r, unsigned int status, const char *type,
                                    struct buffer *body)
{
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (body->data == NULL)
		buffer_text(body, "");
	response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
	*body = (struct buffer){ 0 };
	MHD_add_response_header(response, "Content-Type", type);
	rc = MHD_queue_response(r->connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static unsigned int wrong(struct request *r, char *why)
{
	free(r->why);
	r->why = why;
	return MHD_HTTP_BAD_REQUEST;
}

/* The printer named in the query; NULL: the answer says so. */
static struct printer *need_printer(struct request *r)
{
	const char *name = query(r->connection, "printer");
	struct printer *p = name ? printers_find(name, strlen(name)) : NULL;

	if (p == NULL)
		wrong(r, xprintf("printer=%s: no such printer", name ? name : ""));
	return p;
}

static unsigned int get_printers(struct request *r)
{
	const char *name = query(r->connection, "printer");
	struct printer *p;

	json_open(&r->json, "printers", '[');
	for (p = printers_first(); p != NULL; p = printer_next(p)) {
		if (name == NULL || strcmp(name, p->name) == 0)
			printer_write_json(p, &r->json);
	}
	json_close(&r->json, ']');
	return MHD_HTTP_OK;
}

static unsigned int post_printers(struct request *r)
{
	const char *spec = query(r->connection, "spec");
	struct printer *p;
	char *why = NULL;

	if (spec == NULL)
		return wrong(r, xprintf("want spec=NAME,..."));
	if (printers_add(spec, &p, &why) < 0)
		return wrong(r, why);
	json_string(&r->json, "name", p->name);
	json_string(&r->json, "path", p->path);
	record_changes++;
	return MHD_HTTP_OK;
}

static unsigned int put_printers(struct request *r)
{
	const char *options = query(r->connection, "options");
	struct printer *p = need_printer(r);
	char *why = NULL;

	if (p == NULL)
		return MHD_HTTP_BAD_REQUEST;
	if (query(r->connection, "paused") != NULL)
		printer_set_paused(p, query_number(r->connection, "paused", 0) != 0);
	if (options != NULL && printer_configure(p, options, &why) < 0)
		return wrong(r, why);
	record_changes++;
	return MHD_HTTP_OK;
}

static unsigned int delete_printers(struct request *r)
{
	struct printer *p = need_printer(r);

	if (p == NULL)
		return MHD_HTTP_BAD_REQUEST;
	if (p->up != NULL)
		up_printer_delete(p->up);
	else
		printer_remove(p);
	return MHD_HTTP_OK;
}

static unsigned int get_jobs(struct request *r)
{
	const char *name = query(r->connection, "printer");
	bool told = query_number(r->connection, "told", 0) != 0;
	struct printer *p;
	int i;

	json_open(&r->json, "jobs", '[');
	for (p = printers_first(); p != NULL; p = printer_next(p)) {
		if (name != NULL && strcmp(name, p->name) != 0)
			continue;
		for (i = 0; i < p->lost_count; i++)
			job_write_json(p->lost[i], &r->json, NULL, told);
		for (i = 0; i < p->job_count; i++)
			job_write_json(p->jobs[i], &r->json, NULL, told);
	}
	json_close(&r->json, ']');
	return MHD_HTTP_OK;
}

static struct job *need_job(struct request *r)
{
	const char *uuid = query(r->connection, "uuid");
	struct printer *p = need_printer(r);
	struct job *j = NULL;
	int i;

	if (p == NULL)
		return NULL;
	if (uuid == NULL)
		j = job_find(p, (int)query_number(r->connection, "job", 0));
	for (i = 0; uuid != NULL && i < p->lost_count + p->job_count; i++) {
		struct job *each = i < p->lost_count ? p->lost[i] : p->jobs[i - p->lost_count];

		if (strcmp(each->uuid, uuid) == 0)
			j = each;
	}
	if (j == NULL)
		wrong(r, xprintf("no such job"));
	return j;
}

static unsigned int get_job(struct request *r)
{
	struct job *j = need_job(r);

	if (j == NULL)
		return MHD_HTTP_BAD_REQUEST;
	job_write_json(j, &r->json, "job", true);
	return MHD_HTTP_OK;
}

/* As a client would: a document by POST becomes a job, without an IPP client at hand. */
static unsigned int post_jobs(struct request *r)
{
	struct printer *p = need_printer(r);
	const char *name = query(r->connection, "name"), *user = query(r->connection, "user");
	const char *format = query(r->connection, "format");
	struct document *d;
	struct job *j;

	if (p == NULL)
		return MHD_HTTP_BAD_REQUEST;
	if (r->body.len == 0)
		return wrong(r, xprintf("want a document as body"));
	j = job_new(p, name ? name : "Untitled", user ? user : "anonymous");
	d = document_new(&r->body, 0, 1);
	if (format == NULL)
		format = document_detect(document_data(d), d->length);
	d->format = xstrdup(format ? format : "application/octet-stream");
	d->supplied = xstrdup(d->format);
	d->compression = xstrdup("none");
	j->documents = xcalloc(1, sizeof(struct document *));
	j->documents[j->document_count++] = d;
	job_close(j);
	json_number(&r->json, "id", j->id);
	json_string(&r->json, "uuid", j->uuid);
	return MHD_HTTP_OK;
}

static unsigned int delete_jobs(struct request *r)
{
	struct job *j = need_job(r);

	if (j == NULL)
		return MHD_HTTP_BAD_REQUEST;
	job_cancel(j);
	return MHD_HTTP_OK;
}

static unsigned int get_violations(struct request *r)
{
	record_write_violations(&r->json, query(r->connection, "printer"));
	return MHD_HTTP_OK;
}

static unsigned int delete_violations(struct request *r)
{
	(void)r;
	record_clear_violations();
	return MHD_HTTP_OK;
}

static unsigned int get_counters(struct request *r)
{
	record_write_counters(&r->json, query(r->connection, "printer"));
	return MHD_HTTP_OK;
}

static unsigned int get_faults(struct request *r)
{
	faults_write(&r->json);
	return MHD_HTTP_OK;
}

static unsigned int post_faults(struct request *r)
{
	struct MHD_Connection *c = r->connection;
	const char *kind = query(c, "kind"), *operation = query(c, "operation");
	enum fault_kind found = FAULT_NONE;
	struct fault *f;
	int code = operation ? operation_value(operation) : 0;

	if (kind == NULL || fault_find_kind(kind, &found) < 0)
		return wrong(r, xprintf("kind=%s: no such fault", kind ? kind : ""));
	if (operation != NULL && code <= 0)
		return wrong(r, xprintf("operation=%s: no such operation", operation));
	f = xcalloc(1, sizeof(*f));
	f->kind = found;
	f->operation = code;
	f->printer = xstrdup(query(c, "printer"));
	f->text = xstrdup(query(c, "text"));
	f->skip = (int)query_number(c, "skip", 0);
	f->count = (int)query_number(c, "count", 1);
	f->status = (int)query_number(c, "status", IPP_STATUS_ERROR_INTERNAL);
	f->http = (int)query_number(c, "http",
	                            found == FAULT_REDIRECT      ? 307
	                            : found == FAULT_OAUTH_ERROR ? 400
	                                                         : 503);
	f->retry_after = (int)query_number(c, "retry-after", -1);
	f->delay_ms = query_number(c, "ms", 0);
	f->bytes = query_number(c, "bytes", 0);
	f->reset = query_number(c, "reset", 0) != 0;
	f->effect = query_number(c, "effect", fault_has_effect(found)) != 0;
	json_number(&r->json, "id", faults_add(f));
	return MHD_HTTP_OK;
}

static unsigned int delete_faults(struct request *r)
{
	json_number(&r->json, "removed", faults_clear((int)query_number(r->connection, "id", 0)));
	return MHD_HTTP_OK;
}

static unsigned int post_events(struct request *r)
{
	struct printer *p = need_printer(r);

	if (p == NULL)
		return MHD_HTTP_BAD_REQUEST;
	p->drop_events = (int)query_number(r->connection, "drop", p->drop_events);
	p->repeat_events = (int)query_number(r->connection, "repeat", p->repeat_events);
	return MHD_HTTP_OK;
}

static unsigned int post_forget(struct request *r)
{
	static const char *const names[] = { "devices", "subscriptions", "jobs", "documents" };
	const char *what = query(r->connection, "what"), *name = query(r->connection, "printer");
	bool renumber = query_number(r->connection, "renumber", 0) != 0;
	unsigned int bits = 0;
	struct printer *p;
	size_t i;

	if (name != NULL && need_printer(r) == NULL)
		return MHD_HTTP_BAD_REQUEST;
	for (i = 0; i < 4; i++) {
		if (what != NULL && (strstr(what, names[i]) || strcmp(what, "all") == 0))
			bits |= 1u << i;
	}
	if (bits == 0)
		return wrong(r, xprintf("want what=devices,subscriptions,jobs,documents or all"));
	for (p = printers_first(); p != NULL; p = printer_next(p)) {
		if (name == NULL || strcmp(name, p->name) == 0)
			printer_forget(p, bits, renumber);
	}
	return MHD_HTTP_OK;
}

static unsigned int post_away(struct request *r)
{
	server_away(query_number(r->connection, "away", 1) != 0);
	return MHD_HTTP_OK;
}

static unsigned int get_certificate(struct request *r)
{
	const char *name = query(r->connection, "name");
	AUTO(free_str) char *certificate = NULL;
	AUTO(free_str) char *key = NULL;

	if (name == NULL || certificates_issue(name, &certificate, &key) < 0)
		return wrong(r, xprintf("want name=, and --tls-directory at start"));
	json_string(&r->json, "certificate", certificate);
	json_string(&r->json, "key", key);
	json_string(&r->json, "ca", certificates_ca());
	return MHD_HTTP_OK;
}

static unsigned int get_catalogue(struct request *r)
{
	faults_describe(&r->json);
	quirks_describe(&r->json);
	return MHD_HTTP_OK;
}

static const struct route {
	const char *method;
	const char *path;
	unsigned int (*handle)(struct request *r); /* HTTP status */
} routes[] = {
	{ "GET", "/printers", get_printers },
	{ "POST", "/printers", post_printers },
	{ "PUT", "/printers", put_printers },
	{ "DELETE", "/printers", delete_printers },
	{ "GET", "/jobs", get_jobs },
	{ "POST", "/jobs", post_jobs },
	{ "DELETE", "/jobs", delete_jobs },
	{ "GET", "/job", get_job },
	{ "GET", "/violations", get_violations },
	{ "DELETE", "/violations", delete_violations },
	{ "GET", "/counters", get_counters },
	{ "GET", "/faults", get_faults },
	{ "POST", "/faults", post_faults },
	{ "DELETE", "/faults", delete_faults },
	{ "POST", "/events", post_events },
	{ "POST", "/forget", post_forget },
	{ "POST", "/away", post_away },
	{ "GET", "/certificate", get_certificate },
	{ "GET", "/catalogue", get_catalogue },
};

static enum MHD_Result answer(struct request *r, unsigned int status)
{
	if (r->why != NULL) {
		buffer_clear(&r->json);
		json_open(&r->json, NULL, '{');
		json_string(&r->json, "error", r->why);
	}
	json_close(&r->json, '}');
	buffer_text(&r->json, "\n");
	return answer_bytes(r, status, "application/json", &r->json);
}

static enum MHD_Result serve_wait(struct request *r)
{
	int met = waits_check(r->connection, &r->why);
	double timeout = query(r->connection, "timeout")
	                         ? strtod(query(r->connection, "timeout"), NULL)
	                         : 20;

	if (met == 0 && !r->waiting) {
		r->waiting = true;
		TAILQ_INSERT_TAIL(&waiting, r, entry);
		sleeper_start(&r->sleeper, r->connection,
		              clock_steady_us() + (int64_t)(timeout * 1e6));
		return MHD_YES;
	}
	if (met == 0 && !r->sleeper.expired) { /* it held for a moment only */
		sleeper_start(&r->sleeper, r->connection, r->sleeper.deadline_us);
		return MHD_YES;
	}
	json_bool(&r->json, "met", met > 0);
	waits_write(r->connection, &r->json);
	return answer(r, met > 0   ? MHD_HTTP_OK
	                 : met < 0 ? MHD_HTTP_BAD_REQUEST
	                           : MHD_HTTP_REQUEST_TIMEOUT);
}

static enum MHD_Result serve_document(struct request *r)
{
	struct job *j = need_job(r);
	long long number = query_number(r->connection, "number", 1);
	struct buffer copy = { 0 };

	if (j == NULL)
		return answer(r, MHD_HTTP_BAD_REQUEST);
	if (number < 1 || number > j->document_count || j->documents[number - 1]->bytes == NULL) {
		wrong(r, xprintf("no such document"));
		return answer(r, MHD_HTTP_NOT_FOUND);
	}
	buffer_add(&copy, document_data(j->documents[number - 1]),
	           j->documents[number - 1]->length);
	return answer_bytes(r, MHD_HTTP_OK, j->documents[number - 1]->format, &copy);
}

static enum MHD_Result serve(struct request *r, const char *method, const char *url)
{
	size_t i;

	if (stopping)
		return MHD_NO;
	if (r->json.len == 0)
		json_open(&r->json, NULL, '{');
	if (strcmp(url, "/wait") == 0)
		return serve_wait(r);
	if (strcmp(url, "/document") == 0)
		return serve_document(r);
	if (strncmp(url, "/up/", 4) == 0)
		return answer(r, up_admin(r->connection, method, url, &r->json, &r->why));
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].method, method) == 0 && strcmp(routes[i].path, url) == 0)
			return answer(r, routes[i].handle(r));
	}
	wrong(r, xprintf("%s %s: nothing here", method, url));
	return answer(r, MHD_HTTP_NOT_FOUND);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
	struct request *r = *context;

	(void)data;
	(void)version;
	if (r == NULL) {
		r = xcalloc(1, sizeof(*r));
		r->connection = connection;
		*context = r;
		return MHD_YES;
	}
	if (*upload_len > 0) {
		buffer_add(&r->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	return serve(r, method, url);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
	struct request *r = *context;

	(void)data;
	(void)connection;
	(void)code;
	if (r == NULL)
		return;
	*context = NULL;
	if (r->waiting)
		TAILQ_REMOVE(&waiting, r, entry);
	buffer_clear(&r->body);
	buffer_clear(&r->json);
	free(r->why);
	free(r);
}

struct MHD_Daemon *admin_start(const struct sockaddr *address)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
	                        NULL, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_NOTIFY_COMPLETED,
	                        on_completed, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                        (size_t)65536, MHD_OPTION_END);
}
