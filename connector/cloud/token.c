/* token.c - happy path: ask for a nonce, sign it, exchange the JWT for a token.
 *
 * What can fail: no answer, 429, 5xx: TEMPORARY, whoever waits is told; an exchange refused, or
 * lost with a kept connection (once more with a new nonce, since a nonce is good for once and for
 * minutes; then DENIED, code 401);
 * our own key or certificate cannot be read (CORRUPT). A renewal that fails while the old token
 * still lives is tried again with pauses. */
#include "connector/cloud/token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/json_read.h"
#include "connector/base/secret.h"
#include "connector/cloud/cloud.h"
#include "connector/cloud/device_jwt.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"
#include "connector/cloud/visit.h"

#define PEM_MAX     (64u << 10)
#define JWT_MAX     (48u << 10)
#define TEXT_MAX    16384
#define NONCE_MAX   4096
#define LIFE_S      1800 /* where none is said */
#define LIFE_MIN_S  60
#define LIFE_MAX_S  86400
#define MARGIN_MS   5000 /* the way to the cloud */
#define AGAIN_MS    30000
#define PATIENCE_MS 60000 /* waited for when the service wants it; longer is told */

struct bearer {
	unsigned refs;
	char text[];
};

struct token {
	struct cloud *cloud; /* holds a reference */
	struct cloud_identity identity;
	char *key_file, *certificate_file;
	struct visit visit;
	bool renewing, closing;
	bool second; /* an exchange was refused or lost already */
	struct bearer *now;
	int64_t renew_at, ends_at; /* ms */
	struct token_wait *waiting;
};

static void on_nonce(struct visit *v, const struct err *err);

/* ---- the text ---- */

static struct bearer *bearer_new(const char *text)
{
	size_t len = strlen(text) + 1;
	struct bearer *b = secret_alloc(sizeof(*b) + len);

	b->refs = 1;
	memcpy(b->text, text, len);
	return b;
}

const char *bearer_text(const struct bearer *b)
{
	return b->text;
}

void bearer_unref(struct bearer *b)
{
	if (b && --b->refs == 0)
		secret_free(b);
}

/* ---- renewal ---- */

static int64_t now_ms(const struct token *t)
{
	return t->cloud->clock->now_ms(t->cloud->clock);
}

static uint64_t random_of(const struct token *t)
{
	return t->cloud->clock->random(t->cloud->clock);
}

static void destroy(struct token *t)
{
	visit_clear(&t->visit);
	bearer_unref(t->now);
	service_unref(t->cloud);
	free(t->key_file);
	free(t->certificate_file);
	free(t);
}

static void tell(struct token *t, const struct err *err)
{
	struct token_wait *w = TAKE(t->waiting), *next;

	for (; w; w = next) {
		next = w->next;
		w->next = NULL;
		w->ready(w, err);
	}
}

static void end(struct token *t, const struct err *err)
{
	struct err copy;

	t->cloud->stats.tokens[err ? err->kind : ERR_NONE]++;
	t->renewing = false;
	t->second = false;
	if (t->closing) {
		destroy(t);
		return;
	}
	if (err) {
		copy = *err;
		service_slow_down(t->cloud, HOST_LOGIN, err);
		t->renew_at = now_ms(t) + AGAIN_MS + (int64_t)(random_of(t) % AGAIN_MS);
	}
	visit_clear(&t->visit);
	visit_init(&t->visit, t->cloud, t);
	tell(t, err ? &copy : NULL);
}

static void on_turn(struct visit *v, const struct err *err)
{
	struct token *t = v->data;
	struct buf form;

	if (err) {
		end(t, err);
		return;
	}
	buf_init(&form, JSON_BODY_MAX);
	(void)form_add(&form, "grant_type", "srv_challenge");
	(void)form_add(&form, "windows_api_version", "2.0");
	visit_ask(&t->visit, JSON_POST_FORM, xstrdup(t->identity.token_url), &form, NULL, on_nonce);
}

static void on_no_turn(struct visit *v, const struct err *err)
{
	struct token *t = v->data;
	struct err slow;

	(void)err;
	(void)err_set(&slow, ERR_TEMPORARY, 429, "the sign-in service has asked us to slow down");
	slow.retry_after_s = (int)(service_quiet_ms(t->cloud, HOST_LOGIN) / 1000) + 1;
	end(t, &slow);
}

static void ask_nonce(struct token *t)
{
	int64_t quiet_ms = service_quiet_ms(t->cloud, HOST_LOGIN);

	t->renewing = true;
	if (quiet_ms > PATIENCE_MS)
		visit_pause(&t->visit, 0, on_no_turn);
	else if (quiet_ms > 0)
		visit_pause(&t->visit,
		            quiet_ms + (int64_t)(random_of(t) % (uint64_t)(quiet_ms / 8 + 1)),
		            on_turn);
	else
		on_turn(&t->visit, NULL);
}

/* What can be sent in a header; anything else would be held against the exchange, not the token. */
static bool is_sendable(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

static void take_token(struct token *t)
{
	const struct cJSON *answer = t->visit.json.answer;
	const char *text = json_text(answer, "access_token", TEXT_MAX);
	const char *type = json_text(answer, "token_type", 32);
	int64_t life_ms = json_number(answer, "expires_in", LIFE_MIN_S, LIFE_MAX_S, LIFE_S) * 1000;
	struct err err;

	if (!text || !is_sendable(text) || (type && strcasecmp(type, "Bearer") != 0)) {
		(void)err_set(&err, ERR_TEMPORARY, 0,
		              "the sign-in service gave no token that can be used");
		end(t, &err);
		return;
	}
	bearer_unref(t->now);
	t->now = bearer_new(text);
	t->ends_at = now_ms(t) + life_ms - MARGIN_MS;
	/* three quarters to four fifths, so that printers which started together part */
	t->renew_at = now_ms(t) + life_ms * 3 / 4 +
	              (int64_t)(random_of(t) % (uint64_t)(life_ms / 20 + 1));
	end(t, NULL);
}

/* Refused for what we are, and not by a gateway on the way. */
static bool is_refusal(const struct err *err)
{
	return (err->kind == ERR_REJECTED && err->code >= 400) ||
	       (err->kind == ERR_DENIED && (err->code == 401 || err->code == 403));
}

static void refuse(struct token *t, const struct err *err)
{
	struct err told;

	(void)err_set(&told, ERR_DENIED, 401,
	              "the sign-in service does not accept the printer's certificate: %.120s",
	              err->text);
	end(t, &told);
}

/* Once: with another nonce. */
static bool goes_again(struct token *t)
{
	bool again = !t->second && !t->closing;

	t->second = true;
	return again;
}

static void on_token(struct visit *v, const struct err *err)
{
	struct token *t = v->data;

	if (!err) {
		take_token(t);
	} else if ((is_refusal(err) || err->code == HTTP_LOST) && goes_again(t)) {
		ask_nonce(t);
	} else if (is_refusal(err)) {
		refuse(t, err);
	} else {
		end(t, err);
	}
}

static int make_request(const struct token *t, const char *nonce, struct buf *form, struct err *err)
{
	AUTO(buf_wipe) struct buf key, certificate, jwt;
	struct device_jwt what = { .identity = &t->identity,
		                   .nonce = nonce,
		                   .x5c_string = t->cloud->universal->x5c_string };

	buf_init(&key, PEM_MAX);
	buf_init(&certificate, PEM_MAX);
	buf_init(&jwt, JWT_MAX);
	if (fs_secret_read(t->key_file, PEM_MAX, &key, err) < 0 ||
	    fs_read_linked(t->certificate_file, PEM_MAX, &certificate, err) < 0)
		return -1;
	what.key_pem = buf_text(&key);
	what.certificate_pem = buf_text(&certificate);
	if (device_jwt_make(&what, &jwt, err) < 0)
		return -1;
	if (form_add(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer") < 0 ||
	    form_add(form, "request", buf_text(&jwt)) < 0)
		return err_set(err, ERR_REJECTED, 0, "the request for a token is too long");
	return 0;
}

static void on_nonce(struct visit *v, const struct err *err)
{
	struct token *t = v->data;
	const char *nonce = json_text(v->json.answer, "Nonce", NONCE_MAX);
	struct err failed;
	struct buf form;

	if (err) {
		if (is_refusal(err))
			refuse(t, err);
		else if (err->code == HTTP_LOST && goes_again(t))
			ask_nonce(t);
		else
			end(t, err);
		return;
	}
	if (!nonce)
		nonce = json_text(v->json.answer, "nonce", NONCE_MAX);
	buf_init(&form, JSON_BODY_MAX);
	if (!nonce) {
		(void)err_set(&failed, ERR_TEMPORARY, 0, "the sign-in service gave no nonce");
		end(t, &failed);
	} else if (make_request(t, nonce, &form, &failed) < 0) {
		end(t, &failed);
	} else {
		visit_ask(v, JSON_POST_FORM, xstrdup(t->identity.token_url), &form, NULL, on_token);
	}
	buf_wipe(&form);
}

/* ---- for those who need it ---- */

struct bearer *token_get(struct token *t, struct token_wait *w)
{
	int64_t now = now_ms(t);
	bool lives = t->now && now < t->ends_at;

	if (!t->renewing && (!lives || now >= t->renew_at))
		ask_nonce(t);
	if (lives) {
		t->now->refs++;
		return t->now;
	}
	w->next = t->waiting;
	t->waiting = w;
	return NULL;
}

void token_leave(struct token *t, struct token_wait *w)
{
	struct token_wait **at = &t->waiting;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	w->next = NULL;
}

void token_refuse(struct token *t, const struct bearer *b)
{
	if (t->now != b)
		return; /* there is a newer one already */
	bearer_unref(TAKE(t->now));
}

/* ---- life ---- */

static int check(const struct cloud *c, const struct channel_settings *s, struct err *err)
{
	const struct cloud_identity *i = s->identity;

	if (!i || !i->device[0] || !i->token_url[0] || !s->key_file || !s->certificate_file)
		return err_set(err, ERR_REJECTED, 0,
		               "the printer is not registered at cloud %.60s: register it",
		               c->name);
	if (!universal_is_same_host(i->token_url, c->universal->login_url))
		return err_set(err, ERR_REJECTED, 0,
		               "the printer would sign in at %.80s, which is not the configured "
		               "login-url",
		               i->token_url);
	return 0;
}

int token_new(struct token **ret, struct cloud *c, const struct channel_settings *settings,
              struct err *err)
{
	struct token *t;

	if (check(c, settings, err) < 0)
		return -1;
	t = xcalloc(1, sizeof(*t));
	service_ref(c);
	t->cloud = c;
	t->identity = *settings->identity;
	t->key_file = xstrdup(settings->key_file);
	t->certificate_file = xstrdup(settings->certificate_file);
	visit_init(&t->visit, c, t);
	*ret = t;
	return 0;
}

void token_free(struct token *t)
{
	if (!t)
		return;
	t->closing = true;
	bearer_unref(TAKE(t->now));
	if (t->renewing && !t->visit.wait.armed)
		visit_cancel(&t->visit);
	else /* a pause is not waited for: the loop may turn no more */
		destroy(t);
}
