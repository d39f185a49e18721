/* up_jwt.c - the signed request of a printer: its three parts, its certificate, its claims. */
#include "tests/emulator/up_login.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "tests/emulator/base64.h"
#include "tests/emulator/json_read.h"
#include "tests/emulator/up_certificates.h"
#include "tests/emulator/up_web.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void buffer_clear_at(struct buffer *b)
{
	buffer_clear(b);
}

static void signer_free_at(struct up_signer **s)
{
	up_signer_free(*s);
}

/* A breach: recorded, and refused as Entra refuses. */
static unsigned int bad_jwt(struct web *w, const char *rule, const char *why)
{
	web_violation(w, rule, "%s", why);
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_grant", 50027,
	                       "JWT token is invalid or malformed: %s.", why);
}

/* May happen to the best: refused only. */
static unsigned int refused(struct web *w, const char *rule, int code, const char *why)
{
	web_notice(w, rule, "%s", why);
	return web_oauth_error(w, MHD_HTTP_BAD_REQUEST, "invalid_grant", code, "%s.", why);
}

static struct json *read_part(const char *text, size_t len)
{
	AUTO(buffer_clear_at) struct buffer b = { 0 };

	return base64_decode(text, len, true, &b) == 0 && b.len > 0 ? json_read(b.data, b.len)
	                                                            : NULL;
}

static bool is(const struct json *object, const char *key, const char *value)
{
	const char *text = json_find_string(object, key);

	return text != NULL && strcmp(text, value) == 0;
}

/* The certificate of the header; NULL: `why`. */
static const char *find_certificate(const struct json *header, const char **why)
{
	const struct json *x5c = json_find(header, "x5c");

	if (x5c == NULL)
		*why = "no x5c";
	else if (x5c->type == JSON_STRING && !up.x5c_string)
		*why = "x5c is a string";
	else if (x5c->type == JSON_STRING)
		return x5c->text;
	else if (x5c->type != JSON_ARRAY || x5c->first == NULL || x5c->first->next != NULL ||
	         x5c->first->type != JSON_STRING)
		*why = "x5c is not an array of one string";
	else
		return x5c->first->text;
	return NULL;
}

static const char *check_header(const struct json *header)
{
	const struct json *v;

	if (header == NULL || header->type != JSON_OBJECT)
		return "the header is no JSON object";
	if (!is(header, "alg", "RS256"))
		return "alg is not RS256";
	if (!is(header, "typ", "JWT"))
		return "typ is not JWT";
	for (v = header->first; v != NULL; v = v->next) {
		if (strcmp(v->key, "alg") != 0 && strcmp(v->key, "typ") != 0 &&
		    strcmp(v->key, "x5c") != 0)
			return "the header has more than alg, typ and x5c";
	}
	return NULL;
}

static const char *check_claims(const struct json *claims)
{
	const char *const names[] = { "request_nonce", "grant_type",   "resource",
		                      "client_id",     "redirect_uri", "iss" };
	const char *client = *up.printer_client_id ? up.printer_client_id : up.client_id;
	const char *redirect = *up.redirect_uri ? up.redirect_uri
	                                        : "https://login.microsoftonline.com/common/oauth2/"
	                                          "nativeclient";
	const struct json *v;
	size_t i, n = 0;

	if (claims == NULL || claims->type != JSON_OBJECT)
		return "the payload is no JSON object";
	for (i = 0; i < COUNT(names); i++) {
		if (json_find_string(claims, names[i]) == NULL)
			return "a claim is missing or no string";
	}
	for (v = claims->first; v != NULL; v = v->next)
		n++;
	if (n != COUNT(names))
		return "there are private claims";
	if (!is(claims, "grant_type", "device_token"))
		return "claim grant_type is not device_token";
	if (!is(claims, "resource", up.mcp_resource))
		return "claim resource is not mcp_svc_resource_id";
	if (!is(claims, "client_id", client))
		return "claim client_id is not printer_client_id";
	if (!is(claims, "redirect_uri", redirect))
		return "claim redirect_uri is not printer_redirect_uri";
	return NULL;
}

static unsigned int check_nonce(struct web *w, const struct json *claims)
{
	switch (up_nonce_use(json_find_string(claims, "request_nonce"))) {
	case NONCE_GOOD:
		return 0;
	case NONCE_UNKNOWN:
		return bad_jwt(w, "nonce", "the nonce was not given here");
	case NONCE_USED:
		return bad_jwt(w, "nonce", "the nonce was used before");
	case NONCE_OLD:
		return refused(w, "old-nonce", 700082, "The nonce has expired");
	}
	return 0;
}

static unsigned int check_printer(struct web *w, const struct json *claims,
                                  const struct up_signer *signer, struct up_printer **ret)
{
	struct up_printer *p = up_printer_find(json_find_string(claims, "iss"));

	if (strcasecmp(signer->name, json_find_string(claims, "iss")) != 0)
		return bad_jwt(w, "jwt-issuer", "iss is not whom the certificate was issued for");
	if (p == NULL)
		return bad_jwt(w, "jwt-issuer", "iss was never registered");
	w->printer = p->id;
	p->requests++;
	if (p->printer == NULL)
		return refused(w, "deleted", 70002, "The device is not found in the tenant");
	if (strcmp(p->fingerprint, signer->fingerprint) != 0)
		return refused(w, "revoked-certificate", 700030, "The certificate was revoked");
	*ret = p;
	return 0;
}

unsigned int up_jwt_check(struct web *w, const char *jwt, struct up_printer **ret_printer)
{
	const char *dot = strchr(jwt, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
	AUTO(json_free_at) struct json *header = NULL;
	AUTO(json_free_at) struct json *claims = NULL;
	AUTO(buffer_clear_at) struct buffer der = { 0 };
	AUTO(buffer_clear_at) struct buffer signature = { 0 };
	AUTO(signer_free_at) struct up_signer *signer = NULL;
	const char *why = NULL, *certificate;
	unsigned int status;

	if (second == NULL || strchr(second + 1, '.') != NULL)
		return bad_jwt(w, "jwt", "not three parts");
	header = read_part(jwt, (size_t)(dot - jwt));
	claims = read_part(dot + 1, (size_t)(second - dot - 1));
	why = check_header(header);
	if (why != NULL)
		return bad_jwt(w, "jwt-header", why);
	certificate = find_certificate(header, &why);
	if (certificate == NULL)
		return bad_jwt(w, "jwt-header", why);
	if (base64_decode(certificate, strlen(certificate), false, &der) < 0)
		return bad_jwt(w, "jwt-header", "x5c is not plain base64");
	signer = up_signer_new(&der, &why);
	if (signer == NULL)
		return bad_jwt(w, "jwt-certificate", why);
	if (base64_decode(second + 1, strlen(second + 1), true, &signature) < 0 ||
	    !up_signer_fits(signer, jwt, (unsigned long)(second - jwt), &signature))
		return bad_jwt(w, "jwt-signature", "the signature is not the certificate's");
	if (signer->expired)
		return refused(w, "expired-certificate", 700027, "The certificate has expired");
	why = check_claims(claims);
	if (why != NULL)
		return bad_jwt(w, "jwt-claims", why);
	status = check_nonce(w, claims);
	return status ? status : check_printer(w, claims, signer, ret_printer);
}
