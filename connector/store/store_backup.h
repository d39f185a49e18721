/* store_backup.h - state.db as it is at one moment, and as it is after it came from elsewhere. For
 * what works beside or without the daemon: no loop, no store; blocks. The daemon may run meanwhile
 * for a snapshot and a peek, and for nothing else. */
#ifndef CONNECTOR_STORE_STORE_BACKUP_H
#define CONNECTOR_STORE_STORE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "connector/base/records.h"

struct err;

struct store_snapshot {
	int fd; /* of the whole database, readable, already unlinked; the caller closes it */
	unsigned printers, open_jobs;
};

/* each(): the pair of keys.h that a printer uses. GONE: there is no state. */
int store_snapshot(const char *dir, struct store_snapshot *ret,
                   void (*each)(void *data, const char *pair), void *data, struct err *err);

/* The printers as they are registered now; an array that is the caller's to free(). GONE: there is
 * no state. */
int store_peek(const char *dir, struct printer_record **ret, size_t *ret_count, struct err *err);

/* REJECTED: dir has printers or jobs that a restore would overwrite. */
int store_check_empty(const char *dir, struct err *err);

struct store_adopted {
	unsigned printers, foreign; /* foreign: those of another machine, read-only */
	unsigned held;              /* jobs that may have been printed since */
};

/* DIR/state.db came from a backup: it is checked; jobs that may have been printed since the backup
 * are held, job numbers begin above those that may have been given out. */
int store_adopt(const char *dir, const char *machine, struct store_adopted *ret, struct err *err);
/* All printers belong to this machine from now on. */
int store_take_over(const char *dir, const char *machine, struct store_adopted *ret,
                    struct err *err);

#endif
