#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* The linker calls the real ones so (--wrap). */
int __real_open(const char *path, int flags, ...);
int __real_openat(int dirfd, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_close(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dirfd, const char *path, int flags);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_close(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dirfd, const char *path, int flags);

static atomic_bool armed, lasting, failed;
static atomic_int hits, target, number = EIO;

static void arm(int n, bool all)
{
	armed = false;
	hits = 0;
	failed = false;
	target = n;
	lasting = all;
	armed = true;
}

void fault_arm(int n)
{
	arm(n, false);
}

void fault_arm_all(int n)
{
	arm(n, true);
}

void fault_errno(int errno_number)
{
	number = errno_number;
}

int fault_disarm(void)
{
	armed = false;
	number = EIO;
	return failed;
}

int fault_hits(void)
{
	return hits;
}

/* Counts a call; true when it must fail, errno is set then. */
static bool fails(void)
{
	int n = atomic_fetch_add(&hits, 1);

	if (!armed || n < target || (n > target && !lasting))
		return false;
	failed = true;
	errno = number;
	return true;
}

/* Only these flags have a mode behind them. */
#define HAS_MODE(flags) (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE)

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (HAS_MODE(flags)) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return fails() ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (HAS_MODE(flags)) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return fails() ? -1 : __real_openat(dirfd, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
	return fails() ? -1 : __real_read(fd, data, len);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	return fails() ? -1 : __real_write(fd, data, len);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fails() ? -1 : __real_pwrite(fd, data, len, at);
}

int __wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_close(int fd)
{
	int fail = fails(), rc = __real_close(fd);

	if (!fail)
		return rc;
	errno = number;
	return -1;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	return fails() ? -1 : __real_unlinkat(dirfd, path, flags);
}
