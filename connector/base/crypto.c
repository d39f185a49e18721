#include "connector/base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/base/secret.h"

#define KEY_LEN   32
#define BLOCK_LEN 16

/* ---- OpenSSL's memory: its functions also get the place in its source ---- */

static void *allocate(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return malloc(size);
}

static void *reallocate(void *p, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return secret_wiping_realloc(p, size);
}

static void release(void *p, const char *file, int line)
{
	(void)file, (void)line;
	secret_wiping_free(p);
}

void crypto_wipe_freed(void)
{
	if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1) {
		(void)fputs("OpenSSL is in use already\n", stderr);
		abort();
	}
}

/* ---- random numbers and digests ---- */

void crypto_random(void *out, size_t len)
{
	unsigned char *p = out;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* cannot happen on a kernel that runs us; never go on without */
			(void)fputs("no random numbers\n", stderr);
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

void crypto_sha256(const void *data, size_t len, uint8_t out[32])
{
	int ok = EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL);

	assert(ok == 1);
	(void)ok;
}

/* ---- base64 ---- */

static int encode(const void *data, size_t len, const char digits[64], char pad, struct buf *out)
{
	const unsigned char *p = data;
	char four[4];

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		unsigned bits = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) |
		                (n > 2 ? p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			four[k] = k > n ? pad : digits[bits >> (18 - 6 * k) & 63];
		if (buf_append(out, four, pad ? 4 : n + 1) < 0)
			return -1;
	}
	return 0;
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

int crypto_base64(const void *data, size_t len, struct buf *out)
{
	return encode(data, len, LETTERS "+/", '=', out);
}

int crypto_base64url(const void *data, size_t len, struct buf *out)
{
	return encode(data, len, LETTERS "-_", '\0', out);
}

/* ---- UUIDs (RFC 9562) ---- */

static void format_uuid(unsigned char b[16], unsigned version, char out[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[b[i] >> 4];
		*p++ = digits[b[i] & 15];
	}
	*p = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_uuid(const char *text, unsigned char ret[16])
{
	if (strlen(text) != UUID_TEXT - 1)
		return -1;
	for (int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -1;
		high = digit(text[0]);
		low = digit(text[1]);
		if (high < 0 || low < 0)
			return -1;
		ret[i] = (unsigned char)(high << 4 | low);
		text += 2;
	}
	return 0;
}

void crypto_uuid_random(char out[UUID_TEXT])
{
	unsigned char b[16];

	crypto_random(b, sizeof(b));
	format_uuid(b, 4, out);
}

void crypto_uuid_name(const char *name_space, const char *name, char out[UUID_TEXT])
{
	unsigned char space[32], b[EVP_MAX_MD_SIZE];
	size_t len = strlen(name);
	unsigned char *text = xmalloc(16 + len);
	int ok;

	/* A damaged name space still makes the same name each time, and one of its own. */
	if (parse_uuid(name_space, space) < 0)
		crypto_sha256(name_space, strlen(name_space), space);
	memcpy(text, space, 16);
	memcpy(text + 16, name, len);
	ok = EVP_Digest(text, 16 + len, b, NULL, EVP_sha1(), NULL);
	assert(ok == 1);
	(void)ok;
	free(text);
	format_uuid(b, 5, out);
}

/* ---- documents in transit ---- */

struct crypto_cipher {
	EVP_CIPHER *cipher; /* fetched once; a context per call, so that threads may share it */
	unsigned char key[KEY_LEN];
};

struct crypto_cipher *crypto_cipher_new(void)
{
	struct crypto_cipher *c = xcalloc(1, sizeof(*c));

	c->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	assert(c->cipher);
	crypto_random(c->key, sizeof(c->key));
	return c;
}

void crypto_cipher_free(struct crypto_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_free(c->cipher);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

/* Big endian, as the counter of CTR counts. */
static void put64(unsigned char *p, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		p[i] = (unsigned char)n;
}

static int apply(EVP_CIPHER_CTX *ctx, unsigned char *data, size_t len)
{
	while (len) {
		int n = len < (1 << 30) ? (int)len : 1 << 30, done;

		if (EVP_EncryptUpdate(ctx, data, &done, data, n) != 1 || done != n)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int crypto_cipher_apply(struct crypto_cipher *c, uint64_t file, uint64_t offset, void *data,
                        size_t len, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char counter[BLOCK_LEN], skipped[BLOCK_LEN] = { 0 };
	bool bad;

	put64(counter, file);
	put64(counter + 8, offset / BLOCK_LEN);
	bad = !ctx || EVP_EncryptInit_ex2(ctx, c->cipher, c->key, counter, NULL) != 1 ||
	      apply(ctx, skipped, offset % BLOCK_LEN) < 0 || apply(ctx, data, len) < 0;
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_cleanse(skipped, sizeof(skipped)); /* key stream */
	if (bad)
		return err_set(err, ERR_TEMPORARY, 0, "cannot encrypt a document in transit");
	return 0;
}
