/* fs.h - files that are whole or not there: replaced by writing aside, fsync, rename and fsync of
 * the directory; read with a limit; locked against a second instance. Regular files only, nothing
 * is left open in child processes. Blocks: at start, in the command line, or in the work queue. */
#ifndef COMMON_FS_H
#define COMMON_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

/* Names of files being written end so, and of no file of anybody else; fs_sweep() removes what a
 * crash left of them. */
#define FS_ASIDE ".print-connector-new"

/* dirfd is a directory of fs_open_dir() or AT_FDCWD. */

/* ERR_REJECTED: what is there under the name is no regular file, nor a link.
 * After 0 the new content is on disk under its name; after -1 the name has the old content or, when
 * only the directory's fsync failed, the new one: never a part of it. Calling again is safe. */
int fs_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
               struct err *err);
/* May a file take the place of what is there under this name? ERR_REJECTED: a device, say. */
int fs_check_replaceable(int dirfd, const char *name, struct err *err);
/* Removes; a file that is not there is fine. */
int fs_remove(int dirfd, const char *name, struct err *err);

/* Appends the content to buf, whose content is kept as it was on failure. limit in bytes; more is
 * ERR_REJECTED. Does not follow a symbolic link. */
int fs_read(int dirfd, const char *name, size_t limit, struct buf *buf, struct err *err);
/* The same for files whose path an administrator wrote down: follows symbolic links. */
int fs_read_linked(const char *path, size_t limit, struct buf *buf, struct err *err);
/* The same for passwords and keys: refused while group or others may read it. Line ends at its end
 * are removed. The caller wipes buf. */
int fs_secret_read(const char *path, size_t limit, struct buf *buf, struct err *err);
/* Instead of a path a secret may be "credential:NAME": print-connector_NAME of the credentials that
 * systemd gave the service (systemd.exec(5)). Nobody else can read those, whatever their mode. */
#define FS_CREDENTIAL "credential:"
bool fs_is_secret_path(const char *path); /* an absolute path or a credential */
char *fs_secret_path(const char *path);   /* where it is, for free(); NULL: of NULL */

/* Opens a directory, made with that mode first (its parents too) when create is set. */
int fs_open_dir(const char *path, mode_t mode, bool create, int *ret, struct err *err);
/* The descriptor holds the lock until it is closed. A second holder, in this process or another,
 * gets ERR_REJECTED "already used by process N". */
int fs_lock(int dirfd, const char *name, int *ret, struct err *err);
/* Bytes that we may still write there. */
int fs_room(const char *path, uint64_t *ret, struct err *err);
/* Removes the regular files whose names end so; returns how many or -1. */
int fs_sweep(int dirfd, const char *suffix, struct err *err);

#endif
