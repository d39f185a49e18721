#include "connector/store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/store/keys.h"
#include "connector/store/store_private.h"

#define SNAPSHOT "snapshot" FS_ASIDE /* that of a crash goes with the next one */

/* Where a job may have got its paper after the backup was made. */
#define MAY_HAVE_PRINTED "state IN ('claiming', 'handing', 'printing', 'waiting')"
#define RESTORED         "restored from a backup: unknown whether it was printed since; look at the printer"

static void close_plain(struct store *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->statements); i++)
		(void)sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(TAKE(s->db));
	close_fd(&s->lock);
	close_fd(&s->dir);
}

static int run_bound(struct store *s, const char *sql, const char *text, int64_t number,
                     struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;

	if (store_prepare(s, sql, &q, err) < 0)
		return -1;
	if (text)
		(void)sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(q, 2, number);
	return store_step(s, q, err) < 0 ? -1 : 0;
}

static int count(struct store *s, const char *sql, const char *text, unsigned *ret, struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;

	if (store_prepare(s, sql, &q, err) < 0)
		return -1;
	if (text)
		(void)sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
	if (store_step(s, q, err) < 0)
		return -1;
	*ret = (unsigned)sqlite3_column_int64(q, 0);
	return 0;
}

/* ---- snapshot ---- */

static int tell_pairs(struct store *s, void (*each)(void *data, const char *pair), void *data,
                      struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	char id[ID_SIZE], pair[ID_SIZE];
	int rc;

	if (store_prepare(s, "SELECT id, second_pair FROM printers WHERE own_certificate = 1", &q,
	                  err) < 0)
		return -1;
	while ((rc = store_step(s, q, err)) > 0) {
		store_read_text(q, 0, id, sizeof(id));
		keys_pair_id(id, sqlite3_column_int(q, 1) != 0, pair);
		each(data, pair);
	}
	return rc;
}

/* ERR_GONE: there is none. */
static int open_state(struct store *s, const char *dir, struct err *err)
{
	if (fs_open_dir(dir, 0700, false, &s->dir, err) < 0)
		return -1;
	if (faccessat(s->dir, "state.db", F_OK, 0) < 0)
		return err_set(err, ERR_GONE, 0, "there is no state in %.120s", dir);
	return store_file_open(s, dir, "state.db", err);
}

int store_snapshot(const char *dir, struct store_snapshot *ret,
                   void (*each)(void *data, const char *pair), void *data, struct err *err)
{
	AUTO(close_plain) struct store s = { .dir = -1, .lock = -1 }, copy = s;
	AUTO(free_str) char *path = xasprintf("%s/" SNAPSHOT, dir);
	int rc = -1, fd = -1;

	if (open_state(&s, dir, err) < 0)
		return -1;
	(void)unlinkat(s.dir, SNAPSHOT, 0);
	fd = openat(s.dir, SNAPSHOT, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "make a snapshot in %s", dir);
	if (run_bound(&s, "VACUUM INTO ?1", path, 0, err) == 0 &&
	    store_file_open(&copy, dir, SNAPSHOT, err) == 0 &&
	    tell_pairs(&copy, each, data, err) == 0 &&
	    count(&copy, "SELECT count(*) FROM printers", NULL, &ret->printers, err) == 0 &&
	    count(&copy, "SELECT count(*) FROM jobs WHERE state <> 'done'", NULL, &ret->open_jobs,
	          err) == 0)
		rc = 0;
	(void)unlinkat(s.dir, SNAPSHOT, 0);
	if (rc < 0)
		close_fd(&fd);
	ret->fd = fd;
	return rc;
}

/* ---- peek ---- */

int store_peek(const char *dir, struct printer_record **ret, size_t *ret_count, struct err *err)
{
	AUTO(close_plain) struct store s = { .dir = -1, .lock = -1 };

	return open_state(&s, dir, err) < 0 ? -1 : store_load_printers(&s, ret, ret_count, err);
}

/* ---- restore ---- */

int store_check_empty(const char *dir, struct err *err)
{
	AUTO(close_plain) struct store s = { .dir = -1, .lock = -1 };
	unsigned printers = 0, jobs = 0;

	if (fs_open_dir(dir, 0700, false, &s.dir, err) < 0)
		return -1;
	if (faccessat(s.dir, "state.db", F_OK, 0) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "look at %s/state.db", dir);
	if (store_file_open(&s, dir, "state.db", err) < 0 ||
	    count(&s, "SELECT count(*) FROM printers", NULL, &printers, err) < 0 ||
	    count(&s, "SELECT count(*) FROM jobs", NULL, &jobs, err) < 0)
		return -1;
	if (printers || jobs)
		return err_set(err, ERR_REJECTED, 0,
		               "%.80s has %s and %s already; move what is in it away", dir,
		               COUNTED(printers, "printer", "printers"),
		               COUNTED(jobs, "job", "jobs"));
	return 0;
}

static int open_restored(struct store *s, const char *dir, struct err *err)
{
	struct store_found found = { 0 };

	if (fs_open_dir(dir, 0700, false, &s->dir, err) < 0 ||
	    store_schema_open(s, dir, &found, err) < 0)
		return -1;
	if (*found.aside)
		return err_set(err, ERR_CORRUPT, 0, "%s", found.why);
	return store_schema_check(s, err);
}

/* Into the one file, which is moved alone. */
static int close_restored(struct store *s, struct err *err)
{
	return run_bound(s, "PRAGMA journal_mode = DELETE", NULL, 0, err);
}

static int count_printers(struct store *s, const char *machine, struct store_adopted *ret,
                          struct err *err)
{
	if (count(s, "SELECT count(*) FROM printers", NULL, &ret->printers, err) < 0)
		return -1;
	return count(s, "SELECT count(*) FROM printers WHERE owner <> ?1", machine, &ret->foreign,
	             err);
}

/* Who was not acknowledged is still the cloud's. */
static int hold_jobs(struct store *s, struct store_adopted *ret, struct err *err)
{
	int64_t now = (int64_t)time(NULL);

	if (run_bound(s, "DELETE FROM jobs WHERE state = 'claiming' AND acknowledged = 0", NULL, 0,
	              err) < 0 ||
	    count(s, "SELECT count(*) FROM jobs WHERE " MAY_HAVE_PRINTED, NULL, &ret->held, err) <
	            0 ||
	    run_bound(s,
	              "INSERT INTO job_events (job, number, time, source, text)"
	              " SELECT id, coalesce((SELECT max(number) FROM job_events e"
	              "  WHERE e.job = jobs.id), 0) + 1, ?2, 'connector', ?1"
	              " FROM jobs WHERE " MAY_HAVE_PRINTED,
	              RESTORED, now * 1000, err) < 0 ||
	    run_bound(s,
	              "UPDATE jobs SET state = 'held', error_kind = 'gone', error_text = ?1"
	              " WHERE " MAY_HAVE_PRINTED,
	              RESTORED, 0, err) < 0)
		return -1;
	if (run_bound(s,
	              "INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', 0 WHERE NOT EXISTS"
	              " (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')",
	              NULL, 0, err) < 0)
		return -1;
	/* numbers are never given out again; how far they went since is unknown */
	return run_bound(s, "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = 'jobs'",
	                 NULL, now, err);
}

int store_adopt(const char *dir, const char *machine, struct store_adopted *ret, struct err *err)
{
	AUTO(close_plain) struct store s = { .dir = -1, .lock = -1 };

	if (open_restored(&s, dir, err) < 0 || store_run(&s, STMT_BEGIN, err) < 0 ||
	    hold_jobs(&s, ret, err) < 0 || count_printers(&s, machine, ret, err) < 0 ||
	    store_run(&s, STMT_COMMIT, err) < 0)
		return -1;
	return close_restored(&s, err);
}

int store_take_over(const char *dir, const char *machine, struct store_adopted *ret,
                    struct err *err)
{
	AUTO(close_plain) struct store s = { .dir = -1, .lock = -1 };

	if (open_restored(&s, dir, err) < 0 ||
	    run_bound(&s,
	              "UPDATE printers SET owner = ?1, epoch = epoch + 1"
	              " WHERE owner <> ?1",
	              machine, 0, err) < 0)
		return -1;
	ret->held = 0;
	if (count_printers(&s, machine, ret, err) < 0)
		return -1;
	return close_restored(&s, err);
}
