/* store_jobs.c - jobs, their tickets and their time-lines in state.db. */
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/store/store_private.h"

#define TICKET_MAX (1 << 20) /* bytes; far above what a cloud client accepts */
#define EVENTS_MAX 200       /* of one job; the oldest go */
#define LIST_MAX   5000      /* jobs in one answer */
#define TRIM_STEP  500       /* jobs at once, so that others come in between */

static int read_job(sqlite3_stmt *q, struct job_record *ret, struct err *err)
{
	ret->id = sqlite3_column_int64(q, 0);
	return store_read_record(q, 1, job_columns, job_column_count, ret, err);
}

static int gone(int64_t id, struct err *err)
{
	return err_set(err, ERR_GONE, 0, "there is no job %lld", (long long)id);
}

/* ---- add ---- */

/* 1: this job of the cloud is known, and r->job is what we have of it. */
static int find_identity(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	struct job_record *job = &r->job, known = { 0 };
	bool by_uuid = *job->cloud_uuid;
	int rc;

	if (store_statement(r->s, by_uuid ? STMT_JOB_FIND : STMT_JOB_FIND_OLD, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, job->printer, -1, SQLITE_STATIC);
	if (by_uuid) {
		(void)sqlite3_bind_text(q, 2, job->cloud_uuid, -1, SQLITE_STATIC);
	} else {
		(void)sqlite3_bind_int(q, 2, job->cloud_job);
		(void)sqlite3_bind_int64(q, 3, job->cloud_created);
	}
	rc = store_step(r->s, q, err);
	if (rc <= 0)
		return rc;
	if (read_job(q, &known, err) < 0)
		return -1;
	*job = known;
	return 1;
}

static int insert_ticket(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (!r->ticket.len)
		return 0;
	if (store_statement(r->s, STMT_TICKET_INSERT, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, r->job.id);
	(void)sqlite3_bind_blob(q, 2, r->ticket.data, (int)r->ticket.len, SQLITE_STATIC);
	return store_step(r->s, q, err);
}

static int run_add(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc = find_identity(r, err);

	if (rc != 0) {
		r->existed = rc > 0;
		return rc < 0 ? -1 : 0;
	}
	if (store_statement(r->s, STMT_JOB_INSERT, &q, err) < 0)
		return -1;
	store_bind_record(q, job_columns, job_column_count, &r->job);
	if (store_step(r->s, q, err) < 0)
		return -1;
	r->job.id = sqlite3_last_insert_rowid(r->s->db);
	return insert_ticket(r, err);
}

static bool finish_job(struct store_request *r, const struct err *err)
{
	if (!err) {
		r->op->job = r->job;
		r->op->existed = r->existed;
	}
	return false;
}

void store_job_add(struct store *s, struct store_op *op, const struct job_record *job,
                   const struct attrs *ticket)
{
	struct store_request *r = store_request_new(s, op, run_add);

	r->writes = true;
	r->finish = finish_job;
	r->job = *job;
	r->job.id = 0;
	buf_init(&r->ticket, TICKET_MAX);
	if (ticket)
		(void)attrs_encode(ticket, &r->ticket, &r->refused);
	store_request_submit(r);
}

/* ---- save and drop ---- */

static int bound_events(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, STMT_EVENT_BOUND, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, r->job.id);
	(void)sqlite3_bind_int(q, 2, EVENTS_MAX);
	return store_step(r->s, q, err);
}

static int insert_event(struct store_request *r, const struct job_event *event, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, STMT_EVENT_INSERT, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, r->job.id);
	(void)sqlite3_bind_int64(q, 2, event->time);
	(void)sqlite3_bind_text(q, 3, event->source,
	                        (int)strnlen(event->source, sizeof(event->source)), SQLITE_STATIC);
	(void)sqlite3_bind_text(q, 4, event->text, (int)strnlen(event->text, sizeof(event->text)),
	                        SQLITE_STATIC);
	return store_step(r->s, q, err);
}

/* Runs a statement whose one parameter is the job's id. */
static int run_by_id(struct store *s, enum store_statement which, int64_t id, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(s, which, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, id);
	return store_step(s, q, err);
}

static int update_job(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, STMT_JOB_UPDATE, &q, err) < 0)
		return -1;
	store_bind_record(q, job_columns, job_column_count, &r->job);
	(void)sqlite3_bind_int64(q, (int)job_column_count + 1, r->job.id);
	if (store_step(r->s, q, err) < 0)
		return -1;
	return sqlite3_changes(r->s->db) ? 0 : gone(r->job.id, err);
}

static int run_save(struct store_request *r, struct err *err)
{
	if (update_job(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->event_count; i++)
		if (insert_event(r, &r->events[i], err) < 0)
			return -1;
	if (r->event_count && bound_events(r, err) < 0)
		return -1;
	if (r->job.state == JOB_DONE)
		return run_by_id(r->s, STMT_TICKET_DELETE, r->job.id, err);
	return 0;
}

static struct store_request *new_save(struct store *s, struct store_op *op,
                                      const struct job_record *job, const struct job_event *events,
                                      size_t count)
{
	struct store_request *r = store_request_new(s, op, run_save);
	size_t skip = count > EVENTS_MAX ? count - EVENTS_MAX : 0;

	r->writes = true;
	r->job = *job;
	r->event_count = count - skip;
	if (r->event_count) {
		r->events = xcalloc(r->event_count, sizeof(*events));
		memcpy(r->events, events + skip, r->event_count * sizeof(*events));
	}
	return r;
}

void store_job_save(struct store *s, struct store_op *op, const struct job_record *job,
                    const struct job_event *events, size_t event_count)
{
	store_request_submit(new_save(s, op, job, events, event_count));
}

void store_job_save_lazy(struct store *s, struct store_op *op, const struct job_record *job,
                         const struct job_event *events, size_t event_count)
{
	struct store_request *r = new_save(s, op, job, events, event_count);

	r->lazy = true;
	store_request_submit(r);
}

static int run_drop(struct store_request *r, struct err *err)
{
	if (run_by_id(r->s, STMT_JOB_DELETE, r->id, err) < 0)
		return -1;
	return sqlite3_changes(r->s->db) ? 0 : gone(r->id, err);
}

void store_job_drop(struct store *s, struct store_op *op, int64_t id)
{
	struct store_request *r = store_request_new(s, op, run_drop);

	r->writes = true;
	r->id = id;
	store_request_submit(r);
}

/* ---- list and get ---- */

static void bind_range(struct store_request *r, sqlite3_stmt *q, int64_t before)
{
	(void)sqlite3_bind_int64(q, 1, before);
	if (r->by_printer)
		(void)sqlite3_bind_text(q, 3, r->printer.id, -1, SQLITE_STATIC);
}

/* How many are older than the last one of the list. */
static int count_older(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (r->job_count < r->limit)
		return 0;
	if (store_statement(r->s, r->by_printer ? STMT_JOB_COUNT_PRINTER : STMT_JOB_COUNT, &q,
	                    err) < 0)
		return -1;
	bind_range(r, q, r->job_count ? r->jobs[r->job_count - 1].id : r->id);
	if (store_step(r->s, q, err) < 0)
		return -1;
	r->older = sqlite3_column_int64(q, 0);
	return 0;
}

static int run_list(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc;

	if (store_statement(r->s, r->by_printer ? STMT_JOB_LIST_PRINTER : STMT_JOB_LIST, &q, err) <
	    0)
		return -1;
	bind_range(r, q, r->id);
	(void)sqlite3_bind_int64(q, 2, r->limit);
	while ((rc = store_step(r->s, q, err)) > 0) {
		if (store_grow(&r->jobs, r->job_count, sizeof(*r->jobs), err) < 0 ||
		    read_job(q, &r->jobs[r->job_count], err) < 0)
			return -1;
		r->job_count++;
	}
	if (rc < 0 || r->id != INT64_MAX)
		return rc;
	return count_older(r, err);
}

static bool finish_list(struct store_request *r, const struct err *err)
{
	if (!err) {
		r->op->jobs = TAKE(r->jobs);
		r->op->job_count = r->job_count;
		r->op->older = r->older;
	}
	return false;
}

void store_jobs_list(struct store *s, struct store_op *op, const char *printer, int64_t before,
                     unsigned limit)
{
	struct store_request *r = store_request_new(s, op, run_list);

	r->finish = finish_list;
	r->by_printer = printer != NULL;
	if (printer)
		(void)str_copy(r->printer.id, sizeof(r->printer.id), printer);
	r->id = before ? before : INT64_MAX;
	r->limit = limit < LIST_MAX ? limit : LIST_MAX;
	store_request_submit(r);
}

static int read_events(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	struct job_event *event;
	int rc;

	if (store_statement(r->s, STMT_EVENT_LIST, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, r->id);
	while ((rc = store_step(r->s, q, err)) > 0) {
		if (store_grow(&r->events, r->event_count, sizeof(*r->events), err) < 0)
			return -1;
		event = &r->events[r->event_count++];
		event->time = sqlite3_column_int64(q, 0);
		store_read_text(q, 1, event->source, sizeof(event->source));
		store_read_text(q, 2, event->text, sizeof(event->text));
	}
	return rc;
}

static int run_get(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc;

	if (store_statement(r->s, STMT_JOB_GET, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, r->id);
	rc = store_step(r->s, q, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return gone(r->id, err);
	if (read_job(q, &r->job, err) < 0)
		return -1;
	return read_events(r, err);
}

static bool finish_get(struct store_request *r, const struct err *err)
{
	if (!err) {
		r->op->events = TAKE(r->events);
		r->op->event_count = r->event_count;
	}
	return finish_job(r, err);
}

void store_job_get(struct store *s, struct store_op *op, int64_t id)
{
	struct store_request *r = store_request_new(s, op, run_get);

	r->finish = finish_get;
	r->id = id;
	store_request_submit(r);
}

static int run_find(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;
	int rc;

	if (store_statement(r->s, STMT_JOB_NEWEST, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, r->printer.id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(q, 2, r->id);
	rc = store_step(r->s, q, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(err, ERR_GONE, 0, "no job %lld of that cloud is known",
		               (long long)r->id);
	return read_job(q, &r->job, err);
}

void store_job_find(struct store *s, struct store_op *op, const char *printer, int32_t cloud_job)
{
	struct store_request *r = store_request_new(s, op, run_find);

	r->finish = finish_job;
	(void)str_copy(r->printer.id, sizeof(r->printer.id), printer);
	r->id = cloud_job;
	store_request_submit(r);
}

/* ---- trim ---- */

/* Returns how many rows, or -1. */
static int trim(struct store_request *r, enum store_statement which, int64_t before,
                struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, which, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_int64(q, 1, before);
	(void)sqlite3_bind_int(q, 2, TRIM_STEP);
	if (store_step(r->s, q, err) < 0)
		return -1;
	return sqlite3_changes(r->s->db);
}

/* Details go last from the row, since that is what says that they are there. A row whose details
 * are still wanted stays, however old. */
static int run_trim(struct store_request *r, struct err *err)
{
	int64_t before = r->identity < r->history ? r->identity : r->history;
	int details, jobs;

	if (trim(r, STMT_TRIM_EVENTS, r->history, err) < 0 ||
	    trim(r, STMT_TRIM_TICKETS, r->history, err) < 0)
		return -1;
	details = trim(r, STMT_TRIM_DETAILS, r->history, err);
	if (details < 0)
		return -1;
	jobs = trim(r, STMT_TRIM_JOBS, before, err);
	r->more = details == TRIM_STEP || jobs == TRIM_STEP;
	return jobs < 0 ? -1 : 0;
}

static bool finish_trim(struct store_request *r, const struct err *err)
{
	if (err || !r->more || r->s->closing)
		return false;
	store_request_submit(r);
	return true;
}

void store_jobs_trim(struct store *s, struct store_op *op, int64_t history, int64_t identity)
{
	struct store_request *r = store_request_new(s, op, run_trim);

	r->writes = true;
	r->finish = finish_trim;
	r->history = history;
	r->identity = identity;
	store_request_submit(r);
}

/* ---- at start ---- */

static void read_ticket(sqlite3_stmt *q, int column, struct attrs **ret)
{
	const void *data = sqlite3_column_blob(q, column);
	int len = sqlite3_column_bytes(q, column);
	struct err ignored;

	if (data && len > 0 && len <= TICKET_MAX)
		(void)attrs_decode(data, (size_t)len, ret, &ignored);
}

int store_load_open_jobs(struct store *s, struct stored_job **ret, size_t *ret_count,
                         struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	struct stored_job *list = NULL;
	size_t count = 0;
	int rc;

	if (store_prepare(s,
	                  "SELECT id, " JOB_NAMES ", (SELECT data FROM tickets WHERE job = id)"
	                  " FROM jobs WHERE state <> 'done' ORDER BY id",
	                  &q, err) < 0)
		return -1;
	while ((rc = store_step(s, q, err)) > 0) {
		if (store_grow(&list, count, sizeof(*list), err) < 0 ||
		    read_job(q, &list[count].job, err) < 0) {
			rc = -1;
			break;
		}
		store_life_count(s, &list[count].job);
		read_ticket(q, (int)job_column_count + 1, &list[count++].ticket);
	}
	if (rc < 0) {
		for (size_t i = 0; i < count; i++)
			attrs_unref(list[i].ticket);
		free(list);
		return store_unsound(s, err);
	}
	store_life_begin(s);
	*ret = list;
	*ret_count = count;
	return 0;
}
