/* What becomes of printers and jobs when state.db is damaged. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "common/buf.h"

#define PAGE 4096

static const char first_id[] = "11111111-1111-4111-8111-111111111111";
static const char second_id[] = "22222222-2222-4222-8222-222222222222";

static char *path_of(struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->dir, name);
}

static struct printer_record sample_printer(const char *id, const char *queue)
{
	struct printer_record p = {
		.cloud = "office",
		.name = "Second floor,\nleft \\ right\r\n= \"end\"\nend",
		.cloud_uri = "ipps://cloud.example/ipp/print/1",
		.username = "alice",
		.own_certificate = true,
		.identity = { .device = "device", .resource = "https://print.example" },
		.paused = true,
		.created = 1234567890123,
		.owner = "0123456789abcdef0123456789abcdef",
		.epoch = 7,
	};

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.queue, sizeof(p.queue), "%s", queue);
	return p;
}

static void save_printer(struct fixture *f, const struct printer_record *p)
{
	struct waited w = { 0 };

	store_printer_save(f->store, expect(f, &w), p);
	wait_all(f);
	assert_done(&w);
}

/* All of the table as text, to be freed. */
static char *dump_printers(struct fixture *f)
{
	AUTO(free_str) char *path = path_of(f, "state.db");
	struct buf text = { .limit = 1 << 20 };
	sqlite3 *db;
	sqlite3_stmt *q;
	char *copy;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM printers ORDER BY id", -1, &q, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(q); i++)
			assert_int_equal(buf_printf(&text, "%s: %s\n", sqlite3_column_name(q, i),
			                            (const char *)sqlite3_column_text(q, i)),
			                 0);
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
	copy = xstrdup(buf_text(&text));
	buf_clear(&text);
	return copy;
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	AUTO(free_str) char *path = path_of(f, name);
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static bool is_there(struct fixture *f, const char *name)
{
	AUTO(free_str) char *path = path_of(f, name);

	return access(path, F_OK) == 0;
}

static void damage_header(struct fixture *f)
{
	AUTO(free_str) char *path = path_of(f, "state.db");
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "this is not a database", 22, 0), 22);
}

static off_t size_of(struct fixture *f)
{
	AUTO(free_str) char *path = path_of(f, "state.db");
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void damage_pages(struct fixture *f, int from, int to)
{
	AUTO(free_str) char *path = path_of(f, "state.db");
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
	char garbage[PAGE];

	memset(garbage, 0x5a, sizeof(garbage));
	for (int page = from; page < to; page++)
		assert_int_equal(pwrite(fd, garbage, PAGE, (off_t)page * PAGE), PAGE);
}

/* ---- printers ---- */

static void test_printers_come_back_from_their_files_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	struct printer_record b = sample_printer(second_id, "ipps://printer.example/ipp/print");
	AUTO(free_str) char *before = NULL;
	AUTO(free_str) char *after = NULL;

	save_printer(f, &a);
	save_printer(f, &b);
	b.paused = false;
	b.registering = true;
	save_printer(f, &b);
	before = dump_printers(f);
	assert_non_null(strstr(before, "alice"));
	fixture_close(f);
	damage_header(f);
	fixture_open_checked(f);
	assert_string_not_equal(f->found.aside, "");
	assert_int_equal(f->found.printers, 2);
	assert_int_equal(f->found.printers_lost, 0);
	after = dump_printers(f);
	assert_string_equal(after, before);
}

static void test_a_file_that_is_not_whole_and_a_key_alone_are_counted(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	AUTO(free_str) char *keys = path_of(f, "keys");

	save_printer(f, &a);
	fixture_close(f);
	write_file(f, "printers/22222222-2222-4222-8222-222222222222",
	           "id=22222222-2222-4222-8222-222222222222\nqueue=cut");
	write_file(f, "printers/other", "id=another\nqueue=q\nend\n");
	write_file(f, "printers/strange", "id=strange\npaused=7\nend\n");
	assert_int_equal(mkdir(keys, 0700), 0);
	write_file(f, "keys/11111111-1111-4111-8111-111111111111.pem", "");
	write_file(f, "keys/11111111-1111-4111-8111-111111111111-2.pem", "");
	write_file(f, "keys/22222222-2222-4222-8222-222222222222.pem", "");
	write_file(f, "keys/33333333-3333-4333-8333-333333333333.pem", "");
	damage_header(f);
	fixture_open_checked(f);
	assert_int_equal(f->found.printers, 1);
	assert_int_equal(f->found.printers_lost, 4);
}

/* Something is asked of the store again and again until the file is there, or is not. */
static void wait_for_file(struct fixture *f, const char *name, bool there)
{
	time_t end = time(NULL) + 60;

	while (is_there(f, name) != there && time(NULL) < end) {
		struct waited w = { 0 };

		store_jobs_list(f->store, expect(f, &w), NULL, 0, 1);
		wait_all(f);
		assert_done(&w);
		store_op_clear(&w.op);
	}
	assert_int_equal(is_there(f, name), there);
}

static void test_files_follow_their_rows(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	struct printer_record b = sample_printer(second_id, "hall");
	AUTO(free_str) char *path = path_of(f, "printers/11111111-1111-4111-8111-111111111111");
	struct waited w = { 0 };
	struct stat st;

	save_printer(f, &a);
	save_printer(f, &b);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_printer_drop(f->store, expect(f, &w), second_id);
	wait_all(f);
	assert_done(&w);
	assert_false(is_there(f, "printers/22222222-2222-4222-8222-222222222222"));
	fixture_close(f);
	assert_int_equal(unlink(path), 0); /* as before an upgrade from a version without them */
	write_file(f, "printers/22222222-2222-4222-8222-222222222222", "of a commit that failed");
	fixture_open_checked(f);
	wait_for_file(f, "printers/11111111-1111-4111-8111-111111111111", true);
	wait_for_file(f, "printers/22222222-2222-4222-8222-222222222222", false);
	assert_string_equal(f->found.aside, "");
}

static unsigned count_files(struct fixture *f)
{
	AUTO(free_str) char *path = path_of(f, "printers");
	DIR *dir = opendir(path);
	unsigned count = 0;

	for (struct dirent *e; dir && (e = readdir(dir));)
		count += *e->d_name != '.' && !strstr(e->d_name, FS_ASIDE);
	if (dir)
		(void)closedir(dir);
	return count;
}

#define MANY 200

/* As many printers again, their rows alone: as a version without files left them. */
static void add_rows(struct fixture *f)
{
	AUTO(free_str) char *path = path_of(f, "state.db");
	char sql[1024];
	sqlite3 *db;

	(void)snprintf(sql, sizeof(sql),
	               "CREATE TEMP TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	               " SELECT i + 1 FROM n WHERE i < %d) SELECT i, p.* FROM n, printers p;"
	               "UPDATE more SET id = printf('33333333-3333-4333-8333-%%012d', i),"
	               " queue = 'q' || i;"
	               "ALTER TABLE more DROP COLUMN i;"
	               "INSERT INTO printers SELECT * FROM more",
	               MANY);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

/* Files take a sync each; whoever asks meanwhile waits for the one being written, and for one that
 * shares its batch. */
static void test_no_request_waits_for_more_than_two_files(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	unsigned before = 1, after, most = 0, asked = 0;
	time_t end = time(NULL) + 120;

	save_printer(f, &a);
	fixture_close(f);
	add_rows(f);
	fixture_open_checked(f);
	assert_true(count_files(f) <= before + 2);
	while ((before = count_files(f)) < MANY + 1 && time(NULL) < end) {
		struct waited w = { 0 };

		store_jobs_list(f->store, expect(f, &w), NULL, 0, 1);
		wait_all(f);
		assert_done(&w);
		store_op_clear(&w.op);
		after = count_files(f);
		most = after - before > most ? after - before : most;
		asked++;
	}
	assert_int_equal(before, MANY + 1);
	assert_true(asked >= MANY / 3);
	assert_in_range(most, 0, 3); /* one more may come between counting and asking */
}

static void test_files_cut_short_are_made_at_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");

	save_printer(f, &a);
	fixture_close(f);
	add_rows(f);
	fixture_open_checked(f);
	fixture_close(f);
	assert_true(count_files(f) < MANY);
	fixture_open_checked(f);
	wait_for_file(f, "printers/33333333-3333-4333-8333-000000000200", true);
	assert_int_equal(count_files(f), MANY + 1);
}

static void test_files_that_could_not_be_made_are_made_behind_the_next_write(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	AUTO(free_str) char *folder = path_of(f, "printers");
	AUTO(free_str) char *away = path_of(f, "away");
	struct job_record job = { .printer = "p", .cloud_uuid = "u", .state = JOB_CLAIMING };
	struct waited w = { 0 };

	save_printer(f, &a);
	fixture_close(f);
	add_rows(f);
	assert_int_equal(rename(folder, away), 0);
	write_file(f, "printers", "in the way");
	fixture_open_checked(f);
	assert_int_equal(unlink(folder), 0);
	store_job_add(f->store, expect(f, &w), &job, NULL);
	wait_all(f);
	assert_done(&w);
	wait_for_file(f, "printers/33333333-3333-4333-8333-000000000200", true);
	assert_int_equal(count_files(f), MANY + 1);
	store_op_clear(&w.op);
}

static void test_a_state_that_is_empty_or_gone_beside_printers_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	AUTO(free_str) char *path = path_of(f, "state.db");

	save_printer(f, &a);
	for (int gone = 0; gone < 2; gone++) {
		AUTO(free_str) char *aside = NULL;

		fixture_close(f);
		assert_int_equal(gone ? unlink(path) : truncate(path, 0), 0);
		fixture_open_checked(f);
		assert_non_null(strstr(f->found.why, "state.db is empty"));
		assert_int_equal(f->found.printers, 1);
		aside = path_of(f, f->found.aside);
		assert_int_equal(unlink(aside), 0);
		assert_null(store_damage(f->store));
	}
}

static void test_a_printer_whose_file_cannot_be_written_is_not_saved(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office"), *loaded;
	struct waited w = { 0 };
	struct err err;
	size_t count;

	write_file(f, "printers", "not a directory");
	store_printer_save(f->store, expect(f, &w), &a);
	wait_all(f);
	assert_int_not_equal(w.err.kind, ERR_NONE);
	assert_int_equal(store_load_printers(f->store, &loaded, &count, &err), 0);
	assert_int_equal(count, 0);
	free(loaded);
}

/* ---- jobs ---- */

static int64_t add_in_state(struct fixture *f, int32_t number, enum job_state to, bool acknowledged)
{
	struct job_record job = sample_job(number);
	struct waited w = { 0 };

	job.id = add_new(f, &job);
	job.state = to;
	job.acknowledged = acknowledged;
	job.outcome = to == JOB_DONE || to == JOB_REPORTING ? OUTCOME_COMPLETED : OUTCOME_NONE;
	save_job(f, &w, &job);
	assert_done(&w);
	return job.id;
}

static enum job_state state_of(struct fixture *f, int64_t id)
{
	struct waited w = { 0 };
	enum job_state found;

	get_job(f, &w, id);
	assert_done(&w);
	found = w.op.job.state;
	store_op_clear(&w.op);
	return found;
}

/* Distrusts a database that can be read as a whole. */
static void reopen_distrusting(struct fixture *f)
{
	struct err why, err;

	(void)err_set(&why, ERR_CORRUPT, 0, "state.db is damaged: for a test");
	fixture_close(f);
	if (loop_open(&f->loop, &err) < 0 ||
	    store_open(&f->store, f->loop, f->dir, &why, &f->found, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(f->found.why, "state.db is damaged: for a test");
}

static void test_a_recovered_job_is_believed_only_where_that_does_no_harm(void **state)
{
	static const struct {
		enum job_state was, becomes;
	} cases[] = {
		{ JOB_CLAIMING, JOB_HELD }, { JOB_HANDING, JOB_HELD },
		{ JOB_WAITING, JOB_HELD },  { JOB_PRINTING, JOB_PRINTING },
		{ JOB_HELD, JOB_HELD },     { JOB_REPORTING, JOB_REPORTING },
		{ JOB_DONE, JOB_DONE },
	};
	struct fixture *f = *state;
	int64_t ids[ARRAY_SIZE(cases)], unacknowledged;
	struct job_record again = sample_job(6), new = sample_job(100);
	struct waited w = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ids[i] = add_in_state(f, (int32_t)i, cases[i].was, true);
	unacknowledged = add_in_state(f, 50, JOB_CLAIMING, false);
	reopen_distrusting(f);
	assert_int_equal(f->found.jobs_open, 6);
	assert_int_equal(f->found.jobs_done, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(state_of(f, ids[i]), cases[i].becomes);
	assert_int_equal(kind_of_get(f, unacknowledged), ERR_GONE);
	get_job(f, &w, ids[1]);
	assert_non_null(strstr(w.op.job.error_text, "unknown whether it printed"));
	add_job(f, &w, &again); /* offered again: it has ended */
	assert_done(&w);
	assert_true(w.op.existed);
	assert_int_equal(w.op.job.state, JOB_DONE);
	assert_true(add_new(f, &new) > 1000000000); /* how far ids had come is unknown */
	store_op_clear(&w.op);
}

static void test_a_recovered_job_that_was_closed_at_the_queue_is_asked_for_there(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(1);
	struct waited w = { 0 };

	job.id = add_new(f, &job);
	job.state = JOB_HANDING;
	job.acknowledged = job.closed = true;
	save_job(f, &w, &job);
	assert_done(&w);
	reopen_distrusting(f);
	assert_int_equal(state_of(f, job.id), JOB_HANDING);
	store_op_clear(&w.op);
}

/* Many jobs in one commit. */
static void add_many(struct fixture *f, int count)
{
	struct waited *w = xcalloc((size_t)count, sizeof(*w));

	for (int i = 0; i < count; i++) {
		struct job_record job = sample_job(i);

		job.acknowledged = true;
		store_job_add(f->store, expect(f, &w[i]), &job, NULL);
	}
	wait_all(f);
	for (int i = 0; i < count; i++) {
		assert_done(&w[i]);
		store_op_clear(&w[i].op);
	}
	free(w);
}

static void test_jobs_on_both_sides_of_the_damage_come_back(void **state)
{
	struct fixture *f = *state;
	struct job_record first = sample_job(0), last = sample_job(1999);
	struct waited w = { 0 };
	int pages;

	add_many(f, 2000);
	fixture_close(f);
	pages = (int)(size_of(f) / PAGE);
	damage_pages(f, pages / 2, pages / 2 + 3);
	fixture_open_checked(f);
	assert_string_not_equal(f->found.aside, "");
	if (f->found.jobs_open < 500 || f->found.jobs_open >= 2000)
		fail_msg("%u of 2000 jobs", f->found.jobs_open);
	add_job(f, &w, &first);
	assert_true(w.op.existed);
	add_job(f, &w, &last);
	assert_true(w.op.existed);
	store_op_clear(&w.op);
}

/* Each part of the file in turn. */
static void test_whatever_is_damaged_the_next_start_works(void **state)
{
	struct fixture *f = *state;
	struct printer_record a = sample_printer(first_id, "office");
	int pages, met = 0;

	save_printer(f, &a);
	add_many(f, 60);
	pages = (int)(size_of(f) / PAGE);
	for (int page = 0; page < pages || page == 0; page++) {
		struct job_record job = sample_job(1000 + page);

		fixture_close(f);
		pages = (int)(size_of(f) / PAGE);
		damage_pages(f, page, page + 1);
		fixture_open_checked(f);
		met += *f->found.aside != '\0';
		assert_int_equal(*f->found.aside ? f->found.printers : 1, 1);
		(void)add_new(f, &job);
	}
	assert_true(met > 8); /* pages on the free list hold nothing */
}

/* ---- while it runs ---- */

static void test_nothing_is_written_before_all_is_checked(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(5000);
	struct waited w = { 0 };

	add_many(f, 500);
	fixture_close(f);
	damage_pages(f, 20, 22);
	fixture_open(f);
	store_start(f->store, on_damage, f);
	add_job(f, &w, &job);
	assert_int_equal(w.err.kind, ERR_CORRUPT);
	assert_int_equal(f->damage.kind, ERR_CORRUPT);
	assert_true(store_stats(f->store).failing);
	assert_int_equal(store_stats(f->store).commits, 0);
	add_job(f, &w, &job);
	assert_int_equal(w.err.kind, ERR_CORRUPT);
	assert_int_equal(kind_of_get(f, 1), ERR_CORRUPT); /* not even read */
	assert_false(is_there(f, "state.db.damaged-"));
}

static void test_damage_that_comes_while_it_runs_is_told(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(9000);
	struct waited w = { 0 };
	int pages;

	add_many(f, 6000);
	fixture_close(f);
	fixture_open(f);
	fixture_check(f);
	assert_int_equal(f->damage.kind, ERR_NONE);
	job.id = add_new(f, &job);
	pages = (int)(size_of(f) / PAGE);
	damage_pages(f, 1, pages); /* the page cache is smaller than the file */
	assert_int_equal(kind_of_get(f, 1), ERR_CORRUPT);
	assert_int_equal(f->damage.kind, ERR_NONE); /* it may have been the reading */
	save_job(f, &w, &job);
	assert_int_equal(w.err.kind, ERR_CORRUPT);
	assert_int_equal(f->damage.kind, ERR_CORRUPT);
}

static void test_what_was_set_aside_counts_until_it_is_taken_away(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *aside = NULL;

	assert_null(store_damage(f->store));
	fixture_close(f);
	damage_header(f);
	fixture_open_checked(f);
	aside = path_of(f, f->found.aside);
	assert_string_equal(store_damage(f->store), f->found.aside);
	fixture_reopen(f);
	assert_non_null(store_damage(f->store));
	assert_int_equal(unlink(aside), 0);
	assert_null(store_damage(f->store));
	fixture_reopen(f);
	assert_null(store_damage(f->store));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_printers_come_back_from_their_files_as_they_were),
		STORE_TEST(test_a_file_that_is_not_whole_and_a_key_alone_are_counted),
		STORE_TEST(test_files_follow_their_rows),
		STORE_TEST(test_no_request_waits_for_more_than_two_files),
		STORE_TEST(test_files_cut_short_are_made_at_the_next_start),
		STORE_TEST(test_files_that_could_not_be_made_are_made_behind_the_next_write),
		STORE_TEST(test_a_state_that_is_empty_or_gone_beside_printers_is_damaged),
		STORE_TEST(test_a_printer_whose_file_cannot_be_written_is_not_saved),
		STORE_TEST(test_a_recovered_job_is_believed_only_where_that_does_no_harm),
		STORE_TEST(test_a_recovered_job_that_was_closed_at_the_queue_is_asked_for_there),
		STORE_TEST(test_jobs_on_both_sides_of_the_damage_come_back),
		STORE_TEST(test_whatever_is_damaged_the_next_start_works),
		STORE_TEST(test_nothing_is_written_before_all_is_checked),
		STORE_TEST(test_damage_that_comes_while_it_runs_is_told),
		STORE_TEST(test_what_was_set_aside_counts_until_it_is_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
