/* Happy path of a write: the operation's input is copied into a request, the work queue runs it on
 * its thread between BEGIN and COMMIT of the batch, in a savepoint of its own, and done() follows
 * the commit.
 *
 * What can fail: one request (its savepoint is undone, the others go on); the commit (all requests
 * of the batch fail, the transaction is undone); a statement so badly that SQLite undoes the
 * whole transaction by itself (disk full, I/O error): then what the batch did before is lost and
 * must not be reported as done, so nothing more of it runs and its end fails. The transaction
 * begins with the first write of a batch: reading works while the disk is full. Damage: all of the
 * database is checked before the first write, and again when SQLite meets damage; a damaged one is
 * neither written nor read any more. */
#include "connector/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/util.h"
#include "connector/store/printer_files.h"
#include "connector/store/store_private.h"

#define BATCH_MAX 256  /* requests in one commit */
#define LAZY_MS   1000 /* a lazy save waits no longer */

static const char *const statement_sql[] = {
#define X(name, sql) [STMT_##name] = sql,
	STORE_STATEMENTS(X)
#undef X
};

int store_error(sqlite3 *db, const char *verb, struct err *err)
{
	int code = sqlite3_extended_errcode(db), number = sqlite3_system_errno(db);
	const char *text = sqlite3_errmsg(db);

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_CORRUPT, code, "state.db is damaged: %s", text);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (number)
			return err_set(err, ERR_TEMPORARY, code, "cannot %s state.db: %s (%s)",
			               verb, text, strerrordesc_np(number));
		return err_set(err, ERR_TEMPORARY, code, "cannot %s state.db: %s", verb, text);
	case SQLITE_FULL:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		return err_set(err, ERR_TEMPORARY, code, "cannot %s state.db: %s", verb, text);
	default:
		return err_set(err, ERR_REJECTED, code, "state.db refused it: %s", text);
	}
}

static int prepare(struct store *s, const char *sql, unsigned flags, sqlite3_stmt **ret,
                   struct err *err)
{
	if (sqlite3_prepare_v3(s->db, sql, -1, flags, ret, NULL) != SQLITE_OK)
		return store_error(s->db, s->begun ? "write" : "read", err);
	return 0;
}

int store_prepare(struct store *s, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	return prepare(s, sql, 0, ret, err);
}

void store_finalize(sqlite3_stmt **q)
{
	(void)sqlite3_finalize(*q);
}

int store_statement(struct store *s, enum store_statement which, sqlite3_stmt **ret,
                    struct err *err)
{
	if (!s->statements[which] && prepare(s, statement_sql[which], SQLITE_PREPARE_PERSISTENT,
	                                     &s->statements[which], err) < 0)
		return -1;
	*ret = s->statements[which];
	return 0;
}

void store_statement_done(sqlite3_stmt **q)
{
	if (!*q)
		return;
	(void)sqlite3_reset(*q);
	(void)sqlite3_clear_bindings(*q);
}

int store_step(struct store *s, sqlite3_stmt *q, struct err *err)
{
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return store_error(s->db, s->begun ? "write" : "read", err);
	}
}

int store_run(struct store *s, enum store_statement which, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(s, which, &q, err) < 0)
		return -1;
	return store_step(s, q, err) < 0 ? -1 : 0;
}

int store_grow(void *array, size_t count, size_t size, struct err *err)
{
	void *old, *new;

	memcpy(&old, array, sizeof(old));
	if (count == 0 || (count & (count - 1)) == 0) { /* room doubles at powers of two */
		new = reallocarray(old, count ? count * 2 : 1, size);
		if (!new)
			return err_set(err, ERR_TEMPORARY, 0,
			               "cannot read state.db: out of memory");
		memcpy(array, &new, sizeof(new));
		old = new;
	}
	memset((char *)old + count * size, 0, size);
	return 0;
}

/* ---- on the work queue ---- */

static void count_write(struct store *s, const struct err *err)
{
	pthread_mutex_lock(&s->stats_lock);
	if (!err)
		s->stats.writes++;
	else if (err->kind == ERR_TEMPORARY || err->kind == ERR_CORRUPT) {
		s->stats.failing = 1;
		s->stats.last = *err;
	}
	pthread_mutex_unlock(&s->stats_lock);
}

int64_t store_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void count_commit(struct store *s, int64_t took_us, const struct err *err)
{
	pthread_mutex_lock(&s->stats_lock);
	histogram_add(&s->stats.took, took_us);
	s->stats.failing = err != NULL;
	if (err)
		s->stats.last = *err;
	else
		s->stats.commits++;
	pthread_mutex_unlock(&s->stats_lock);
}

static int batch_begin(void *data, struct err *err)
{
	struct store *s = data;

	(void)err;
	s->begun = false;
	return 0;
}

static int batch_end(void *data, struct err *err)
{
	struct store *s = data;
	struct err ignored;
	int64_t began = store_now_us();
	int rc;

	if (!s->begun)
		return 0;
	rc = -1;
	if (s->damaged.kind != ERR_NONE)
		*err = s->damaged;
	else if (sqlite3_get_autocommit(s->db))
		*err = s->lost;
	else
		rc = store_run(s, STMT_COMMIT, err);
	if (rc < 0 && !sqlite3_get_autocommit(s->db))
		(void)store_run(s, STMT_ROLLBACK, &ignored);
	s->begun = false;
	count_commit(s, store_now_us() - began, rc < 0 ? err : NULL);
	return rc;
}

/* The transaction may be gone: see the top of the file. */
static int note_loss(struct store *s, const struct err *err)
{
	if (sqlite3_get_autocommit(s->db))
		s->lost = *err;
	return -1;
}

static int run_in_savepoint(struct store_request *r, struct err *err)
{
	struct store *s = r->s;
	struct err ignored;

	if (!s->begun) {
		s->begun = true;
		if (store_run(s, STMT_BEGIN, err) < 0) {
			s->begun = false;
			return -1;
		}
	} else if (sqlite3_get_autocommit(s->db)) {
		*err = s->lost;
		return -1;
	}
	if (store_run(s, STMT_SAVEPOINT, err) < 0)
		return note_loss(s, err);
	if (r->run(r, err) == 0) {
		if (store_run(s, STMT_RELEASE, err) < 0)
			return note_loss(s, err);
		return 0;
	}
	if (!sqlite3_get_autocommit(s->db) && store_run(s, STMT_UNDO, &ignored) == 0)
		(void)store_run(s, STMT_RELEASE, &ignored);
	return note_loss(s, err);
}

int store_unsound(struct store *s, const struct err *err)
{
	if (err->kind == ERR_CORRUPT)
		s->damaged = *err;
	return -1;
}

/* Before the first write, and again when SQLite has met damage since. */
static int make_sure(struct store *s, struct err *err)
{
	if (!s->sound && store_schema_check(s, err) < 0)
		return store_unsound(s, err);
	s->sound = true;
	return 0;
}

static int run_checked(struct store_request *r, struct err *err)
{
	struct store *s = r->s;
	int rc;

	if (s->damaged.kind == ERR_NONE && !r->writes)
		return r->run(r, err);
	rc = s->damaged.kind != ERR_NONE ? -1 : make_sure(s, err);
	if (s->damaged.kind != ERR_NONE)
		*err = s->damaged;
	if (rc == 0)
		rc = run_in_savepoint(r, err);
	count_write(s, rc < 0 ? err : NULL);
	return rc;
}

static int on_run(struct work_item *item, struct err *err)
{
	struct store_request *r = CONTAINER_OF(item, struct store_request, item);
	int rc;

	if (r->refused.kind != ERR_NONE) {
		*err = r->refused;
		return -1;
	}
	rc = run_checked(r, err);
	if (rc < 0 && err->kind == ERR_CORRUPT)
		r->s->sound = false;
	return rc;
}

/* ---- on the loop ---- */

static void tell_damage(struct store *s)
{
	void (*damaged)(void *data, const struct err *err);

	if (s->damaged.kind == ERR_NONE || !s->on_damage)
		return;
	damaged = TAKE(s->on_damage);
	damaged(s->on_damage_data, &s->damaged);
}

static int run_sync(struct store_request *r, struct err *err)
{
	int rc = printer_files_sync(r->s, err);

	r->more = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* The next slice goes behind what was asked for during this one. */
static bool finish_sync(struct store_request *r, const struct err *err)
{
	if (err || !r->more || r->s->closing)
		return false;
	store_request_submit(r);
	return true;
}

static void on_synced(struct store_op *op, const struct err *err)
{
	struct store *s = CONTAINER_OF(op, struct store, sync);

	s->unsynced = err != NULL;
}

static void sync_start(struct store *s)
{
	struct store_request *r;

	if (s->closing || s->sync.private)
		return;
	s->unsynced = false;
	s->sync.done = on_synced;
	r = store_request_new(s, &s->sync, run_sync);
	r->finish = finish_sync;
	store_request_submit(r);
}

static void on_done(struct work_item *item, const struct err *err)
{
	struct store_request *r = CONTAINER_OF(item, struct store_request, item);
	struct store_op *op = r->op;
	struct store *s = r->s;

	if (r->finish && r->finish(r, err))
		return;
	if (s->unsynced && r->writes && !err)
		sync_start(s);
	op->private = NULL;
	buf_clear(&r->ticket);
	free(r->jobs);
	free(r->events);
	free(r);
	op->done(op, err);
	tell_damage(s);
}

struct store_request *store_request_new(struct store *s, struct store_op *op,
                                        int (*run)(struct store_request *r, struct err *err))
{
	struct store_request *r = xcalloc(1, sizeof(*r));

	assert(!op->private);
	free(TAKE(op->jobs));
	free(TAKE(op->events));
	op->job_count = op->event_count = 0;
	op->existed = false;
	op->private = r;
	r->item.run = on_run;
	r->item.done = on_done;
	r->s = s;
	r->op = op;
	r->run = run;
	buf_init(&r->ticket, 0);
	return r;
}

void store_request_submit(struct store_request *r)
{
	if (r->lazy)
		work_submit_lazy(r->s->work, &r->item, LAZY_MS);
	else
		work_submit(r->s->work, &r->item);
}

void store_op_clear(struct store_op *op)
{
	assert(!op->private);
	free(op->jobs);
	free(op->events);
	*op = (struct store_op){ 0 };
}

static int run_check(struct store_request *r, struct err *err)
{
	return make_sure(r->s, err);
}

/* What it found is told by tell_damage(), or by the next write. */
static void on_checked(struct store_op *op, const struct err *err)
{
	struct store *s = CONTAINER_OF(op, struct store, check);

	if (err)
		s->unsynced = true;
	else
		sync_start(s);
}

void store_start(struct store *s, void (*damaged)(void *data, const struct err *err), void *data)
{
	s->on_damage = damaged;
	s->on_damage_data = data;
	s->check.done = on_checked;
	store_request_submit(store_request_new(s, &s->check, run_check));
}

struct err store_distrust(const struct store *s)
{
	return s->damaged;
}

const char *store_damage(struct store *s)
{
	struct err ignored;

	if (*s->aside)
		(void)store_find_aside(s, s->aside, &ignored);
	return *s->aside ? s->aside : NULL;
}

int store_open(struct store **ret, struct loop *loop, const char *dir, const struct err *distrust,
               struct store_found *found, struct err *err)
{
	struct store *s = xcalloc(1, sizeof(*s));
	struct work_frame frame = { .begin = batch_begin, .end = batch_end, .data = s };
	struct store_found ignored;

	found = found ? found : &ignored;
	*found = (struct store_found){ 0 };
	if (distrust)
		s->damaged = *distrust;
	s->dir = s->lock = -1;
	if (pthread_mutex_init(&s->stats_lock, NULL))
		abort();
	if (fs_open_dir(dir, 0700, true, &s->dir, err) < 0)
		goto fail;
	if (fs_lock(s->dir, "lock", &s->lock, err) < 0) {
		(void)err_wrap(err, "state directory %s", dir);
		goto fail;
	}
	if (store_schema_open(s, dir, found, err) < 0)
		goto fail;
	if (work_open(&s->work, loop, &frame, BATCH_MAX, err) < 0)
		goto fail;
	store_life_look(s);
	*ret = s;
	return 0;
fail:
	store_close(s);
	return -1;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	s->closing = true;
	s->on_damage = NULL;
	if (s->work)
		work_close(s->work);
	printer_files_sync_end(s);
	for (size_t i = 0; i < ARRAY_SIZE(s->statements); i++)
		(void)sqlite3_finalize(s->statements[i]);
	if (s->sound && s->lives)
		store_life_end(s);
	/* What is not known to be sound stays as it was found. */
	if (s->db && s->sound &&
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL) == SQLITE_OK)
		(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
		                                NULL);
	(void)sqlite3_close(s->db);
	close_fd(&s->lock);
	close_fd(&s->dir);
	(void)pthread_mutex_destroy(&s->stats_lock);
	free(s);
}

struct store_stats store_stats(const struct store *s)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&s->stats_lock;
	struct store_stats stats;

	pthread_mutex_lock(lock);
	stats = s->stats;
	pthread_mutex_unlock(lock);
	return stats;
}

const struct store_ops store_ops = {
	.job_add = store_job_add,
	.job_save = store_job_save,
	.job_save_lazy = store_job_save_lazy,
	.job_drop = store_job_drop,
	.job_find = store_job_find,
	.job_get = store_job_get,
	.jobs_trim = store_jobs_trim,
	.printer_save = store_printer_save,
	.printer_drop = store_printer_drop,
	.op_clear = store_op_clear,
	.stats = store_stats,
	.damage = store_damage,
};
