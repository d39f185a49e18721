/* crypto.h - keys, certificates, UUIDs and digests by OpenSSL. Keys never appear in a log or error
 * text. crypto_key_new() takes a tenth of a second: work queue; the rest is quick. */
#ifndef CONNECTOR_BASE_CRYPTO_H
#define CONNECTOR_BASE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define UUID_TEXT       37 /* 8-4-4-4-12 hexadecimal digits, lower case, and NUL */
#define CRYPTO_PIN_SIZE 64 /* "sha256//BASE64" of a public key, with room */

/* From now on OpenSSL wipes what it frees; by itself it leaves the encoded key that it has decoded.
 * Before anything else of OpenSSL's in the process, and before its threads; ends it when late. */
void crypto_wipe_freed(void);

void crypto_random(void *out, size_t len);
void crypto_uuid_random(char out[UUID_TEXT]);
/* UUIDv5 (RFC 9562 5.5) of a name in the name space of another UUID. */
void crypto_uuid_name(const char *name_space, const char *name, char out[UUID_TEXT]);
void crypto_sha256(const void *data, size_t len, uint8_t out[32]);

/* A new RSA 2048 key as PKCS#8 PEM. Wipe out after use. */
int crypto_key_new(struct buf *out, struct err *err);
/* PKCS#10 request, SHA-256, subject CN=common_name, as PEM. */
int crypto_request_new(const char *key_pem, const char *common_name, struct buf *out,
                       struct err *err);

/* What a protocol wants instead of PEM, appended to out. */
/* DER of the request, of the public key in it (SubjectPublicKeyInfo), of the first certificate. */
int crypto_request_der(const char *request_pem, struct buf *out, struct err *err);
int crypto_request_public_key(const char *request_pem, struct buf *out, struct err *err);
int crypto_key_public(const char *key_pem, struct buf *out,
                      struct err *err); /* the same, of a key */
int crypto_certificate_der(const char *certificate_pem, struct buf *out, struct err *err);
/* RSASSA-PKCS1-v1_5 with SHA-256 (RS256 of RFC 7518). */
int crypto_sign_rs256(const char *key_pem, const void *data, size_t len, struct buf *out,
                      struct err *err);
/* RFC 4648 4, in one line; and 5, without padding. -1: no room. */
int crypto_base64(const void *data, size_t len, struct buf *out);
int crypto_base64url(const void *data, size_t len, struct buf *out);

struct crypto_certificate {
	int64_t not_before, not_after; /* Unix seconds */
	char sha256[65];               /* of the DER form, lower-case hexadecimal */
	char subject[256], issuer[256];
};
/* The first certificate in the PEM text. */
int crypto_certificate_read(const char *pem, struct crypto_certificate *ret, struct err *err);
/* 0 when the certificate belongs to the key. */
int crypto_certificate_matches(const char *certificate_pem, const char *key_pem, struct err *err);
/* 0 when the certificate is for the key which signed the request. */
int crypto_certificate_answers(const char *certificate_pem, const char *request_pem,
                               struct err *err);

/* AES-256-CTR at any byte offset, same call both ways; for documents in transit. */
struct crypto_cipher;
struct crypto_cipher *crypto_cipher_new(void);    /* random key */
void crypto_cipher_free(struct crypto_cipher *c); /* wipes it; NULL is fine */
int crypto_cipher_apply(struct crypto_cipher *c, uint64_t file, uint64_t offset, void *data,
                        size_t len, struct err *err); /* file: a number used once per key */

#endif
