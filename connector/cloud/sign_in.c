/* sign_in.c - RFC 8628, with the words of Entra for its errors.
 *
 * Happy path: ask for a code, show it, ask for the token every few seconds until it was approved.
 *
 * What can fail while asking for the token: authorization_pending (go on), slow_down (go on, five
 * seconds slower), no answer, 429, 5xx (go on until the code has expired); everything else ends it,
 * with the remedy where one is known. */
#include "connector/cloud/sign_in.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/json_read.h"
#include "connector/base/secret.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"
#include "connector/cloud/visit.h"

#define INTERVAL_S   5 /* RFC 8628 3.2: where none is said; and what slow_down adds */
#define INTERVAL_MAX 120
#define FIRST_MS     1000 /* the interval is between two questions; the first may come before */
#define LIFE_S       900
#define TOKEN_MAX    16384
#define TRUST_MS     1000 /* before the code expires, one more question is worth it */

#define EXPIRED "the code expired before anybody signed in with it; run the command again"

struct sign_in {
	struct cloud *cloud; /* holds a reference */
	struct cloud_op *op; /* borrowed */
	struct visit visit;
	char *device_code; /* of secret.h */
	int64_t interval_ms, ends_ms;
};

static void ask_token(struct visit *v, const struct err *err);

void sign_in_end(struct cloud_session *s)
{
	if (!s)
		return;
	secret_free(s->token);
	free(s);
}

void sign_in_free(struct sign_in *s)
{
	if (!s)
		return;
	visit_clear(&s->visit);
	secret_free(s->device_code);
	service_unref(s->cloud);
	free(s);
}

void sign_in_cancel(struct sign_in *s)
{
	visit_cancel(&s->visit);
}

static void end(struct sign_in *s, const struct err *err)
{
	struct cloud_op *op = s->op;
	struct err copy;

	if (err)
		copy = *err;
	op->sign_in = NULL;
	sign_in_free(s);
	op->done(op, err ? &copy : NULL);
}

static int64_t now_ms(const struct sign_in *s)
{
	return s->cloud->clock->now_ms(s->cloud->clock);
}

/* ---- errors ---- */

static const struct remedy {
	const char *error;  /* of OAuth; NULL: any */
	const char *number; /* of Entra, stands in the explanation; NULL: any */
	const char *text;
} remedies[] = {
	{ NULL, "AADSTS65001",
	  "nobody has consented to the application for this organisation; have an administrator "
	  "grant its permissions in the Entra portal" },
	{ NULL, "AADSTS65004",
	  "consent to the application was declined; sign in again and accept, or have an "
	  "administrator grant it in the Entra portal" },
	{ NULL, "AADSTS90094",
	  "the application needs an administrator's consent; have one grant its permissions in the "
	  "Entra portal" },
	{ NULL, "AADSTS700016",
	  "the sign-in service does not know the application; check client-id and tenant in the "
	  "settings" },
	{ NULL, "AADSTS7000218",
	  "the application may not sign in by code; allow public client flows for it in the Entra "
	  "portal" },
	{ NULL, "AADSTS53003",
	  "a conditional access policy forbids signing in by code; exclude the application or the "
	  "account from it in the Entra portal" },
	{ NULL, "AADSTS50105",
	  "the account is not assigned to the application; assign it in the Entra portal" },
	{ "authorization_declined", NULL, "the sign-in was declined; run the command again" },
	{ "access_denied", NULL, "the sign-in was declined; run the command again" },
	{ "expired_token", NULL, EXPIRED },
	{ "code_expired", NULL, EXPIRED },
	{ "bad_verification_code", NULL,
	  "the sign-in service does not know its own code any more; run the command again" },
	{ "invalid_client", NULL,
	  "the sign-in service does not accept the application; check client-id, and that it "
	  "allows public client flows" },
	{ "unauthorized_client", NULL,
	  "the application may not sign in by code; allow public client flows for it in the Entra "
	  "portal" },
	{ "consent_required", NULL,
	  "the application needs an administrator's consent; have one grant its permissions in the "
	  "Entra portal" },
	{ "invalid_scope", NULL,
	  "the application has not the permission that was asked for; add Printers.Create to it in "
	  "the Entra portal, or check scope and resource" },
};

static const struct remedy *find_remedy(const char *error, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		const struct remedy *r = &remedies[i];
		const char *at = r->number ? strstr(text, r->number) : NULL;

		if (r->number && (!at || strspn(at + 6, "0123456789") != strlen(r->number) - 6))
			continue;
		if (!r->error || strcmp(r->error, error) == 0)
			return r;
	}
	return NULL;
}

/* One sentence with what to do. */
static void explain(const struct json_op *json, const struct err *err, struct err *ret)
{
	const struct remedy *r = find_remedy(json->error, err->text);

	if (err->kind == ERR_CANCELED) {
		*ret = *err;
	} else if (!json->error[0]) {
		(void)visit_advise(ret, err, "check login-url, proxy and ca-file");
	} else if (r) {
		(void)err_set(ret, ERR_REJECTED, err->code, "%s", r->text);
	} else {
		(void)visit_advise(ret, err, "show this to whoever manages Entra");
		ret->kind = ERR_REJECTED;
		(void)err_wrap(ret, "the sign-in failed");
	}
}

/* ---- the token ---- */

static void take_token(struct sign_in *s)
{
	const struct cJSON *answer = s->visit.json.answer;
	const char *token = json_text(answer, "access_token", TOKEN_MAX);
	const char *type = json_text(answer, "token_type", 32);
	struct err err;

	if (!token || (type && strcasecmp(type, "Bearer") != 0)) {
		(void)err_set(
			&err, ERR_TEMPORARY, 0,
			"the sign-in service gave no token that can be used; check login-url");
		end(s, &err);
		return;
	}
	s->op->session = xcalloc(1, sizeof(*s->op->session));
	s->op->session->token = secret_copy(token);
	end(s, NULL);
}

static void wait_on(struct sign_in *s, int64_t ms)
{
	struct err err;

	if (now_ms(s) + ms < s->ends_ms + TRUST_MS) {
		visit_pause(&s->visit, ms, ask_token);
		return;
	}
	(void)err_set(&err, ERR_REJECTED, 0, EXPIRED);
	end(s, &err);
}

static void on_token(struct visit *v, const struct err *err)
{
	struct sign_in *s = v->data;
	const char *error = v->json.error;
	struct err failed;

	if (!err) {
		take_token(s);
	} else if (strcmp(error, "authorization_pending") == 0) {
		wait_on(s, s->interval_ms);
	} else if (strcmp(error, "slow_down") == 0) {
		s->interval_ms += INTERVAL_S * 1000;
		wait_on(s, s->interval_ms);
	} else if (err->kind == ERR_TEMPORARY) {
		int64_t wish = (int64_t)err->retry_after_s * 1000;

		wait_on(s, wish > s->interval_ms ? wish : s->interval_ms);
	} else {
		explain(&v->json, err, &failed);
		end(s, &failed);
	}
}

static char *address(const struct sign_in *s, const char *what)
{
	const struct universal *u = s->cloud->universal;

	return xasprintf("%s/%s/oauth2/v2.0/%s", u->login_url, u->tenant, what);
}

static void ask_token(struct visit *v, const struct err *err)
{
	struct sign_in *s = v->data;
	struct buf form;

	if (err) {
		end(s, err);
		return;
	}
	buf_init(&form, JSON_BODY_MAX);
	(void)form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	(void)form_add(&form, "client_id", s->cloud->universal->client_id);
	(void)form_add(&form, "device_code", s->device_code);
	visit_ask(v, JSON_POST_FORM, address(s, "token"), &form, NULL, on_token);
}

/* ---- the code ---- */

/* The address is opened by a person: it must be one that cannot lead him astray unseen. */
static bool is_address(const char *text)
{
	struct uri u;

	return text && uri_parse(text, &u) == 0 && !u.userinfo &&
	       (strcmp(u.scheme, "https") == 0 ||
	        (strcmp(u.scheme, "http") == 0 && uri_is_loopback(&u)));
}

static int read_code(struct sign_in *s, struct err *err)
{
	const struct cJSON *answer = s->visit.json.answer;
	struct cloud_op *op = s->op;
	const char *device = json_text(answer, "device_code", 4096);
	const char *user = json_text(answer, "user_code", sizeof(op->user_code) - 1);
	const char *uri = json_text(answer, "verification_uri", sizeof(op->verification_uri) - 1);

	if (!uri)
		uri = json_text(answer, "verification_url", sizeof(op->verification_uri) - 1);
	if (!device || !user || !is_address(uri))
		return err_set(
			err, ERR_TEMPORARY, 0,
			"the sign-in service gave no code that can be used; check login-url");
	s->device_code = secret_copy(device);
	str_clean(user, op->user_code, sizeof(op->user_code));
	(void)str_copy(op->verification_uri, sizeof(op->verification_uri), uri);
	op->expires_s = json_number(answer, "expires_in", 30, 3600, LIFE_S);
	s->interval_ms = json_number(answer, "interval", 1, INTERVAL_MAX, INTERVAL_S) * 1000;
	s->ends_ms = now_ms(s) + op->expires_s * 1000;
	return 0;
}

static void on_code(struct visit *v, const struct err *err)
{
	struct sign_in *s = v->data;
	struct err failed;

	if (err) {
		explain(&v->json, err, &failed);
		end(s, &failed);
	} else if (read_code(s, &failed) < 0) {
		end(s, &failed);
	} else {
		visit_pause(v, FIRST_MS, ask_token);
		if (s->op->code)
			s->op->code(s->op);
	}
}

int sign_in_start(struct cloud *c, struct cloud_op *op, struct err *err)
{
	struct sign_in *s;
	struct buf form;

	if (!c->universal)
		return err_set(err, ERR_REJECTED, 0, "cloud %.60s has no sign-in", c->name);
	s = xcalloc(1, sizeof(*s));
	service_ref(c);
	s->cloud = c;
	s->op = op;
	visit_init(&s->visit, c, s);
	op->cloud = c;
	op->sign_in = s;
	buf_init(&form, JSON_BODY_MAX);
	(void)form_add(&form, "client_id", c->universal->client_id);
	(void)form_add(&form, "scope", c->universal->scope);
	visit_ask(&s->visit, JSON_POST_FORM, address(s, "devicecode"), &form, NULL, on_code);
	return 0;
}
