/* keys.h - each printer's key and certificate as files: DIR/keys/ID.pem (0600) and
 * DIR/certificates/ID.pem, replaced whole. Blocks for a moment: at start and registration only. */
#ifndef CONNECTOR_STORE_KEYS_H
#define CONNECTOR_STORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "connector/base/records.h"

struct buf;
struct err;

/* The id under which one of the two pairs of a printer is kept: ID or ID-2. A renewed pair is
 * written beside the one in use. */
void keys_pair_id(const char *id, bool second, char ret[ID_SIZE]);

int keys_save(const char *dir, const char *id, const char *key_pem, struct err *err);
int keys_save_certificate(const char *dir, const char *id, const char *pem, struct err *err);
/* A key that others can read is refused. ret is wiped by the caller. */
int keys_load(const char *dir, const char *id, struct buf *ret, struct err *err);
int keys_load_certificate(const char *dir, const char *id, struct buf *ret, struct err *err);
/* Paths for libcurl, size URI_SIZE. */
void keys_path(const char *dir, const char *id, char *ret, size_t size);
void keys_certificate_path(const char *dir, const char *id, char *ret, size_t size);
/* What a crash left half written, and no directories at all are fine. Only for who holds the lock
 * of the state directory: nobody else may be writing there. */
int keys_sweep(const char *dir, struct err *err);
/* Both files; none there is fine. */
int keys_remove(const char *dir, const char *id, struct err *err);

#endif
