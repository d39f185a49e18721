#include "tests/emulator/up_registration.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <microhttpd.h>

#include "tests/emulator/base64.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/json_read.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up_certificates.h"
#include "tests/emulator/up_web.h"
#include "tests/emulator/uuid.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EARLY_US 200000

struct registration {
	TAILQ_ENTRY(registration) entry;
	char *id;
	char *name, *manufacturer, *model, *device_id;
	struct buffer request;       /* DER */
	struct up_printer *printer;  /* NULL: not ready */
	const struct up_token *user; /* borrowed: tokens are kept to the end */
	int polls;
	int64_t answered_us;
};

static TAILQ_HEAD(, registration) registrations = TAILQ_HEAD_INITIALIZER(registrations);
static const char *login, *print;

void up_registration_hosts(const char *login_url, const char *print_url)
{
	login = login_url;
	print = print_url;
}

static void registration_free(struct registration *r)
{
	free(r->id);
	free(r->name);
	free(r->manufacturer);
	free(r->model);
	free(r->device_id);
	buffer_clear(&r->request);
	free(r);
}

void up_registration_free(void)
{
	struct registration *r;

	while ((r = TAILQ_FIRST(&registrations)) != NULL) {
		TAILQ_REMOVE(&registrations, r, entry);
		registration_free(r);
	}
}

/* The user's token. 0, or the HTTP status with the answer written. */
static unsigned int check_user(struct web *w)
{
	const char *text = up_bearer(web_header(w, "Authorization"));

	w->token = text ? up_token_find(text) : NULL;
	if (text == NULL)
		web_violation(w, "no-token", "no bearer token");
	else if (w->token == NULL)
		web_violation(w, "unknown-token", "a token that was not given here");
	else if (w->token->kind != UP_TOKEN_USER)
		web_violation(w, "wrong-token", "a printer's token, want a user's");
	else if (up_token_lives(w->token)) {
		w->token->uses++;
		if (up.role)
			return 0;
		return web_error(w, MHD_HTTP_FORBIDDEN, "Forbidden",
		                 "The user is not a Printer Administrator or the tenant has no "
		                 "Universal Print licence.");
	}
	return web_error(w, MHD_HTTP_UNAUTHORIZED, "Unauthorized", "The token is not valid.");
}

static unsigned int bad_body(struct web *w, const char *rule, const char *what, const char *why)
{
	web_violation(w, rule, "%s: %s", what, why);
	return web_error(w, MHD_HTTP_BAD_REQUEST, "BadRequest", "%s: %s", what, why);
}

static unsigned int check_keys(struct web *w, const struct json *body, const char *const *names,
                               const enum json_type *types, size_t required, size_t count)
{
	const struct json *v;
	size_t i;

	for (i = 0; i < count; i++) {
		v = json_find(body, names[i]);
		if (v == NULL && i < required)
			return bad_body(w, "missing-key", names[i], "is missing");
		if (v != NULL && v->type != types[i])
			return bad_body(w, "key-type", names[i], "has the wrong type");
		if (v != NULL && v->type == JSON_STRING && v->text[0] == '\0')
			return bad_body(w, "key-value", names[i], "is empty");
	}
	for (v = body->first; v != NULL; v = v->next) {
		for (i = 0; i < count && strcmp(names[i], v->key) != 0; i++)
			;
		if (i == count)
			web_violation(w, "unknown-key", "%s", v->key);
	}
	return 0;
}

static unsigned int check_request(struct web *w, const struct json *request, struct buffer *der)
{
	static const char *const names[] = { "type", "data", "transport_key" };
	static const enum json_type types[] = { JSON_STRING, JSON_STRING, JSON_STRING };
	unsigned int status = check_keys(w, request, names, types, 3, 3);
	struct buffer key = { 0 };
	const char *data, *transport, *why;

	if (status != 0)
		return status;
	data = json_find_string(request, "data");
	transport = json_find_string(request, "transport_key");
	if (strcmp(json_find_string(request, "type"), "pkcs10") != 0)
		return bad_body(w, "key-value", "type", "is not pkcs10");
	if (base64_decode(data, strlen(data), false, der) < 0)
		return bad_body(w, "certificate-request", "data",
		                "is not base64 without header and line breaks");
	if (base64_decode(transport, strlen(transport), false, &key) < 0)
		why = "transport_key is not base64 without header and line breaks";
	else
		why = up_request_check(der, &key);
	buffer_clear(&key);
	return why ? bad_body(w, "certificate-request", "certificate_request", why) : 0;
}

static unsigned int check_register(struct web *w, const struct json *body, struct buffer *der)
{
	static const char *const names[] = { "name",
		                             "manufacturer",
		                             "model",
		                             "device_id",
		                             "device_type",
		                             "certificate_request",
		                             "has_physical_device",
		                             "device_capabilities",
		                             "preferred_lang" };
	static const enum json_type types[] = { JSON_STRING, JSON_STRING, JSON_STRING,
		                                JSON_STRING, JSON_STRING, JSON_OBJECT,
		                                JSON_BOOL,   JSON_ARRAY,  JSON_STRING };
	const char *type = web_header(w, "Content-Type");
	unsigned int status;

	if (type == NULL || strncmp(type, "application/json", 16) != 0)
		web_violation(w, "content-type", "Content-Type %s", type ? type : "missing");
	if (body == NULL || body->type != JSON_OBJECT)
		return bad_body(w, "body", "body", "is no JSON object");
	status = check_keys(w, body, names, types, 6, COUNT(names));
	if (status != 0)
		return status;
	if (strcmp(json_find_string(body, "device_type"), "printer") != 0)
		return bad_body(w, "key-value", "device_type", "is not printer");
	return check_request(w, json_find(body, "certificate_request"), der);
}

static unsigned int register_start(struct web *w)
{
	AUTO(json_free_at)
	struct json *body = json_read(w->body.data ? w->body.data : "", w->body.len);
	unsigned int status = check_user(w);
	struct buffer der = { 0 };
	struct registration *r;
	char uuid[46];

	if (status == 0)
		status = check_register(w, body, &der);
	if (status != 0) {
		buffer_clear(&der);
		return status;
	}
	uuid_make(uuid);
	r = xcalloc(1, sizeof(*r));
	r->id = xstrdup(uuid + strlen("urn:uuid:"));
	r->name = xstrdup(json_find_string(body, "name"));
	r->manufacturer = xstrdup(json_find_string(body, "manufacturer"));
	r->model = xstrdup(json_find_string(body, "model"));
	r->device_id = xstrdup(json_find_string(body, "device_id"));
	r->request = der;
	r->user = w->token;
	r->answered_us = clock_us();
	TAILQ_INSERT_TAIL(&registrations, r, entry);
	web_string(w, "registration_id", r->id);
	web_number(w, "interval", up.register_interval);
	return MHD_HTTP_ACCEPTED;
}

static void finish(struct registration *r, bool other_key)
{
	struct up_printer *p = up_printer_of_device(r->device_id);

	if (p == NULL)
		p = up_printer_add(r->device_id);
	else /* what was before does not count any more */
		up_tokens_revoke(UP_TOKEN_PRINTER, p);
	job_set_text(&p->name, r->name);
	job_set_text(&p->manufacturer, r->manufacturer);
	job_set_text(&p->model, r->model);
	free(p->certificate);
	free(p->fingerprint);
	free(p->uri);
	p->certificate = up_certificate_sign(&r->request, p->id, (long)up.certificate_days,
	                                     other_key, &p->fingerprint);
	p->uri = xprintf("ipps://%s/printers/%s", strstr(print, "://") + 3, p->id);
	p->certificates++;
	r->printer = p;
	record_changes++;
}

static unsigned int register_poll(struct web *w)
{
	const char *id = web_query(w, "registration_id");
	unsigned int status = check_user(w);
	int64_t now = clock_us();
	struct registration *r;

	if (status != 0)
		return status;
	TAILQ_FOREACH(r, &registrations, entry)
	{
		if (id != NULL && strcmp(r->id, id) == 0)
			break;
	}
	if (r == NULL) {
		web_violation(w, "registration-id", "no registration %s", id ? id : "is named");
		return web_error(w, MHD_HTTP_NOT_FOUND, "NotFound", "no such registration");
	}
	if (r->user != w->token)
		web_notice(w, "other-user", "polled with another token than it was begun with");
	if (now - r->answered_us < up.register_interval * 1000000 - EARLY_US)
		web_violation(w, "polled-early", "%d ms after the last answer, interval %d s",
		              (int)((now - r->answered_us) / 1000), (int)up.register_interval);
	r->answered_us = now;
	if (r->printer == NULL && (up.register_polls < 0 || r->polls++ < up.register_polls)) {
		web_number(w, "interval", up.register_interval);
		return MHD_HTTP_ACCEPTED;
	}
	if (r->printer == NULL)
		finish(r, w->fault.kind == FAULT_OTHER_KEY);
	AUTO(free_str) char *url = xprintf("%s/%s/oauth2/token", login, up.tenant);
	w->printer = r->printer->id;
	web_string(w, "cloud_device_id", r->printer->id);
	web_string(w, "certificate", r->printer->certificate);
	web_string(w, "device_token_url", url);
	web_string(w, "printer_client_id", up.printer_client_id);
	web_string(w, "printer_redirect_uri", up.redirect_uri);
	web_string(w, "mcp_svc_resource_id", up.mcp_resource);
	return MHD_HTTP_OK;
}

const struct web_route up_registration_routes[] = {
	{ HOST_REGISTRATION, "POST", "/api/v1.0/register", WEB_REGISTER, register_start },
	{ HOST_REGISTRATION, "GET", "/api/v1.0/register", WEB_REGISTER_POLL, register_poll },
	{ 0 },
};
