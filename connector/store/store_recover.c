/* Damaged databases: set aside under another name, never deleted; printers and jobs are taken over
 * into a new one.
 *
 * Printers come from their own files (printer_files.h). Jobs come from the rows that can still be
 * read, from both ends of the table towards the damage. Such a row may be older than the truth, so
 * it is believed only where that does no harm: what has ended, stays ended; what was printing is
 * watched, which sends nothing; all else that was acknowledged is held, since nobody can know
 * whether it was printed. How many rows were lost cannot be known.
 *
 * What can fail: renaming (nothing else is touched); a crash between the renames leaves a -wal
 * without its database, which goes the same way at the next start: SQLite would delete it. A crash
 * between setting aside and the new database's commit loses the jobs, not the printers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/store/printer_files.h"
#include "connector/store/store_private.h"

#define DAMAGED STORE_DB ".damaged-"

/* ---- setting aside ---- */

static bool exists(const struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *const suffixes[] = { "", "-wal", "-shm" };

static bool is_free(const struct store *s, const char *name)
{
	char full[STORE_NAME_SIZE + 8];
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		(void)snprintf(full, sizeof(full), "%s%s", name, suffixes[i]);
		found = found || exists(s, full);
	}
	return !found;
}

/* A free name DB.damaged-TIME. */
static void name_damaged(struct store *s, char *ret, size_t size)
{
	struct timespec now;
	char stamp[24];
	struct tm tm;
	int len;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	len = snprintf(ret, size, DAMAGED "%s", stamp);
	for (int n = 2; !is_free(s, ret) && n < 1000; n++)
		(void)snprintf(ret + len, size - (size_t)len, ".%d", n);
}

int store_set_aside(struct store *s, struct store_found *found, struct err *err)
{
	char from[32], to[STORE_NAME_SIZE + 8], name[STORE_NAME_SIZE];

	name_damaged(s, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		(void)snprintf(from, sizeof(from), STORE_DB "%s", suffixes[i]);
		(void)snprintf(to, sizeof(to), "%s%s", name, suffixes[i]);
		if (renameat2(s->dir, from, s->dir, to, RENAME_NOREPLACE) < 0 && errno != ENOENT)
			return err_errno(err, "set aside damaged " STORE_DB);
	}
	if (fsync(s->dir) < 0)
		return err_errno(err, "set aside damaged " STORE_DB);
	(void)str_copy(found->aside, sizeof(found->aside), name);
	return 0;
}

/* Whether this -wal or -shm has its database beside it. */
static bool is_beside(const struct store *s, const char *name)
{
	for (size_t i = 1; i < ARRAY_SIZE(suffixes); i++) {
		size_t len = strlen(name), tail = strlen(suffixes[i]);
		char base[STORE_NAME_SIZE];

		if (len <= tail || strcmp(name + len - tail, suffixes[i]) != 0)
			continue;
		(void)snprintf(base, sizeof(base), "%.*s", (int)(len - tail), name);
		return exists(s, base);
	}
	return false;
}

/* Their names sort by time. */
int store_find_aside(const struct store *s, char ret[STORE_NAME_SIZE], struct err *err)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char newest[STORE_NAME_SIZE] = "";
	struct dirent *entry;

	if (!dir) {
		(void)err_errno(err, "read the state directory");
		close_fd(&fd);
		return -1;
	}
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, DAMAGED, strlen(DAMAGED)) == 0 &&
		    !is_beside(s, entry->d_name) && strcmp(entry->d_name, newest) > 0)
			(void)str_copy(newest, sizeof(newest), entry->d_name);
	(void)closedir(dir);
	memcpy(ret, newest, sizeof(newest));
	return 0;
}

/* ---- jobs ---- */

/* One pass over the table, up or down. */
struct salvage {
	struct store *s;
	sqlite3 *old;
	sqlite3_stmt *ticket;
	struct store_found *found;
	int64_t last; /* id that the pass has come to */
};

/* False: it is forgotten, no promise was made. */
static bool judge(struct job_record *job)
{
	switch (job->state) {
	case JOB_CLAIMING:
		if (!job->acknowledged)
			return false;
		break;
	case JOB_PRINTING:
	case JOB_REPORTING:
	case JOB_DONE:
		return true;
	case JOB_HANDING:
		if (job->closed) /* as good as printing: the queue is asked for it */
			return true;
		break;
	case JOB_WAITING:
	case JOB_HELD:
	case JOB_STATE_COUNT:
		break;
	}
	job->state = JOB_HELD;
	job->error_kind = ERR_CORRUPT;
	job->error_code = 0;
	(void)str_copy(job->error_text, sizeof(job->error_text),
	               "the connector's state was damaged: unknown whether it printed");
	return true;
}

static int keep_ticket(struct salvage *v, int64_t id, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc = 0;

	(void)sqlite3_bind_int64(v->ticket, 1, id);
	if (sqlite3_step(v->ticket) == SQLITE_ROW) {
		rc = store_statement(v->s, STMT_TICKET_INSERT, &q, err);
		if (rc == 0) {
			(void)sqlite3_bind_int64(q, 1, id);
			(void)sqlite3_bind_value(q, 2, sqlite3_column_value(v->ticket, 0));
			rc = store_step(v->s, q, err);
		}
	}
	(void)sqlite3_reset(v->ticket);
	return rc;
}

static int keep_job(struct salvage *v, sqlite3_stmt *row, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	struct job_record job = { .id = sqlite3_column_int64(row, 0) };
	struct err unusable;

	v->last = job.id;
	if (job.id <= 0 ||
	    store_read_record(row, 1, job_columns, job_column_count, &job, &unusable) < 0 ||
	    !judge(&job))
		return 0;
	if (store_statement(v->s, STMT_JOB_RESTORE, &q, err) < 0)
		return -1;
	store_bind_record(q, job_columns, job_column_count, &job);
	(void)sqlite3_bind_int64(q, (int)job_column_count + 1, job.id);
	if (store_step(v->s, q, err) < 0)
		return (err->code & 0xff) == SQLITE_CONSTRAINT ? 0 : -1;
	if (sqlite3_changes(v->s->db) == 0)
		return 0; /* the other pass had it */
	if (job.state == JOB_DONE) {
		v->found->jobs_done++;
		return 0;
	}
	v->found->jobs_open++;
	return keep_ticket(v, job.id, err);
}

/* False: not twice in a row, since SQLite takes an I/O error of the disk for damage. */
static bool prepare(struct salvage *v, const char *sql, sqlite3_stmt **ret)
{
	for (int i = 0; i < 2; i++)
		if (sqlite3_prepare_v2(v->old, sql, -1, ret, NULL) == SQLITE_OK)
			return true;
	return false;
}

/* Until the end, or the damage, which counts when it is met twice. */
static int pass(struct salvage *v, const char *sql, int64_t from, struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *row = NULL;
	int rc = SQLITE_ERROR;

	if (!prepare(v, sql, &row))
		return 0;
	(void)sqlite3_bind_int64(row, 1, from);
	for (int i = 0; i < 2 && rc != SQLITE_DONE; i++) {
		while ((rc = sqlite3_step(row)) == SQLITE_ROW)
			if (keep_job(v, row, err) < 0)
				return -1;
		(void)sqlite3_reset(row);
	}
	return 0;
}

static int salvage_jobs(struct salvage *v, struct err *err)
{
	if (!prepare(v, "SELECT data FROM tickets WHERE job = ?", &v->ticket))
		return 0;
	if (pass(v, "SELECT id, " JOB_NAMES " FROM jobs NOT INDEXED WHERE id > ?1 ORDER BY id", 0,
	         err) < 0)
		return -1;
	return pass(v,
	            "SELECT id, " JOB_NAMES " FROM jobs NOT INDEXED WHERE id > ?1 ORDER BY id DESC",
	            v->last, err);
}

static bool open_old(struct salvage *v, const char *path)
{
	return sqlite3_open_v2(path, &v->old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	               SQLITE_OK &&
	       sqlite3_db_config(v->old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	       sqlite3_db_config(v->old, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
	       sqlite3_db_config(v->old, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
	       sqlite3_exec(v->old, "PRAGMA query_only = ON; PRAGMA cell_size_check = ON", NULL,
	                    NULL, NULL) == SQLITE_OK;
}

/* The damaged files stay as they are, and no others come beside them. */
static int recover_jobs(struct store *s, const char *dir, struct store_found *found,
                        struct err *err)
{
	AUTO(free_str) char *path = xasprintf("%s/%s", dir, found->aside);
	struct salvage v = { .s = s, .found = found };
	char names[ARRAY_SIZE(suffixes)][STORE_NAME_SIZE + 8];
	bool there[ARRAY_SIZE(suffixes)];
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s%s", found->aside, suffixes[i]);
		there[i] = exists(s, names[i]);
	}
	rc = there[0] && open_old(&v, path) ? salvage_jobs(&v, err) : 0;
	(void)sqlite3_finalize(v.ticket);
	(void)sqlite3_close(v.old);
	for (size_t i = 1; i < ARRAY_SIZE(suffixes); i++)
		if (!there[i])
			(void)unlinkat(s->dir, names[i], 0);
	return rc;
}

int store_recover(struct store *s, const char *dir, struct store_found *found, struct err *err)
{
	if (printer_files_restore(s, &found->printers, &found->printers_lost, err) < 0)
		return -1;
	return *found->aside ? recover_jobs(s, dir, found, err) : 0;
}
