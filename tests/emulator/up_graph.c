#include "tests/emulator/up_graph.h"

#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/json_read.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up_web.h"
#include "tests/emulator/uuid.h"

unsigned int graph_check_user(struct web *w)
{
	const char *text = up_bearer(web_header(w, "Authorization"));

	if (text != NULL && strcmp(text, up.graph_token) == 0)
		return 0;
	if (text != NULL && up_token_find(text) != NULL)
		web_violation(w, "wrong-token", "a token of the print service at Graph");
	return web_error(w, MHD_HTTP_UNAUTHORIZED, "InvalidAuthenticationToken",
	                 "Access token is empty or wrong.");
}

unsigned int graph_find_printer(struct web *w, struct up_printer **ret)
{
	struct up_printer *p = up_printer_find(w->segment[0]), *each;

	for (each = up_printers_first(); each != NULL && p == NULL;
	     each = TAILQ_NEXT(each, entry)) {
		if (each->share != NULL && strcmp(each->share, w->segment[0]) == 0)
			p = each;
	}
	if (p == NULL || p->printer == NULL)
		return web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "No printer %s.",
		                 w->segment[0]);
	w->printer = p->id;
	*ret = p;
	return 0;
}

void graph_time(struct buffer *b, const char *key, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	char text[40];
	struct tm tm;

	if (us == 0)
		return;
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_string(b, key, text);
}

/* "media-empty-error" is mediaEmpty. */
static void write_detail(struct buffer *b, const char *reason)
{
	static const char *const suffixes[] = { "-error", "-warning", "-report" };
	struct buffer out = { 0 };
	size_t i, len = strlen(reason);

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && strcmp(reason + len - n, suffixes[i]) == 0)
			len -= n;
	}
	for (i = 0; i < len; i++) {
		char c = reason[i];

		if (c == '-' && i + 1 < len) {
			c = reason[++i];
			c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		}
		buffer_add(&out, &c, 1);
	}
	json_string(b, NULL, out.data);
	buffer_clear(&out);
}

static void write_status(struct buffer *b, struct printer *p)
{
	static const char *const states[] = { "unknown", "idle", "processing", "stopped" };
	struct device *d = TAILQ_FIRST(&p->devices);
	ipp_attribute_t *reasons =
		d ? ippFindAttribute(d->attrs, "printer-state-reasons", IPP_TAG_KEYWORD) : NULL;
	ipp_attribute_t *message =
		d ? ippFindAttribute(d->attrs, "printer-state-message", IPP_TAG_TEXT) : NULL;
	int i, state = d ? d->state - IPP_PSTATE_IDLE + 1 : 0;

	json_open(b, "status", '{');
	json_string(b, "state", states[state < 0 || state > 3 ? 0 : state]);
	json_open(b, "details", '[');
	for (i = 0; reasons != NULL && i < ippGetCount(reasons); i++) {
		if (strcmp(ippGetString(reasons, i, NULL), "none") != 0)
			write_detail(b, ippGetString(reasons, i, NULL));
	}
	json_close(b, ']');
	json_string(b, "description", message ? ippGetString(message, 0, NULL) : "");
	json_close(b, '}');
}

static bool accepts_jobs(struct printer *p)
{
	struct device *d = TAILQ_FIRST(&p->devices);
	ipp_attribute_t *a =
		d ? ippFindAttribute(d->attrs, "printer-is-accepting-jobs", IPP_TAG_BOOLEAN) : NULL;

	return a == NULL || ippGetBoolean(a, 0) != 0;
}

static void write_printer(struct buffer *b, struct up_printer *p)
{
	json_string(b, "id", p->id);
	json_string(b, "displayName", p->name);
	json_string(b, "manufacturer", p->manufacturer);
	json_string(b, "model", p->model);
	json_bool(b, "isShared", p->share != NULL);
	json_bool(b, "isAcceptingJobs", accepts_jobs(p->printer));
	graph_time(b, "registeredDateTime", p->registered_us);
	graph_time(b, "lastSeenDateTime", p->seen_us);
	write_status(b, p->printer);
}

static unsigned int list_printers(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status != 0)
		return status;
	json_open(&w->json, "value", '[');
	for (p = up_printers_first(); p != NULL; p = TAILQ_NEXT(p, entry)) {
		if (p->printer == NULL)
			continue;
		json_open(&w->json, NULL, '{');
		write_printer(&w->json, p);
		json_close(&w->json, '}');
	}
	json_close(&w->json, ']');
	return MHD_HTTP_OK;
}

static unsigned int get_printer(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	write_printer(&w->json, p);
	return MHD_HTTP_OK;
}

static unsigned int delete_printer(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	if (p->share != NULL)
		return web_error(w, MHD_HTTP_CONFLICT, "Conflict", "Unshare the printer first.");
	up_printer_delete(p);
	w->bare = true;
	return MHD_HTTP_NO_CONTENT;
}

static void write_share(struct buffer *b, const struct up_printer *p)
{
	json_string(b, "id", p->share);
	json_string(b, "displayName", p->name);
	json_bool(b, "allowAllUsers", true);
	json_open(b, "printer", '{');
	json_string(b, "id", p->id);
	json_close(b, '}');
}

static unsigned int list_shares(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status != 0)
		return status;
	json_open(&w->json, "value", '[');
	for (p = up_printers_first(); p != NULL; p = TAILQ_NEXT(p, entry)) {
		if (p->share == NULL)
			continue;
		json_open(&w->json, NULL, '{');
		write_share(&w->json, p);
		json_close(&w->json, '}');
	}
	json_close(&w->json, ']');
	return MHD_HTTP_OK;
}

static unsigned int create_share(struct web *w)
{
	AUTO(json_free_at)
	struct json *body = json_read(w->body.data ? w->body.data : "", w->body.len);
	const char *bind = json_find_string(body, "printer@odata.bind");
	const char *slash = bind ? strrchr(bind, '/') : NULL;
	struct up_printer *p = slash ? up_printer_find(slash + 1) : NULL;
	unsigned int status = graph_check_user(w);
	char uuid[46];

	if (status != 0)
		return status;
	if (p == NULL || p->printer == NULL)
		return web_error(w, MHD_HTTP_BAD_REQUEST, "BadRequest", "printer@odata.bind: %s.",
		                 bind ? bind : "missing");
	uuid_make(uuid);
	if (p->share == NULL)
		p->share = xstrdup(uuid + strlen("urn:uuid:"));
	write_share(&w->json, p);
	return MHD_HTTP_CREATED;
}

static unsigned int delete_share(struct web *w)
{
	unsigned int status = graph_check_user(w);
	struct up_printer *p;

	if (status == 0)
		status = graph_find_printer(w, &p);
	if (status != 0)
		return status;
	free_str(&p->share);
	w->bare = true;
	return MHD_HTTP_NO_CONTENT;
}

#define JOBS(kind)                                                                                 \
	{ HOST_GRAPH, "GET", "/v1.0/print/" kind "/*/jobs", WEB_GRAPH, graph_list_jobs },          \
		{ HOST_GRAPH, "POST", "/v1.0/print/" kind "/*/jobs", WEB_GRAPH,                    \
		  graph_create_job },                                                              \
		{ HOST_GRAPH, "GET", "/v1.0/print/" kind "/*/jobs/*", WEB_GRAPH, graph_get_job },  \
		{ HOST_GRAPH, "POST", "/v1.0/print/" kind "/*/jobs/*/start", WEB_GRAPH,            \
		  graph_start_job },                                                               \
		{ HOST_GRAPH, "POST", "/v1.0/print/" kind "/*/jobs/*/cancel", WEB_GRAPH,           \
		  graph_cancel_job },                                                              \
	{                                                                                          \
		HOST_GRAPH, "POST",                                                                \
			"/v1.0/print/" kind "/*/jobs/*/documents/*/createUploadSession",           \
			WEB_GRAPH, graph_create_session                                            \
	}

const struct web_route up_graph_routes[] = {
	{ HOST_GRAPH, "GET", "/v1.0/print/printers", WEB_GRAPH, list_printers },
	{ HOST_GRAPH, "GET", "/v1.0/print/printers/*", WEB_GRAPH, get_printer },
	{ HOST_GRAPH, "DELETE", "/v1.0/print/printers/*", WEB_GRAPH, delete_printer },
	{ HOST_GRAPH, "GET", "/v1.0/print/shares", WEB_GRAPH, list_shares },
	{ HOST_GRAPH, "POST", "/v1.0/print/shares", WEB_GRAPH, create_share },
	{ HOST_GRAPH, "DELETE", "/v1.0/print/shares/*", WEB_GRAPH, delete_share },
	JOBS("printers"),
	JOBS("shares"),
	{ HOST_GRAPH, "PUT", "/uploadSessions/*", WEB_UPLOAD, graph_put_range },
	{ 0 },
};
