#include "connector/base/crypto_issuer.h"

#include <stdlib.h>

#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"

/* A context lives as long as its connection, often longer than the exchange that opened it, and may
 * verify once more: so both hold it. */
struct crypto_issuer {
	unsigned holders;
	char name[128];
	enum crypto_dates dates;
	char key[CRYPTO_PIN_SIZE];
};

static void release(struct crypto_issuer *i)
{
	if (--i->holders == 0)
		free(i);
}

static void on_context_freed(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                             void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (ptr)
		release(ptr);
}

static int slot(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_context_freed);
	return index;
}

/* As curl's CURLOPT_PINNEDPUBLICKEY takes it. */
static void remember_key(struct crypto_issuer *i, X509 *leaf)
{
	unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
	int len = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der) : 0;
	struct buf text;

	buf_init(&text, sizeof(i->key) - 1);
	if (len > 0 && SHA256(der, (size_t)len, digest) && buf_printf(&text, "sha256//") == 0 &&
	    crypto_base64(digest, sizeof(digest), &text) == 0)
		(void)str_copy(i->key, sizeof(i->key), buf_text(&text));
	buf_clear(&text);
	OPENSSL_free(der);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	struct crypto_issuer *i = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot());
	X509_NAME *name;

	if (i && !i->key[0])
		remember_key(i, X509_STORE_CTX_get0_cert(store));
	if (ok || !certificate || !i || i->name[0])
		return ok;
	if (X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID)
		i->dates = CRYPTO_DATES_AHEAD;
	else if (X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED)
		i->dates = CRYPTO_DATES_OVER;
	name = X509_get_issuer_name(certificate);
	if (X509_NAME_get_text_by_NID(name, NID_commonName, i->name, sizeof(i->name)) < 0)
		(void)X509_NAME_get_text_by_NID(name, NID_organizationName, i->name,
		                                sizeof(i->name));
	return ok;
}

struct crypto_issuer *crypto_issuer_new(void)
{
	struct crypto_issuer *i = xcalloc(1, sizeof(*i));

	i->holders = 1;
	return i;
}

void crypto_issuer_free(struct crypto_issuer *i)
{
	if (i)
		release(i);
}

void crypto_issuer_watch(struct crypto_issuer *i, void *ssl_ctx)
{
	if (SSL_CTX_set_ex_data(ssl_ctx, slot(), i) != 1)
		return;
	i->holders++;
	SSL_CTX_set_verify(ssl_ctx, SSL_CTX_get_verify_mode(ssl_ctx), on_verify);
}

const char *crypto_issuer_name(const struct crypto_issuer *i)
{
	return i->name;
}

enum crypto_dates crypto_issuer_dates(const struct crypto_issuer *i)
{
	return i->dates;
}

const char *crypto_issuer_key(const struct crypto_issuer *i)
{
	return i->key;
}
