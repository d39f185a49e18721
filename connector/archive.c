/* Happy path of a backup: a snapshot of the database, the keys that it speaks of, all sealed into
 * one stream. A renewal that removes a key in between makes another snapshot.
 *
 * Happy path of a restore: everything into STATE/restored.print-connector-new; when the end was
 * authentic the database is checked there; keys and certificates are moved into place, the database
 * last. What can fail: a wrong passphrase, a cut or changed file, a full disk: the directory aside
 * goes and nothing else has changed. A crash between the moves leaves keys that nothing uses; the
 * same restore goes through again. */
#include "connector/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/crypto_seal.h"
#include "connector/store/keys.h"

#define DB        "state.db"
#define ASIDE     "restored" FS_ASIDE
#define NAME_MAX_ 128   /* of an entry */
#define FILES_MAX 20000 /* of an archive: 4 for each of 5000 printers */
#define FILE_MAX  (UINT64_C(64) << 30)
#define PEM_MAX   (64 * 1024)
#define CHUNK     65536
#define SNAPSHOTS 3

static const char *const folders[] = { "keys", "certificates" };

/* ---- bytes ---- */

static int write_out(void *data, const void *bytes, size_t len, struct err *err)
{
	const char *from = bytes;
	int fd = *(int *)data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write");
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_in(void *data, void *bytes, size_t len, size_t *ret_len, struct err *err)
{
	ssize_t n;

	do
		n = read(*(int *)data, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, "read");
	*ret_len = (size_t)n;
	return 0;
}

static void put_number(unsigned char *to, uint64_t number, int bytes)
{
	while (bytes--) {
		to[bytes] = (unsigned char)number;
		number >>= 8;
	}
}

static uint64_t get_number(const unsigned char *from, int bytes)
{
	uint64_t ret = 0;

	for (int i = 0; i < bytes; i++)
		ret = ret << 8 | from[i];
	return ret;
}

/* ---- backup ---- */

struct saving {
	const char *dir;
	struct crypto_seal *seal;
	char (*pairs)[ID_SIZE];
	size_t n;
};

static void on_pair(void *data, const char *pair)
{
	struct saving *s = data;

	if (s->n == FILES_MAX)
		return;
	s->pairs = xrealloc(s->pairs, (s->n + 1) * sizeof(*s->pairs));
	memcpy(s->pairs[s->n++], pair, ID_SIZE);
}

static int put_head(struct saving *s, const char *name, uint64_t len, struct err *err)
{
	unsigned char head[2 + NAME_MAX_ + 8];
	size_t n = strlen(name);

	put_number(head, n, 2);
	memcpy(head + 2, name, n);
	put_number(head + 2 + n, len, 8);
	return crypto_seal_write(s->seal, head, n ? 2 + n + 8 : 2, err);
}

static int put_database(struct saving *s, int fd, struct err *err)
{
	unsigned char bytes[CHUNK];
	uint64_t left;
	struct stat st;
	size_t n;

	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "read the snapshot");
	left = (uint64_t)st.st_size;
	if (put_head(s, DB, left, err) < 0)
		return -1;
	for (; left; left -= n) {
		if (read_in(&fd, bytes, left < CHUNK ? left : CHUNK, &n, err) < 0)
			return -1;
		if (!n)
			return err_set(err, ERR_TEMPORARY, 0, "the snapshot became shorter");
		if (crypto_seal_write(s->seal, bytes, n, err) < 0)
			return -1;
	}
	return 0;
}

static int put_pair(struct saving *s, const char *pair, struct err *err)
{
	AUTO(buf_wipe) struct buf key, certificate;
	char name[NAME_MAX_], path[URI_SIZE];

	buf_init(&key, PEM_MAX);
	buf_init(&certificate, PEM_MAX);
	keys_path(s->dir, pair, path, sizeof(path));
	if (fs_read(AT_FDCWD, path, PEM_MAX, &key, err) < 0 ||
	    keys_load_certificate(s->dir, pair, &certificate, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s/%s.pem", folders[0], pair);
	if (put_head(s, name, key.len, err) < 0 ||
	    crypto_seal_write(s->seal, key.data, key.len, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s/%s.pem", folders[1], pair);
	if (put_head(s, name, certificate.len, err) < 0)
		return -1;
	return crypto_seal_write(s->seal, certificate.data, certificate.len, err);
}

/* All keys of the snapshot are there. */
static int find_pairs(const struct saving *s, struct err *err)
{
	char path[URI_SIZE];

	for (size_t i = 0; i < s->n; i++) {
		keys_path(s->dir, s->pairs[i], path, sizeof(path));
		if (access(path, R_OK) < 0)
			return err_errno(err, "key %s", path);
	}
	return 0;
}

static int take_snapshot(struct saving *s, struct store_snapshot *ret, struct err *err)
{
	int rc = -1;

	for (int tries = 0; rc < 0 && tries < SNAPSHOTS; tries++) {
		s->n = 0;
		if (store_snapshot(s->dir, ret, on_pair, s, err) < 0)
			return -1;
		rc = find_pairs(s, err);
		if (rc < 0)
			close_fd(&ret->fd);
	}
	return rc;
}

int archive_write(const char *state_directory, const char *passphrase, int out,
                  struct archive_summary *ret, struct err *err)
{
	struct saving s = { .dir = state_directory };
	struct store_snapshot snapshot = { .fd = -1 };
	int rc = take_snapshot(&s, &snapshot, err);

	if (rc == 0)
		rc = crypto_seal_new(&s.seal, passphrase, CRYPTO_SEAL_COST, write_out, &out, err);
	if (rc == 0)
		rc = put_database(&s, snapshot.fd, err);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = put_pair(&s, s.pairs[i], err);
	if (rc == 0)
		rc = put_head(&s, "", 0, err);
	if (rc == 0)
		rc = crypto_seal_finish(s.seal, err);
	*ret = (struct archive_summary){ .printers = snapshot.printers,
		                         .open_jobs = snapshot.open_jobs,
		                         .keys = (unsigned)s.n };
	crypto_seal_free(s.seal);
	close_fd(&snapshot.fd);
	free(s.pairs);
	return rc;
}

/* ---- restore ---- */

/* Only what archive_write() writes: never a way out of the directory. */
static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);
	const char *id = strchr(name, '/');

	if (strcmp(name, DB) == 0)
		return true;
	if (!id || len < strlen(".pem") || strcmp(name + len - 4, ".pem") != 0)
		return false;
	if (strncmp(name, "keys/", 5) != 0 && strncmp(name, "certificates/", 13) != 0)
		return false;
	id++;
	len = strspn(id, "0123456789abcdef-");
	return len > 0 && len < ID_SIZE && strcmp(id + len, ".pem") == 0;
}

static int get_file(struct crypto_unseal *u, int dir, const char *name, uint64_t len,
                    struct err *err)
{
	AUTO(close_fd) int fd = -1;
	unsigned char bytes[CHUNK];
	size_t n;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	            strncmp(name, "certificates/", 13) == 0 ? 0644 : 0600);
	if (fd < 0)
		return err_errno(err, "make %s", name);
	for (; len; len -= n) {
		n = len < CHUNK ? (size_t)len : CHUNK;
		if (crypto_unseal_read(u, bytes, n, err) < 0 || write_out(&fd, bytes, n, err) < 0)
			return -1;
	}
	wipe(bytes, sizeof(bytes));
	if (fsync(fd) < 0)
		return err_errno(err, "write %s", name);
	return 0;
}

static int get_all(struct crypto_unseal *u, int dir, struct err *err)
{
	unsigned char head[8];
	char name[NAME_MAX_];
	uint64_t len;
	size_t n;

	for (unsigned files = 0; files <= FILES_MAX; files++) {
		if (crypto_unseal_read(u, head, 2, err) < 0)
			return -1;
		n = (size_t)get_number(head, 2);
		if (n == 0)
			return crypto_unseal_finish(u, err);
		if (n >= sizeof(name) || crypto_unseal_read(u, name, n, err) < 0)
			break;
		name[n] = '\0';
		if (crypto_unseal_read(u, head, 8, err) < 0)
			return -1;
		len = get_number(head, 8);
		if (strlen(name) != n || !name_is_valid(name) ||
		    len > (strcmp(name, DB) == 0 ? FILE_MAX : PEM_MAX))
			break;
		if (get_file(u, dir, name, len, err) < 0)
			return -1;
	}
	return err_set(err, ERR_CORRUPT, 0, "there is something in it that is no state");
}

static void empty_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!entries) {
		close_fd(&fd);
		return;
	}
	while ((entry = readdir(entries)))
		if (entry->d_type != DT_DIR)
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(entries);
}

static void remove_aside(int state)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), ASIDE "/%s", folders[i]);
		empty_folder(state, path);
		(void)unlinkat(state, path, AT_REMOVEDIR);
	}
	empty_folder(state, ASIDE);
	(void)unlinkat(state, ASIDE, AT_REMOVEDIR);
}

static int make_aside(int state, int *ret, struct err *err)
{
	char path[64];

	remove_aside(state);
	if (mkdirat(state, ASIDE, 0700) < 0)
		return err_errno(err, "make " ASIDE);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), ASIDE "/%s", folders[i]);
		if (mkdirat(state, path, 0700) < 0)
			return err_errno(err, "make %s", path);
	}
	*ret = openat(state, ASIDE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_errno(err, "open " ASIDE) : 0;
}

/* Every file of a folder, under its name. */
static int move_folder(int state, const char *name, struct err *err)
{
	AUTO(free_str) char *path = xasprintf(ASIDE "/%s", name);
	int from = openat(state, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = from < 0 ? NULL : fdopendir(from);
	AUTO(close_fd) int to = -1;
	struct dirent *entry;
	int rc = 0;

	if (!entries) {
		close_fd(&from);
		return err_errno(err, "open %s", path);
	}
	if (mkdirat(state, name, 0700) < 0 && errno != EEXIST)
		rc = err_errno(err, "make %s", name);
	to = rc ? -1 : openat(state, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && to < 0)
		rc = err_errno(err, "open %s", name);
	while (!rc && (entry = readdir(entries)))
		if (entry->d_type != DT_DIR && renameat(from, entry->d_name, to, entry->d_name) < 0)
			rc = err_errno(err, "move %s", entry->d_name);
	if (!rc && fsync(to) < 0)
		rc = err_errno(err, "write %s", name);
	(void)closedir(entries);
	return rc;
}

static int move_all(int state, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (move_folder(state, folders[i], err) < 0)
			return -1;
	/* of the empty one that is there */
	(void)unlinkat(state, DB "-wal", 0);
	(void)unlinkat(state, DB "-shm", 0);
	if (renameat(state, ASIDE "/" DB, state, DB) < 0 || fsync(state) < 0)
		return err_errno(err, "move " DB);
	return 0;
}

int archive_read(const char *state_directory, const char *passphrase, int in, const char *machine,
                 struct store_adopted *ret, struct err *err)
{
	AUTO(free_str) char *path = xasprintf("%s/" ASIDE, state_directory);
	AUTO(close_fd) int state = -1;
	AUTO(close_fd) int aside = -1;
	struct crypto_unseal *u = NULL;
	int rc = store_check_empty(state_directory, err);

	if (rc == 0)
		rc = fs_open_dir(state_directory, 0700, false, &state, err);
	if (rc == 0)
		rc = crypto_unseal_new(&u, passphrase, read_in, &in, err);
	if (rc == 0)
		rc = make_aside(state, &aside, err);
	if (rc == 0)
		rc = get_all(u, aside, err);
	if (rc == 0 && faccessat(aside, DB, F_OK, 0) < 0)
		rc = err_set(err, ERR_CORRUPT, 0, "there is no " DB " in it");
	if (rc == 0)
		rc = store_adopt(path, machine, ret, err);
	if (rc == 0)
		rc = move_all(state, err);
	if (state >= 0)
		remove_aside(state);
	crypto_unseal_free(u);
	return rc;
}
