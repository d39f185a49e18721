/* The store's promises about its files: who may open them, damage, a full disk, kill -9. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "connector/base/attrs.h"
#include "tests/lib/fault.h"

static char *path_of(struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->dir, name);
}

static int try_open(struct fixture *f, struct err *err)
{
	*err = (struct err){ 0 };
	assert_int_equal(loop_open(&f->loop, err), 0);
	return store_open(&f->store, f->loop, f->dir, NULL, &f->found, err);
}

static bool is_there(struct fixture *f, const char *name)
{
	AUTO(free_str) char *path = path_of(f, name);

	return access(path, F_OK) == 0;
}

/* The full name of the file that begins and ends so; NULL when there is none. */
static char *find_file(struct fixture *f, const char *begin, const char *end)
{
	DIR *dir = opendir(f->dir);
	struct dirent *entry;
	char *found = NULL;

	assert_non_null(dir);
	while (!found && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), tail = strlen(end);

		if (!strncmp(entry->d_name, begin, strlen(begin)) && len >= tail &&
		    !strcmp(entry->d_name + len - tail, end))
			found = xstrdup(entry->d_name);
	}
	(void)closedir(dir);
	return found;
}

static bool is_set_aside(struct fixture *f)
{
	AUTO(free_str) char *name = find_file(f, "state.db.damaged", "");

	return name != NULL;
}

static void patch(struct fixture *f, const char *name, off_t offset, const void *data, size_t len)
{
	AUTO(free_str) char *path = path_of(f, name);
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, offset), (ssize_t)len);
}

/* Bytes of the file that are compared later. */
static void read_whole(struct fixture *f, const char *name, struct buf *ret)
{
	AUTO(free_str) char *path = path_of(f, name);
	struct err err;

	buf_init(ret, 16 << 20);
	if (fs_read(AT_FDCWD, path, 16 << 20, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static void add_some(struct fixture *f, int count)
{
	struct job_record job;

	for (int i = 0; i < count; i++) {
		job = sample_job(i);
		(void)add_new(f, &job);
	}
}

static size_t count_jobs(struct fixture *f)
{
	struct waited w = { 0 };
	size_t count;

	store_jobs_list(f->store, expect(f, &w), NULL, 0, 5000);
	wait_all(f);
	assert_done(&w);
	count = w.op.job_count;
	store_op_clear(&w.op);
	return count;
}

/* ---- who may open ---- */

static void test_a_missing_directory_is_made_for_us_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(rmdir(f->dir), 0);
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_the_files_are_ours_alone(void **state)
{
	static const char *const names[] = { "state.db", "state.db-wal", "state.db-shm", "lock" };
	struct fixture *f = *state;
	mode_t old = umask(0);
	struct stat st;

	fixture_open(f);
	add_some(f, 1);
	(void)umask(old);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(free_str) char *path = path_of(f, names[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_a_clean_close_leaves_one_file_of_the_database(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	add_some(f, 3);
	fixture_close(f);
	assert_true(is_there(f, "state.db"));
	assert_false(is_there(f, "state.db-wal"));
	assert_false(is_there(f, "state.db-shm"));
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	assert_int_equal(count_jobs(f), 3);
}

static void test_a_second_instance_is_refused_with_the_process_id(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *want = xasprintf("already used by process %d", (int)getpid());
	struct store *second = NULL;
	struct err err = { 0 };

	fixture_open(f);
	assert_int_equal(store_open(&second, f->loop, f->dir, NULL, NULL, &err), -1);
	assert_null(second);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, want));
	assert_non_null(strstr(err.text, f->dir));
	add_some(f, 1); /* the first goes on */
}

static void test_the_lock_ends_with_the_process(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fixture_open(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_open(f);
}

static void test_a_read_only_directory_is_an_error_that_says_so(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int status;
	pid_t pid;

	assert_int_equal(chmod(f->dir, 0555), 0);
	pid = fork();
	if (pid == 0) {
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(9);
		if (try_open(f, &err) == 0)
			_exit(1);
		if (err.kind != ERR_DENIED || !strstr(err.text, f->dir))
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_false(is_there(f, "state.db"));
}

/* ---- schema ---- */

#define USER_VERSION   60 /* offsets in the header of an SQLite file */
#define APPLICATION_ID 68

static void test_a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	struct buf before, after;
	struct err err;

	fixture_open(f);
	add_some(f, 2);
	fixture_close(f);
	patch(f, "state.db", USER_VERSION, "\0\0\0\7", 4);
	read_whole(f, "state.db", &before);
	assert_int_equal(try_open(f, &err), -1);
	fixture_close(f);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_string_equal(err.text, "state.db was written by a newer version (schema 7, this one"
	                              " knows 5); install that version again");
	read_whole(f, "state.db", &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	buf_clear(&before);
	buf_clear(&after);

	patch(f, "state.db", USER_VERSION, "\0\0\0\5", 4); /* that version came back */
	fixture_open(f);
	assert_int_equal(count_jobs(f), 2);
}

/* tests/data/state-1.db was written by version 1: three printers and an open job. */
static void put_old(struct fixture *f)
{
	AUTO(free_str) char *path = xasprintf("%s/state.db", f->dir);
	struct err err;
	struct buf db;
	FILE *out;

	buf_init(&db, 1024 * 1024);
	if (fs_read(AT_FDCWD, "tests/data/state-1.db", db.limit, &db, &err) < 0)
		fail_msg("%s", err.text);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(db.data, 1, db.len, out), db.len);
	(void)fclose(out);
	buf_clear(&db);
}

static void assert_old_printers(struct fixture *f)
{
	struct printer_record *p;
	struct stored_job *jobs;
	struct err err;
	size_t count;

	assert_int_equal(store_load_printers(f->store, &p, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(p[0].queue, "laser");
	assert_string_equal(p[0].name, "Second floor");
	assert_true(p[0].own_certificate);
	assert_null(p[0].username);
	assert_null(p[0].key_file);
	assert_string_equal(p[1].username, "office");
	assert_string_equal(p[1].key_file, "/etc/print-connector/office.key");
	assert_true(p[1].paused);
	assert_string_equal(p[2].queue, "ipps://printer.example.com/ipp/print");
	assert_string_equal(p[2].pinned_key,
	                    "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	for (size_t i = 0; i < count; i++) {
		assert_false(p[i].registering);
		assert_false(p[i].second_pair);
		assert_string_equal(p[i].identity.device, "");
		assert_string_equal(p[i].identity.registration_id, "");
		assert_string_equal(p[i].owner, "0123456789abcdef0123456789abcdef");
		assert_int_equal(p[i].created, 1700000000000 + (int64_t)i);
	}
	assert_int_equal(store_load_open_jobs(f->store, &jobs, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(jobs[0].job.cloud_job, 7);
	assert_non_null(jobs[0].ticket);
	attrs_unref(jobs[0].ticket);
	free(jobs);
	free(p);
}

static void test_a_database_of_version_1_is_taken_over_with_all_that_is_in_it(void **state)
{
	struct fixture *f = *state;
	struct printer_record *p;
	struct waited w = { 0 };
	struct err err;
	size_t count;

	put_old(f);
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	assert_old_printers(f);
	fixture_reopen(f);
	assert_old_printers(f);
	assert_int_equal(store_load_printers(f->store, &p, &count, &err), 0);
	p[0].registering = true;
	(void)snprintf(p[0].identity.device, sizeof(p[0].identity.device), "device");
	store_printer_save(f->store, expect(f, &w), &p[0]);
	wait_all(f);
	assert_done(&w);
	free(p);
	fixture_reopen(f);
	assert_int_equal(store_load_printers(f->store, &p, &count, &err), 0);
	assert_true(p[0].registering);
	assert_string_equal(p[0].identity.device, "device");
	free(p);
}

static void test_a_database_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;

	fixture_open(f);
	fixture_close(f);
	patch(f, "state.db", APPLICATION_ID, "GPKG", 4);
	assert_int_equal(try_open(f, &err), -1);
	fixture_close(f);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, "another program"));
	assert_false(is_set_aside(f));
}

/* ---- damage ---- */

static void assert_set_aside(struct fixture *f, const char *why)
{
	AUTO(free_str) char *aside = NULL;

	fixture_open_checked(f);
	aside = find_file(f, "state.db.damaged-", "Z");
	assert_non_null(aside);
	assert_string_equal(f->found.aside, aside);
	assert_string_equal(store_damage(f->store), aside);
	if (!strstr(f->found.why, why))
		fail_msg("%s", f->found.why);
	fixture_close(f);
	fixture_open_checked(f); /* the new one is whole */
	assert_string_equal(f->found.aside, "");
	assert_string_equal(store_damage(f->store), aside); /* somebody is still to look */
}

static void test_a_file_that_is_no_database_is_set_aside(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *aside = NULL;
	struct buf content;

	fixture_open(f);
	add_some(f, 3);
	fixture_close(f);
	patch(f, "state.db", 0, "this is not a database", 22);
	assert_set_aside(f, "not a database");
	aside = find_file(f, "state.db.damaged-", "Z");
	read_whole(f, aside, &content); /* nothing of it was changed */
	assert_memory_equal(content.data, "this is not a database", 22);
	buf_clear(&content);
}

static void test_a_damaged_page_is_found_at_start(void **state)
{
	struct fixture *f = *state;
	char garbage[4096];

	fixture_open(f);
	add_some(f, 30);
	fixture_close(f);
	memset(garbage, 0x5a, sizeof(garbage));
	for (int page = 2; page < 8; page++)
		patch(f, "state.db", page * 4096, garbage, sizeof(garbage));
	assert_set_aside(f, "state.db is damaged");
}

static void test_a_truncated_file_is_found_at_start(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = path_of(f, "state.db");

	fixture_open(f);
	add_some(f, 30);
	fixture_close(f);
	assert_int_equal(truncate(path, 3 * 4096), 0);
	assert_set_aside(f, "state.db is damaged");
}

static void test_an_empty_file_is_a_new_database(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = path_of(f, "state.db");
	AUTO(close_fd) int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	add_some(f, 1);
}

/* ---- a disk that cannot be read now ---- */

static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods sick_methods;
static sqlite3_vfs *real_vfs;
static _Atomic int left; /* so many reads of pages go well ... */
static _Atomic int ill;  /* ... then so many fail */
static bool was_hit;     /* before can_write() closed it */

static int sick_read(sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
	int before = len >= 512 ? left-- : 1;

	if (before <= 0 && before > -ill)
		return SQLITE_IOERR_CORRUPTFS; /* as SQLite names EIO */
	return real_methods->xRead(file, to, len, offset);
}

static int sick_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int rc = real_vfs->xOpen(real_vfs, name, file, flags, out);

	(void)vfs;
	if (rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB)) {
		real_methods = file->pMethods;
		sick_methods = *real_methods;
		sick_methods.xRead = sick_read;
		file->pMethods = &sick_methods;
	}
	return rc;
}

/* Whether a start with such a disk ends in something written. */
static bool can_write(struct fixture *f, struct err *err)
{
	struct job_record job = sample_job(1);
	struct waited w = { 0 };
	bool opened = try_open(f, err) == 0;

	if (opened) {
		store_start(f->store, on_damage, f);
		add_job(f, &w, &job);
		*err = w.err;
		store_op_clear(&w.op);
	}
	was_hit = left < 0;
	left = 1000000; /* closing does not matter */
	fixture_close(f);
	return err->kind == ERR_NONE;
}

/* A database on that disk. */
static void get_sick(struct fixture *f, sqlite3_vfs *sick, int jobs)
{
	fixture_open(f);
	for (int i = 0; i < jobs; i++) {
		struct job_record job = sample_job(100 + i);

		memset(job.dropped, 'x', sizeof(job.dropped) - 1);
		(void)add_new(f, &job);
	}
	fixture_close(f);
	real_vfs = sqlite3_vfs_find(NULL);
	*sick = *real_vfs;
	sick->zName = "sick";
	sick->xOpen = sick_open;
	assert_int_equal(sqlite3_vfs_register(sick, 1), 0);
}

static void test_reads_that_fail_are_no_damage(void **state)
{
	struct fixture *f = *state;
	sqlite3_vfs sick;
	struct err err;
	int tried = 0;

	get_sick(f, &sick, 40);
	ill = 6;
	for (bool reached = true; reached; tried++) {
		left = tried;
		(void)try_open(f, &err);
		reached = left < 0;
		left = 1000000;
		assert_int_not_equal(err.kind, ERR_CORRUPT);
		assert_false(is_set_aside(f));
		fixture_close(f);
	}
	assert_int_equal(sqlite3_vfs_register(real_vfs, 1), 0);
	assert_int_equal(sqlite3_vfs_unregister(&sick), 0);
	assert_true(tried > 2);
}

/* What core does at start; true: all of it was read. */
static bool can_load(struct fixture *f)
{
	struct printer_record *printers = NULL;
	struct stored_job *jobs = NULL;
	size_t count;
	struct err err;
	bool loaded = store_load_printers(f->store, &printers, &count, &err) == 0;

	free(printers);
	if (loaded)
		loaded = store_load_open_jobs(f->store, &jobs, &count, &err) == 0;
	for (size_t i = 0; jobs != NULL && i < count; i++)
		attrs_unref(jobs[i].ticket);
	free(jobs);
	return loaded;
}

static void test_reads_that_fail_while_loading_are_no_damage(void **state)
{
	struct fixture *f = *state;
	sqlite3_vfs sick;
	int tried = 0, loaded = 0;

	get_sick(f, &sick, 200);
	ill = 6;
	for (bool reached = true; reached; tried++) {
		fixture_open(f);
		left = tried;
		loaded += can_load(f);
		reached = left < 0;
		left = 1000000;
		assert_int_equal(store_distrust(f->store).kind, ERR_NONE);
		fixture_close(f);
	}
	assert_int_equal(sqlite3_vfs_register(real_vfs, 1), 0);
	assert_int_equal(sqlite3_vfs_unregister(&sick), 0);
	print_message("%d reads, %d loaded\n", tried, loaded);
	assert_true(tried > 10 && loaded > 0);
}

static void test_reads_that_fail_in_the_check_are_no_damage(void **state)
{
	struct fixture *f = *state;
	sqlite3_vfs sick;
	struct err err;
	int tried = 0, written = 0;

	get_sick(f, &sick, 200); /* more than SQLite keeps: the rows are read once more */
	ill = 6;
	for (bool reached = true; reached; tried++) {
		left = tried;
		written += can_write(f, &err);
		reached = was_hit;
		assert_int_equal(f->damage.kind, ERR_NONE);
		assert_false(is_set_aside(f));
	}
	assert_int_equal(sqlite3_vfs_register(real_vfs, 1), 0);
	assert_int_equal(sqlite3_vfs_unregister(&sick), 0);
	assert_true(written > 0);
	assert_true(tried > 64); /* pages that SQLite keeps */
}

static void test_a_database_that_cannot_be_read_now_is_not_damaged(void **state)
{
	struct fixture *f = *state;
	sqlite3_vfs sick;
	struct err err;
	int tried = 0;

	get_sick(f, &sick, 40);
	ill = INT_MAX;
	for (left = 0; !can_write(f, &err); left = ++tried) {
		assert_int_equal(err.kind, ERR_TEMPORARY);
		assert_int_equal(f->damage.kind, ERR_NONE);
		assert_false(is_set_aside(f));
	}
	assert_int_equal(sqlite3_vfs_register(real_vfs, 1), 0);
	assert_int_equal(sqlite3_vfs_unregister(&sick), 0);
	assert_true(tried > 10);
	assert_string_equal(f->found.aside, "");
}

static void test_ids_go_on_above_those_of_the_damaged_file(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(1);

	fixture_open(f);
	add_some(f, 3);
	fixture_close(f);
	patch(f, "state.db", 0, "this is not a database", 22);
	fixture_open(f);
	assert_true(add_new(f, &job) > 1000000000);
}

static int count_damaged(struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	int found = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!strncmp(entry->d_name, "state.db.damaged-", 17))
			found += !strstr(entry->d_name, "-wal") && !strstr(entry->d_name, "-shm");
	(void)closedir(dir);
	return found;
}

static void test_damages_within_one_second_are_all_kept(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		fixture_open(f);
		fixture_close(f);
		patch(f, "state.db", 0, "this is not a database", 22);
	}
	fixture_open(f);
	assert_int_equal(count_damaged(f), 3);
}

static void test_a_failing_call_while_setting_aside_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct job_record job;
	bool failed = true;
	struct err err;
	int n;

	for (n = 0; failed; n++) {
		fixture_open(f);
		fixture_close(f);
		patch(f, "state.db", 0, "this is not a database", 22);
		fault_arm(n);
		if (try_open(f, &err) < 0)
			assert_int_equal(err.kind, ERR_TEMPORARY);
		failed = fault_disarm();
		fixture_close(f);
		fixture_open(f); /* the next start does what is left */
		assert_int_equal(count_damaged(f), n + 1);
		job = sample_job(n);
		assert_true(add_new(f, &job) > 1000000000);
		fixture_close(f);
	}
	assert_true(n > 3);
}

/* ---- kill -9 ---- */

/* The children open a loop of their own; this process's threads rest meanwhile. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

/* A child that adds jobs until it is killed; the id of each goes through the pipe after done(). */
struct writer {
	struct store_op op;
	struct fixture *f;
	int pipe;
	int next;
};

static void on_added(struct store_op *op, const struct err *err)
{
	struct writer *w = op->data;
	int64_t id = op->job.id;
	struct job_record job;

	if (err || write(w->pipe, &id, sizeof(id)) != sizeof(id))
		_exit(1);
	job = sample_job(w->next++);
	store_job_add(w->f->store, op, &job, NULL);
}

static pid_t start_writers(struct fixture *f, int *ret_pipe)
{
	static struct writer writers[4];
	struct job_record job;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		fixture_open(f);
		for (int i = 0; i < 4; i++) {
			writers[i] = (struct writer){ .f = f, .pipe = fds[1], .next = i * 1000000 };
			writers[i].op = (struct store_op){ .data = &writers[i], .done = on_added };
			job = sample_job(writers[i].next++);
			store_job_add(f->store, &writers[i].op, &job, NULL);
		}
		loop_run(f->loop);
		_exit(1);
	}
	(void)close(fds[1]);
	*ret_pipe = fds[0];
	return pid;
}

/* Kills it after n ids; returns the number of ids that were reported in the end. */
static size_t kill_after(pid_t pid, int fd, size_t n, int64_t *ids, size_t max)
{
	size_t count = 0;
	int status;

	while (count < max && read(fd, &ids[count], sizeof(*ids)) == sizeof(*ids))
		if (++count == n)
			assert_int_equal(kill(pid, SIGKILL), 0);
	(void)close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void test_what_was_reported_done_survives_kill(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = path_of(f, "state.db");
	static int64_t ids[100000];
	unsigned seed = (unsigned)time(NULL);
	size_t count;
	int fd;
	pid_t pid;

	print_message("seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 5; round++) {
		pid = start_writers(f, &fd);
		count = kill_after(pid, fd, 1 + (size_t)random() % 300, ids, ARRAY_SIZE(ids));
		fixture_open(f);
		assert_string_equal(f->found.aside, "");
		for (size_t i = 0; i < count; i++)
			assert_int_equal(kind_of_get(f, ids[i]), ERR_NONE);
		/* at most what was under way is there unreported */
		assert_true(count_jobs(f) <= count + 4);
		fixture_close(f);
		assert_int_equal(unlink(path), 0);
	}
}

/* A database whose -wal holds what was committed last, and nobody has open. */
static void leave_wal(struct fixture *f)
{
	static int64_t ids[100000];
	int fd;
	pid_t pid = start_writers(f, &fd);

	(void)kill_after(pid, fd, 20, ids, ARRAY_SIZE(ids));
	assert_true(is_there(f, "state.db-wal"));
}

static void test_wal_and_shm_are_set_aside_beside_the_damaged_file(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *wal = NULL;
	AUTO(free_str) char *shm = NULL;

	leave_wal(f);
	patch(f, "state.db-wal", 0, "not a log at all", 16);
	patch(f, "state.db", 0, "this is not a database", 22);
	assert_set_aside(f, "not a database");
	wal = find_file(f, "state.db.damaged-", "Z-wal");
	shm = find_file(f, "state.db.damaged-", "Z-shm");
	assert_non_null(wal);
	assert_non_null(shm);
}

static void test_a_wal_without_its_database_is_not_thrown_away(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = path_of(f, "state.db");
	AUTO(free_str) char *wal = NULL;

	leave_wal(f);
	assert_int_equal(unlink(path), 0);
	fixture_open(f);
	assert_non_null(strstr(f->found.why, "state.db is missing"));
	wal = find_file(f, "state.db.damaged-", "Z-wal");
	assert_non_null(wal);
	assert_int_equal(count_jobs(f), 0);
}

static void test_a_torn_end_of_the_wal_is_ignored(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = path_of(f, "state.db-wal");
	struct stat st;

	leave_wal(f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 100), 0);
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	assert_true(count_jobs(f) > 0);
}

/* ---- a full disk ---- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_is_temporary_and_harms_nothing(void **state)
{
	struct fixture *f = *state;
	static struct waited w[300];
	struct job_record job = sample_job(1), other;
	struct store_stats stats;
	struct waited r = { 0 };
	size_t done = 0;

	memset(w, 0, sizeof(w));
	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_open(f);
	job.id = add_new(f, &job);
	limit_files(80 * 1024);
	for (int i = 0; i < 300; i++) {
		other = sample_job(100 + i);
		memset(other.dropped, 'x', sizeof(other.dropped) - 1);
		store_job_add(f->store, expect(f, &w[i]), &other, NULL);
	}
	wait_all(f);
	for (int i = 0; i < 300; i++) {
		if (w[i].err.kind == ERR_NONE) {
			done++;
			continue;
		}
		assert_int_equal(w[i].err.kind, ERR_TEMPORARY);
		assert_non_null(strstr(w[i].err.text, "cannot write state.db"));
	}
	assert_true(done < 300);
	stats = store_stats(f->store);
	assert_true(stats.failing);
	assert_non_null(strstr(stats.last.text, "cannot write state.db"));
	assert_int_equal(count_jobs(f), 1 + done); /* reading works */

	limit_files(RLIM_INFINITY);
	job.attempt = 2;
	save_job(f, &r, &job);
	assert_done(&r);
	assert_false(store_stats(f->store).failing);
	fixture_reopen(f);
	assert_string_equal(f->found.aside, "");
	assert_int_equal(count_jobs(f), 1 + done);
	for (int i = 0; i < 300; i++)
		if (w[i].err.kind == ERR_NONE)
			assert_int_equal(kind_of_get(f, w[i].op.job.id), ERR_NONE);
	get_job(f, &r, job.id);
	assert_int_equal(r.op.job.attempt, 2);
	store_op_clear(&r.op);
}

static void test_closing_on_a_full_disk_ends_and_loses_nothing_that_was_done(void **state)
{
	struct fixture *f = *state;

	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_open(f);
	add_some(f, 40);
	limit_files(4096);
	fixture_close(f); /* its checkpoint fails */
	limit_files(RLIM_INFINITY);
	fixture_open(f);
	assert_string_equal(f->found.aside, "");
	assert_int_equal(count_jobs(f), 40);
}

static void test_opening_on_a_full_disk_is_temporary_and_sets_nothing_aside(void **state)
{
	struct fixture *f = *state;
	struct err err;

	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(4096);
	assert_int_equal(try_open(f, &err), -1);
	limit_files(RLIM_INFINITY);
	fixture_close(f);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_false(is_set_aside(f));
	fixture_open(f);
	add_some(f, 1);
}

static void test_a_full_disk_while_migrating_loses_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned failed = 0;
	struct err err;
	int rc = -1;

	(void)signal(SIGXFSZ, SIG_IGN);
	for (rlim_t limit = 0; rc != 0; limit += 4096) {
		put_old(f);
		limit_files(limit);
		rc = try_open(f, &err);
		limit_files(RLIM_INFINITY);
		fixture_close(f);
		if (rc < 0)
			assert_int_equal(err.kind, ERR_TEMPORARY);
		failed += rc < 0;
		fixture_open(f);
		assert_false(is_set_aside(f));
		assert_old_printers(f);
		fixture_close(f);
	}
	assert_true(failed > 3);
}

#define SCHEMA_TEST(name) cmocka_unit_test_setup_teardown(name, setup_dir, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEMA_TEST(test_a_missing_directory_is_made_for_us_alone),
		SCHEMA_TEST(test_the_files_are_ours_alone),
		SCHEMA_TEST(test_a_clean_close_leaves_one_file_of_the_database),
		SCHEMA_TEST(test_a_second_instance_is_refused_with_the_process_id),
		SCHEMA_TEST(test_the_lock_ends_with_the_process),
		SCHEMA_TEST(test_a_read_only_directory_is_an_error_that_says_so),
		SCHEMA_TEST(test_a_newer_schema_is_refused_and_left_alone),
		SCHEMA_TEST(test_a_database_of_version_1_is_taken_over_with_all_that_is_in_it),
		SCHEMA_TEST(test_a_database_of_another_program_is_refused),
		SCHEMA_TEST(test_a_file_that_is_no_database_is_set_aside),
		SCHEMA_TEST(test_a_damaged_page_is_found_at_start),
		SCHEMA_TEST(test_a_truncated_file_is_found_at_start),
		SCHEMA_TEST(test_an_empty_file_is_a_new_database),
		SCHEMA_TEST(test_a_database_that_cannot_be_read_now_is_not_damaged),
		SCHEMA_TEST(test_reads_that_fail_are_no_damage),
		SCHEMA_TEST(test_reads_that_fail_while_loading_are_no_damage),
		SCHEMA_TEST(test_reads_that_fail_in_the_check_are_no_damage),
		SCHEMA_TEST(test_ids_go_on_above_those_of_the_damaged_file),
		SCHEMA_TEST(test_damages_within_one_second_are_all_kept),
		SCHEMA_TEST(test_a_failing_call_while_setting_aside_loses_nothing),
		SCHEMA_TEST(test_what_was_reported_done_survives_kill),
		SCHEMA_TEST(test_wal_and_shm_are_set_aside_beside_the_damaged_file),
		SCHEMA_TEST(test_a_wal_without_its_database_is_not_thrown_away),
		SCHEMA_TEST(test_a_torn_end_of_the_wal_is_ignored),
		SCHEMA_TEST(test_a_full_disk_is_temporary_and_harms_nothing),
		SCHEMA_TEST(test_closing_on_a_full_disk_ends_and_loses_nothing_that_was_done),
		SCHEMA_TEST(test_opening_on_a_full_disk_is_temporary_and_sets_nothing_aside),
		SCHEMA_TEST(test_a_full_disk_while_migrating_loses_nothing),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
