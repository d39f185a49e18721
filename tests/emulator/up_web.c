#include "tests/emulator/up_web.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "tests/emulator/json.h"
#include "tests/emulator/record.h"
#include "tests/emulator/server.h"
#include "tests/emulator/uuid.h"

#define BODY_MAX (64u << 20)
#define HUNG_US  INT64_C(3600000000)

static bool stopping;

void up_web_stopping(void)
{
	stopping = true;
}

void web_violation(struct web *w, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_web(w->printer, w->operation, true, rule, fmt, ap);
	va_end(ap);
}

void web_notice(struct web *w, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_web(w->printer, w->operation, false, rule, fmt, ap);
	va_end(ap);
}

const char *web_header(struct web *w, const char *name)
{
	return MHD_lookup_connection_value(w->connection, MHD_HEADER_KIND, name);
}

const char *web_query(struct web *w, const char *name)
{
	return MHD_lookup_connection_value(w->connection, MHD_GET_ARGUMENT_KIND, name);
}

static char *form_decode(const char *text, size_t len)
{
	char *out = xcalloc(1, len + 1);
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		char digits[3] = { 0 };

		out[n] = text[i] == '+' ? ' ' : text[i];
		if (text[i] == '%' && i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			memcpy(digits, text + i + 1, 2);
			out[n] = (char)strtoul(digits, NULL, 16);
			i += 2;
		}
		n++;
	}
	return out;
}

char *web_form(struct web *w, const char *name)
{
	const char *at = w->body.data ? w->body.data : "";
	size_t len = strlen(name);

	while (*at != '\0') {
		size_t n = strcspn(at, "&");

		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return form_decode(at + len + 1, n - len - 1);
		at += n + (at[n] == '&');
	}
	return NULL;
}

static bool is_left_out(struct web *w, const char *key)
{
	return w->fault.kind == FAULT_WITHOUT && w->fault.text != NULL &&
	       strcmp(w->fault.text, key) == 0;
}

void web_string(struct web *w, const char *key, const char *value)
{
	if (value != NULL && *value != '\0' && !is_left_out(w, key))
		json_string(&w->json, key, value);
}

void web_number(struct web *w, const char *key, int64_t value)
{
	if (!is_left_out(w, key))
		json_number(&w->json, key, value);
}

static void restart_json(struct web *w)
{
	buffer_clear(&w->json);
	json_open(&w->json, NULL, '{');
}

unsigned int web_oauth_error(struct web *w, unsigned int http, const char *error, int code,
                             const char *fmt, ...)
{
	char text[400], when[40], uuid[46];
	time_t now = (time_t)(up_now_us() / 1000000);
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
	uuid_make(uuid);
	restart_json(w);
	json_string(&w->json, "error", error);
	AUTO(free_str)
	char *description = xprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
	                            code, text, uuid + 9, uuid + 9, when);
	json_string(&w->json, "error_description", description);
	json_open(&w->json, "error_codes", '[');
	json_number(&w->json, NULL, code);
	json_close(&w->json, ']');
	json_string(&w->json, "timestamp", when);
	json_string(&w->json, "trace_id", uuid + 9);
	json_string(&w->json, "correlation_id", uuid + 9);
	if (code == 65001)
		json_string(&w->json, "suberror", "consent_required");
	return http;
}

unsigned int web_error(struct web *w, unsigned int http, const char *code, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	restart_json(w);
	json_open(&w->json, "error", '{');
	json_string(&w->json, "code", code);
	json_string(&w->json, "message", text);
	json_close(&w->json, '}');
	return http;
}

static enum MHD_Result queue(struct web *w, unsigned int status, struct MHD_Response *response,
                             const char *type)
{
	char date[40];
	enum MHD_Result rc;

	w->answered = true;
	up_http_date(date);
	MHD_add_response_header(response, "Date", date);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (type != NULL)
		MHD_add_response_header(response, "Content-Type", type);
	if (w->location != NULL)
		MHD_add_response_header(response, "Location", w->location);
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (w->retry_after >= 0) {
		AUTO(free_str) char *seconds = xprintf("%d", w->retry_after);

		MHD_add_response_header(response, "Retry-After", seconds);
	}
	rc = MHD_queue_response(w->connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result queue_text(struct web *w, unsigned int status, const char *type,
                                  struct buffer *text)
{
	struct MHD_Response *response;

	if (text->data == NULL)
		buffer_text(text, "");
	response = MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_FREE);
	*text = (struct buffer){ 0 };
	return queue(w, status, response, type);
}

static ssize_t on_endless_read(void *data, uint64_t at, char *to, size_t max)
{
	static const char piece[] = "\"more\":\"nonsense\",";
	size_t i;

	(void)data;
	for (i = 0; i < max; i++)
		to[i] = at + i == 0 ? '{' : piece[(at + i - 1) % (sizeof(piece) - 1)];
	return (ssize_t)max;
}

static enum MHD_Result queue_page(struct web *w, unsigned int status)
{
	struct buffer page = { 0 };

	buffer_printf(&page, "<!DOCTYPE html><html><body><h1>%u</h1></body></html>\n", status);
	return queue_text(w, status, "text/html", &page);
}

static enum MHD_Result queue_broken(struct web *w, unsigned int status)
{
	struct buffer nonsense = { 0 };
	size_t bytes = w->fault.bytes > 0 ? (size_t)w->fault.bytes : 0;

	switch (w->fault.kind) {
	case FAULT_HTTP_STATUS:
		w->retry_after = w->fault.retry_after;
		return queue_page(w, (unsigned int)w->fault.http);
	case FAULT_HTML:
		return queue_page(w, MHD_HTTP_OK);
	case FAULT_REDIRECT:
		free(w->location);
		w->location = xstrdup(w->fault.text ? w->fault.text : "https://localhost:1/");
		return queue_page(w, (unsigned int)w->fault.http);
	case FAULT_ENDLESS:
		return queue(w, MHD_HTTP_OK,
		             MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096,
		                                               on_endless_read, NULL, NULL),
		             "application/json");
	case FAULT_TRUNCATED:
		if (bytes < w->json.len)
			w->json.len = bytes;
		break;
	case FAULT_GARBAGE:
		while (nonsense.len < (bytes ? bytes : 64))
			buffer_text(&nonsense, "\x93{]\x01nonsense");
		return queue_text(w, MHD_HTTP_OK, "application/json", &nonsense);
	case FAULT_CUT_BEFORE:
	case FAULT_CUT_AFTER:
	case FAULT_CUT_HEADERS:
	case FAULT_NEVER:
		return MHD_NO;
	case FAULT_NONE:
	case FAULT_IPP_STATUS:
	case FAULT_CUT_IPP:
	case FAULT_CUT_DOCUMENT:
	case FAULT_CUT_LAST_CHUNK:
	case FAULT_LONGER_LENGTH:
	case FAULT_WRONG_FORMAT:
	case FAULT_STALL_DOCUMENT:
	case FAULT_OAUTH_ERROR:
	case FAULT_WITHOUT:
	case FAULT_OTHER_KEY:
		break;
	}
	return queue_text(w, status, w->type ? w->type : "application/json; charset=utf-8",
	                  &w->json);
}

static enum MHD_Result deliver(struct web *w, unsigned int status)
{
	if (w->page) {
		w->type = "text/html; charset=utf-8";
	} else if (!w->bare) {
		json_close(&w->json, '}');
	} else {
		buffer_clear(&w->json);
		if (w->fault.kind == FAULT_NONE)
			return queue_text(w, status, NULL, &w->json);
	}
	return queue_broken(w, status);
}

static enum MHD_Result handle(struct web *w)
{
	unsigned int status;

	if (w->json.len == 0)
		json_open(&w->json, NULL, '{');
	if (w->fault.kind == FAULT_OAUTH_ERROR)
		status = web_oauth_error(w, (unsigned int)w->fault.http,
		                         w->fault.text ? w->fault.text : "invalid_request", 90000,
		                         "As told.");
	else if (w->fault.kind != FAULT_NONE && !w->fault.effect)
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	else
		status = w->route->handle(w);
	return deliver(w, status);
}

static bool path_fits(struct web *w, const char *pattern)
{
	const char *path = w->path;
	int n = 0;

	for (; *pattern != '\0'; pattern++) {
		size_t len;

		if (*pattern != '*') {
			if (*path++ != *pattern)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || n == WEB_SEGMENTS)
			return false;
		free(w->segment[n]);
		w->segment[n++] = xprintf("%.*s", (int)len, path);
		path += len;
	}
	return *path == '\0';
}

static const struct web_route *find_route(struct web *w)
{
	const struct web_route *const tables[] = { up_login_routes, up_registration_routes,
		                                   up_graph_routes };
	const struct web_route *r;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (r = tables[i]; r->path != NULL; r++) {
			if ((r->host == w->host->kind || w->host->bad != NULL) &&
			    strcmp(r->method, w->method) == 0 && path_fits(w, r->path))
				return r;
		}
	}
	return NULL;
}

static enum MHD_Result begin(struct web *w)
{
	const struct fault *f;

	w->route = find_route(w);
	if (w->route == NULL) {
		if (strcmp(w->path, "/") != 0) /* anybody may look whether a host is there */
			web_violation(w, "path", "%s %s: nothing here", w->method, w->path);
		json_open(&w->json, NULL, '{');
		return deliver(w, web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "nothing here"));
	}
	w->operation = (int)w->route->operation;
	if (w->operation == WEB_DEVICE_TOKEN && w->body.data != NULL &&
	    strstr(w->body.data, "grant_type=srv_challenge") != NULL)
		w->operation = WEB_NONCE;
	record_web_operation(w->operation);
	if (w->host->bad != NULL) {
		web_violation(w, "bad-tls", "a request although the server is %s", w->host->bad);
		json_open(&w->json, NULL, '{');
		return deliver(w, web_error(w, MHD_HTTP_BAD_REQUEST, "BadTls", "not here"));
	}
	f = faults_take(NULL, w->operation);
	if (f != NULL) {
		w->fault = *f;
		w->fault.printer = NULL;
		w->fault.text = xstrdup(f->text);
		if (f->kind == FAULT_NEVER || f->delay_ms > 0) {
			w->delayed = true;
			sleeper_start(&w->sleeper, w->connection,
			              clock_steady_us() +
			                      (f->delay_ms > 0 ? f->delay_ms * 1000 : HUNG_US));
			return MHD_YES;
		}
	}
	return handle(w);
}

static struct web *web_new(struct MHD_Connection *connection, const struct host *host,
                           const char *url, const char *method)
{
	struct web *w = xcalloc(1, sizeof(*w));

	w->connection = connection;
	w->host = host;
	w->path = xstrdup(url);
	w->method = xstrdup(method);
	w->retry_after = -1;
	return w;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
	const struct host *host = data;
	struct web *w = *context;

	(void)version;
	if (stopping || host->down)
		return MHD_NO;
	if (w == NULL) {
		*context = web_new(connection, host, url, method);
		return MHD_YES;
	}
	if (*upload_len > 0) {
		if (w->body.len + *upload_len > BODY_MAX)
			return MHD_NO;
		buffer_add(&w->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	if (w->answered)
		return MHD_NO;
	return w->delayed ? handle(w) : begin(w);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
	struct web *w = *context;
	int i;

	(void)data;
	(void)connection;
	(void)code;
	if (w == NULL)
		return;
	*context = NULL;
	for (i = 0; i < WEB_SEGMENTS; i++)
		free(w->segment[i]);
	buffer_clear(&w->body);
	buffer_clear(&w->json);
	free(w->location);
	free(w->fault.text);
	free(w->method);
	free(w->path);
	free(w);
}

struct MHD_Daemon *up_web_start(const struct sockaddr *address, struct host *host,
                                const struct host_tls *tls)
{
	return server_listen(address, host, tls, on_request, on_completed);
}
