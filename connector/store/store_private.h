/* store_private.h - what the files of store/ share; nobody else includes it. After store_open()
 * everything here runs on the work queue, except where said. */
#ifndef CONNECTOR_STORE_STORE_PRIVATE_H
#define CONNECTOR_STORE_STORE_PRIVATE_H

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/work.h"
#include "connector/base/records.h"
#include "connector/store/store.h"

/* The fields of each record, which are its columns too, for reading and for writing: FIRST the
 * first, X the others, AS those whose column has another name. Not listed: job_record.id, given by
 * the database. */
#define JOB_COLUMNS(FIRST, X)                                                                      \
	FIRST(uuid)                                                                                \
	X(printer)                                                                                 \
	X(cloud_job)                                                                               \
	X(cloud_uuid)                                                                              \
	X(cloud_created)                                                                           \
	X(state)                                                                                   \
	X(outcome)                                                                                 \
	X(acknowledged)                                                                            \
	X(refused)                                                                                 \
	X(cancel_requested)                                                                        \
	X(taken_back)                                                                              \
	X(crashes)                                                                                 \
	X(attempt)                                                                                 \
	X(local_job)                                                                               \
	X(local_printer_uuid)                                                                      \
	X(local_job_uuid)                                                                          \
	X(closed)                                                                                  \
	X(documents)                                                                               \
	X(bytes)                                                                                   \
	X(impressions)                                                                             \
	X(sheets)                                                                                  \
	X(job_name)                                                                                \
	X(user_name)                                                                               \
	X(user_uri)                                                                                \
	X(format)                                                                                  \
	X(error_kind)                                                                              \
	X(error_code)                                                                              \
	X(error_text)                                                                              \
	X(report_reasons)                                                                          \
	X(report_message)                                                                          \
	X(dropped)                                                                                 \
	X(next_try)                                                                                \
	X(received)                                                                                \
	X(acked)                                                                                   \
	X(handed)                                                                                  \
	X(finished)                                                                                \
	X(reported)

#define PRINTER_COLUMNS(FIRST, X, AS)                                                              \
	FIRST(id)                                                                                  \
	X(queue)                                                                                   \
	X(cloud)                                                                                   \
	X(name)                                                                                    \
	X(cloud_uri)                                                                               \
	X(cloud_printer)                                                                           \
	X(username)                                                                                \
	X(password_file)                                                                           \
	X(certificate_file)                                                                        \
	X(key_file)                                                                                \
	X(own_certificate)                                                                         \
	X(second_pair)                                                                             \
	X(registering)                                                                             \
	AS(cloud_device, identity.device)                                                          \
	AS(token_url, identity.token_url)                                                          \
	AS(client_id, identity.client_id)                                                          \
	AS(redirect_uri, identity.redirect_uri)                                                    \
	AS(resource, identity.resource)                                                            \
	AS(registration_id, identity.registration_id)                                              \
	X(pinned_key)                                                                              \
	X(paused)                                                                                  \
	X(created)                                                                                 \
	X(owner)                                                                                   \
	X(epoch)

/* The same as SQL: "a, b", "?, ?" and "a = ?, b = ?". */
#define SQL_NAME_FIRST(name)      #name
#define SQL_NAME(name)            ", " #name
#define SQL_NAME_AS(name, field)  ", " #name
#define SQL_VALUE_FIRST(name)     "?"
#define SQL_VALUE(name)           ", ?"
#define SQL_VALUE_AS(name, field) ", ?"
#define SQL_SET_FIRST(name)       #name " = ?"
#define SQL_SET(name)             ", " #name " = ?"

#define JOB_NAMES      JOB_COLUMNS(SQL_NAME_FIRST, SQL_NAME)
#define JOB_VALUES     JOB_COLUMNS(SQL_VALUE_FIRST, SQL_VALUE)
#define JOB_SETS       JOB_COLUMNS(SQL_SET_FIRST, SQL_SET)
#define PRINTER_NAMES  PRINTER_COLUMNS(SQL_NAME_FIRST, SQL_NAME, SQL_NAME_AS)
#define PRINTER_VALUES PRINTER_COLUMNS(SQL_VALUE_FIRST, SQL_VALUE, SQL_VALUE_AS)

enum column_type {
	COLUMN_TEXT,
	COLUMN_INTERNED,
	COLUMN_BOOL,
	COLUMN_INT32,
	COLUMN_INT64,
	COLUMN_STATE,
	COLUMN_OUTCOME,
	COLUMN_ERROR,
};

struct column {
	const char *name;
	enum column_type type;
	size_t offset, size; /* of the field in its record */
};

extern const struct column job_columns[], printer_columns[];
extern const size_t job_column_count, printer_column_count;

/* Binds the record's fields from parameter 1 on; its texts must stay until the statement is done.
 */
void store_bind_record(sqlite3_stmt *q, const struct column *columns, size_t count,
                       const void *record);
/* Reads result columns from `first` on; text is cut to its field. -1: a word that we never wrote.
 */
int store_read_record(sqlite3_stmt *q, int first, const struct column *columns, size_t count,
                      void *record, struct err *err);
void store_read_text(sqlite3_stmt *q, int column, char *ret, size_t size);

/* Prepared at first use and kept. */
#define STORE_STATEMENTS(X)                                                                        \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                \
	X(COMMIT, "COMMIT")                                                                        \
	X(ROLLBACK, "ROLLBACK")                                                                    \
	X(SAVEPOINT, "SAVEPOINT item")                                                             \
	X(UNDO, "ROLLBACK TO item")                                                                \
	X(RELEASE, "RELEASE item")                                                                 \
	X(JOB_FIND, "SELECT id, " JOB_NAMES                                                        \
	            " FROM jobs WHERE printer = ?1 AND cloud_uuid = ?2 AND cloud_uuid <> ''")      \
	X(JOB_FIND_OLD, "SELECT id, " JOB_NAMES " FROM jobs WHERE printer = ?1 AND cloud_job = ?2" \
	                " AND cloud_created = ?3 AND cloud_uuid = ''")                             \
	X(JOB_INSERT, "INSERT INTO jobs (" JOB_NAMES ") VALUES (" JOB_VALUES ")")                  \
	X(JOB_RESTORE,                                                                             \
	  "INSERT OR IGNORE INTO jobs (" JOB_NAMES ", id) VALUES (" JOB_VALUES ", ?)")             \
	X(JOB_UPDATE, "UPDATE jobs SET " JOB_SETS ", detailed = 1 WHERE id = ?")                   \
	X(JOB_DELETE, "DELETE FROM jobs WHERE id = ?")                                             \
	X(JOB_GET, "SELECT id, " JOB_NAMES " FROM jobs WHERE id = ?")                              \
	X(JOB_LIST, "SELECT id, " JOB_NAMES " FROM jobs WHERE id < ?1 ORDER BY id DESC LIMIT ?2")  \
	X(JOB_LIST_PRINTER, "SELECT id, " JOB_NAMES " FROM jobs WHERE printer = ?3 AND id < ?1"    \
	                    " ORDER BY id DESC LIMIT ?2")                                          \
	X(JOB_COUNT, "SELECT count(*) FROM jobs INDEXED BY jobs_printer WHERE id < ?1")            \
	X(JOB_COUNT_PRINTER, "SELECT count(*) FROM jobs WHERE printer = ?3 AND id < ?1")           \
	X(JOB_NEWEST, "SELECT id, " JOB_NAMES " FROM jobs WHERE printer = ?1 AND cloud_job = ?2"   \
	              " ORDER BY id DESC LIMIT 1")                                                 \
	X(TICKET_INSERT, "INSERT INTO tickets (job, data) VALUES (?, ?)")                          \
	X(TICKET_DELETE, "DELETE FROM tickets WHERE job = ?")                                      \
	X(EVENT_INSERT, "INSERT INTO job_events (job, number, time, source, text)"                 \
	                " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4"                     \
	                " FROM job_events WHERE job = ?1")                                         \
	X(EVENT_BOUND, "DELETE FROM job_events WHERE job = ?1 AND number <="                       \
	               " (SELECT max(number) FROM job_events WHERE job = ?1) - ?2")                \
	X(EVENT_LIST, "SELECT time, source, text FROM job_events WHERE job = ? ORDER BY number")   \
	X(TRIM_EVENTS, "DELETE FROM job_events WHERE job IN (" TRIM_OLD ")")                       \
	X(TRIM_TICKETS, "DELETE FROM tickets WHERE job IN (" TRIM_OLD ")")                         \
	X(TRIM_DETAILS, "UPDATE jobs SET detailed = 0, job_name = '', user_name = '',"             \
	                " user_uri = '', dropped = '' WHERE id IN (" TRIM_OLD ")")                 \
	X(TRIM_JOBS, "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'done'"      \
	             " AND detailed = 0 AND " DONE_TIME " < ?1 LIMIT ?2)")                         \
	X(PRINTER_SAVE, "REPLACE INTO printers (" PRINTER_NAMES ") VALUES (" PRINTER_VALUES ")")   \
	X(PRINTER_GET, "SELECT " PRINTER_NAMES " FROM printers WHERE id = ?")                      \
	X(PRINTERS_AFTER, "SELECT " PRINTER_NAMES " FROM printers WHERE id > ? ORDER BY id")       \
	X(PRINTER_DELETE, "DELETE FROM printers WHERE id = ?")

/* When a job was done. In the index jobs_done too, so the text must stay the same. */
#define DONE_TIME "max(received, finished, reported)"
#define TRIM_OLD                                                                                   \
	"SELECT id FROM jobs WHERE state = 'done' AND detailed = 1 AND " DONE_TIME                 \
	" < ?1 ORDER BY " DONE_TIME " LIMIT ?2"

enum store_statement {
#define X(name, sql) STMT_##name,
	STORE_STATEMENTS(X)
#undef X
		STMT_COUNT
};

/* How far printer_files_sync() is. */
struct printer_files {
	char last[ID_SIZE]; /* rows up to this one have their files */
	bool rows_done;
	DIR *others; /* where files without a row are looked for; or NULL */
};

struct store {
	struct work *work;
	int dir, lock; /* descriptors; -1: none */
	bool closing;  /* loop thread */

	sqlite3 *db;
	sqlite3_stmt *statements[STMT_COUNT];
	bool begun;           /* this batch has written */
	struct err lost;      /* why SQLite rolled this batch back by itself */
	bool lives;           /* store_life_begin() was called */
	bool crashed;         /* the life before this one did not end by itself */
	unsigned crashes;     /* nor did so many in a row */
	struct store_op life; /* says that this one has begun */
	bool sound;           /* its content was checked, and nothing has told otherwise since */
	struct printer_files files;
	struct err damaged; /* kind set: nothing is read or written any more */

	/* Loop thread. */
	struct store_op check, sync;
	bool unsynced; /* the last try to make the printers' files what their rows are failed */
	void (*on_damage)(void *data, const struct err *err); /* NULL: told, or nobody asked */
	void *on_damage_data;
	char aside[STORE_NAME_SIZE]; /* at least when it was looked at last; "" none */

	pthread_mutex_t stats_lock;
	struct store_stats stats;
};

/* One store_op on its way through the queue: input and output, nothing of the loop's. */
struct store_request {
	struct work_item item;
	struct store *s;
	struct store_op *op; /* loop thread only */
	int (*run)(struct store_request *r, struct err *err);
	/* On the loop before the operation's done(); may be NULL. True: the request was submitted
	 * again. */
	bool (*finish)(struct store_request *r, const struct err *err);
	bool writes, lazy;
	struct err refused; /* kind set: found wrong before it was submitted */

	union {
		struct job_record job;
		struct printer_record printer;
	};
	int64_t id;
	struct buf ticket;
	bool existed, by_printer, more;
	unsigned limit;
	int64_t older;
	int64_t history, identity;
	struct job_record *jobs;
	size_t job_count;
	struct job_event *events; /* in or out */
	size_t event_count;
};

/* Loop thread. */
struct store_request *store_request_new(struct store *s, struct store_op *op,
                                        int (*run)(struct store_request *r, struct err *err));
void store_request_submit(struct store_request *r);

/* Returns -1. What err says decides whether the database is used any more. */
int store_unsound(struct store *s, const struct err *err);
/* Fills err from what SQLite says. "cannot write state.db: disk is full" */
int store_error(sqlite3 *db, const char *verb, struct err *err);
/* Of a clock that never goes back. */
int64_t store_now_us(void);
/* Borrowed, reset by store_statement_done() (for AUTO()). */
int store_statement(struct store *s, enum store_statement which, sqlite3_stmt **ret,
                    struct err *err);
void store_statement_done(sqlite3_stmt **q);
/* Not kept: for store_open() and what follows it on the loop thread. */
int store_prepare(struct store *s, const char *sql, sqlite3_stmt **ret, struct err *err);
void store_finalize(sqlite3_stmt **q);
/* 1: a row, 0: done, -1: err. */
int store_step(struct store *s, sqlite3_stmt *q, struct err *err);
/* Runs one without parameters and results. */
int store_run(struct store *s, enum store_statement which, struct err *err);
/* Room for one more in an array of `count`, a struct pointer of whose address is given; the new
 * element is zero. */
int store_grow(void *array, size_t count, size_t size, struct err *err);

/* ---- store_life.c ---- */

/* Whether the daemon last stopped by itself. Both before the first request: the connection is one
 * thread's at a time. */
void store_life_look(struct store *s);
/* The daemon lives: jobs that were active when it last stopped without store_life_end() count it.
 * Written by a request, so that it waits for the check of the content: after it nothing may be read
 * on the loop's thread. */
void store_life_begin(struct store *s);
/* An open job as it is when that is written. */
void store_life_count(const struct store *s, struct job_record *job);
void store_life_end(struct store *s);

/* Opens DIR/NAME as it is: nothing is migrated, repaired or set aside. */
int store_file_open(struct store *s, const char *dir, const char *name, struct err *err);
/* Opens DIR/state.db on s->dir: sets aside, migrates, recovers. Its content is not checked yet. */
int store_schema_open(struct store *s, const char *dir, struct store_found *found, struct err *err);
/* ERR_CORRUPT: it is damaged; ERR_TEMPORARY: it cannot be read now. */
int store_schema_check(struct store *s, struct err *err);

/* ---- store_recover.c ---- */

#define STORE_DB "state.db"

/* Renames the files of the closed database to DB.damaged-TIME; its name goes to found. */
int store_set_aside(struct store *s, struct store_found *found, struct err *err);
/* The newest file that was ever set aside and is still there, or "". */
int store_find_aside(const struct store *s, char ret[STORE_NAME_SIZE], struct err *err);
/* Within the transaction that makes a new database: what can be had of the one set aside. */
int store_recover(struct store *s, const char *dir, struct store_found *found, struct err *err);

#endif
