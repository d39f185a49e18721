/* Happy path: printer_file_save() reads the row as text and replaces the file; a restore puts the
 * text back into a row, column by column.
 *
 * What can fail: the disk (the write of the row fails with it; the file may be ahead of a row whose
 * commit failed, until the next start makes them equal). A file that is not whole, or that the
 * table refuses, is passed over and counted.
 *
 * Each file costs two syncs, and a thousand of them seconds, so after a start they are made equal
 * in slices, between which whatever else was asked of the store has its turn. */
#include "connector/store/printer_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"

#define FOLDER   "printers"
#define KEYS     "keys"
#define FILE_MAX (64u * 1024)
#define SLICE_US 2000 /* files that are as they should be are many in that time */

static const char *text_of(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text ? text : "";
}

/* One line, whatever is in the text. */
static int append_line(struct buf *to, const char *name, const char *value, struct err *err)
{
	if (buf_printf(to, "%s=", name) < 0)
		goto full;
	for (; *value; value++) {
		const char *as = *value == '\\' ? "\\\\" : *value == '\n' ? "\\n" : NULL;

		if (buf_append(to, as ? as : value, as ? 2 : 1) < 0)
			goto full;
	}
	if (buf_append(to, "\n", 1) == 0)
		return 0;
full:
	return err_set(err, ERR_REJECTED, 0, "a printer's record is larger than %u bytes",
	               FILE_MAX);
}

/* The row under the statement, whose columns are those of the table. */
static int encode(sqlite3_stmt *q, struct buf *ret, struct err *err)
{
	buf_clear(ret);
	buf_init(ret, FILE_MAX);
	for (size_t i = 0; i < printer_column_count; i++)
		if (append_line(ret, printer_columns[i].name, text_of(q, (int)i), err) < 0)
			return -1;
	if (buf_append(ret, "end\n", 4) < 0)
		return err_set(err, ERR_REJECTED, 0, "a printer's record is too large");
	return 0;
}

/* ---- writing ---- */

static int open_folder(const struct store *s, int *ret, struct err *err)
{
	int fd = openat(s->dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(s->dir, FOLDER, 0700) < 0 || fsync(s->dir) < 0)
			return err_errno(err, "make directory " FOLDER);
		fd = openat(s->dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return err_errno(err, "open directory " FOLDER);
	*ret = fd;
	return 0;
}

int printer_file_save(struct store *s, const char *id, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(close_fd) int folder = -1;
	int rc;

	if (store_statement(s, STMT_PRINTER_GET, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
	rc = store_step(s, q, err);
	if (rc < 0 || encode(q, &text, err) < 0 || open_folder(s, &folder, err) < 0)
		return -1;
	return fs_replace(folder, id, text.data, text.len, 0600, err);
}

int printer_file_remove(struct store *s, const char *id, struct err *err)
{
	AUTO(close_fd) int folder = -1;

	if (open_folder(s, &folder, err) < 0)
		return -1;
	return fs_remove(folder, id, err);
}

static bool is_same(int folder, const char *id, const struct buf *text)
{
	AUTO(buf_clear) struct buf old = { .limit = FILE_MAX };
	struct err ignored;

	return fs_read(folder, id, FILE_MAX, &old, &ignored) == 0 && old.len == text->len &&
	       memcmp(old.data, text->data, text->len) == 0;
}

static bool has_row(struct store *s, const char *id, bool *ret, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc;

	if (store_statement(s, STMT_PRINTER_GET, &q, err) < 0)
		return false;
	(void)sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
	rc = store_step(s, q, err);
	*ret = rc > 0;
	return rc >= 0;
}

/* A directory of the state directory to be read through; NULL: it cannot be. */
static DIR *read_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		close_fd(&fd);
	return dir;
}

static bool is_over(int64_t began_us)
{
	return store_now_us() - began_us >= SLICE_US;
}

/* 1: the slice is over, 0: all rows have their files. */
static int sync_rows(struct store *s, int folder, int64_t began_us, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	AUTO(buf_clear) struct buf text = { 0 };
	char *last = s->files.last;
	int rc;

	if (store_statement(s, STMT_PRINTERS_AFTER, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, last, -1, SQLITE_TRANSIENT);
	while ((rc = store_step(s, q, err)) > 0) {
		bool same;

		if (encode(q, &text, err) < 0)
			return -1;
		same = is_same(folder, text_of(q, 0), &text);
		if (!same && fs_replace(folder, text_of(q, 0), text.data, text.len, 0600, err) < 0)
			return -1;
		store_read_text(q, 0, last, sizeof(s->files.last));
		if (!same || is_over(began_us))
			return 1;
	}
	return rc;
}

/* The same for files without a row. */
static int remove_others(struct store *s, int folder, int64_t began_us, struct err *err)
{
	struct dirent *entry;

	if (!s->files.others)
		s->files.others = read_folder(folder, ".");
	if (!s->files.others)
		return err_errno(err, "read directory " FOLDER);
	while ((entry = readdir(s->files.others))) {
		bool found = false;

		if (*entry->d_name == '.')
			continue;
		if (!has_row(s, entry->d_name, &found, err))
			return -1;
		if (!found)
			return fs_remove(folder, entry->d_name, err) < 0 ? -1 : 1;
		if (is_over(began_us))
			return 1;
	}
	return 0;
}

int printer_files_sync(struct store *s, struct err *err)
{
	AUTO(close_fd) int folder = -1;
	const int64_t began_us = store_now_us();
	int rc = 0;

	if (open_folder(s, &folder, err) < 0)
		return -1;
	if (!s->files.rows_done) {
		rc = sync_rows(s, folder, began_us, err);
		s->files.rows_done = rc == 0;
	}
	if (rc == 0)
		rc = remove_others(s, folder, began_us, err);
	if (rc <= 0)
		printer_files_sync_end(s);
	return rc;
}

void printer_files_sync_end(struct store *s)
{
	if (s->files.others)
		(void)closedir(s->files.others);
	s->files = (struct printer_files){ 0 };
}

/* ---- reading ---- */

/* In place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			*to++ = *++text == 'n' ? '\n' : *text;
		else
			*to++ = *text;
	}
	*to = '\0';
}

static int find_column(const char *name)
{
	for (size_t i = 0; i < printer_column_count; i++)
		if (strcmp(printer_columns[i].name, name) == 0)
			return (int)i;
	return -1; /* of another version */
}

/* What no line says is empty, or 0. */
static void bind_defaults(sqlite3_stmt *q)
{
	for (size_t i = 0; i < printer_column_count; i++) {
		enum column_type type = printer_columns[i].type;

		if (type == COLUMN_TEXT || type == COLUMN_INTERNED)
			(void)sqlite3_bind_text(q, (int)i + 1, "", -1, SQLITE_STATIC);
		else
			(void)sqlite3_bind_int(q, (int)i + 1, 0);
	}
}

/* True: a whole record of this printer is bound. text is cut to pieces and must stay. */
static bool bind_lines(sqlite3_stmt *q, char *text, const char *id)
{
	bool is_its_own = false;
	char *line, *value;

	bind_defaults(q);
	while ((line = strsep(&text, "\n"))) {
		int column;

		if (strcmp(line, "end") == 0)
			return is_its_own;
		value = strchr(line, '=');
		if (!value)
			return false;
		*value++ = '\0';
		unescape(value);
		column = find_column(line);
		if (column < 0)
			continue;
		is_its_own = is_its_own || (column == 0 && strcmp(value, id) == 0);
		(void)sqlite3_bind_text(q, column + 1, value, -1, SQLITE_STATIC);
	}
	return false;
}

/* 1: the row is there, 0: the file is no good. */
static int restore_one(struct store *s, int folder, const char *id, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	AUTO(buf_clear) struct buf text = { .limit = FILE_MAX };
	struct err ignored;

	if (store_statement(s, STMT_PRINTER_SAVE, &q, err) < 0)
		return -1;
	if (fs_read(folder, id, FILE_MAX, &text, &ignored) < 0 || !text.len ||
	    !bind_lines(q, (char *)text.data, id))
		return 0;
	if (store_step(s, q, err) < 0)
		return (err->code & 0xff) == SQLITE_CONSTRAINT ? 0 : -1;
	return 1;
}

static bool has_file(const struct store *s, const char *id)
{
	AUTO(free_str) char *path = xasprintf(FOLDER "/%s", id);

	return faccessat(s->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Keys whose printer has neither row nor file. */
static int count_orphans(struct store *s, unsigned *ret, struct err *err)
{
	DIR *dir = read_folder(s->dir, KEYS);
	struct dirent *entry;
	bool found;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir))) {
		char id[STR_UUID_LEN + 1];
		size_t len = strlen(entry->d_name);

		if (len != STR_UUID_LEN + strlen(".pem") ||
		    strcmp(entry->d_name + STR_UUID_LEN, ".pem") != 0)
			continue; /* a second pair has its first */
		(void)snprintf(id, sizeof(id), "%.*s", STR_UUID_LEN, entry->d_name);
		if (!has_row(s, id, &found, err))
			rc = -1;
		else
			*ret += !found && !has_file(s, id); /* else it has been counted */
	}
	if (dir)
		(void)closedir(dir);
	return rc;
}

int printer_files_restore(struct store *s, unsigned *ret, unsigned *ret_lost, struct err *err)
{
	DIR *dir = read_folder(s->dir, FOLDER);
	unsigned restored = 0, lost = 0;
	struct dirent *entry;
	int rc = 0;

	while (dir && rc >= 0 && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || strstr(entry->d_name, FS_ASIDE))
			continue;
		rc = restore_one(s, dirfd(dir), entry->d_name, err);
		restored += rc == 1;
		lost += rc == 0;
	}
	if (dir)
		(void)closedir(dir);
	if (rc < 0 || count_orphans(s, &lost, err) < 0)
		return -1;
	*ret = restored;
	*ret_lost = lost;
	return 0;
}

bool printer_files_exist(const struct store *s)
{
	DIR *dir = read_folder(s->dir, FOLDER);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = *entry->d_name != '.' && !strstr(entry->d_name, FS_ASIDE);
	if (dir)
		(void)closedir(dir);
	return found;
}
