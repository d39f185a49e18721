/* registration.c - POST /api/v1.0/register, then GET with the id that it gave until it is done.
 *
 * What can fail: who signed in may not register (401, 403: DENIED); the device is known already
 * (409); an id that is not known any more (404, GONE); 429, 5xx and no answer, which end the POST
 * and are waited for while polling; more than its time (TEMPORARY, the id can be gone on
 * with); an answer that leads elsewhere, or a certificate for another key (REJECTED). */
#include "connector/cloud/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/json_read.h"
#include "connector/cloud/service.h"
#include "connector/cloud/sign_in.h"
#include "connector/cloud/universal.h"
#include "connector/cloud/visit.h"

#define INTERVAL_S      3
#define INTERVAL_MAX    60
#define CERTIFICATE_MAX 65536
#define REDIRECT_URI    "https://login.microsoftonline.com/common/oauth2/nativeclient"

struct registration {
	struct cloud *cloud; /* holds a reference */
	struct cloud_op *op; /* borrowed */
	struct visit visit;
	const char *token; /* of the session; borrowed */
	char *request_pem;
	int64_t interval_ms, ends_ms;
};

static void poll(struct visit *v, const struct err *err);

void registration_free(struct registration *r)
{
	if (!r)
		return;
	visit_clear(&r->visit);
	service_unref(r->cloud);
	free(r->request_pem);
	free(r);
}

void registration_cancel(struct registration *r)
{
	visit_cancel(&r->visit);
}

static void end(struct registration *r, const struct err *err)
{
	struct cloud_op *op = r->op;
	struct err copy;

	if (err)
		copy = *err;
	op->registration = NULL;
	registration_free(r);
	op->done(op, err ? &copy : NULL);
}

static int64_t now_ms(const struct registration *r)
{
	return r->cloud->clock->now_ms(r->cloud->clock);
}

/* ---- errors ---- */

static const struct refusal {
	int status; /* of HTTP */
	enum err_kind kind;
	const char *text, *remedy;
} refusals[] = {
	{ 401, ERR_DENIED, "the cloud does not accept the sign-in any more",
	  "run the command again to sign in again" },
	{ 403, ERR_DENIED, "who signed in may not register printers",
	  "give that account the role Printer Administrator and a Universal Print licence" },
	{ 404, ERR_GONE, "the cloud does not know the registration any more",
	  "run the command again" },
	{ 409, ERR_REJECTED, "the cloud has a printer for this queue already",
	  "delete it in the portal, then register again" },
	{ 410, ERR_GONE, "the cloud does not know the registration any more",
	  "run the command again" },
};

static const struct refusal *find_refusal(const struct registration *r, int status)
{
	bool begun = r->op->identity.registration_id[0];

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].status == status && (begun || refusals[i].kind != ERR_GONE))
			return &refusals[i];
	return NULL;
}

/* What happened, in the service's own words too where it has any; then what helps. */
static void explain(const struct registration *r, const struct err *err, struct err *ret)
{
	const struct refusal *is = find_refusal(r, err->code);
	const char *told = r->visit.json.error;
	char more[48] = "";

	if (told[0])
		(void)snprintf(more, sizeof(more), " (%.40s)", told);
	if (is)
		(void)err_set(ret, is->kind, err->code, "%s%s; %s", is->text, more, is->remedy);
	else if (err->kind == ERR_TEMPORARY)
		(void)visit_advise(ret, err, "run the command again later");
	else if (err->kind == ERR_REJECTED && told[0])
		(void)visit_advise(ret, err, "show this to whoever manages Universal Print");
	else if (err->kind != ERR_CANCELED)
		(void)visit_advise(ret, err, "check registration-url, proxy and ca-file");
	else
		*ret = *err;
}

/* ---- the end ---- */

/* The certificate as the cloud sent it, if it is for the key which we asked for. */
static int take_certificate(struct registration *r, struct err *err)
{
	const char *pem = json_text(r->visit.json.answer, "certificate", CERTIFICATE_MAX);

	if (!pem)
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud registered the printer and gave no certificate for it; "
		               "run the command again");
	if (crypto_certificate_answers(pem, r->request_pem, err) < 0)
		return visit_advise(err, err, "run the command again");
	buf_init(&r->op->certificate, CERTIFICATE_MAX + 1);
	return buf_append(&r->op->certificate, pem, strlen(pem)) < 0
	               ? err_set(err, ERR_TEMPORARY, 0, "no memory for a certificate")
	               : 0;
}

/* A member or, where it is missing or empty, what stands in for it. */
static int take_text(const cJSON *answer, const char *name, const char *other, char *ret,
                     size_t size, struct err *err)
{
	const char *text = json_text(answer, name, size - 1);
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(answer, name);
	bool absent = !member || cJSON_IsNull(member) ||
	              (cJSON_IsString(member) && !member->valuestring[0]);

	if (!text && absent)
		text = other;
	if (!text || strpbrk(text, " \r\n"))
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud registered the printer and gave no usable %s; run the "
		               "command again",
		               name);
	return str_copy(ret, size, text) < 0 ? err_set(err, ERR_REJECTED, 0, "%s is too long", name)
	                                     : 0;
}

static int take_identity(struct registration *r, struct err *err)
{
	const struct universal *u = r->cloud->universal;
	const cJSON *answer = r->visit.json.answer;
	struct cloud_identity *i = &r->op->identity;

	if (take_text(answer, "cloud_device_id", NULL, i->device, sizeof(i->device), err) < 0 ||
	    take_text(answer, "device_token_url", NULL, i->token_url, sizeof(i->token_url), err) <
	            0 ||
	    take_text(answer, "printer_client_id", u->client_id, i->client_id, sizeof(i->client_id),
	              err) < 0 ||
	    take_text(answer, "printer_redirect_uri", REDIRECT_URI, i->redirect_uri,
	              sizeof(i->redirect_uri), err) < 0 ||
	    take_text(answer, "mcp_svc_resource_id", u->resource, i->resource, sizeof(i->resource),
	              err) < 0)
		return -1;
	if (!universal_is_id(i->device))
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud registered the printer under a name that is no id; run "
		               "the command again");
	if (!universal_is_same_host(i->token_url, u->login_url))
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud wants the printer to sign in at %.60s; set login-url to "
		               "that host if it is the right one, then register again",
		               i->token_url);
	return universal_printer_uri(u, i->device, r->op->printer_uri, sizeof(r->op->printer_uri),
	                             err);
}

static void finish(struct registration *r)
{
	struct cloud_op *op = r->op;
	struct err err;

	if (take_identity(r, &err) < 0 || take_certificate(r, &err) < 0) {
		if (err.kind == ERR_REJECTED)
			err.kind = ERR_CORRUPT; /* not refused: the printer is there */
		end(r, &err);
		return;
	}
	(void)snprintf(op->printer_uuid, sizeof(op->printer_uuid), "urn:uuid:%s",
	               op->identity.device);
	op->identity.registration_id[0] = '\0';
	end(r, NULL);
}

/* ---- on the way ---- */

static void wait_on(struct registration *r, int64_t ms)
{
	char limit[STR_DURATION_SIZE];
	struct err err;

	if (now_ms(r) + ms < r->ends_ms) {
		visit_pause(&r->visit, ms, poll);
		return;
	}
	str_duration_format(r->cloud->universal->registration_timeout_ms, limit);
	(void)err_set(&err, ERR_TEMPORARY, 0,
	              "the cloud has not finished the registration within %s (registration "
	              "%.40s); run the command again to go on with it",
	              limit, r->op->identity.registration_id);
	end(r, &err);
}

static void read_interval(struct registration *r)
{
	r->interval_ms =
		json_number(r->visit.json.answer, "interval", 1, INTERVAL_MAX, INTERVAL_S) * 1000;
}

static void on_poll(struct visit *v, const struct err *err)
{
	struct registration *r = v->data;
	struct err failed;

	if (err && err->kind == ERR_TEMPORARY) {
		int64_t wish = (int64_t)err->retry_after_s * 1000;

		wait_on(r, wish > r->interval_ms ? wish : r->interval_ms);
	} else if (err) {
		explain(r, err, &failed);
		end(r, &failed);
	} else if (v->json.status == 202) {
		read_interval(r);
		wait_on(r, r->interval_ms);
	} else {
		finish(r);
	}
}

static void poll(struct visit *v, const struct err *err)
{
	struct registration *r = v->data;
	struct buf query;

	if (err) {
		end(r, err);
		return;
	}
	buf_init(&query, 1024);
	(void)form_add(&query, "registration_id", r->op->identity.registration_id);
	visit_ask(v, JSON_GET,
	          xasprintf("%s/api/v1.0/register?%s", r->cloud->universal->registration_url,
	                    buf_text(&query)),
	          NULL, r->token, on_poll);
	buf_clear(&query);
}

static void on_begun(struct visit *v, const struct err *err)
{
	struct registration *r = v->data;
	struct cloud_identity *i = &r->op->identity;
	const char *id =
		json_text(v->json.answer, "registration_id", sizeof(i->registration_id) - 1);
	struct err failed;

	if (err) {
		explain(r, err, &failed);
		end(r, &failed);
	} else if (!id && json_text(v->json.answer, "certificate", CERTIFICATE_MAX)) {
		finish(r); /* done at once */
	} else if (!id) {
		(void)err_set(&failed, ERR_TEMPORARY, 0,
		              "the cloud gave no id for the registration; run the command again");
		end(r, &failed);
	} else {
		(void)str_copy(i->registration_id, sizeof(i->registration_id), id);
		read_interval(r);
		wait_on(r, r->interval_ms);
		if (r->op->begun)
			r->op->begun(r->op);
	}
}

/* ---- the beginning ---- */

static int add_coded(cJSON *to, const char *name, const struct buf *der, struct err *err)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, JSON_BODY_MAX);
	if (crypto_base64(der->data, der->len, &text) < 0 ||
	    !cJSON_AddStringToObject(to, name, buf_text(&text)))
		rc = err_set(err, ERR_TEMPORARY, 0, "no memory for %s", name);
	buf_clear(&text);
	return rc;
}

static int add_request(cJSON *to, const char *request_pem, struct err *err)
{
	struct buf request, key;
	int rc = -1;

	buf_init(&request, JSON_BODY_MAX / 4);
	buf_init(&key, JSON_BODY_MAX / 4);
	(void)cJSON_AddStringToObject(to, "type", "pkcs10");
	if (crypto_request_der(request_pem, &request, err) == 0 &&
	    crypto_request_public_key(request_pem, &key, err) == 0 &&
	    add_coded(to, "data", &request, err) == 0)
		rc = add_coded(to, "transport_key", &key, err);
	buf_clear(&request);
	buf_clear(&key);
	return rc;
}

static void add_text(cJSON *to, const char *name, const char *text)
{
	(void)cJSON_AddStringToObject(to, name, text && *text ? text : "unknown");
}

static int make_body(const struct cloud_enrolment *what, struct buf *ret, struct err *err)
{
	cJSON *body = cJSON_CreateObject();
	char *text = NULL;
	int rc = -1;

	add_text(body, "name", what->name);
	add_text(body, "manufacturer", what->manufacturer);
	add_text(body, "model", what->model);
	add_text(body, "device_id", what->device_uuid);
	add_text(body, "device_type", "printer");
	if (add_request(cJSON_AddObjectToObject(body, "certificate_request"), what->request_pem,
	                err) == 0) {
		buf_init(ret, JSON_BODY_MAX);
		text = cJSON_PrintUnformatted(body);
		rc = text && buf_append(ret, text, strlen(text)) == 0
		             ? 0
		             : err_set(err, ERR_REJECTED, 0, "the registration is too long");
	}
	cJSON_free(text);
	cJSON_Delete(body);
	return rc;
}

static void begin(struct registration *r, const struct cloud_enrolment *what, struct buf *body)
{
	if (what->registration_id && what->registration_id[0])
		visit_pause(&r->visit, 0, poll);
	else
		visit_ask(&r->visit, JSON_POST,
		          xasprintf("%s/api/v1.0/register", r->cloud->universal->registration_url),
		          body, r->token, on_begun);
}

int registration_start(struct cloud *c, struct cloud_op *op, const struct cloud_enrolment *what,
                       struct err *err)
{
	struct registration *r;
	struct buf body = { 0 };

	if (!what->session)
		return err_set(err, ERR_DENIED, 0,
		               "nobody has signed in to cloud %.60s; run the command again",
		               c->name);
	if (make_body(what, &body, err) < 0)
		return -1;
	r = xcalloc(1, sizeof(*r));
	service_ref(c);
	r->cloud = c;
	r->op = op;
	r->token = what->session->token;
	r->request_pem = xstrdup(what->request_pem);
	r->interval_ms = INTERVAL_S * 1000;
	r->ends_ms = c->clock->now_ms(c->clock) + c->universal->registration_timeout_ms;
	visit_init(&r->visit, c, r);
	op->cloud = c;
	op->registration = r;
	op->identity = (struct cloud_identity){ 0 };
	(void)str_copy(op->identity.registration_id, sizeof(op->identity.registration_id),
	               what->registration_id ? what->registration_id : "");
	begin(r, what, &body);
	buf_clear(&body);
	return 0;
}
