/* crypto_vault.h - short secrets of jobs (PINs, passwords of documents) that have to outlive this
 * process: sealed (AES-256-GCM) under a key in a file of its own, in the plain only while they are
 * put into a request. Loop thread only. */
#ifndef CONNECTOR_BASE_CRYPTO_VAULT_H
#define CONNECTOR_BASE_CRYPTO_VAULT_H

#include <stddef.h>

struct err;
struct vault;

#define VAULT_SECRET_MAX 1023                    /* bytes; of an octetString, RFC 8011 5.1.11 */
#define VAULT_SEALED_MAX (VAULT_SECRET_MAX - 28) /* so that what is sealed is one too */

struct sealed {
	size_t len;
	unsigned char bytes[VAULT_SECRET_MAX];
};

/* The key is made when there is none. A file that is no key, or that others may read, is an error
 * (CORRUPT). */
int vault_load(struct vault **ret, const char *path, struct err *err);
void vault_free(struct vault *v); /* wipes the key; NULL is fine */

/* At most VAULT_SEALED_MAX bytes, more is REJECTED; out has room for VAULT_SECRET_MAX. v NULL:
 * always REJECTED, as a secret that nobody can keep. */
int vault_seal(const struct vault *v, const void *secret, size_t len, void *out, size_t *ret_len,
               struct err *err);
/* out has room for VAULT_SECRET_MAX and is the caller's to wipe. REJECTED: damaged, or sealed under
 * another key. */
int vault_unseal(const struct vault *v, const void *sealed, size_t len, void *out, size_t *ret_len,
                 struct err *err);

#endif
