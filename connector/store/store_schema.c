/* Opening state.db: open, migrate; checking it.
 *
 * What can fail: the disk (temporary, nothing is touched); a newer schema or another program's
 * database (rejected, nothing is touched); damage (store_recover.c). An empty database beside files
 * of printers is damage too: it is made with its first start, long before there are printers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/store/printer_files.h"
#include "connector/store/store_private.h"
#include "connector/store/store_vfs.h"

#define DB             STORE_DB
#define APPLICATION_ID 0x70726e63 /* "prnc" */
#define BUSY_MS        1000       /* an administrator's sqlite3 may look in */

/* Step n makes schema n of schema n - 1. Never changed, only added to. */
static const char *const migrations[] = {
	"CREATE TABLE printers ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" queue TEXT NOT NULL,"
	" cloud TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" cloud_uri TEXT NOT NULL,"
	" cloud_printer TEXT NOT NULL,"
	" username TEXT NOT NULL,"
	" password_file TEXT NOT NULL,"
	" certificate_file TEXT NOT NULL,"
	" key_file TEXT NOT NULL,"
	" own_certificate INTEGER NOT NULL CHECK (own_certificate IN (0, 1)),"
	" pinned_key TEXT NOT NULL,"
	" paused INTEGER NOT NULL CHECK (paused IN (0, 1)),"
	" created INTEGER NOT NULL,"
	" owner TEXT NOT NULL,"
	" epoch INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE jobs ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" uuid TEXT NOT NULL,"
	" printer TEXT NOT NULL,"
	" cloud_job INTEGER NOT NULL,"
	" cloud_uuid TEXT NOT NULL,"
	" cloud_created INTEGER NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('claiming', 'handing', 'printing', 'waiting',"
	"  'held', 'reporting', 'done')),"
	" outcome TEXT NOT NULL CHECK (outcome IN ('', 'completed', 'aborted', 'canceled')),"
	" acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),"
	" refused INTEGER NOT NULL CHECK (refused IN (0, 1)),"
	" cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),"
	" attempt INTEGER NOT NULL,"
	" local_job INTEGER NOT NULL,"
	" local_printer_uuid TEXT NOT NULL,"
	" local_job_uuid TEXT NOT NULL,"
	" closed INTEGER NOT NULL CHECK (closed IN (0, 1)),"
	" documents INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" impressions INTEGER NOT NULL,"
	" sheets INTEGER NOT NULL,"
	" job_name TEXT NOT NULL,"
	" user_name TEXT NOT NULL,"
	" user_uri TEXT NOT NULL,"
	" format TEXT NOT NULL,"
	" error_kind TEXT NOT NULL,"
	" error_code INTEGER NOT NULL,"
	" error_text TEXT NOT NULL,"
	" report_reasons TEXT NOT NULL,"
	" report_message TEXT NOT NULL,"
	" dropped TEXT NOT NULL,"
	" next_try INTEGER NOT NULL,"
	" received INTEGER NOT NULL,"
	" acked INTEGER NOT NULL,"
	" handed INTEGER NOT NULL,"
	" finished INTEGER NOT NULL,"
	" reported INTEGER NOT NULL,"
	" detailed INTEGER NOT NULL DEFAULT 1 CHECK (detailed IN (0, 1))"
	") STRICT;"
	"CREATE UNIQUE INDEX jobs_cloud_uuid ON jobs (printer, cloud_uuid) WHERE cloud_uuid <> '';"
	"CREATE UNIQUE INDEX jobs_cloud_job ON jobs (printer, cloud_job, cloud_created)"
	" WHERE cloud_uuid = '';"
	"CREATE INDEX jobs_printer ON jobs (printer, id);"
	"CREATE INDEX jobs_open ON jobs (id) WHERE state <> 'done';"
	"CREATE INDEX jobs_done ON jobs (detailed, max(received, finished, reported))"
	" WHERE state = 'done';"
	"CREATE TABLE tickets ("
	" job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
	" data BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE job_events ("
	" job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" number INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" source TEXT NOT NULL,"
	" text TEXT NOT NULL,"
	" PRIMARY KEY (job, number)"
	") STRICT, WITHOUT ROWID;",
	"ALTER TABLE printers ADD COLUMN registering INTEGER NOT NULL DEFAULT 0"
	" CHECK (registering IN (0, 1));"
	"ALTER TABLE printers ADD COLUMN second_pair INTEGER NOT NULL DEFAULT 0"
	" CHECK (second_pair IN (0, 1));"
	"ALTER TABLE printers ADD COLUMN cloud_device TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE printers ADD COLUMN token_url TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE printers ADD COLUMN client_id TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE printers ADD COLUMN redirect_uri TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE printers ADD COLUMN resource TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE printers ADD COLUMN registration_id TEXT NOT NULL DEFAULT '';",
	/* boot: of the daemon that runs, or was running when it crashed; '' when it stopped */
	"ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE life (boot TEXT NOT NULL) STRICT;"
	"INSERT INTO life (boot) VALUES ('');",
	/* by the connector itself: its cancel at the queue is nobody's wish */
	"ALTER TABLE jobs ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0;",
	/* of the daemon, in a row */
	"ALTER TABLE life ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;",
};

static int exec(struct store *s, const char *sql, struct err *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_error(s->db, "open", err);
	return 0;
}

static int get_number(struct store *s, const char *sql, int64_t *ret, struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	int rc;

	if (store_prepare(s, sql, &q, err) < 0)
		return -1;
	rc = store_step(s, q, err);
	if (rc > 0)
		*ret = sqlite3_column_int64(q, 0);
	return rc < 0 ? -1 : 0;
}

static bool set_flag(struct store *s, int flag, int on)
{
	return sqlite3_db_config(s->db, flag, on, NULL) == SQLITE_OK;
}

static int open_db(struct store *s, const char *dir, const char *name, struct err *err)
{
	AUTO(free_str) char *path = xasprintf("%s/%s", dir, name);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int rc;

	if (sqlite3_open_v2(path, &s->db, flags, store_vfs_name()) != SQLITE_OK) {
		rc = s->db ? store_error(s->db, "open", err)
		           : err_set(err, ERR_TEMPORARY, 0, "cannot open " DB ": out of memory");
		(void)sqlite3_close(TAKE(s->db));
		return rc;
	}
	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	/* Until it is known to be good, closing must not write to it. */
	if (!set_flag(s, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1) ||
	    !set_flag(s, SQLITE_DBCONFIG_DEFENSIVE, 1) ||
	    !set_flag(s, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0) ||
	    !set_flag(s, SQLITE_DBCONFIG_ENABLE_FKEY, 1) ||
	    !set_flag(s, SQLITE_DBCONFIG_DQS_DDL, 0) || !set_flag(s, SQLITE_DBCONFIG_DQS_DML, 0) ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64) != SQLITE_OK)
		return store_error(s->db, "open", err);
	return exec(s,
	            "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
	            " PRAGMA temp_store = MEMORY; PRAGMA cache_size = -256;",
	            err);
}

static int check_version(struct store *s, int64_t *ret, struct err *err)
{
	int64_t application = 0, version = 0, tables = 0;

	if (get_number(s, "PRAGMA application_id", &application, err) < 0 ||
	    get_number(s, "PRAGMA user_version", &version, err) < 0 ||
	    get_number(s, "SELECT count(*) FROM sqlite_schema", &tables, err) < 0)
		return -1;
	if (application != APPLICATION_ID && (application || version || tables))
		return err_set(err, ERR_REJECTED, 0,
		               DB " belongs to another program; move it away");
	if (version < 0 || version > (int64_t)ARRAY_SIZE(migrations))
		return err_set(err, ERR_REJECTED, 0,
		               DB " was written by a newer version (schema %lld, this one knows"
		                  " %zu); install that version again",
		               (long long)version, ARRAY_SIZE(migrations));
	*ret = version;
	return 0;
}

/* SQLite reports what it cannot read now like what is wrong; that may be whole. */
static bool is_unreadable(const char *report)
{
	const char *code = strstr(report, "error code=");
	long number = code ? strtol(code + strlen("error code="), NULL, 10) & 0xff : 0;

	return number == SQLITE_IOERR || number == SQLITE_NOMEM ||
	       strstr(report, "failed to get page") != NULL ||
	       strstr(report, "failed to read ptrmap") != NULL;
}

int store_schema_check(struct store *s, struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	char text[96];
	int rc;

	if (store_prepare(s, "PRAGMA quick_check(1)", &q, err) < 0)
		return -1;
	rc = store_step(s, q, err);
	if (rc <= 0)
		return rc;
	store_read_text(q, 0, text, sizeof(text));
	str_clean(text, text, sizeof(text));
	if (is_unreadable(text))
		return err_set(err, ERR_TEMPORARY, SQLITE_IOERR, "cannot read " DB ": %s", text);
	if (strcmp(text, "ok") != 0)
		return err_set(err, ERR_CORRUPT, 0, DB " is damaged: %s", text);
	return 0;
}

/* Job ids are never given out again. How far a damaged file had counted is unknown; seconds since
 * 1970 are above it. */
static int64_t first_id(const struct store *s)
{
	return *s->aside ? (int64_t)time(NULL) : 0;
}

/* All in one transaction: a new database has everything that could be recovered, or is not there.
 */
static int migrate(struct store *s, const char *dir, int64_t version, struct store_found *found,
                   struct err *err)
{
	int64_t first = version == 0 ? first_id(s) : 0;
	char sql[192];

	if (version == (int64_t)ARRAY_SIZE(migrations))
		return 0;
	if (exec(s, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (size_t i = (size_t)version; i < ARRAY_SIZE(migrations); i++)
		if (exec(s, migrations[i], err) < 0)
			return -1;
	(void)snprintf(sql, sizeof(sql),
	               "INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', %lld WHERE %d;"
	               "PRAGMA application_id = %d; PRAGMA user_version = %zu",
	               (long long)first, first != 0, APPLICATION_ID, ARRAY_SIZE(migrations));
	if (exec(s, sql, err) < 0 || (version == 0 && store_recover(s, dir, found, err) < 0))
		return -1;
	return exec(s, "COMMIT", err);
}

static int open_whole(struct store *s, const char *dir, struct store_found *found, struct err *err)
{
	int64_t version = 0;

	if (open_db(s, dir, DB, err) < 0 || check_version(s, &version, err) < 0 ||
	    store_find_aside(s, s->aside, err) < 0)
		return -1;
	if (version == 0 && !*s->aside && printer_files_exist(s))
		return err_set(err, ERR_CORRUPT, 0, DB " is empty, but printers are registered");
	/* what is changed at once is checked at once */
	if (version && version < (int64_t)ARRAY_SIZE(migrations) && store_schema_check(s, err) < 0)
		return -1;
	if (exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err) < 0)
		return -1;
	s->sound = version == 0; /* all of it is made here */
	return migrate(s, dir, version, found, err);
}

int store_file_open(struct store *s, const char *dir, const char *name, struct err *err)
{
	int64_t version = 0;

	if (open_db(s, dir, name, err) < 0)
		return -1;
	return check_version(s, &version, err);
}

static bool exists(struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Ours from the start: SQLite gives -wal and -shm the mode that it finds here. */
static int make_file(struct store *s, struct err *err)
{
	AUTO(close_fd) int fd = -1;

	fd = openat(s->dir, DB, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, "open " DB);
	if (fsync(s->dir) < 0)
		return err_errno(err, "make " DB);
	return 0;
}

static void close_db(struct store *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->statements); i++)
		(void)sqlite3_finalize(TAKE(s->statements[i]));
	(void)sqlite3_close(TAKE(s->db));
}

int store_schema_open(struct store *s, const char *dir, struct store_found *found, struct err *err)
{
	bool orphan = !exists(s, DB) && exists(s, DB "-wal");

	if (orphan)
		(void)err_set(err, ERR_CORRUPT, 0, DB " is missing beside its " DB "-wal");
	else if (s->damaged.kind != ERR_NONE)
		*err = s->damaged;
	else {
		if (make_file(s, err) < 0)
			return -1;
		if (open_whole(s, dir, found, err) == 0)
			return 0;
		close_db(s);
		if (err->kind != ERR_CORRUPT)
			return -1;
	}
	(void)str_copy(found->why, sizeof(found->why), err->text);
	err_clear(&s->damaged);
	if (store_set_aside(s, found, err) < 0)
		return -1;
	if (make_file(s, err) < 0 || open_whole(s, dir, found, err) < 0) {
		close_db(s);
		/* nobody else will say it */
		return err_wrap(err, "%.60s; set aside as %s", found->why, found->aside);
	}
	return 0;
}
