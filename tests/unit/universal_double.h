/* universal_double.h - what a printer of Universal Print needs beside cloud_double.h: a key and a
 * certificate on disk, its identity, and a sign-in service that gives it tokens. Included once by a
 * test program. */
#ifndef TESTS_UNIT_UNIVERSAL_DOUBLE_H
#define TESTS_UNIT_UNIVERSAL_DOUBLE_H

#include "tests/unit/cloud_double.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fs.h"
#include "connector/base/crypto.h"
#include "tests/lib/fake_cert.h"
#include "tests/lib/tmpdir.h"

#define UNIVERSAL_DEVICE "0b1c2d3e-aaaa-bbbb-cccc-0123456789ab"

static struct universal_double {
	char *dir, key_file[300], certificate_file[300];
	char key[4096], *certificate;
	struct cloud_identity identity;
	/* the sign-in service */
	int nonces, tokens; /* given */
	long status;        /* of both answers; 0: 200 */
	long token_status;  /* of the token's only */
	int lost;           /* of the token's exchanges: so many break with their connection */
	int retry_after_s;
	const char *life;    /* expires_in as it stands in the answer; NULL: 3600 */
	const char *answer;  /* in place of the token's */
	char request[32768]; /* the last exchange's body */
	int64_t delay_ms;
} universal_double;

static inline void universal_write(const char *path, const char *text, mode_t mode)
{
	struct err err;

	assert_int_equal(fs_replace(AT_FDCWD, path, text, strlen(text), mode, &err), 0);
}

/* Group setup and teardown: a key takes a tenth of a second. */
static inline int universal_make(void **state)
{
	struct universal_double *u = &universal_double;
	struct buf key;
	struct err err;

	(void)state;
	buf_init(&key, 16384);
	assert_int_equal(crypto_key_new(&key, &err), 0);
	(void)snprintf(u->key, sizeof(u->key), "%s", buf_text(&key));
	buf_wipe(&key);
	u->certificate = fake_cert_of_key(u->key);
	u->dir = tmpdir_new();
	(void)snprintf(u->key_file, sizeof(u->key_file), "%s/key.pem", u->dir);
	(void)snprintf(u->certificate_file, sizeof(u->certificate_file), "%s/cert.pem", u->dir);
	universal_write(u->key_file, u->key, 0600);
	universal_write(u->certificate_file, u->certificate, 0644);
	return 0;
}

static inline int universal_drop(void **state)
{
	(void)state;
	free(universal_double.certificate);
	tmpdir_free(universal_double.dir);
	return 0;
}

/* The sign-in service; tokens are "token-1", "token-2", ... */
static inline void universal_web(struct json_op *op, struct web_reply *r)
{
	struct universal_double *u = &universal_double;
	bool nonce = strstr(buf_text(&op->body), "srv_challenge");

	assert_string_equal(op->url, "https://login.example/t/oauth2/token");
	assert_int_equal(op->method, JSON_POST_FORM);
	assert_null(op->bearer);
	r->delay_ms = u->delay_ms;
	r->status = u->status ? u->status : !nonce && u->token_status ? u->token_status : 200;
	r->retry_after_s = u->retry_after_s;
	if (nonce)
		u->nonces++;
	else
		(void)snprintf(u->request, sizeof(u->request), "%s", buf_text(&op->body));
	if (!nonce && u->lost > 0) {
		u->lost--;
		r->status = 0;
		(void)err_set(&r->err, ERR_TEMPORARY, HTTP_LOST, "closed");
	} else if (r->status != 200)
		(void)snprintf(
			r->text, sizeof(r->text),
			"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS1: no\"}");
	else if (nonce)
		(void)snprintf(r->text, sizeof(r->text), "{\"Nonce\":\"nonce-%d\"}", u->nonces);
	else if (u->answer)
		(void)snprintf(r->text, sizeof(r->text), "%s", u->answer);
	else
		(void)snprintf(r->text, sizeof(r->text),
		               "{\"access_token\":\"token-%d\",\"token_type\":\"Bearer\","
		               "\"expires_in\":%s}",
		               ++u->tokens, u->life ? u->life : "3600");
}

/* Test setup, after double_init(). */
static inline void universal_init(void)
{
	struct universal_double *u = &universal_double;

	u->nonces = u->tokens = 0;
	u->status = u->token_status = 0;
	u->retry_after_s = 0;
	u->lost = 0;
	u->life = u->answer = NULL;
	u->delay_ms = 1;
	u->identity = (struct cloud_identity){
		.device = UNIVERSAL_DEVICE,
		.token_url = "https://login.example/t/oauth2/token",
		.client_id = "app-1",
		.redirect_uri = "https://redirect.example/",
		.resource = "https://resource.example",
	};
	cloud_double.web_answer = universal_web;
}

static inline struct channel_settings universal_settings(void)
{
	return (struct channel_settings){
		.uri = "https://print.example/printers/" UNIVERSAL_DEVICE,
		.device_uuid = DOUBLE_UUID,
		.key_file = universal_double.key_file,
		.certificate_file = universal_double.certificate_file,
		.identity = &universal_double.identity,
	};
}

#endif
