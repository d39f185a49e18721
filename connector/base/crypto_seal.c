#include "connector/base/crypto_seal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/crypto.h"

#define MAGIC       "print-connector\n"
#define MAGIC_LEN   16
#define VERSION_NOW 1
#define SALT_AT     24
#define SALT_LEN    16
#define NONCE_AT    40
#define NONCE_LEN   7
#define HEADER_LEN  48
#define TAG_LEN     16
#define KEY_LEN     32
#define IV_LEN      12
#define PIECE       65536
#define SCRYPT_R    8
#define SCRYPT_P    1
#define COST_MAX    20 /* 1 GiB: more is not ours, and would be an attack on our memory */

struct sealing { /* both ways */
	unsigned char header[HEADER_LEN];
	unsigned char key[KEY_LEN];
	EVP_CIPHER_CTX *ctx;
	uint32_t number; /* of the next piece */
};

struct crypto_seal {
	struct sealing is;
	int (*write)(void *data, const void *bytes, size_t len, struct err *err);
	void *data;
	unsigned char piece[PIECE + TAG_LEN];
	size_t len;
};

struct crypto_unseal {
	struct sealing is;
	int (*read)(void *data, void *bytes, size_t len, size_t *ret_len, struct err *err);
	void *data;
	unsigned char piece[PIECE + TAG_LEN + 1]; /* and a byte of the next one */
	unsigned char next;
	size_t at, len; /* of the plain bytes in piece */
	bool has_next, last;
};

static int derive(struct sealing *is, const char *passphrase, struct err *err)
{
	uint64_t n = UINT64_C(1) << is->header[20], memory = (n + 64) * 128 * is->header[21] * 2;
	uint32_t r = is->header[21], p = is->header[22];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)passphrase, strlen(passphrase)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, is->header + SALT_AT,
		                                  SALT_LEN),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
		OSSL_PARAM_construct_end(),
	};
	int ok = ctx ? EVP_KDF_derive(ctx, is->key, KEY_LEN, params) : 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (ok != 1)
		return err_set(err, ERR_TEMPORARY, 0,
		               "no key could be made of the passphrase; it takes %llu MB of memory",
		               (unsigned long long)(n * 128 * r >> 20));
	return 0;
}

static void make_iv(const struct sealing *is, uint32_t number, bool last, unsigned char iv[IV_LEN])
{
	memcpy(iv, is->header + NONCE_AT, NONCE_LEN);
	for (int i = 0; i < 4; i++)
		iv[NONCE_LEN + i] = (unsigned char)(number >> (24 - 8 * i));
	iv[IV_LEN - 1] = last;
}

/* The header is what the first tag is about. */
static int encrypt(struct sealing *is, uint32_t number, bool last, const unsigned char *about,
                   size_t about_len, unsigned char *data, size_t len, unsigned char tag[TAG_LEN],
                   struct err *err)
{
	unsigned char iv[IV_LEN];
	int n, rest;

	make_iv(is, number, last, iv);
	if (EVP_EncryptInit_ex2(is->ctx, EVP_aes_256_gcm(), is->key, iv, NULL) != 1 ||
	    (about_len && EVP_EncryptUpdate(is->ctx, NULL, &n, about, (int)about_len) != 1) ||
	    (len && EVP_EncryptUpdate(is->ctx, data, &n, data, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(is->ctx, data + len, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(is->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) != 1)
		return err_set(err, ERR_TEMPORARY, 0, "cannot encrypt");
	return 0;
}

/* False: the tag does not fit. */
static bool decrypt(struct sealing *is, uint32_t number, bool last, const unsigned char *about,
                    size_t about_len, unsigned char *data, size_t len, unsigned char tag[TAG_LEN])
{
	unsigned char iv[IV_LEN];
	int n, rest;

	make_iv(is, number, last, iv);
	return EVP_DecryptInit_ex2(is->ctx, EVP_aes_256_gcm(), is->key, iv, NULL) == 1 &&
	       (!about_len || EVP_DecryptUpdate(is->ctx, NULL, &n, about, (int)about_len) == 1) &&
	       (!len || EVP_DecryptUpdate(is->ctx, data, &n, data, (int)len) == 1) &&
	       EVP_CIPHER_CTX_ctrl(is->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
	       EVP_DecryptFinal_ex(is->ctx, data + len, &rest) == 1;
}

/* ---- writing ---- */

int crypto_seal_new(struct crypto_seal **ret, const char *passphrase, unsigned cost,
                    int (*write)(void *data, const void *bytes, size_t len, struct err *err),
                    void *data, struct err *err)
{
	struct crypto_seal *s = xcalloc(1, sizeof(*s));
	unsigned char *h = s->is.header, start[HEADER_LEN + TAG_LEN], none[1];

	memcpy(h, MAGIC, MAGIC_LEN);
	h[19] = VERSION_NOW;
	h[20] = (unsigned char)cost;
	h[21] = SCRYPT_R;
	h[22] = SCRYPT_P;
	crypto_random(h + SALT_AT, SALT_LEN);
	crypto_random(h + NONCE_AT, NONCE_LEN);
	s->write = write;
	s->data = data;
	s->is.ctx = EVP_CIPHER_CTX_new();
	memcpy(start, h, HEADER_LEN);
	if (derive(&s->is, passphrase, err) < 0 ||
	    encrypt(&s->is, UINT32_MAX, false, h, HEADER_LEN, none, 0, start + HEADER_LEN, err) <
	            0 ||
	    write(data, start, sizeof(start), err) < 0) {
		crypto_seal_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int put_piece(struct crypto_seal *s, bool last, struct err *err)
{
	size_t len = s->len;

	if (s->is.number == UINT32_MAX)
		return err_set(err, ERR_REJECTED, 0, "too large to be encrypted");
	if (encrypt(&s->is, s->is.number++, last, NULL, 0, s->piece, len, s->piece + len, err) < 0)
		return -1;
	s->len = 0;
	return s->write(s->data, s->piece, len + TAG_LEN, err);
}

int crypto_seal_write(struct crypto_seal *s, const void *bytes, size_t len, struct err *err)
{
	const unsigned char *from = bytes;

	while (len) {
		size_t n = PIECE - s->len < len ? PIECE - s->len : len;

		if (!n) { /* more follows, so this is not the last one */
			if (put_piece(s, false, err) < 0)
				return -1;
			continue;
		}
		memcpy(s->piece + s->len, from, n);
		s->len += n;
		from += n;
		len -= n;
	}
	return 0;
}

int crypto_seal_finish(struct crypto_seal *s, struct err *err)
{
	return put_piece(s, true, err);
}

void crypto_seal_free(struct crypto_seal *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->is.ctx);
	wipe(s, sizeof(*s));
	free(s);
}

/* ---- reading ---- */

static int read_full(struct crypto_unseal *u, unsigned char *bytes, size_t len, size_t *ret_len,
                     struct err *err)
{
	size_t n;

	for (*ret_len = 0; *ret_len < len; *ret_len += n) {
		if (u->read(u->data, bytes + *ret_len, len - *ret_len, &n, err) < 0)
			return -1;
		if (!n)
			return 0;
	}
	return 0;
}

static int check_header(const struct crypto_unseal *u, size_t len, struct err *err)
{
	const unsigned char *h = u->is.header;

	if (len < MAGIC_LEN || memcmp(h, MAGIC, MAGIC_LEN) != 0)
		return err_set(err, ERR_REJECTED, 0, "it is no backup of print-connector");
	if (len < HEADER_LEN)
		return err_set(err, ERR_CORRUPT, 0, "it ends too early; it was cut");
	if (h[16] || h[17] || h[18] || h[19] != VERSION_NOW)
		return err_set(err, ERR_REJECTED, 0,
		               "it was written by a newer version; use that one");
	if (h[20] < 1 || h[20] > COST_MAX || h[21] != SCRYPT_R || h[22] != SCRYPT_P)
		return err_set(err, ERR_CORRUPT, 0, "its first bytes were changed");
	return 0;
}

int crypto_unseal_new(struct crypto_unseal **ret, const char *passphrase,
                      int (*read)(void *data, void *bytes, size_t len, size_t *ret_len,
                                  struct err *err),
                      void *data, struct err *err)
{
	struct crypto_unseal *u = xcalloc(1, sizeof(*u));
	unsigned char tag[TAG_LEN], none[1];
	size_t len, tag_len = 0;
	int rc;

	u->read = read;
	u->data = data;
	u->is.ctx = EVP_CIPHER_CTX_new();
	rc = read_full(u, u->is.header, HEADER_LEN, &len, err);
	if (rc == 0)
		rc = check_header(u, len, err);
	if (rc == 0)
		rc = read_full(u, tag, TAG_LEN, &tag_len, err);
	if (rc == 0 && tag_len < TAG_LEN)
		rc = err_set(err, ERR_CORRUPT, 0, "it ends too early; it was cut");
	if (rc == 0)
		rc = derive(&u->is, passphrase, err);
	if (rc == 0 && !decrypt(&u->is, UINT32_MAX, false, u->is.header, HEADER_LEN, none, 0, tag))
		rc = err_set(err, ERR_DENIED, 0, "the passphrase is wrong");
	if (rc < 0) {
		crypto_unseal_free(u);
		return -1;
	}
	*ret = u;
	return 0;
}

static int get_piece(struct crypto_unseal *u, struct err *err)
{
	size_t had = u->has_next, len;

	u->piece[0] = u->next;
	if (read_full(u, u->piece + had, sizeof(u->piece) - had, &len, err) < 0)
		return -1;
	len += had;
	u->has_next = len == sizeof(u->piece);
	u->next = u->piece[sizeof(u->piece) - 1];
	u->last = !u->has_next;
	len -= u->has_next;
	u->at = u->len = 0;
	if (len < TAG_LEN || u->is.number == UINT32_MAX)
		return err_set(err, ERR_CORRUPT, 0, "it ends too early; it was cut");
	if (!decrypt(&u->is, u->is.number++, u->last, NULL, 0, u->piece, len - TAG_LEN,
	             u->piece + len - TAG_LEN))
		return err_set(err, ERR_CORRUPT, 0, "it was changed or cut behind %llu MB",
		               (unsigned long long)(u->is.number - 1) / 16);
	u->len = len - TAG_LEN;
	return 0;
}

int crypto_unseal_read(struct crypto_unseal *u, void *bytes, size_t len, struct err *err)
{
	unsigned char *to = bytes;

	while (len) {
		size_t n = u->len - u->at < len ? u->len - u->at : len;

		if (!n && u->last)
			return err_set(err, ERR_CORRUPT, 0, "it ends too early");
		if (!n && get_piece(u, err) < 0)
			return -1;
		memcpy(to, u->piece + u->at, n);
		u->at += n;
		to += n;
		len -= n;
	}
	return 0;
}

int crypto_unseal_finish(struct crypto_unseal *u, struct err *err)
{
	while (u->at == u->len && !u->last)
		if (get_piece(u, err) < 0)
			return -1;
	if (u->at < u->len)
		return err_set(err, ERR_CORRUPT, 0, "there is something behind its end");
	return 0;
}

void crypto_unseal_free(struct crypto_unseal *u)
{
	if (!u)
		return;
	EVP_CIPHER_CTX_free(u->is.ctx);
	wipe(u, sizeof(*u));
	free(u);
}
