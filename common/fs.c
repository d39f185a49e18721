/* Happy path of a replacement: write it aside, fsync it, close, rename it to NAME, fsync the
 * directory.
 * What can fail: any of them. Before the rename the old content stays and what is aside goes; after
 * it the new content is there, perhaps not durably, and the caller stores it again. A failed fsync
 * is never retried on the same descriptor: the kernel may have dropped the pages and would lie. */
#include "common/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"
#include "common/util.h"

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fs_check_replaceable(int dirfd, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISLNK(st.st_mode))
		return err_set(err, ERR_REJECTED, 0, "%s is not a regular file", name);
	return 0;
}

int fs_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
               struct err *err)
{
	AUTO(free_str) char *aside = xasprintf("%s%s", name, FS_ASIDE);
	bool bad;
	int fd, number;

	if (fs_check_replaceable(dirfd, name, err) < 0)
		return -1;
	(void)unlinkat(dirfd, aside, 0); /* so that its mode is ours */
	fd = openat(dirfd, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(err, "create %s", aside);
	bad = write_all(fd, data, len) < 0 || fsync(fd) < 0;
	number = errno;
	if (close(fd) < 0 && !bad) {
		bad = true;
		number = errno;
	}
	if (!bad && renameat(dirfd, aside, dirfd, name) == 0) {
		if (dirfd == AT_FDCWD || fsync(dirfd) == 0)
			return 0;
		return err_errno(err, "store %s", name);
	}
	if (!bad)
		number = errno;
	(void)unlinkat(dirfd, aside, 0);
	errno = number;
	return err_errno(err, "store %s", name);
}

int fs_remove(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_errno(err, "remove %s", name);
	if (dirfd != AT_FDCWD && fsync(dirfd) < 0)
		return err_errno(err, "remove %s", name);
	return 0;
}

/* O_NONBLOCK: opening a pipe that nobody writes must not hang before we see that it is none. */
static int open_regular(int dirfd, const char *name, int flags, int *ret, struct stat *ret_stat,
                        struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0);

	if (fd < 0 && errno == ELOOP && (flags & O_NOFOLLOW))
		return err_set(err, ERR_REJECTED, ELOOP, "%s is a symbolic link", name);
	if (fd < 0)
		return err_errno(err, "open %s", name);
	if (fstat(fd, ret_stat) < 0) {
		(void)err_errno(err, "stat %s", name);
		(void)close(fd);
		return -1;
	}
	if (!S_ISREG(ret_stat->st_mode)) {
		(void)close(fd);
		return err_set(err, ERR_REJECTED, 0, "%s is not a regular file", name);
	}
	*ret = fd;
	return 0;
}

/* Reads to the end; the size a file says it has may be out of date. */
static int read_all(int fd, const char *name, size_t limit, struct buf *buf, struct err *err)
{
	char chunk[4096];
	size_t start = buf->len;
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(err, "read %s", name);
		else if (buf->len - start + (size_t)n > limit ||
		         buf_append(buf, chunk, (size_t)n) < 0)
			rc = err_set(err, ERR_REJECTED, EFBIG, "%s is larger than %zu bytes", name,
			             limit);
	}
	wipe(chunk, sizeof(chunk));
	if (rc && buf->data) {
		wipe(buf->data + start, buf->len - start);
		buf->len = start;
	}
	return rc;
}

static int read_at(int dirfd, const char *name, int flags, size_t limit, struct buf *buf,
                   struct err *err)
{
	AUTO(close_fd) int fd = -1;
	struct stat st;

	if (open_regular(dirfd, name, flags, &fd, &st, err) < 0)
		return -1;
	return read_all(fd, name, limit, buf, err);
}

int fs_read(int dirfd, const char *name, size_t limit, struct buf *buf, struct err *err)
{
	return read_at(dirfd, name, O_NOFOLLOW, limit, buf, err);
}

int fs_read_linked(const char *path, size_t limit, struct buf *buf, struct err *err)
{
	return read_at(AT_FDCWD, path, 0, limit, buf, err);
}

#define CREDENTIAL_MAX 200

/* The name behind "credential:", or NULL. */
static const char *credential(const char *path)
{
	size_t len = strlen(FS_CREDENTIAL);

	return strncmp(path, FS_CREDENTIAL, len) == 0 ? path + len : NULL;
}

bool fs_is_secret_path(const char *path)
{
	const char *name = credential(path);

	if (!name)
		return *path == '/';
	return *name && *name != '.' && strlen(name) <= CREDENTIAL_MAX &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                          "._-")];
}

char *fs_secret_path(const char *path)
{
	const char *name = path ? credential(path) : NULL;
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (!name || !dir || *dir != '/')
		return path ? xstrdup(path) : NULL;
	return xasprintf("%s/print-connector_%s", dir, name);
}

int fs_secret_read(const char *path, size_t limit, struct buf *buf, struct err *err)
{
	AUTO(close_fd) int fd = -1;
	AUTO(free_str) char *where = fs_secret_path(path);
	const char *name = credential(path);
	size_t start = buf->len;
	struct stat st;

	if (open_regular(AT_FDCWD, where, 0, &fd, &st, err) < 0) {
		if (name && err->code == ENOENT)
			return err_set(err, err->kind, ENOENT,
			               "the service has no credential %s; write it to "
			               "/etc/print-connector/credentials/%s, then: "
			               "systemctl restart print-connector",
			               name, name);
		return -1;
	}
	/* root owns a credential, and its list of who may read it shows as rights of the group */
	if (!name && (st.st_mode & 077))
		return err_set(err, ERR_DENIED, 0, "%s can be read by others; run: chmod 600 %s",
		               path, path);
	if (read_all(fd, where, limit, buf, err) < 0)
		return -1;
	while (buf->len > start &&
	       (buf->data[buf->len - 1] == '\n' || buf->data[buf->len - 1] == '\r'))
		buf->data[--buf->len] = '\0';
	return 0;
}

static int make_dirs(const char *path, mode_t mode)
{
	AUTO(free_str) char *part = xstrdup(path);

	for (char *slash = part + 1; *part && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdir(part, mode) < 0 && errno != EEXIST ? -1 : 0;
}

int fs_open_dir(const char *path, mode_t mode, bool create, int *ret, struct err *err)
{
	int fd;

	if (create && make_dirs(path, mode) < 0)
		return err_errno(err, "make directory %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, "open directory %s", path);
	*ret = fd;
	return 0;
}

/* Whoever has an OFD lock has no process id in the kernel's answer; so it is written in the file.
 */
static int64_t lock_holder(int fd)
{
	char text[24] = "";
	int64_t pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return str_number_parse(text, 1, INT_MAX, &pid) < 0 ? 0 : pid;
}

int fs_lock(int dirfd, const char *name, int *ret, struct err *err)
{
	AUTO(close_fd) int fd = -1;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[24];
	int64_t pid;
	int len;

	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, "open %s", name);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_errno(err, "lock %s", name);
		pid = lock_holder(fd);
		if (pid)
			return err_set(err, ERR_REJECTED, EAGAIN, "already used by process %lld",
			               (long long)pid);
		return err_set(err, ERR_REJECTED, EAGAIN, "already used by another process");
	}
	/* Only for the message of the next one: a full disk does not stop us here. */
	len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)len, 0);
	*ret = fd;
	fd = -1;
	return 0;
}

int fs_room(const char *path, uint64_t *ret, struct err *err)
{
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return err_errno(err, "look at %s", path);
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), end = strlen(suffix);

	return len >= end && strcmp(text + len - end, suffix) == 0;
}

int fs_sweep(int dirfd, const char *suffix, struct err *err)
{
	struct dirent *entry;
	struct stat st;
	int fd, n = 0;
	DIR *dir;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, "open directory");
	dir = fdopendir(fd);
	if (!dir) {
		(void)err_errno(err, "read directory");
		(void)close(fd);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (!ends_with(entry->d_name, suffix) ||
		    fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (unlinkat(dirfd, entry->d_name, 0) < 0) {
			n = err_errno(err, "remove %s", entry->d_name);
			break;
		}
		n++;
	}
	(void)closedir(dir);
	return n;
}
