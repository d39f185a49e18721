#include "connector/base/crypto_issuer.h"

#include <stdlib.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/util.h"

/* A context lives as long as its connection, often longer than the exchange that opened it, and may
 * verify once more: so both hold it. */
struct crypto_issuer {
	unsigned holders;
	char name[128];
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

static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	struct crypto_issuer *i = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot());
	X509_NAME *name;

	if (ok || !certificate || !i || i->name[0])
		return ok;
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
