/* store.h - printers and jobs in SQLite (state.db: WAL, synchronous=FULL, STRICT), durable when
 * done() says so. Writes wait together and become one commit; a failing one does not undo the
 * others. The only SQL in the project. Contract of struct store_op: base/op.h, without cancel.
 *
 * The row of a job in state "reporting" is the outbox: outcome and report are one write.
 * Loop thread only. */
#ifndef CONNECTOR_STORE_STORE_H
#define CONNECTOR_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connector/base/histogram.h"
#include "connector/base/records.h"
#include "connector/base/work.h"

struct attrs;
struct clock;
struct loop;
struct store;

#define STORE_NAME_SIZE 64

/* What opening met. */
struct store_found {
	char aside[STORE_NAME_SIZE]; /* where the damaged files are now; "" nothing was damaged */
	char why[TEXT_SIZE];
	unsigned printers, printers_lost; /* recovered; known by their key or file only */
	unsigned jobs_open, jobs_done;    /* recovered; how many were not, nobody can know */
};

/* Opens or makes DIR/state.db, and holds DIR/lock: a second instance gets ERR_REJECTED with the
 * other's process id. A newer schema than ours: ERR_REJECTED.
 *
 * Damaged, or distrusted by the caller (the reason, NULL none): the files are set aside as
 * state.db.damaged-TIME, a new database is begun with what can be had of printers and jobs, and
 * *found (may be NULL) says so. Only what is needed to open is checked here, since all of it takes
 * longer the longer the history is: the rest before the first write, see store_start(). */
int store_open(struct store **ret, struct loop *loop, const char *dir, const struct err *distrust,
               struct store_found *found, struct err *err);
/* The loop is about to run: checks all of the content, behind what was submitted before it but
 * before anything is written, so that nothing is acknowledged on a database that is not sound.
 * damaged(): from now on every operation fails with that reason; close the store and open it
 * again, distrusting it. At most once. */
void store_start(struct store *s, void (*damaged)(void *data, const struct err *err), void *data);
/* Writes what is queued, but nothing to a damaged database; NULL is fine. */
void store_close(struct store *s);
/* The newest set-aside database in the directory, or NULL. An administrator who has seen to it
 * takes it away. Borrowed until called again. */
const char *store_damage(struct store *s);

/* At start, before store_start(). Arrays are the caller's to free(). ERR_CORRUPT: as damaged(),
 * with the reason of store_distrust(). */
int store_load_printers(struct store *s, struct printer_record **ret, size_t *ret_count,
                        struct err *err);
/* The last to be called of these: the daemon's life begins with it. Every job that is not done,
 * with its ticket (attrs_unref() each, then free()). A job whose ticket is damaged comes with
 * ticket NULL. */
struct stored_job {
	struct job_record job;
	struct attrs *ticket;
};
int store_load_open_jobs(struct store *s, struct stored_job **ret, size_t *ret_count,
                         struct err *err);
/* How often in a row the daemon ended without having stopped, until this start. */
unsigned store_crashes(const struct store *s);
/* It has lived long enough for that not to count any more. */
void store_settle(struct store *s);
struct err store_distrust(const struct store *s); /* kind ERR_NONE: no damage was met */

struct store_op {
	void *data;
	void (*done)(struct store_op *op, const struct err *err);

	/* results */
	struct job_record job;   /* store_job_add: as stored, with id; store_job_get */
	bool existed;            /* store_job_add: this cloud job is known; ->job is what is
	                            remembered of it, nothing was written */
	struct job_record *jobs; /* store_jobs_list; owned by the operation, store_op_clear() */
	size_t job_count;
	int64_t older;            /* store_jobs_list without before: how many the limit left out */
	struct job_event *events; /* store_job_get; likewise */
	size_t event_count;

	struct store_request *private;
};
void store_op_clear(struct store_op *op); /* frees results and zeroes; not while it runs */

/* A claimed job: row and ticket's raw bytes. Its id is given here. */
void store_job_add(struct store *s, struct store_op *op, const struct job_record *job,
                   const struct attrs *ticket);
/* The whole row, and its events, in one go. */
void store_job_save(struct store *s, struct store_op *op, const struct job_record *job,
                    const struct job_event *events, size_t event_count);
/* The same for what need not be durable now: it joins another commit, within a second. Later
 * writes of the same job stay behind it. */
void store_job_save_lazy(struct store *s, struct store_op *op, const struct job_record *job,
                         const struct job_event *events, size_t event_count);
/* Forgets a job that turned out not to be ours. */
void store_job_drop(struct store *s, struct store_op *op, int64_t id);

/* Newest first. printer NULL: all; before: those with a lower id only, 0: all. */
void store_jobs_list(struct store *s, struct store_op *op, const char *printer, int64_t before,
                     unsigned limit);
/* ERR_GONE when there is none. */
void store_job_get(struct store *s, struct store_op *op, int64_t id);
/* The newest job of that cloud number at a printer; ERR_GONE when none is remembered. */
void store_job_find(struct store *s, struct store_op *op, const char *printer, int32_t cloud_job);
/* Deletes details of jobs done before `history` and identities done before `identity` (Unix ms). */
void store_jobs_trim(struct store *s, struct store_op *op, int64_t history, int64_t identity);

void store_printer_save(struct store *s, struct store_op *op, const struct printer_record *p);
void store_printer_drop(struct store *s, struct store_op *op, const char *id); /* jobs stay */

struct store_stats {
	uint64_t commits, writes;
	int failing; /* the last commit failed */
	struct err last;
	struct histogram took; /* commits */
};
struct store_stats store_stats(const struct store *s);

/* What core writes and reads while it runs; tests replace it. */
struct store_ops {
	void (*job_add)(struct store *s, struct store_op *op, const struct job_record *job,
	                const struct attrs *ticket);
	void (*job_save)(struct store *s, struct store_op *op, const struct job_record *job,
	                 const struct job_event *events, size_t event_count);
	void (*job_save_lazy)(struct store *s, struct store_op *op, const struct job_record *job,
	                      const struct job_event *events, size_t event_count);
	void (*job_drop)(struct store *s, struct store_op *op, int64_t id);
	void (*job_find)(struct store *s, struct store_op *op, const char *printer,
	                 int32_t cloud_job);
	void (*job_get)(struct store *s, struct store_op *op, int64_t id);
	void (*jobs_trim)(struct store *s, struct store_op *op, int64_t history, int64_t identity);
	void (*printer_save)(struct store *s, struct store_op *op, const struct printer_record *p);
	void (*printer_drop)(struct store *s, struct store_op *op, const char *id);
	void (*op_clear)(struct store_op *op);
	struct store_stats (*stats)(const struct store *s);
	const char *(*damage)(struct store *s);
};

extern const struct store_ops store_ops; /* the real ones */

#endif
