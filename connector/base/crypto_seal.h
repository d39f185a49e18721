/* crypto_seal.h - a stream of bytes under a passphrase: AES-256-GCM (NIST SP 800-38D) in pieces of
 * 64 KiB, its key by scrypt (RFC 7914). Each byte that is read was written by somebody who knew the
 * passphrase, in this place; that none is missing is known when reading has come to the end. In
 * bounded memory, 128 MiB of which are scrypt's for a moment. Blocks.
 *
 * On disk: "print-connector\n"; big endian: version (32 bits, 1); log2 N, r, p of scrypt (8 bits
 * each), 0; salt (16 bytes); nonce (7 bytes), 0; a tag over all this. Then pieces, each with its
 * tag: all but the last have 65536 bytes. The nonce of a piece is the 7 bytes, its number (32 bits)
 * and 1 for the last one, else 0. */
#ifndef CONNECTOR_BASE_CRYPTO_SEAL_H
#define CONNECTOR_BASE_CRYPTO_SEAL_H

#include <stddef.h>

struct err;

#define CRYPTO_SEAL_COST 17 /* log2 N of scrypt; tests take less */

struct crypto_seal; /* being written */

int crypto_seal_new(struct crypto_seal **ret, const char *passphrase, unsigned cost,
                    int (*write)(void *data, const void *bytes, size_t len, struct err *err),
                    void *data, struct err *err);
int crypto_seal_write(struct crypto_seal *s, const void *bytes, size_t len, struct err *err);
int crypto_seal_finish(struct crypto_seal *s, struct err *err);
void crypto_seal_free(struct crypto_seal *s); /* wipes; NULL is fine */

struct crypto_unseal; /* being read */

/* DENIED: wrong passphrase. REJECTED: not such a file, or of a newer version. read() gives what
 * there is, *ret_len 0 at the end. */
int crypto_unseal_new(struct crypto_unseal **ret, const char *passphrase,
                      int (*read)(void *data, void *bytes, size_t len, size_t *ret_len,
                                  struct err *err),
                      void *data, struct err *err);
/* Exactly len bytes. CORRUPT: damaged, cut, or not so many left. */
int crypto_unseal_read(struct crypto_unseal *u, void *bytes, size_t len, struct err *err);
/* CORRUPT: something is left. */
int crypto_unseal_finish(struct crypto_unseal *u, struct err *err);
void crypto_unseal_free(struct crypto_unseal *u); /* wipes; NULL is fine */

#endif
