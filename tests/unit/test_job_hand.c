/* From the accepted job to the queue that has all of it. */
#include "tests/unit/core_case.h"

#include "common/str.h"

static void test_a_job_prints_on_cups_and_each_step_follows_its_commit(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "store.lazy 7 done");
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_before(w, "store.add 7 claiming try=1 local=0 open ok", "> cloud.accept 7");
	assert_before(w, "cloud.accept 7 ok", "> queue.create 7");
	assert_before(w, "store.save 7 handing try=1 local=100 open acknowledged ok",
	              "> queue.send 7");
	assert_before(w, "store.save 7 handing try=1 local=100 closed acknowledged ok",
	              "> queue.finish 7");
	assert_before(w, "store.save 7 reporting try=1 local=100 closed acknowledged ok",
	              "told 7 2");
	assert_before(w, "cloud.check 7 ok", "told 7 2");
	assert_int_equal(fake_closed(w, 7), 1);
	assert_int_equal(fake_local(w, 7)->printed, 1);
	assert_int_equal(fake_row(w, 7)->impressions, 1);
}

static void test_a_job_prints_on_an_ipp_printer_with_the_whole_document_first(void **state)
{
	struct fake_world *w = world_begin(state, IPP);

	fake_until(w, "store.lazy 7 done");
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_no_line(w, "> queue.create 7"); /* Print-Job */
	assert_before(w, "store.save 7 handing try=1 local=0 closed acknowledged ok",
	              "> queue.send 7");
	assert_no_line(w, "> queue.finish 7");
	/* from here on a restart knows that all of it arrived */
	assert_before(w, "store.save 7 printing try=1 local=100 closed acknowledged ok",
	              "store.save 7 reporting");
	assert_no_line(w, "> store.lazy 7 printing");
	assert_int_equal(fake_local(w, 7)->bytes, fake_cloud_job(w, 7)->len);
}

static void test_several_documents_are_one_local_job_closed_once(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;

		(void)fake_printer(w, queues[i]);
		fake_job(w, 0, 7)->documents = 3;
		fake_start(w);
		fake_until(w, "store.lazy 7 done");
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_count(w, "> cloud.document 7"), 3);
		assert_int_equal(fake_count(w, "queue.send 7 ok"), 3);
		assert_int_equal(fake_count(w, "> queue.create 7"), 1);
		assert_int_equal(fake_local(w, 7)->documents, 3);
		assert_int_equal(fake_closed(w, 7), 1);
		assert_int_equal(fake_row(w, 7)->bytes, 3 * fake_cloud_job(w, 7)->len);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_document_larger_than_the_buffer_passes(void **state)
{
	static const char *const queues[] = { CUPS, IPP };
	static char big[300000];

	memset(big, ' ', sizeof(big));
	memcpy(big, "%PDF-", 5);
	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;
		struct fake_cloud_job *j;

		(void)fake_printer(w, queues[i]);
		j = fake_job(w, 0, 7);
		j->bytes = big;
		j->len = sizeof(big);
		fake_start(w);
		fake_until(w, "store.lazy 7 done");
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_local(w, 7)->bytes, sizeof(big));
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* ---- failures: what policy says, for each step and kind ---------------------------------------
 */

struct failure {
	const char *queue, *verb;
	enum err_kind kind;
	enum fake_how how;
	enum job_state to; /* DONE with the cloud told `told`, or HELD; else it prints in the end */
	enum cloud_job_state told;
	unsigned closed;
};

static const struct failure failures[] = {
	{ CUPS, "queue.create", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.create", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.create", ERR_TEMPORARY, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.create", ERR_GONE, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.create", ERR_DENIED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "queue.create", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.create", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "cloud.document", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "cloud.document", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "cloud.document", ERR_TEMPORARY, FAKE_MIDDLE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "cloud.document", ERR_TEMPORARY, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "cloud.document", ERR_DENIED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "cloud.document", ERR_GONE, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "cloud.document", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "cloud.document", ERR_REJECTED, FAKE_MIDDLE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "queue.send", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.send", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.send", ERR_TEMPORARY, FAKE_MIDDLE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.send", ERR_TEMPORARY, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.send", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.send", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "queue.send", ERR_DENIED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ CUPS, "queue.send", ERR_GONE, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.finish", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.finish", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.finish", ERR_TEMPORARY, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, "queue.finish", ERR_REJECTED, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "cloud.document", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "cloud.document", ERR_TEMPORARY, FAKE_MIDDLE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "cloud.document", ERR_GONE, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ IPP, "cloud.document", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ IPP, "transit.create", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "transit.fill", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "transit.fill", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "transit.fill", ERR_REJECTED, FAKE_MIDDLE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ IPP, "transit.drain", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "transit.drain", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.create", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.create", ERR_TEMPORARY, FAKE_AFTER, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.create", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.create", ERR_REJECTED, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ IPP, "queue.send", ERR_TEMPORARY, FAKE_START, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.send", ERR_TEMPORARY, FAKE_BEFORE, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, "queue.send", ERR_TEMPORARY, FAKE_MIDDLE, JOB_HELD, CLOUD_JOB_STOPPED, 1 },
	{ IPP, "queue.send", ERR_TEMPORARY, FAKE_AFTER, JOB_HELD, CLOUD_JOB_STOPPED, 1 },
};

/* A cloud that lost its memory gives numbers out again: what it has under ours now is printed by
 * the job that it is, and once. */
static void test_documents_of_another_job_under_its_number_are_not_printed(void **state)
{
	static const char *const queues[] = { CUPS, IPP };
	static const enum job_state states[] = { JOB_WAITING, JOB_HANDING };

	for (size_t i = 0; i < 4; i++) {
		struct fake_world *w = *state;
		struct job_record *row;
		int64_t old;

		(void)fake_printer(w, queues[i / 2]);
		(void)fake_job(w, 0, 7);
		row = fake_old_row(w, 0, 7, states[i % 2]);
		(void)str_copy(row->cloud_uuid, sizeof(row->cloud_uuid), "urn:uuid:before");
		row->uuid[0] = '2';
		old = row->id;
		(void)fake_old_row(w, 0, 7, JOB_HANDING);
		fake_start(w);
		fake_run(w, 10 * MINUTE);
		assert_int_equal(fake_count(w, "printed 7"), 1);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		for (size_t k = 0; k < w->row_count; k++)
			if (w->rows[k].id == old)
				assert_int_equal(w->rows[k].outcome, OUTCOME_ABORTED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* Whatever else went wrong in between. */
static void test_a_document_that_is_refused_twice_is_final(void **state)
{
	struct fake_world *w = *state;

	(void)fake_fail(w, "queue.create", 7, ERR_REJECTED, FAKE_BEFORE);
	(void)fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE);
	(void)fake_fail(w, "queue.create", 7, ERR_REJECTED, FAKE_BEFORE);
	world_begin(state, CUPS);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_int_equal(fake_count(w, "> queue.create 7"), 3);
}

static void test_each_failure_ends_where_policy_says(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		const struct failure *f = &failures[i];
		struct fake_world *w = *state;

		(void)fake_printer(w, f->queue);
		/* an IPP printer gets a document alone by Print-Job */
		fake_job(w, 0, 7)->documents =
			strcmp(f->queue, IPP) == 0 && strcmp(f->verb, "queue.create") == 0 ? 2 : 1;
		fake_fail(w, f->verb, 0, f->kind, f->how)->times =
			f->kind == ERR_REJECTED && f->told == CLOUD_JOB_ABORTED ? 2 : 1;
		fake_start(w);
		fake_run(w, 10 * MINUTE);
		if (state_of(w, 7) != f->to || fake_cloud_job(w, 7)->told != f->told ||
		    fake_closed(w, 7) != f->closed) {
			fake_print_lines(w);
			fail_msg("%s %s %s %d: row %s, told %d, closed %u", f->queue, f->verb,
			         err_kind_name(f->kind), f->how, job_state_name(state_of(w, 7)),
			         fake_cloud_job(w, 7)->told, fake_closed(w, 7));
		}
		assert_int_equal(w->transit_files, 0);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_document_of_another_type_never_reaches_the_queue(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;
		struct fake_cloud_job *j;

		(void)fake_printer(w, queues[i]);
		j = fake_job(w, 0, 7);
		j->bytes = "\x1b%-12345X@PJL JOB";
		j->len = 17;
		fake_start(w);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_ABORTED);
		assert_string_equal(j->reasons, "aborted-by-system,document-format-error");
		assert_int_equal(fake_closed(w, 7), 0);
		assert_no_line(w, "> queue.send 7");
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_an_empty_document_is_refused(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	fake_job(w, 0, 7)->len = 0;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_int_equal(fake_closed(w, 7), 0);
}

static void test_a_commit_that_fails_blocks_what_follows_and_is_tried_again(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_fail(w, "store.save", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 1000;
	fake_start(w);
	fake_run(w, 30 * MINUTE);
	assert_line(w, "cloud.accept 7 ok");
	assert_no_line(w, "> queue.send 7");
	assert_true(fake_count(w, "> store.save 7") > 10);
	w->rules[0].times = 0;
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_count(w, "> cloud.accept 7"), 1);
}

static void test_while_the_store_fails_nothing_is_claimed(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "> queue.finish 7");
	w->store_down = true;
	fake_run(w, 5000); /* it is noticed */
	(void)fake_job(w, 0, 8);
	(void)fake_job(w, 0, 9);
	fake_offer(w, 0);
	fake_run(w, 10 * MINUTE);
	assert_no_line(w, "> cloud.fetch 8");
	assert_no_line(w, "> cloud.fetch 9");
	w->store_down = false;
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_told(w, 8, CLOUD_JOB_COMPLETED);
	assert_told(w, 9, CLOUD_JOB_COMPLETED);
}

static void test_a_busy_printer_is_asked_again_and_the_job_prints(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, IPP);
	(void)fake_job(w, 0, 7);
	(void)fake_job(w, 0, 8);
	(void)fake_job(w, 0, 9);
	w->busy_when_printing = true;
	fake_start(w);
	fake_run(w, 10 * MINUTE);
	for (int32_t job = 7; job <= 9; job++)
		assert_told(w, job, CLOUD_JOB_COMPLETED);
	/* its own job's end wakes the next: no hammering */
	assert_true(fake_count(w, "> queue.create 8") <= 3);
	assert_before(w, "printed 7", "printed 8");
	assert_before(w, "printed 8", "printed 9");
}

static void test_a_printer_busy_with_others_is_asked_with_back_off(void **state)
{
	struct fake_world *w = *state;
	struct fake_rule *r;

	(void)fake_printer(w, IPP);
	(void)fake_job(w, 0, 7);
	r = fake_fail(w, "queue.create", 0, ERR_TEMPORARY, FAKE_BEFORE);
	r->code = 0x0507;
	r->times = 20;
	fake_start(w);
	fake_run(w, 5 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_row(w, 7)->attempt, 1);
}

static void test_a_printer_busy_for_ever_ends_at_give_up_after(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;
		struct fake_rule *r;

		(void)fake_printer(w, queues[i]);
		fake_job(w, 0, 7)->documents = 2;
		r = fake_fail(w, "queue.create", 0, ERR_TEMPORARY, FAKE_BEFORE);
		r->code = 0x0507;
		r->times = 1000000;
		w->quiet = true;
		fake_start(w);
		fake_run(w, 4 * (int64_t)DAY);
		w->quiet = false;
		assert_told(w, 7, CLOUD_JOB_ABORTED);
		assert_true(fake_cloud_job(w, 7)->worst_silence <= 4 * MINUTE);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* ---- order, limits ----------------------------------------------------------------------------
 */

static void test_jobs_of_one_printer_start_in_order(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;

		(void)fake_printer(w, queues[i]);
		w->jitter_ms = 500;
		for (int32_t job = 1; job <= 8; job++)
			(void)fake_job(w, 0, job);
		fake_start(w);
		fake_run(w, 10 * MINUTE);
		for (int32_t job = 1; job <= 8; job++) {
			char a[32], b[32];

			assert_told(w, job, CLOUD_JOB_COMPLETED);
			if (job == 8)
				break;
			(void)snprintf(a, sizeof(a), "> queue.%s %d", i ? "send" : "finish", job);
			(void)snprintf(b, sizeof(b), "> queue.%s %d", i ? "send" : "finish",
			               job + 1);
			assert_before(w, a, b);
		}
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_job_stuck_in_retries_lets_the_next_pass(void **state)
{
	struct fake_world *w = *state;
	struct fake_rule *r;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	(void)fake_job(w, 0, 8);
	r = fake_fail(w, "queue.finish", 7, ERR_TEMPORARY, FAKE_BEFORE);
	r->times = 1000;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 8, CLOUD_JOB_COMPLETED);
	assert_int_equal(state_of(w, 7), JOB_HANDING);
	r->times = 0;
	fake_run(w, HOUR);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_closed(w, 7), 1);
}

static void test_an_ipp_printer_is_asked_before_a_job_is_taken_for_it(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, IPP);
	fake_start(w);
	fake_run(w, MINUTE);
	fake_health(w, 0, QUEUE_READY);
	w->queues[0].goes_down = true; /* it is off, and nobody has noticed */
	(void)fake_job(w, 0, 7);
	fake_offer(w, 0);
	fake_run(w, MINUTE);
	assert_no_line(w, "> cloud.fetch 7");
	w->queues[0].goes_down = false;
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_no_more_jobs_are_taken_than_a_printer_may_have(void **state)
{
	struct fake_world *w = *state;

	world_settings(w, "[jobs]\nmax-jobs-per-printer = 2\n");
	(void)fake_printer(w, CUPS);
	for (int32_t job = 1; job <= 5; job++)
		(void)fake_job(w, 0, job);
	w->manual = true;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_line(w, "cloud.accept 2 ok");
	assert_no_line(w, "> cloud.fetch 3");
	fake_end(fake_local(w, 1), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_line(w, "cloud.accept 3 ok");
	assert_no_line(w, "> cloud.fetch 4");
}

static void test_no_more_documents_move_at_once_than_allowed(void **state)
{
	struct fake_world *w = *state;
	unsigned most = 0;

	world_settings(w, "[jobs]\nmax-transfers = 2\n");
	for (int i = 0; i < 6; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), i % 2 ? "ipp://p%d/ipp/print" : "cups%d", i);
		(void)fake_printer(w, name);
		(void)fake_job(w, i, i + 1);
	}
	w->delay_ms = 50;
	fake_start(w);
	for (int i = 0; i < 20000 && fake_clock_step(&w->clock); i++) {
		unsigned now = core_counts(w->core).transfers;

		most = now > most ? now : most;
	}
	assert_int_equal(most, 2);
	for (int32_t job = 1; job <= 6; job++)
		assert_told(w, job, CLOUD_JOB_COMPLETED);
	assert_int_equal(core_counts(w->core).transfers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_job_prints_on_cups_and_each_step_follows_its_commit),
		in_world(test_a_job_prints_on_an_ipp_printer_with_the_whole_document_first),
		in_world(test_several_documents_are_one_local_job_closed_once),
		in_world(test_a_document_larger_than_the_buffer_passes),
		in_world(test_a_document_that_is_refused_twice_is_final),
		in_world(test_documents_of_another_job_under_its_number_are_not_printed),
		in_world(test_each_failure_ends_where_policy_says),
		in_world(test_a_document_of_another_type_never_reaches_the_queue),
		in_world(test_an_empty_document_is_refused),
		in_world(test_a_commit_that_fails_blocks_what_follows_and_is_tried_again),
		in_world(test_while_the_store_fails_nothing_is_claimed),
		in_world(test_a_busy_printer_is_asked_again_and_the_job_prints),
		in_world(test_a_printer_busy_with_others_is_asked_with_back_off),
		in_world(test_a_printer_busy_for_ever_ends_at_give_up_after),
		in_world(test_jobs_of_one_printer_start_in_order),
		in_world(test_a_job_stuck_in_retries_lets_the_next_pass),
		in_world(test_an_ipp_printer_is_asked_before_a_job_is_taken_for_it),
		in_world(test_no_more_jobs_are_taken_than_a_printer_may_have),
		in_world(test_no_more_documents_move_at_once_than_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
