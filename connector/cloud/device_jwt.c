#include "connector/cloud/device_jwt.h"

#include <string.h>

#include <cJSON.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/json_read.h"
#include "connector/base/records.h"

#define PART_MAX (32u << 10)

static void free_json(cJSON **json)
{
	json_wipe(*json);
}

/* base64url(JSON) behind what there is. */
static int add_part(struct buf *out, cJSON *json, struct err *err)
{
	/* room for all of it: text that grows leaves pieces of itself behind */
	AUTO(wipe_str) char *text = cJSON_PrintBuffered(json, PART_MAX, false);

	if (!text || crypto_base64url(text, strlen(text), out) < 0)
		return err_set(err, ERR_REJECTED, 0, "the request for a token is too long");
	return 0;
}

static int add_header(struct buf *out, const struct device_jwt *what, struct err *err)
{
	AUTO(buf_clear) struct buf der, text;
	AUTO(free_json) cJSON *header = cJSON_CreateObject();
	cJSON *chain;

	buf_init(&der, PART_MAX);
	buf_init(&text, PART_MAX);
	if (crypto_certificate_der(what->certificate_pem, &der, err) < 0)
		return -1;
	if (crypto_base64(der.data, der.len, &text) < 0)
		return err_set(err, ERR_REJECTED, 0, "the certificate is too long");
	(void)cJSON_AddStringToObject(header, "alg", "RS256");
	(void)cJSON_AddStringToObject(header, "typ", "JWT");
	if (what->x5c_string) {
		(void)cJSON_AddStringToObject(header, "x5c", buf_text(&text));
	} else {
		chain = cJSON_AddArrayToObject(header, "x5c");
		(void)cJSON_AddItemToArray(chain, cJSON_CreateString(buf_text(&text)));
	}
	return add_part(out, header, err);
}

static int add_claims(struct buf *out, const struct device_jwt *what, struct err *err)
{
	const struct cloud_identity *i = what->identity;
	AUTO(free_json) cJSON *claims = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(claims, "request_nonce", what->nonce);
	(void)cJSON_AddStringToObject(claims, "grant_type", "device_token");
	(void)cJSON_AddStringToObject(claims, "resource", i->resource);
	(void)cJSON_AddStringToObject(claims, "client_id", i->client_id);
	(void)cJSON_AddStringToObject(claims, "redirect_uri", i->redirect_uri);
	(void)cJSON_AddStringToObject(claims, "iss", i->device);
	return add_part(out, claims, err);
}

static int add_signature(struct buf *out, size_t from, const char *key_pem, struct err *err)
{
	AUTO(buf_clear) struct buf signature;

	buf_init(&signature, 4096);
	if (crypto_sign_rs256(key_pem, out->data + from, out->len - from, &signature, err) < 0)
		return -1;
	if (buf_append(out, ".", 1) < 0 || crypto_base64url(signature.data, signature.len, out) < 0)
		return err_set(err, ERR_REJECTED, 0, "the request for a token is too long");
	return 0;
}

int device_jwt_make(const struct device_jwt *what, struct buf *out, struct err *err)
{
	size_t from = out->len;

	if (add_header(out, what, err) < 0)
		return -1;
	if (buf_append(out, ".", 1) < 0)
		return err_set(err, ERR_REJECTED, 0, "the request for a token is too long");
	if (add_claims(out, what, err) < 0)
		return -1;
	return add_signature(out, from, what->key_pem, err);
}
