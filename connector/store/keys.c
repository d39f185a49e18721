#include "connector/store/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/records.h"

#define KEYS_DIR         "keys"
#define CERTIFICATES_DIR "certificates"
#define PEM_MAX          65536 /* bytes; a chain of certificates has room */

/* An id becomes part of a path: letters, digits and '-' only, as UUIDs have. */
static bool id_is_valid(const char *id)
{
	size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return len > 0 && len < ID_SIZE && id[len] == '\0';
}

void keys_pair_id(const char *id, bool second, char ret[ID_SIZE])
{
	if ((size_t)snprintf(ret, ID_SIZE, "%s%s", id, second ? "-2" : "") >= ID_SIZE)
		*ret = '\0';
}

static void make_path(const char *dir, const char *sub, const char *id, char *ret, size_t size)
{
	int n = id_is_valid(id) ? snprintf(ret, size, "%s/%s/%s.pem", dir, sub, id) : -1;

	if ((n < 0 || (size_t)n >= size) && size)
		*ret = '\0';
}

void keys_path(const char *dir, const char *id, char *ret, size_t size)
{
	make_path(dir, KEYS_DIR, id, ret, size);
}

void keys_certificate_path(const char *dir, const char *id, char *ret, size_t size)
{
	make_path(dir, CERTIFICATES_DIR, id, ret, size);
}

static int find_path(const char *dir, const char *sub, const char *id, char ret[URI_SIZE],
                     struct err *err)
{
	char path[URI_SIZE];

	if (!id_is_valid(id))
		return err_set(err, ERR_REJECTED, 0, "not the id of a printer");
	make_path(dir, sub, id, path, sizeof(path));
	if (!*path)
		return err_set(err, ERR_REJECTED, 0, "the path of the state directory is too long");
	memcpy(ret, path, sizeof(path));
	return 0;
}

/* The subdirectory, durable when it is new. */
static int open_sub(const char *dir, const char *sub, int *ret, struct err *err)
{
	AUTO(free_str) char *path = xasprintf("%s/%s", dir, sub);
	AUTO(close_fd) int parent = -1;
	AUTO(close_fd) int fd = -1;
	bool made = access(path, F_OK) < 0;

	if (fs_open_dir(path, 0700, true, &fd, err) < 0)
		return -1;
	if (made && fs_open_dir(dir, 0700, false, &parent, err) < 0)
		return -1;
	if (made && fsync(parent) < 0)
		return err_errno(err, "make directory %s", path);
	*ret = fd;
	fd = -1;
	return 0;
}

static int save(const char *dir, const char *sub, const char *id, const char *pem, mode_t mode,
                struct err *err)
{
	AUTO(close_fd) int fd = -1;
	char path[URI_SIZE];
	const char *name;

	if (find_path(dir, sub, id, path, err) < 0)
		return -1;
	if (strlen(pem) > PEM_MAX)
		return err_set(err, ERR_REJECTED, 0, "%s: larger than %d bytes", path, PEM_MAX);
	if (open_sub(dir, sub, &fd, err) < 0)
		return -1;
	name = strrchr(path, '/') + 1;
	if (fs_replace(fd, name, pem, strlen(pem), mode, err) < 0)
		return err_wrap(err, "%s/%s", dir, sub);
	return 0;
}

int keys_save(const char *dir, const char *id, const char *key_pem, struct err *err)
{
	return save(dir, KEYS_DIR, id, key_pem, 0600, err);
}

int keys_save_certificate(const char *dir, const char *id, const char *pem, struct err *err)
{
	return save(dir, CERTIFICATES_DIR, id, pem, 0644, err);
}

int keys_load(const char *dir, const char *id, struct buf *ret, struct err *err)
{
	char path[URI_SIZE];

	if (find_path(dir, KEYS_DIR, id, path, err) < 0)
		return -1;
	return fs_secret_read(path, PEM_MAX, ret, err);
}

int keys_load_certificate(const char *dir, const char *id, struct buf *ret, struct err *err)
{
	char path[URI_SIZE];

	if (find_path(dir, CERTIFICATES_DIR, id, path, err) < 0)
		return -1;
	return fs_read(AT_FDCWD, path, PEM_MAX, ret, err);
}

static int remove_one(const char *dir, const char *sub, const char *id, struct err *err)
{
	AUTO(free_str) char *sub_path = xasprintf("%s/%s", dir, sub);
	AUTO(close_fd) int fd = -1;
	char path[URI_SIZE];

	if (find_path(dir, sub, id, path, err) < 0)
		return -1;
	if (access(sub_path, F_OK) < 0)
		return 0;
	if (fs_open_dir(sub_path, 0700, false, &fd, err) < 0)
		return -1;
	return fs_remove(fd, strrchr(path, '/') + 1, err);
}

int keys_remove(const char *dir, const char *id, struct err *err)
{
	if (remove_one(dir, KEYS_DIR, id, err) < 0)
		return -1;
	return remove_one(dir, CERTIFICATES_DIR, id, err);
}

int keys_sweep(const char *dir, struct err *err)
{
	static const char *const subs[] = { KEYS_DIR, CERTIFICATES_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
		AUTO(free_str) char *path = xasprintf("%s/%s", dir, subs[i]);
		AUTO(close_fd) int fd = -1;

		if (access(path, F_OK) < 0)
			continue;
		if (fs_open_dir(path, 0700, false, &fd, err) < 0 || fs_sweep(fd, FS_ASIDE, err) < 0)
			return err_wrap(err, "%s", path);
	}
	return 0;
}
