/* The store's promises about jobs and printers. Files, damage, kill: test_store_schema.c. */
#include "tests/unit/store_fixture.h"

#include <sys/wait.h>

#include <cups/cups.h>

#include "common/intern.h"
#include "connector/base/attrs.h"
#include "connector/store/store_private.h"

/* Every byte of a record that a field owns; false without compiler support. */
static bool field_bytes(struct job_record *mask)
{
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
	memset(mask, 0xff, sizeof(*mask));
	__builtin_clear_padding(mask);
	return true;
#endif
#endif
	(void)mask;
	return false;
}

static void test_no_field_of_a_job_is_without_a_column(void **state)
{
	struct job_record fields, columns = { 0 };

	(void)state;
	if (!field_bytes(&fields))
		skip();
	memset(&columns.id, 0xff, sizeof(columns.id));
	for (size_t i = 0; i < job_column_count; i++)
		memset((char *)&columns + job_columns[i].offset, 0xff, job_columns[i].size);
	assert_memory_equal(&columns, &fields, sizeof(fields));
}

static int64_t ask(struct store *s, const char *sql)
{
	sqlite3_stmt *q;
	int64_t found;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	found = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return found;
}

static void test_the_database_is_used_as_the_promise_needs(void **state)
{
	static const struct {
		int flag, on;
	} flags[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },   { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 }, { SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
	};
	struct fixture *f = *state;
	struct store *s = f->store;
	int on;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		assert_int_equal(sqlite3_db_config(s->db, flags[i].flag, -1, &on), SQLITE_OK);
		assert_int_equal(on, flags[i].on);
	}
	assert_int_equal(ask(s, "PRAGMA synchronous"), 2); /* FULL */
	assert_int_equal(ask(s, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(ask(s, "PRAGMA cell_size_check"), 1);
	assert_int_equal(ask(s, "PRAGMA mmap_size"), 0);
	assert_int_equal(ask(s, "PRAGMA user_version"), 5);
	assert_int_equal(ask(s, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND"
	                        " name NOT LIKE 'sqlite%' AND strict = 1"),
	                 5);
	assert_int_equal(ask(s, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND"
	                        " name NOT LIKE 'sqlite%' AND strict = 0"),
	                 0);
}

static void test_no_field_of_a_printer_is_without_a_column(void **state)
{
	size_t end = 0;

	(void)state;
	for (size_t i = 0; i < printer_column_count; i++) {
		assert_true(printer_columns[i].offset >= end);
		assert_true(printer_columns[i].offset - end < sizeof(int64_t));
		end = printer_columns[i].offset + printer_columns[i].size;
	}
	assert_int_equal(end, sizeof(struct printer_record));
}

/* Each text a different run of the bytes 1 to 255, as long as its field allows. */
static void fill(void *record, const struct column *columns, size_t count, unsigned seed)
{
	for (size_t i = 0; i < count; i++) {
		unsigned char *field = (unsigned char *)record + columns[i].offset;
		unsigned n = seed + (unsigned)i;

		for (size_t b = 0; b < columns[i].size; b++)
			field[b] = (unsigned char)(1 + (b + n) % 255);
		switch (columns[i].type) {
		case COLUMN_TEXT:
			field[columns[i].size - 1] = '\0';
			break;
		case COLUMN_INTERNED: {
			char text[600];

			(void)snprintf(text, sizeof(text), "%0*u", 1 + (int)(n % 599), n);
			*(const char **)field = n % 3 ? intern(text) : NULL;
			break;
		}
		case COLUMN_BOOL:
			*(bool *)field = n % 2;
			break;
		case COLUMN_STATE:
			*(enum job_state *)field = (enum job_state)(n % JOB_STATE_COUNT);
			break;
		case COLUMN_OUTCOME:
			*(enum job_outcome *)field = (enum job_outcome)(n % OUTCOME_COUNT);
			break;
		case COLUMN_ERROR:
			*(enum err_kind *)field = (enum err_kind)(n % (ERR_CANCELED + 1));
			break;
		case COLUMN_INT32:
		case COLUMN_INT64:
			break;
		}
	}
}

static void assert_same(const void *a, const void *b, const struct column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp((const char *)a + columns[i].offset, (const char *)b + columns[i].offset,
		           columns[i].size) != 0)
			fail_msg("%s differs", columns[i].name);
}

static void test_a_job_comes_back_as_it_was_saved(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = { 0 };
	int64_t id;

	for (unsigned seed = 0; seed < 260; seed += 13) {
		memset(&job, 0, sizeof(job));
		fill(&job, job_columns, job_column_count, seed);
		id = add_new(f, &job);
		get_job(f, &w, id);
		assert_done(&w);
		assert_int_equal(w.op.job.id, id);
		assert_same(&w.op.job, &job, job_columns, job_column_count);

		job.id = id;
		fill(&job, job_columns, job_column_count, seed + 1000);
		save_job(f, &w, &job);
		assert_done(&w);
		get_job(f, &w, id);
		assert_done(&w);
		assert_same(&w.op.job, &job, job_columns, job_column_count);
	}
	store_op_clear(&w.op);
}

static void test_extreme_numbers_and_states_come_back(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1);

	job.id = add_new(f, &job);
	job.bytes = INT64_MAX;
	job.next_try = INT64_MIN;
	job.error_code = INT32_MIN;
	job.local_job = INT32_MAX;
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			job.state = (enum job_state)i;
			job.outcome = (enum job_outcome)o;
			save_job(f, &w, &job);
			assert_done(&w);
			get_job(f, &w, job.id);
			assert_done(&w);
			assert_same(&w.op.job, &job, job_columns, job_column_count);
		}
	store_op_clear(&w.op);
}

static void test_a_known_job_of_the_cloud_is_returned_and_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1), again = sample_job(1);

	job.id = add_new(f, &job);
	job.state = JOB_PRINTING;
	save_job(f, &w, &job);
	assert_done(&w);

	(void)snprintf(again.uuid, sizeof(again.uuid), "other");
	again.cloud_job = 99; /* the uuid decides */
	add_job(f, &w, &again);
	assert_done(&w);
	assert_true(w.op.existed);
	assert_int_equal(w.op.job.id, job.id);
	assert_int_equal(w.op.job.state, JOB_PRINTING);
	assert_string_equal(w.op.job.uuid, job.uuid);
	store_jobs_list(f->store, expect(f, &w), NULL, 0, 10);
	wait_all(f);
	assert_int_equal(w.op.job_count, 1);
	store_op_clear(&w.op);
}

static void test_without_a_uuid_id_and_creation_time_are_the_identity(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(7), other;
	int64_t id;

	*job.cloud_uuid = '\0';
	job.cloud_created = 1000;
	id = add_new(f, &job);
	add_job(f, &w, &job);
	assert_true(w.op.existed);
	assert_int_equal(w.op.job.id, id);

	other = job;
	other.cloud_created = 2000; /* the server counts from the start again */
	assert_int_not_equal(add_new(f, &other), id);
	other = job;
	(void)snprintf(other.printer, sizeof(other.printer), "printer-2");
	assert_int_not_equal(add_new(f, &other), id);
	other = job;
	(void)snprintf(other.cloud_uuid, sizeof(other.cloud_uuid), "now it has one");
	assert_int_not_equal(add_new(f, &other), id);
	store_op_clear(&w.op);
}

static void test_two_adds_of_one_job_in_one_commit_make_one_row(void **state)
{
	struct fixture *f = *state;
	struct waited first = { 0 }, a = { 0 }, b = { 0 };
	struct job_record other = sample_job(1), job = sample_job(2);

	store_job_add(f->store, expect(f, &first), &other, NULL);
	store_job_add(f->store, expect(f, &a), &job, NULL);
	store_job_add(f->store, expect(f, &b), &job, NULL);
	wait_all(f);
	assert_false(a.op.existed);
	assert_true(b.op.existed);
	assert_int_equal(a.op.job.id, b.op.job.id);
}

static void test_an_id_is_never_given_out_again(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1);
	int64_t id = add_new(f, &job), next;

	store_job_drop(f->store, expect(f, &w), id);
	wait_all(f);
	assert_done(&w);
	assert_int_equal(kind_of_get(f, id), ERR_GONE);
	next = add_new(f, &job);
	assert_true(next > id);
	store_job_drop(f->store, expect(f, &w), next);
	wait_all(f);
	fixture_reopen(f);
	assert_true(add_new(f, &job) > next);
}

static void test_unknown_ids_are_gone(void **state)
{
	struct fixture *f = *state;
	struct waited get = { 0 }, save = { 0 }, drop = { 0 }, printer = { 0 };
	struct job_record job = sample_job(1);
	struct job_event event = { .source = "cloud", .text = "offered" };

	job.id = 77;
	store_job_get(f->store, expect(f, &get), 77);
	store_job_save(f->store, expect(f, &save), &job, &event, 1);
	store_job_drop(f->store, expect(f, &drop), 77);
	store_printer_drop(f->store, expect(f, &printer), "nobody");
	wait_all(f);
	assert_int_equal(get.err.kind, ERR_GONE);
	assert_int_equal(save.err.kind, ERR_GONE);
	assert_string_equal(save.err.text, "there is no job 77");
	assert_int_equal(drop.err.kind, ERR_GONE);
	assert_int_equal(printer.err.kind, ERR_GONE);
	assert_false(store_stats(f->store).failing);
}

static void test_one_failing_write_leaves_the_others_of_its_commit(void **state)
{
	struct fixture *f = *state;
	struct waited w[6] = { 0 };
	struct job_record one = sample_job(1), two = sample_job(2), three = sample_job(3), bad;
	struct job_event event = { .source = "cloud", .text = "offered" };
	uint64_t commits;

	one.id = add_new(f, &one);
	two.id = add_new(f, &two);
	commits = store_stats(f->store).commits;
	bad = two;
	memcpy(bad.cloud_uuid, one.cloud_uuid, sizeof(bad.cloud_uuid));
	bad.attempt = 9;
	one.attempt = 5;
	two.attempt = 6;
	store_job_save(f->store, expect(f, &w[0]), &one, NULL, 0);
	store_job_save(f->store, expect(f, &w[1]), &two, &event, 1);
	store_job_save(f->store, expect(f, &w[2]), &bad, &event, 1); /* whose identity it is not */
	store_job_drop(f->store, expect(f, &w[3]), 4711);
	store_job_add(f->store, expect(f, &w[4]), &three, NULL);
	wait_all(f);
	assert_done(&w[0]);
	assert_done(&w[1]);
	assert_int_equal(w[2].err.kind, ERR_REJECTED);
	assert_int_equal(w[3].err.kind, ERR_GONE);
	assert_done(&w[4]);
	assert_true(store_stats(f->store).commits - commits <= 2);
	assert_false(store_stats(f->store).failing);

	fixture_reopen(f);
	get_job(f, &w[5], two.id);
	assert_int_equal(w[5].op.job.attempt, 6);
	assert_string_equal(w[5].op.job.cloud_uuid, two.cloud_uuid);
	assert_int_equal(w[5].op.event_count, 1);
	store_op_clear(&w[5].op);
	assert_int_equal(kind_of_get(f, w[4].op.job.id), ERR_NONE);
}

static void test_writes_that_wait_become_one_commit(void **state)
{
	struct fixture *f = *state;
	static struct waited w[200];
	struct store_stats stats;

	memset(w, 0, sizeof(w));
	for (int i = 0; i < 200; i++) {
		struct job_record job = sample_job(i);

		store_job_add(f->store, expect(f, &w[i]), &job, NULL);
	}
	wait_all(f);
	stats = store_stats(f->store);
	assert_int_equal(stats.writes, 200);
	assert_true(stats.commits >= 1 && stats.commits <= 3);
	for (unsigned i = 0; i < 200; i++) {
		assert_done(&w[i]);
		assert_int_equal(w[i].order, i + 1);
	}
}

static void test_reading_makes_no_commit_and_sees_what_was_queued_before(void **state)
{
	struct fixture *f = *state;
	struct waited save = { 0 }, get = { 0 };
	struct job_record job = sample_job(1);
	uint64_t commits;

	job.id = add_new(f, &job);
	job.attempt = 3;
	store_job_save(f->store, expect(f, &save), &job, NULL, 0);
	store_job_get(f->store, expect(f, &get), job.id);
	wait_all(f);
	assert_int_equal(get.op.job.attempt, 3);
	commits = store_stats(f->store).commits;
	get_job(f, &get, job.id);
	assert_int_equal(store_stats(f->store).commits, commits);
	store_op_clear(&get.op);
}

static void test_a_later_save_stays_behind_a_lazy_one(void **state)
{
	struct fixture *f = *state;
	struct waited lazy = { 0 }, save = { 0 }, get = { 0 };
	struct job_record job = sample_job(1);
	uint64_t commits;

	job.id = add_new(f, &job);
	commits = store_stats(f->store).commits;
	job.attempt = 1;
	store_job_save_lazy(f->store, expect(f, &lazy), &job, NULL, 0);
	job.attempt = 2;
	store_job_save(f->store, expect(f, &save), &job, NULL, 0);
	store_job_get(f->store, expect(f, &get), job.id);
	wait_all(f);
	assert_done(&lazy);
	assert_done(&save);
	assert_true(lazy.order < save.order && save.order < get.order);
	assert_int_equal(get.op.job.attempt, 2);
	assert_int_equal(store_stats(f->store).commits, commits + 1);
}

static void test_a_lazy_save_alone_is_written_within_a_second_or_so(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1);

	job.id = add_new(f, &job);
	job.attempt = 1;
	store_job_save_lazy(f->store, expect(f, &w), &job, NULL, 0);
	wait_all(f); /* nobody else writes; main() has the deadline */
	assert_done(&w);
}

static void test_closing_writes_what_is_queued(void **state)
{
	struct fixture *f = *state;
	struct waited add = { 0 }, lazy = { 0 }, get = { 0 };
	struct job_record job = sample_job(1), other = sample_job(2);

	job.id = add_new(f, &job);
	job.attempt = 4;
	store_job_save_lazy(f->store, expect(f, &lazy), &job, NULL, 0);
	store_job_add(f->store, expect(f, &add), &other, NULL);
	fixture_close(f);
	assert_done(&lazy);
	assert_done(&add);
	fixture_open(f);
	get_job(f, &get, job.id);
	assert_int_equal(get.op.job.attempt, 4);
	get_job(f, &get, add.op.job.id);
	assert_done(&get);
	store_op_clear(&get.op);
}

static void test_events_come_back_in_order_and_the_oldest_go(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1);
	struct job_event events[150], huge[300];

	job.id = add_new(f, &job);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 150; i++) {
			events[i] = (struct job_event){ .time = round * 150 + i,
				                        .source = "connector" };
			(void)snprintf(events[i].text, TEXT_SIZE, "event %d", round * 150 + i);
		}
		store_job_save(f->store, expect(f, &w), &job, events, 150);
		memset(events, 0, sizeof(events)); /* they were copied */
		wait_all(f);
		assert_done(&w);
	}
	get_job(f, &w, job.id);
	assert_int_equal(w.op.event_count, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(w.op.events[i].time, 100 + i);
	assert_string_equal(w.op.events[199].text, "event 299");
	assert_string_equal(w.op.events[199].source, "connector");

	for (int i = 0; i < 300; i++) {
		huge[i] = (struct job_event){ .time = 1000 + i };
		memset(huge[i].source, 'x', sizeof(huge[i].source)); /* not even ended */
		memset(huge[i].text, 'y', sizeof(huge[i].text));
	}
	store_job_save(f->store, expect(f, &w), &job, huge, 300);
	wait_all(f);
	get_job(f, &w, job.id);
	assert_int_equal(w.op.event_count, 200);
	assert_int_equal(w.op.events[0].time, 1100);
	assert_int_equal(strlen(w.op.events[0].text), TEXT_SIZE - 1);
	store_op_clear(&w.op);
}

static void test_lists_are_newest_first_and_bounded(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job;
	int64_t ids[6];

	for (int i = 0; i < 6; i++) {
		job = sample_job(i);
		if (i % 2)
			(void)snprintf(job.printer, sizeof(job.printer), "printer-2");
		if (i > 3)
			job.state = JOB_DONE;
		ids[i] = add_new(f, &job);
	}
	store_jobs_list(f->store, expect(f, &w), NULL, 0, 4);
	wait_all(f);
	assert_int_equal(w.op.job_count, 4);
	assert_int_equal(w.op.older, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(w.op.jobs[i].id, ids[5 - i]);
	store_jobs_list(f->store, expect(f, &w), NULL, ids[2], UINT32_MAX);
	wait_all(f);
	assert_int_equal(w.op.job_count, 2);
	assert_int_equal(w.op.jobs[0].id, ids[1]);
	store_jobs_list(f->store, expect(f, &w), "printer-2", 0, 10);
	wait_all(f);
	assert_int_equal(w.op.job_count, 3);
	assert_int_equal(w.op.older, 0);
	assert_int_equal(w.op.jobs[0].id, ids[5]);
	store_jobs_list(f->store, expect(f, &w), "printer-2", ids[5], 1);
	wait_all(f);
	assert_int_equal(w.op.job_count, 1);
	assert_int_equal(w.op.jobs[0].id, ids[3]);
	store_jobs_list(f->store, expect(f, &w), "printer-2", 0, 1);
	wait_all(f);
	assert_int_equal(w.op.older, 2);
	store_jobs_list(f->store, expect(f, &w), "nobody", 0, 10);
	wait_all(f);
	assert_done(&w);
	assert_int_equal(w.op.job_count, 0);
	store_jobs_list(f->store, expect(f, &w), NULL, 0, 0);
	wait_all(f);
	assert_int_equal(w.op.job_count, 0);
	assert_int_equal(w.op.older, 6);
}

/* ---- tickets ---- */

static struct attrs *sample_ticket(void)
{
	ipp_t *ipp = ippNew();

	ippAddInteger(ipp, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", 3);
	ippAddString(ipp, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", NULL, "two-sided-long-edge");
	return attrs_new(ipp);
}

static void free_open_jobs(struct stored_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		attrs_unref(jobs[i].ticket);
	free(jobs);
}

static size_t load_open(struct fixture *f, struct stored_job **ret)
{
	struct err err = { 0 };
	size_t count = 99;

	if (store_load_open_jobs(f->store, ret, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

static void raw_sql(struct fixture *f, const char *sql)
{
	AUTO(free_str) char *path = xasprintf("%s/state.db", f->dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t raw_count(struct fixture *f, const char *sql)
{
	AUTO(free_str) char *path = xasprintf("%s/state.db", f->dir);
	sqlite3_stmt *q;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
	return n;
}

static void test_open_jobs_come_with_their_tickets(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1), bare = sample_job(2), done = sample_job(3);
	struct attrs *ticket = sample_ticket();
	struct stored_job *open;

	store_job_add(f->store, expect(f, &w), &job, ticket);
	wait_all(f);
	assert_done(&w);
	job.id = w.op.job.id;
	(void)add_new(f, &bare);
	done.state = JOB_DONE;
	(void)add_new(f, &done);
	fixture_reopen(f);

	assert_int_equal(load_open(f, &open), 2);
	assert_int_equal(open[0].job.id, job.id);
	assert_same(&open[0].job, &job, job_columns, job_column_count);
	assert_true(attrs_equal(open[0].ticket, ticket));
	assert_null(open[1].ticket);
	free_open_jobs(open, 2);
	attrs_unref(ticket);
}

static void test_a_damaged_ticket_does_not_hide_its_job(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record job = sample_job(1), other = sample_job(2);
	struct attrs *ticket = sample_ticket();
	struct stored_job *open;

	store_job_add(f->store, expect(f, &w), &job, ticket);
	wait_all(f);
	store_job_add(f->store, expect(f, &w), &other, ticket);
	wait_all(f);
	fixture_close(f);
	raw_sql(f, "UPDATE tickets SET data = x'0200ffffffff' WHERE job = 1");
	fixture_open(f);
	assert_int_equal(load_open(f, &open), 2);
	assert_null(open[0].ticket);
	assert_true(attrs_equal(open[1].ticket, ticket));
	free_open_jobs(open, 2);
	attrs_unref(ticket);
}

static void test_a_finished_or_dropped_job_leaves_no_ticket(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record a = sample_job(1), b = sample_job(2);
	struct attrs *ticket = sample_ticket();
	struct job_event event = { .source = "queue", .text = "printed" };

	store_job_add(f->store, expect(f, &w), &a, ticket);
	wait_all(f);
	a.id = w.op.job.id;
	store_job_add(f->store, expect(f, &w), &b, ticket);
	wait_all(f);
	b.id = w.op.job.id;
	assert_int_equal(raw_count(f, "SELECT count(*) FROM tickets"), 2);
	a.state = JOB_DONE;
	save_job(f, &w, &a);
	assert_int_equal(raw_count(f, "SELECT count(*) FROM tickets"), 1);
	store_job_save(f->store, expect(f, &w), &b, &event, 1);
	wait_all(f);
	store_job_drop(f->store, expect(f, &w), b.id);
	wait_all(f);
	assert_int_equal(raw_count(f, "SELECT count(*) FROM tickets"), 0);
	assert_int_equal(raw_count(f, "SELECT count(*) FROM job_events"), 0);
	attrs_unref(ticket);
}

/* ---- trimming ---- */

static int64_t add_done(struct fixture *f, int n, int64_t reported)
{
	struct job_record job = sample_job(n);
	struct job_event event = { .source = "queue", .text = "printed" };
	struct waited w = { 0 };

	job.id = add_new(f, &job);
	job.state = JOB_DONE;
	job.outcome = OUTCOME_COMPLETED;
	job.reported = reported;
	(void)snprintf(job.user_name, sizeof(job.user_name), "ada");
	(void)snprintf(job.job_name, sizeof(job.job_name), "letter");
	store_job_save(f->store, expect(f, &w), &job, &event, 1);
	wait_all(f);
	assert_done(&w);
	return job.id;
}

static void test_trimming_takes_details_first_and_the_identity_later(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	struct job_record open = sample_job(4), again = sample_job(2);
	int64_t ancient = add_done(f, 1, 100), old = add_done(f, 2, 2000),
		young = add_done(f, 3, 5000);

	open.received = 50;
	open.id = add_new(f, &open);
	store_jobs_trim(f->store, expect(f, &w), 3000, 1000);
	wait_all(f);
	assert_done(&w);

	assert_int_equal(kind_of_get(f, ancient), ERR_GONE);
	get_job(f, &w, old);
	assert_done(&w);
	assert_int_equal(w.op.event_count, 0);
	assert_int_equal(w.op.job.outcome, OUTCOME_COMPLETED);
	assert_string_equal(w.op.job.user_name, "");
	assert_string_equal(w.op.job.job_name, "");
	add_job(f, &w, &again); /* still known */
	assert_true(w.op.existed);
	assert_int_equal(w.op.job.id, old);
	get_job(f, &w, young);
	assert_int_equal(w.op.event_count, 1);
	assert_string_equal(w.op.job.user_name, "ada");
	assert_int_equal(kind_of_get(f, open.id), ERR_NONE); /* however old */
	store_op_clear(&w.op);
}

static void test_a_long_history_keeps_its_rows(void **state)
{
	struct fixture *f = *state;
	struct waited w = { 0 };
	int64_t id = add_done(f, 1, 2000);

	store_jobs_trim(f->store, expect(f, &w), 1000, 3000);
	wait_all(f);
	get_job(f, &w, id);
	assert_done(&w);
	assert_int_equal(w.op.event_count, 1);
	store_op_clear(&w.op);
}

static void test_trimming_many_goes_in_steps_and_ends(void **state)
{
	struct fixture *f = *state;
	static struct waited w[1200];
	struct job_record job;

	memset(w, 0, sizeof(w));
	for (int i = 0; i < 1200; i++) {
		job = sample_job(i);
		job.state = JOB_DONE;
		job.reported = i;
		store_job_add(f->store, expect(f, &w[i]), &job, NULL);
	}
	wait_all(f);
	store_jobs_trim(f->store, expect(f, &w[0]), 5000, 1100);
	wait_all(f);
	assert_done(&w[0]);
	assert_int_equal(raw_count(f, "SELECT count(*) FROM jobs"), 100);
	assert_int_equal(raw_count(f, "SELECT count(*) FROM jobs WHERE detailed = 1"), 0);
}

static void test_queries_use_their_indexes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *sql, *index;
	} queries[] = {
		{ "SELECT id FROM jobs WHERE printer = ?1 AND cloud_uuid = ?2 AND cloud_uuid <> ''",
		  "jobs_cloud_uuid" },
		{ "SELECT id FROM jobs WHERE printer = ?1 AND cloud_job = ?2 AND cloud_created = ?3"
		  " AND cloud_uuid = ''",
		  "jobs_cloud_job" },
		{ TRIM_OLD, "jobs_done" },
		{ "SELECT uuid FROM jobs WHERE state <> 'done' ORDER BY id DESC LIMIT ?1",
		  "jobs_open" },
		{ "SELECT uuid FROM jobs WHERE printer = ?2 ORDER BY id DESC LIMIT ?1",
		  "jobs_printer" },
	};
	AUTO(free_str) char *path = xasprintf("%s/state.db", f->dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		AUTO(free_str) char *sql = xasprintf("EXPLAIN QUERY PLAN %s", queries[i].sql);
		const char *plan;
		sqlite3_stmt *q;

		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(q), SQLITE_ROW);
		plan = (const char *)sqlite3_column_text(q, 3);
		if (!strstr(plan, queries[i].index))
			fail_msg("%s: %s", queries[i].index, plan);
		(void)sqlite3_finalize(q);
	}
	(void)sqlite3_close(db);
}

/* ---- printers ---- */

static void save_printer(struct fixture *f, const struct printer_record *p)
{
	struct waited w = { 0 };

	store_printer_save(f->store, expect(f, &w), p);
	wait_all(f);
	assert_done(&w);
}

static size_t load_printers(struct fixture *f, struct printer_record **ret)
{
	struct err err = { 0 };
	size_t count = 99;

	if (store_load_printers(f->store, ret, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

static void test_printers_come_back_as_they_were_saved(void **state)
{
	struct fixture *f = *state;
	struct printer_record p[3], *loaded;

	assert_int_equal(load_printers(f, &loaded), 0);
	free(loaded);
	for (unsigned i = 0; i < 3; i++) {
		memset(&p[i], 0, sizeof(p[i]));
		fill(&p[i], printer_columns, printer_column_count, i * 57);
		p[i].created = 10 + i;
		save_printer(f, &p[i]);
	}
	p[1].paused = !p[1].paused; /* saved again: replaced */
	save_printer(f, &p[1]);
	fixture_reopen(f);
	assert_int_equal(load_printers(f, &loaded), 3);
	for (int i = 0; i < 3; i++)
		assert_same(&loaded[i], &p[i], printer_columns, printer_column_count);
	free(loaded);
}

static void test_a_dropped_printer_leaves_its_jobs(void **state)
{
	struct fixture *f = *state;
	struct printer_record p = { .id = "printer-1", .queue = "office" }, *loaded;
	struct job_record job = sample_job(1);
	struct waited w = { 0 };
	int64_t id;

	save_printer(f, &p);
	id = add_new(f, &job);
	store_printer_drop(f->store, expect(f, &w), p.id);
	wait_all(f);
	assert_done(&w);
	assert_int_equal(load_printers(f, &loaded), 0);
	free(loaded);
	assert_int_equal(kind_of_get(f, id), ERR_NONE);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- crashes ---- */

static struct job_record job_of(struct fixture *f, int64_t id)
{
	struct waited w = { 0 };

	get_job(f, &w, id);
	assert_done(&w);
	return w.op.job;
}

/* As the daemon begins. */
static void live(struct fixture *f)
{
	struct stored_job *jobs;
	struct err err;
	size_t n;

	assert_int_equal(store_load_open_jobs(f->store, &jobs, &n, &err), 0);
	for (size_t i = 0; i < n; i++)
		attrs_unref(jobs[i].ticket);
	free(jobs);
}

static bool settles; /* whether it lives for a while before */

/* As a daemon that is killed when it has begun. */
static void crash(struct fixture *f, int64_t job)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fixture_open(f);
		live(f);
		(void)job_of(f, job); /* the work before it is done */
		if (settles) {
			store_settle(f->store);
			(void)job_of(f, job);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_active_jobs_count_the_crashes_and_no_clean_stop(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(1);
	int64_t active, waiting;

	job.state = JOB_HANDING;
	active = add_new(f, &job);
	job = sample_job(2);
	(void)snprintf(job.cloud_uuid, sizeof(job.cloud_uuid), "urn:uuid:other");
	job.state = JOB_WAITING;
	waiting = add_new(f, &job);
	fixture_reopen(f);
	assert_int_equal(job_of(f, active).crashes, 0);
	fixture_close(f);
	crash(f, active);
	crash(f, active);
	fixture_open(f);
	live(f);
	assert_int_equal(job_of(f, active).crashes, 2);
	assert_int_equal(job_of(f, waiting).crashes, 0);
	fixture_reopen(f);
	assert_int_equal(job_of(f, active).crashes, 2);
}

static void test_crashes_in_a_row_are_counted_until_a_stop_or_a_long_life(void **state)
{
	struct fixture *f = *state;
	struct job_record job = sample_job(1);
	int64_t id = add_new(f, &job);

	fixture_close(f);
	for (int i = 0; i < 4; i++)
		crash(f, id);
	fixture_open(f);
	assert_int_equal(store_crashes(f->store), 4);
	live(f);
	fixture_reopen(f); /* it stopped by itself */
	assert_int_equal(store_crashes(f->store), 0);
	fixture_close(f);
	crash(f, id);
	settles = true;
	crash(f, id);
	settles = false;
	fixture_open(f);
	assert_int_equal(store_crashes(f->store), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_active_jobs_count_the_crashes_and_no_clean_stop),
		STORE_TEST(test_crashes_in_a_row_are_counted_until_a_stop_or_a_long_life),
		cmocka_unit_test(test_no_field_of_a_job_is_without_a_column),
		cmocka_unit_test(test_no_field_of_a_printer_is_without_a_column),
		STORE_TEST(test_the_database_is_used_as_the_promise_needs),
		STORE_TEST(test_a_job_comes_back_as_it_was_saved),
		STORE_TEST(test_extreme_numbers_and_states_come_back),
		STORE_TEST(test_a_known_job_of_the_cloud_is_returned_and_nothing_is_written),
		STORE_TEST(test_without_a_uuid_id_and_creation_time_are_the_identity),
		STORE_TEST(test_two_adds_of_one_job_in_one_commit_make_one_row),
		STORE_TEST(test_an_id_is_never_given_out_again),
		STORE_TEST(test_unknown_ids_are_gone),
		STORE_TEST(test_one_failing_write_leaves_the_others_of_its_commit),
		STORE_TEST(test_writes_that_wait_become_one_commit),
		STORE_TEST(test_reading_makes_no_commit_and_sees_what_was_queued_before),
		STORE_TEST(test_a_later_save_stays_behind_a_lazy_one),
		STORE_TEST(test_a_lazy_save_alone_is_written_within_a_second_or_so),
		STORE_TEST(test_closing_writes_what_is_queued),
		STORE_TEST(test_events_come_back_in_order_and_the_oldest_go),
		STORE_TEST(test_lists_are_newest_first_and_bounded),
		STORE_TEST(test_open_jobs_come_with_their_tickets),
		STORE_TEST(test_a_damaged_ticket_does_not_hide_its_job),
		STORE_TEST(test_a_finished_or_dropped_job_leaves_no_ticket),
		STORE_TEST(test_trimming_takes_details_first_and_the_identity_later),
		STORE_TEST(test_a_long_history_keeps_its_rows),
		STORE_TEST(test_trimming_many_goes_in_steps_and_ends),
		STORE_TEST(test_queries_use_their_indexes),
		STORE_TEST(test_printers_come_back_as_they_were_saved),
		STORE_TEST(test_a_dropped_printer_leaves_its_jobs),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
