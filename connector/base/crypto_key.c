/* crypto_key.c - a key is made. It takes a tenth of a second and more, so tests of what needs many
 * keys bring their own crypto_key_new(). */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/crypto.h"

#define KEY_BITS 2048

int crypto_key_new(struct buf *out, struct err *err)
{
	EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	BIO *bio = BIO_new(BIO_s_mem()); /* wipes what it frees */
	char *text;
	long len;
	int rc = 0;

	if (!key || !bio ||
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		ERR_clear_error();
		rc = err_set(err, ERR_TEMPORARY, 0, "cannot make a private key");
	} else {
		len = BIO_get_mem_data(bio, &text);
		if (len < 0 || buf_append(out, text, (size_t)len) < 0)
			rc = err_set(err, ERR_TEMPORARY, 0, "no room for %ld bytes of PEM", len);
	}
	BIO_free_all(bio);
	EVP_PKEY_free(key);
	return rc;
}
