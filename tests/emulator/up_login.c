#include "tests/emulator/up_login.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <microhttpd.h>
#include <openssl/rand.h>

#include "tests/emulator/base64.h"
#include "tests/emulator/json.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up_web.h"

#define GRANT_DEVICE "urn:ietf:params:oauth:grant-type:device_code"
#define GRANT_JWT    "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define EARLY_US     200000 /* what a poll may come too early: the answer's way back */
#define NONCES_KEPT  20000

enum code_state { CODE_PENDING, CODE_APPROVED, CODE_DECLINED, CODE_REDEEMED };

struct code {
	TAILQ_ENTRY(code) entry;
	char *device_code;
	char user_code[10];
	char *client_id, *scope;
	enum code_state state;
	int64_t expires_us, polled_us, interval_s;
	int polls;
};

struct nonce {
	TAILQ_ENTRY(nonce) entry;
	char *text;
	int64_t expires_us;
	bool used;
};

static TAILQ_HEAD(code_list, code) codes = TAILQ_HEAD_INITIALIZER(codes);
static TAILQ_HEAD(nonce_list, nonce) nonces = TAILQ_HEAD_INITIALIZER(nonces);
static int nonce_count;

static const char *const state_names[] = { "pending", "approved", "declined", "redeemed" };

static void code_free(struct code *c)
{
	TAILQ_REMOVE(&codes, c, entry);
	free(c->device_code);
	free(c->client_id);
	free(c->scope);
	free(c);
}

static void nonce_free(struct nonce *n)
{
	TAILQ_REMOVE(&nonces, n, entry);
	free(n->text);
	free(n);
	nonce_count--;
}

void up_login_free(void)
{
	while (!TAILQ_EMPTY(&codes))
		code_free(TAILQ_FIRST(&codes));
	while (!TAILQ_EMPTY(&nonces))
		nonce_free(TAILQ_FIRST(&nonces));
}

int up_login_decide(const char *user_code, int approve)
{
	struct code *c;

	TAILQ_FOREACH_REVERSE(c, &codes, code_list, entry)
	{
		if (c->state != CODE_PENDING ||
		    (user_code != NULL && strcmp(c->user_code, user_code) != 0))
			continue;
		c->state = approve ? CODE_APPROVED : CODE_DECLINED;
		record_changes++;
		return 0;
	}
	return -1;
}

void up_login_write_codes(struct buffer *b)
{
	struct code *c;

	json_open(b, "codes", '[');
	TAILQ_FOREACH(c, &codes, entry)
	{
		json_open(b, NULL, '{');
		json_string(b, "user_code", c->user_code);
		json_string(b, "device_code", c->device_code);
		json_string(b, "client_id", c->client_id);
		json_string(b, "scope", c->scope);
		json_string(b, "state", state_names[c->state]);
		json_number(b, "polls", c->polls);
		json_number(b, "interval", c->interval_s);
		json_close(b, '}');
	}
	json_close(b, ']');
}

void up_login_write_secrets(struct buffer *b)
{
	struct nonce *n;
	struct code *c;

	TAILQ_FOREACH(c, &codes, entry)
	json_string(b, NULL, c->device_code);
	TAILQ_FOREACH(n, &nonces, entry)
	json_string(b, NULL, n->text);
}

static void make_user_code(char ret[10])
{
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	unsigned char raw[9];
	size_t i;

	RAND_bytes(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++)
		ret[i] = letters[raw[i] % (sizeof(letters) - 1)];
	ret[sizeof(raw)] = '\0';
}

/* What every form at login must be. 0, or the HTTP status with the answer written. */
static unsigned int check_form(struct web *w)
{
	const char *type = web_header(w, "Content-Type");

	if (web_header(w, "Authorization") != NULL)
		web_violation(w, "stray-token", "an Authorization header to the login host");
	if (type != NULL && strncmp(type, "application/x-www-form-urlencoded", 33) == 0)
		return 0;
	web_violation(w, "content-type", "Content-Type %s", type ? type : "missing");
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_request", 900144,
	                       "The request body must be a form.");
}

static unsigned int missing(struct web *w, const char *name)
{
	web_violation(w, "missing-parameter", "no %s", name);
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_request", 900144,
	                       "The request body must contain the following parameter: '%s'.",
	                       name);
}

static unsigned int check_client(struct web *w, const char *client_id)
{
	if (client_id == NULL)
		return missing(w, "client_id");
	if (strcmp(client_id, up.client_id) == 0)
		return 0;
	web_notice(w, "unknown-client", "client_id %s", client_id);
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "unauthorized_client", 700016,
	                       "Application with identifier '%s' was not found in the directory.",
	                       client_id);
}

static unsigned int check_tenant(struct web *w)
{
	const char *tenant = w->segment[0];

	if (strcmp(tenant, "organizations") == 0 || strcmp(tenant, "common") == 0 ||
	    strcmp(tenant, up.tenant) == 0)
		return 0;
	web_notice(w, "unknown-tenant", "tenant %s", tenant);
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_tenant", 90002,
	                       "Tenant '%s' not found.", tenant);
}

/* One of the service's, and no more than registration needs. */
static unsigned int check_scope(struct web *w, const char *scope)
{
	size_t len = strlen(up.resource);
	AUTO(free_str) char *copy = xstrdup(scope);
	char *next = copy, *one;
	bool create = false;

	while ((one = strsep(&next, " ")) != NULL) {
		const char *name = one + len + 1;

		if (*one == '\0')
			continue;
		if (strcmp(one, "offline_access") == 0 || strcmp(one, "openid") == 0 ||
		    strcmp(one, "profile") == 0 || strcmp(one, "email") == 0) {
			web_violation(w, "scope", "%s is more than registration needs", one);
			continue;
		}
		if (strncmp(one, up.resource, len) != 0 || one[len] != '/' || *name == '\0') {
			web_notice(w, "unknown-scope", "scope %s", one);
			return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_scope", 70011,
			                       "The provided value for the input parameter 'scope' "
			                       "is not valid: %s.",
			                       one);
		}
		if (strcmp(name, ".default") == 0 || strcmp(name, "Printers.Create") == 0)
			create = true;
		else
			web_violation(w, "scope", "%s is more than registration needs", name);
	}
	if (create)
		return 0;
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_scope", 70011,
	                       "The scope allows no registration.");
}

static unsigned int login_devicecode(struct web *w)
{
	AUTO(free_str) char *client_id = web_form(w, "client_id");
	AUTO(free_str) char *scope = web_form(w, "scope");
	unsigned int status = check_form(w);
	struct code *c;

	if (status == 0)
		status = check_tenant(w);
	if (status == 0)
		status = check_client(w, client_id);
	if (status == 0)
		status = scope ? check_scope(w, scope) : missing(w, "scope");
	if (status != 0)
		return status;
	c = xcalloc(1, sizeof(*c));
	c->device_code = base64_random(48);
	make_user_code(c->user_code);
	c->client_id = xstrdup(client_id);
	c->scope = xstrdup(scope);
	c->interval_s = up.code_interval;
	c->expires_us = clock_us() + up.code_life * 1000000;
	TAILQ_INSERT_TAIL(&codes, c, entry);
	record_changes++;
	AUTO(free_str) char *uri = xprintf("%s/devicelogin", w->host->url);
	AUTO(free_str)
	char *message = xprintf("To sign in, use a web browser to open the page %s and enter the "
	                        "code %s to authenticate.",
	                        uri, c->user_code);
	web_string(w, "user_code", c->user_code);
	web_string(w, "device_code", c->device_code);
	web_string(w, "verification_uri", uri);
	web_number(w, "expires_in", up.code_life);
	web_number(w, "interval", c->interval_s);
	web_string(w, "message", message);
	return MHD_HTTP_OK;
}

static struct code *find_code(const char *device_code)
{
	struct code *c;

	TAILQ_FOREACH(c, &codes, entry)
	{
		if (strcmp(c->device_code, device_code) == 0)
			return c;
	}
	return NULL;
}

/* 0: approved. Else the HTTP status with the error of RFC 8628 written. */
static unsigned int poll_code(struct web *w, struct code *c)
{
	int64_t now = clock_us(), since = now - c->polled_us;
	bool early = c->polled_us != 0 && since < c->interval_s * 1000000 - EARLY_US;

	c->polled_us = now;
	c->polls++;
	if (c->state == CODE_REDEEMED) {
		web_violation(w, "polled-after-end", "the code was redeemed");
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_grant", 54005,
		                       "The code was already redeemed.");
	}
	if (c->state == CODE_DECLINED)
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "authorization_declined", 70018,
		                       "The end user declined the request.");
	if (now > c->expires_us)
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "expired_token", 70020,
		                       "The device_code has expired.");
	if (early || up.slow_down > 0) {
		if (early)
			web_violation(w, "polled-early", "%d ms after the last poll, interval %d s",
			              (int)(since / 1000), (int)c->interval_s);
		else
			up.slow_down--;
		c->interval_s += 5;
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "slow_down", 70016,
		                       "Polled too often.");
	}
	if (c->state == CODE_PENDING && up.approve_after >= 0 && c->polls >= up.approve_after)
		c->state = CODE_APPROVED;
	if (c->state == CODE_PENDING)
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "authorization_pending", 70016,
		                       "Authorization is pending. Continue polling.");
	if (!up.consent)
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "interaction_required", 65001,
		                       "The user or administrator has not consented to use the "
		                       "application with ID '%s'.",
		                       c->client_id);
	return 0;
}

static unsigned int login_token(struct web *w)
{
	AUTO(free_str) char *client_id = web_form(w, "client_id");
	AUTO(free_str) char *grant = web_form(w, "grant_type");
	AUTO(free_str) char *device_code = web_form(w, "device_code");
	unsigned int status = check_form(w);
	struct code *c;

	if (status == 0)
		status = check_tenant(w);
	if (status == 0)
		status = check_client(w, client_id);
	if (status != 0)
		return status;
	if (!up.public_client)
		return web_oauth_error(w, MHD_HTTP_UNAUTHORIZED, "invalid_client", 7000218,
		                       "The request body must contain the following parameter: "
		                       "'client_assertion' or 'client_secret'.");
	if (grant == NULL || strcmp(grant, GRANT_DEVICE) != 0) {
		web_violation(w, "grant-type", "grant_type %s", grant ? grant : "missing");
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "unsupported_grant_type", 70003,
		                       "The grant_type is not supported.");
	}
	if (device_code == NULL)
		return missing(w, "device_code");
	c = find_code(device_code);
	if (c == NULL || strcmp(c->client_id, client_id) != 0) {
		web_violation(w, "device-code", "a device_code that was not given to this client");
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "bad_verification_code", 70019,
		                       "The verification code is not known.");
	}
	status = poll_code(w, c);
	if (status != 0)
		return status;
	c->state = CODE_REDEEMED;
	web_string(w, "token_type", "Bearer");
	web_string(w, "scope", c->scope);
	web_number(w, "expires_in", up.user_token_life);
	web_number(w, "ext_expires_in", up.user_token_life);
	web_string(w, "access_token", up_token_make(UP_TOKEN_USER, NULL)->text);
	return MHD_HTTP_OK;
}

static unsigned int login_nonce(struct web *w)
{
	AUTO(free_str) char *version = web_form(w, "windows_api_version");
	struct nonce *n = xcalloc(1, sizeof(*n));

	if (version == NULL || strcmp(version, "2.0") != 0)
		web_violation(w, "windows-api-version", "windows_api_version %s",
		              version ? version : "missing");
	n->text = base64_random(60);
	n->expires_us = clock_us() + up.nonce_life * 1000000;
	TAILQ_INSERT_TAIL(&nonces, n, entry);
	if (++nonce_count > NONCES_KEPT)
		nonce_free(TAILQ_FIRST(&nonces));
	web_string(w, "Nonce", n->text);
	w->type = "text/html; charset=utf-8";
	return MHD_HTTP_OK;
}

enum nonce_state up_nonce_use(const char *nonce)
{
	struct nonce *n;

	TAILQ_FOREACH_REVERSE(n, &nonces, nonce_list, entry)
	{
		if (strcmp(n->text, nonce) != 0)
			continue;
		if (n->used)
			return NONCE_USED;
		n->used = true;
		return clock_us() > n->expires_us ? NONCE_OLD : NONCE_GOOD;
	}
	return NONCE_UNKNOWN;
}

static unsigned int login_device_token(struct web *w)
{
	AUTO(free_str) char *grant = web_form(w, "grant_type");
	AUTO(free_str) char *request = web_form(w, "request");
	struct up_printer *p = NULL;
	unsigned int status = check_form(w);

	if (status == 0 && strcmp(w->segment[0], up.tenant) != 0) {
		web_violation(w, "device-token-url", "tenant %s, not the one of device_token_url",
		              w->segment[0]);
		status = check_tenant(w);
	}
	if (status != 0)
		return status;
	if (grant != NULL && strcmp(grant, "srv_challenge") == 0)
		return login_nonce(w);
	if (grant == NULL || strcmp(grant, GRANT_JWT) != 0) {
		web_violation(w, "grant-type", "grant_type %s", grant ? grant : "missing");
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "unsupported_grant_type", 70003,
		                       "The grant_type is not supported.");
	}
	if (request == NULL)
		return missing(w, "request");
	status = up_jwt_check(w, request, &p);
	if (status != 0)
		return status;
	w->printer = p->id;
	if (!up.consent)
		return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_grant", 65001,
		                       "The administrator has not consented to use the "
		                       "application.");
	AUTO(free_str) char *life = xprintf("%d", (int)up.token_life);
	AUTO(free_str)
	char *until = xprintf("%lld", (long long)(up_now_us() / 1000000 + up.token_life));
	web_string(w, "token_type", "Bearer");
	web_string(w, "expires_in", life); /* the v1 endpoint writes numbers as strings */
	web_string(w, "ext_expires_in", life);
	web_string(w, "expires_on", until);
	web_string(w, "resource", up.mcp_resource);
	web_string(w, "access_token", up_token_make(UP_TOKEN_PRINTER, p)->text);
	return MHD_HTTP_OK;
}

/* Where verification_uri leads: enter the code, and whoever you are, you are signed in. */
static unsigned int login_page(struct web *w)
{
	const char *code = web_query(w, "otc");
	const char *text = "Enter the code that your device shows.";

	if (code != NULL)
		text = up_login_decide(code, 1) == 0 ? "You are signed in on your device."
		                                     : "That code did not work.";
	buffer_clear(&w->json);
	buffer_printf(&w->json,
	              "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>%s</p>"
	              "<form><input name=\"otc\" autofocus> <button>Next</button></form></body>"
	              "</html>\n",
	              text);
	w->page = true;
	return MHD_HTTP_OK;
}

const struct web_route up_login_routes[] = {
	{ HOST_LOGIN, "GET", "/devicelogin", WEB_DEVICE_LOGIN, login_page },
	{ HOST_LOGIN, "POST", "/*/oauth2/v2.0/devicecode", WEB_DEVICE_CODE, login_devicecode },
	{ HOST_LOGIN, "POST", "/*/oauth2/v2.0/token", WEB_TOKEN, login_token },
	{ HOST_LOGIN, "POST", "/*/oauth2/token", WEB_DEVICE_TOKEN, login_device_token },
	{ 0 },
};
