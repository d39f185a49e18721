/* Somebody at the queue does not want a job while it is handed over to it. */
#include "tests/unit/core_case.h"

#include "common/str.h"

#define CANCELED 0x0508 /* server-error-job-canceled */

static void assert_canceled_there(struct fake_world *w)
{
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_string_equal(fake_cloud_job(w, 7)->reasons, "canceled-at-device");
	assert_int_equal(fake_count(w, "> queue.create 7"), 1);
	assert_int_equal(fake_local(w, 7)->printed, 0);
}

static void test_a_cancel_at_the_queue_during_the_hand_over_is_the_end(void **state)
{
	static const char *const moments[] = { "queue.create 7 ok", "> queue.send 7" };

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		struct fake_world *w = *state;

		w->delay_ms = 5;
		world_begin(state, CUPS);
		fake_until(w, moments[i]);
		fake_end(fake_local(w, 7), OUTCOME_CANCELED);
		fake_run(w, MINUTE);
		assert_canceled_there(w);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_it_is_seen_also_when_the_queue_answers_badly(void **state)
{
	struct fake_world *w = *state;

	(void)fake_fail(w, "queue.get", 7, ERR_TEMPORARY, FAKE_BEFORE);
	world_begin(state, CUPS);
	fake_until(w, "queue.create 7 ok");
	fake_end(fake_local(w, 7), OUTCOME_CANCELED);
	fake_run(w, MINUTE);
	assert_canceled_there(w);
	assert_int_equal(fake_count(w, "> queue.get 7"), 3);
}

/* cupsd lost the job before it was on its disk, and counts on from before. */
static void test_a_number_that_another_job_has_now_is_left_alone(void **state)
{
	struct fake_world *w = *state;

	(void)fake_fail(w, "cloud.document", 7, ERR_TEMPORARY, FAKE_MIDDLE);
	world_begin(state, CUPS);
	fake_until(w, "queue.create 7 ok");
	(void)str_copy(fake_local(w, 7)->uuid, sizeof(fake_local(w, 7)->uuid),
	               "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8");
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_count(w, "> queue.cancel 7"), 0);
	assert_int_equal(fake_count(w, "> queue.create 7"), 2);
}

/* The same while it prints, before or after anybody has looked. */
static void test_a_cancel_does_not_reach_another_job_with_the_number(void **state)
{
	for (int seen = 0; seen < 2; seen++) {
		struct fake_world *w = *state;

		w->manual = true;
		world_begin(state, CUPS);
		fake_until(w, "store.lazy 7 printing");
		if (seen)
			fake_run(w, MINUTE);
		(void)str_copy(fake_local(w, 7)->uuid, sizeof(fake_local(w, 7)->uuid),
		               "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8");
		cancel_here(w, 7);
		fake_run(w, MINUTE);
		assert_int_equal(fake_count(w, "> queue.cancel 7"), 0);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* Nobody else's cancel is taken for ours because the question before it had no answer. */
static void test_a_cancel_at_the_queue_is_seen_although_ours_was_not_sent(void **state)
{
	struct fake_world *w = *state;

	fake_fail(w, "queue.get", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 3;
	(void)fake_fail(w, "cloud.document", 7, ERR_TEMPORARY, FAKE_MIDDLE);
	world_begin(state, CUPS);
	fake_until(w, "queue.create 7 ok");
	fake_end(fake_local(w, 7), OUTCOME_CANCELED);
	fake_run(w, MINUTE);
	assert_canceled_there(w);
}

static void test_a_queue_that_is_back_is_asked_at_once(void **state)
{
	struct fake_world *w = *state;
	struct fake_rule *silent;

	(void)fake_fail(w, "queue.finish", 7, ERR_TEMPORARY, FAKE_BEFORE);
	silent = fake_fail(w, "queue.get", 7, ERR_TEMPORARY, FAKE_BEFORE);
	silent->times = 1000;
	world_begin(state, CUPS);
	fake_run(w, 30 * MINUTE); /* tries are minutes apart */
	assert_int_equal(state_of(w, 7), JOB_HANDING);
	fake_health(w, 0, QUEUE_DOWN);
	fake_run(w, 1000);
	silent->times = 0;
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, 2000);
	assert_int_equal(state_of(w, 7), JOB_PRINTING);
}

static void test_a_printer_that_fails_with_a_document_may_have_printed_it(void **state)
{
	static const int codes[] = { 0x0500, 0x0504 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct fake_world *w = *state;

		fake_fail(w, "queue.send", 7, ERR_TEMPORARY, FAKE_MIDDLE)->code = codes[i];
		world_begin(state, IPP);
		fake_run(w, MINUTE);
		assert_int_equal(fake_count(w, "> queue.send 7"), 1);
		assert_int_equal(fake_row(w, 7)->state, JOB_HELD);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* Our own cancel is no one else's, whatever became of its answer or of us. */
static void test_what_we_took_back_ourselves_is_handed_over_again(void **state)
{
	for (int killed = 0; killed < 2; killed++) {
		struct fake_world *w = *state;

		(void)fake_fail(w, "cloud.document", 7, ERR_TEMPORARY, FAKE_MIDDLE);
		(void)fake_fail(w, "queue.cancel", 7, ERR_TEMPORARY, FAKE_AFTER);
		(void)fake_fail(w, "queue.purge", 7, ERR_TEMPORARY, FAKE_AFTER);
		world_begin(state, CUPS);
		fake_until(w, "queue.cancel 7");
		if (killed) {
			fake_kill(w);
			fake_start(w);
		}
		fake_run(w, 10 * MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_count(w, "> queue.create 7"), 2);
		assert_int_equal(fake_count(w, "printed 7"), 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* A document that cupsd reads to its end after the Cancel-Job would bring the job back. */
static void test_what_was_taken_back_is_forgotten_before_it_is_handed_over_again(void **state)
{
	struct fake_world *w = *state;

	(void)fake_fail(w, "queue.send", 7, ERR_TEMPORARY, FAKE_AFTER);
	world_begin(state, CUPS);
	fake_until(w, "queue.create 7 ok");
	fake_until(w, "queue.purge 7 ok");
	assert_int_equal(fake_count(w, "> queue.create 7"), 1);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_count(w, "printed 7"), 1);
}

static void test_a_printer_that_says_canceled_while_it_is_sent_is_believed(void **state)
{
	struct fake_world *w = *state;

	fake_fail(w, "queue.send", 7, ERR_CANCELED, FAKE_MIDDLE)->code = CANCELED;
	world_begin(state, IPP);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_string_equal(fake_cloud_job(w, 7)->reasons, "canceled-at-device");
	assert_int_equal(fake_count(w, "> queue.send 7"), 1);
}

static void test_a_cancel_in_the_cloud_after_it_printed_leaves_the_documents_printed(void **state)
{
	struct fake_world *w = *state;

	(void)fake_fail(w, "cloud.report", 7, ERR_TEMPORARY, FAKE_BEFORE);
	world_begin(state, CUPS);
	fake_until(w, "printed 7");
	fake_cloud_cancel(w, 7);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_true(fake_cloud_job(w, 7)->printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_cancel_at_the_queue_during_the_hand_over_is_the_end),
		in_world(test_it_is_seen_also_when_the_queue_answers_badly),
		in_world(test_a_number_that_another_job_has_now_is_left_alone),
		in_world(test_a_cancel_does_not_reach_another_job_with_the_number),
		in_world(test_a_cancel_at_the_queue_is_seen_although_ours_was_not_sent),
		in_world(test_a_queue_that_is_back_is_asked_at_once),
		in_world(test_a_printer_that_fails_with_a_document_may_have_printed_it),
		in_world(test_what_we_took_back_ourselves_is_handed_over_again),
		in_world(test_what_was_taken_back_is_forgotten_before_it_is_handed_over_again),
		in_world(test_a_printer_that_says_canceled_while_it_is_sent_is_believed),
		in_world(test_a_cancel_in_the_cloud_after_it_printed_leaves_the_documents_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
