/* crypto_x509.c - requests, certificates and signatures, from PEM text and to it. */
#include "connector/base/crypto.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"

#define PEM_MAX     (1u << 20)
#define CN_MAX      64 /* RFC 5280 appendix A, ub-common-name */
#define SHA256_SIZE 32

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_bio(BIO **bio)
{
	BIO_free_all(*bio);
}

static void free_certificate(X509 **c)
{
	X509_free(*c);
}

static void free_request(X509_REQ **r)
{
	X509_REQ_free(*r);
}

/* The newest reason of OpenSSL's queue, which is emptied. Its reasons hold no data of ours. */
static int fail(struct err *err, enum err_kind kind, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(err, kind, 0, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

/* An encrypted key must not ask on the terminal. */
static int no_password(char *out, int size, int writing, void *data)
{
	(void)out, (void)size, (void)writing, (void)data;
	return -1;
}

static BIO *open_pem(const char *pem)
{
	size_t len = strnlen(pem, PEM_MAX);

	return BIO_new_mem_buf(pem, (int)len);
}

static EVP_PKEY *read_key(const char *pem, struct err *err)
{
	AUTO(free_bio) BIO *bio = open_pem(pem);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	if (!key)
		(void)fail(err, ERR_CORRUPT, "the private key cannot be read");
	else
		ERR_clear_error();
	return key;
}

static X509 *read_certificate(const char *pem, struct err *err)
{
	AUTO(free_bio) BIO *bio = open_pem(pem);
	X509 *c = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;

	if (!c)
		(void)fail(err, ERR_REJECTED, "the certificate cannot be read");
	else
		ERR_clear_error();
	return c;
}

static int append_bio(BIO *bio, struct buf *out, struct err *err)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	if (len < 0 || buf_append(out, text, (size_t)len) < 0)
		return err_set(err, ERR_TEMPORARY, 0, "no room for %ld bytes of PEM", len);
	return 0;
}

static X509_REQ *read_request(const char *pem, struct err *err)
{
	AUTO(free_bio) BIO *bio = open_pem(pem);
	X509_REQ *r = bio ? PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL) : NULL;

	if (!r)
		(void)fail(err, ERR_REJECTED, "the certificate request cannot be read");
	else
		ERR_clear_error();
	return r;
}

/* ---- requests ---- */

static X509_REQ *sign_request(EVP_PKEY *key, const char *common_name)
{
	AUTO(free_request) X509_REQ *req = X509_REQ_new();
	X509_NAME *name = req ? X509_REQ_get_subject_name(req) : NULL;

	if (!name || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1)
		return NULL;
	if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	                               (const unsigned char *)common_name, -1, -1, 0) != 1)
		return NULL;
	if (X509_REQ_set_pubkey(req, key) != 1 || X509_REQ_sign(req, key, EVP_sha256()) <= 0)
		return NULL;
	return TAKE(req);
}

int crypto_request_new(const char *key_pem, const char *common_name, struct buf *out,
                       struct err *err)
{
	AUTO(free_key) EVP_PKEY *key = NULL;
	AUTO(free_request) X509_REQ *req = NULL;
	AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());

	if (!*common_name || strnlen(common_name, CN_MAX + 1) > CN_MAX)
		return err_set(err, ERR_REJECTED, 0, "a certificate needs a name of 1 to %d bytes",
		               CN_MAX);
	key = read_key(key_pem, err);
	if (!key)
		return -1;
	req = sign_request(key, common_name);
	if (!req || !bio || PEM_write_bio_X509_REQ(bio, req) != 1)
		return fail(err, ERR_REJECTED, "cannot make a certificate request");
	return append_bio(bio, out, err);
}

/* ---- certificates ---- */

static int read_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm = { 0 };

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*ret = timegm(&tm);
	return 0;
}

static int read_name(const X509_NAME *name, char *out, size_t size)
{
	AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	/* RFC 2253 escapes everything that is not printable ASCII */
	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return -1;
	len = BIO_get_mem_data(bio, &text);
	if (len < 0 || len > INT_MAX)
		return -1;
	(void)snprintf(out, size, "%.*s", (int)len, text);
	return 0;
}

static int read_digest(const X509 *c, char out[2 * SHA256_SIZE + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(c, EVP_sha256(), digest, &len) != 1 || len != SHA256_SIZE)
		return -1;
	for (unsigned i = 0; i < len; i++)
		(void)snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
	return 0;
}

int crypto_certificate_read(const char *pem, struct crypto_certificate *ret, struct err *err)
{
	AUTO(free_certificate) X509 *c = read_certificate(pem, err);
	struct crypto_certificate read = { 0 };

	if (!c)
		return -1;
	if (read_time(X509_get0_notBefore(c), &read.not_before) < 0 ||
	    read_time(X509_get0_notAfter(c), &read.not_after) < 0 ||
	    read_name(X509_get_subject_name(c), read.subject, sizeof(read.subject)) < 0 ||
	    read_name(X509_get_issuer_name(c), read.issuer, sizeof(read.issuer)) < 0 ||
	    read_digest(c, read.sha256) < 0)
		return fail(err, ERR_REJECTED, "the certificate has unreadable fields");
	*ret = read;
	return 0;
}

int crypto_certificate_matches(const char *certificate_pem, const char *key_pem, struct err *err)
{
	AUTO(free_certificate) X509 *c = NULL;
	AUTO(free_key) EVP_PKEY *key = NULL;

	c = read_certificate(certificate_pem, err);
	if (!c)
		return -1;
	key = read_key(key_pem, err);
	if (!key)
		return -1;
	if (X509_check_private_key(c, key) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_REJECTED, 0,
		               "the certificate does not belong to the private key");
	}
	return 0;
}

int crypto_certificate_answers(const char *certificate_pem, const char *request_pem,
                               struct err *err)
{
	AUTO(free_certificate) X509 *c = read_certificate(certificate_pem, err);
	AUTO(free_request) X509_REQ *req = NULL;
	EVP_PKEY *has, *wanted;

	if (!c)
		return -1;
	req = read_request(request_pem, err);
	if (!req)
		return -1;
	has = X509_get0_pubkey(c);
	wanted = X509_REQ_get0_pubkey(req);
	if (has && wanted && EVP_PKEY_eq(has, wanted) == 1)
		return 0;
	ERR_clear_error();
	return err_set(err, ERR_REJECTED, 0,
	               "the certificate does not belong to the key that it was asked for");
}

/* ---- DER and signatures ---- */

/* Consumes der, of which OpenSSL says how long it is or that it failed. */
static int append_der(unsigned char *der, int len, const char *what, struct buf *out,
                      struct err *err)
{
	int rc = 0;

	if (len <= 0)
		rc = fail(err, ERR_REJECTED, what);
	else if (buf_append(out, der, (size_t)len) < 0)
		rc = err_set(err, ERR_TEMPORARY, 0, "%s: no room for %d bytes", what, len);
	OPENSSL_free(der);
	return rc;
}

int crypto_request_der(const char *request_pem, struct buf *out, struct err *err)
{
	AUTO(free_request) X509_REQ *req = read_request(request_pem, err);
	unsigned char *der = NULL;
	int len;

	if (!req)
		return -1;
	len = i2d_X509_REQ(req, &der);
	return append_der(der, len, "cannot encode the certificate request", out, err);
}

static int append_public_key(EVP_PKEY *key, struct buf *out, struct err *err)
{
	unsigned char *der = NULL;
	int len = key ? i2d_PUBKEY(key, &der) : -1;

	return append_der(der, len, "cannot encode the public key", out, err);
}

int crypto_request_public_key(const char *request_pem, struct buf *out, struct err *err)
{
	AUTO(free_request) X509_REQ *req = read_request(request_pem, err);

	return req ? append_public_key(X509_REQ_get0_pubkey(req), out, err) : -1;
}

int crypto_key_public(const char *key_pem, struct buf *out, struct err *err)
{
	AUTO(free_key) EVP_PKEY *key = read_key(key_pem, err);

	return key ? append_public_key(key, out, err) : -1;
}

int crypto_certificate_der(const char *certificate_pem, struct buf *out, struct err *err)
{
	AUTO(free_certificate) X509 *c = read_certificate(certificate_pem, err);
	unsigned char *der = NULL;
	int len;

	if (!c)
		return -1;
	len = i2d_X509(c, &der);
	return append_der(der, len, "cannot encode the certificate", out, err);
}

static void free_digest(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

int crypto_sign_rs256(const char *key_pem, const void *data, size_t len, struct buf *out,
                      struct err *err)
{
	AUTO(free_key) EVP_PKEY *key = read_key(key_pem, err);
	AUTO(free_digest) EVP_MD_CTX *ctx = NULL;
	unsigned char signature[1024]; /* RSA 8192 */
	size_t size = sizeof(signature);

	if (!key)
		return -1;
	ctx = EVP_MD_CTX_new();
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || (size_t)EVP_PKEY_get_size(key) > size)
		return err_set(err, ERR_CORRUPT, 0, "the private key is not an RSA key");
	if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, signature, &size, data, len) != 1)
		return fail(err, ERR_TEMPORARY, "cannot sign");
	if (buf_append(out, signature, size) < 0)
		return err_set(err, ERR_TEMPORARY, 0, "no room for a signature");
	return 0;
}
