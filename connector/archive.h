/* archive.h - a state directory as one sealed stream and back (base/crypto_seal.h). Inside: for
 * each file the length of its name (16 bits, big endian), the name, its length (64 bits) and its
 * bytes; a name of length 0 ends it. Names are state.db, keys/ID.pem and certificates/ID.pem.
 * Blocks. */
#ifndef CONNECTOR_ARCHIVE_H
#define CONNECTOR_ARCHIVE_H

#include "connector/store/store_backup.h"

struct err;

struct archive_summary {
	unsigned printers, open_jobs; /* as they were saved */
	unsigned keys;
};

/* Into out. The daemon may run. */
int archive_write(const char *state_directory, const char *passphrase, int out,
                  struct archive_summary *ret, struct err *err);
/* From in. The state directory is empty, locked by us, and is changed only when all of it has
 * proved to be whole. */
int archive_read(const char *state_directory, const char *passphrase, int in, const char *machine,
                 struct store_adopted *ret, struct err *err);

#endif
