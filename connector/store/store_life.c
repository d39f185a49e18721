/* store_life.c - whether the daemon stopped by itself the last time; if it was ended from outside
 * or crashed, each job that was active then counts it. What counts is one life of the daemon within
 * one boot of the machine: a power cut is nobody's fault. Crashes in a row are counted too, until
 * the daemon has lived for a while.
 *
 * What can fail: writing (nothing is counted this time; the store works or fails as it does
 * otherwise). */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/store/store_private.h"

#define BOOT_ID  "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX 64

static void read_boot(char ret[BOOT_MAX])
{
	struct buf text;
	struct err err;

	buf_init(&text, BOOT_MAX - 1);
	*ret = '\0';
	if (fs_read_linked(BOOT_ID, BOOT_MAX - 1, &text, &err) == 0)
		(void)snprintf(ret, BOOT_MAX, "%.*s", (int)strcspn(buf_text(&text), "\n"),
		               buf_text(&text));
	buf_clear(&text);
}

/* 1: it says so, 0: it does not. */
static int ask(struct store *s, const char *sql, const char *boot, struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;

	if (store_prepare(s, sql, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, boot, -1, SQLITE_STATIC);
	return store_step(s, q, err);
}

static int run_begin(struct store_request *r, struct err *err)
{
	char boot[BOOT_MAX];

	read_boot(boot);
	return ask(r->s,
	           "UPDATE jobs SET crashes = crashes + 1"
	           " WHERE state IN ('claiming', 'handing', 'printing', 'reporting')"
	           " AND EXISTS (SELECT 1 FROM life WHERE boot = ?1 AND boot <> '')",
	           boot, err) < 0 ||
	                       ask(r->s,
	                           "UPDATE life SET crashes ="
	                           " CASE WHEN boot = ?1 AND boot <> '' THEN crashes + 1 ELSE 0 "
	                           "END,"
	                           " boot = ?1",
	                           boot, err) < 0
	               ? -1
	               : 0;
}

static void on_begun(struct store_op *op, const struct err *err)
{
	(void)op;
	(void)err; /* whoever writes next says so */
}

void store_life_look(struct store *s)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	char boot[BOOT_MAX];
	struct err err;

	read_boot(boot);
	if (store_prepare(s, "SELECT crashes FROM life WHERE boot = ?1 AND boot <> ''", &q, &err) <
	    0)
		return;
	(void)sqlite3_bind_text(q, 1, boot, -1, SQLITE_STATIC);
	s->crashed = store_step(s, q, &err) > 0;
	if (s->crashed)
		s->crashes = (unsigned)sqlite3_column_int(q, 0) + 1;
}

unsigned store_crashes(const struct store *s)
{
	return s->crashes;
}

static int run_settle(struct store_request *r, struct err *err)
{
	return ask(r->s, "UPDATE life SET crashes = ?1", "0", err) < 0 ? -1 : 0;
}

void store_settle(struct store *s)
{
	struct store_request *r;

	if (s->life.private)
		return; /* the life has hardly begun */
	s->life.done = on_begun;
	r = store_request_new(s, &s->life, run_settle);
	r->writes = true;
	store_request_submit(r);
}

void store_life_begin(struct store *s)
{
	struct store_request *r;

	s->lives = true;
	s->life.done = on_begun;
	r = store_request_new(s, &s->life, run_begin);
	r->writes = true;
	store_request_submit(r);
}

void store_life_count(const struct store *s, struct job_record *job)
{
	switch (job->state) {
	case JOB_CLAIMING:
	case JOB_HANDING:
	case JOB_PRINTING:
	case JOB_REPORTING:
		job->crashes += s->crashed;
		return;
	case JOB_WAITING:
	case JOB_HELD:
	case JOB_DONE:
	case JOB_STATE_COUNT:
		return;
	}
}

void store_life_end(struct store *s)
{
	struct err err;

	(void)ask(s, "UPDATE life SET crashes = 0, boot = ?1", "", &err);
}
