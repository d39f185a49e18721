/* From the offer to the promise. */
#include "tests/unit/core_case.h"

#define NOT_FOUND     0x0406
#define NOT_FETCHABLE 0x0420

static void test_a_job_that_cannot_be_fetched_is_left_to_the_cloud(void **state)
{
	static const enum err_kind kinds[] = { ERR_TEMPORARY, ERR_GONE, ERR_DENIED, ERR_REJECTED };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct fake_world *w = world_begin(state, CUPS);

		(void)fake_fail(w, "cloud.fetch", 7, kinds[i], i ? FAKE_BEFORE : FAKE_START);
		fake_run(w, 5);
		assert_null(fake_row(w, 7));
		assert_no_line(w, "> cloud.accept 7");
		assert_int_equal(core_counts(w->core).jobs[JOB_CLAIMING], 0);
		if (kinds[i] == ERR_GONE)
			fake_offer(w, 0);
		fake_run(w, 2 * MINUTE); /* else the cloud is asked what there is */
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_row_that_is_not_committed_is_not_accepted_but_fetched_again(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	(void)fake_fail(w, "store.add", 7, ERR_TEMPORARY, FAKE_BEFORE);
	fake_until(w, "store.add 7 claiming try=1 local=0 open failed");
	fake_run(w, 100);
	assert_no_line(w, "> cloud.accept 7");
	fake_run(w, MINUTE); /* the store works again, and the cloud is asked what there is */
	assert_line(w, "> cloud.list 0");
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_job_that_another_device_took_is_dropped(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "> store.add 7");
	fake_cloud_job(w, 7)->hold = FAKE_TAKEN;
	fake_run(w, MINUTE);
	assert_null(fake_row(w, 7));
	assert_line(w, "store.drop 7");
	assert_no_line(w, "> queue.create 7");
}

static void test_a_lost_answer_to_the_acceptance_is_asked_again(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_AFTER);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_cloud_job(w, 7)->accepts, 2);
}

static void test_a_cloud_that_says_not_fetchable_then_is_proved_by_the_document(void **state)
{
	struct fake_world *w = *state;

	w->accept_again_refused = true;
	world_begin(state, CUPS);
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_AFTER);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_count(w, "> cloud.accept 7"), 2);
	assert_int_equal(fake_closed(w, 7), 1);
}

static void test_a_large_document_proves_it_as_well(void **state)
{
	static char big[200000];
	struct fake_world *w = *state;
	struct fake_cloud_job *j;

	memset(big, ' ', sizeof(big));
	memcpy(big, "%PDF-", 5);
	w->accept_again_refused = true;
	(void)fake_printer(w, CUPS);
	j = fake_job(w, 0, 7);
	j->bytes = big;
	j->len = sizeof(big);
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_AFTER);
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_proof_that_fails_means_that_it_is_not_ours(void **state)
{
	struct fake_world *w = *state;

	w->accept_again_refused = true;
	world_begin(state, CUPS);
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_BEFORE);
	fake_until(w, "cloud.accept 7 temporary");
	fake_cloud_job(w, 7)->hold = FAKE_TAKEN;
	fake_run(w, MINUTE);
	assert_line(w, "> cloud.document 7");
	assert_null(fake_row(w, 7));
}

static void test_a_job_that_ended_in_the_cloud_meanwhile_is_left_there(void **state)
{
	struct fake_world *w = *state;

	w->accept_again_refused = true;
	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	(void)fake_old_row(w, 0, 7, JOB_CLAIMING);
	fake_cloud_job(w, 7)->hold = FAKE_FINAL;
	fake_fail(w, "cloud.accept", 7, ERR_REJECTED, FAKE_BEFORE)->code = NOT_FETCHABLE;
	(void)fake_fail(w, "cloud.check", 7, ERR_TEMPORARY, FAKE_BEFORE);
	fake_fail(w, "cloud.accept", 7, ERR_REJECTED, FAKE_BEFORE)->code = NOT_FETCHABLE;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_int_equal(fake_count(w, "> cloud.check 7"), 2);
	assert_int_equal(fake_count(w, "> cloud.document 7"), 0);
	assert_null(fake_row(w, 7));
}

static void test_a_proof_without_answer_is_tried_again(void **state)
{
	struct fake_world *w = *state;

	w->accept_again_refused = true;
	world_begin(state, CUPS);
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_AFTER);
	fake_fail(w, "cloud.document", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 2;
	fake_fail(w, "cloud.document", 7, ERR_TEMPORARY, FAKE_START)->times = 2;
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_closed(w, 7), 1);
}

static void test_a_job_of_an_earlier_life_is_accepted_or_proved(void **state)
{
	for (int refused = 0; refused < 2; refused++)
		for (int hold = 0; hold < 3; hold++) {
			struct fake_world *w = *state;
			struct fake_cloud_job *j;

			w->accept_again_refused = refused;
			(void)fake_printer(w, CUPS);
			j = fake_job(w, 0, 7);
			(void)fake_old_row(w, 0, 7, JOB_CLAIMING);
			j->hold = (enum fake_hold)hold;
			fake_start(w);
			fake_run(w, MINUTE);
			if (hold == FAKE_TAKEN)
				assert_null(fake_row(w, 7));
			else
				assert_told(w, 7, CLOUD_JOB_COMPLETED);
			(void)world_teardown(state);
			(void)world_setup(state);
		}
}

/* Until it is told of them again it says not-found to whatever they ask. */
static void test_a_cloud_that_forgot_its_devices_costs_no_job(void **state)
{
	static const char *const verbs[] = { "cloud.accept", "cloud.check", "cloud.document",
		                             "cloud.report" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct fake_world *w = *state;
		struct fake_rule *rule;

		w->accept_again_refused = true;
		(void)fake_printer(w, CUPS);
		fake_job(w, 0, 7)->hold = FAKE_OURS;
		(void)fake_old_row(w, 0, 7, JOB_CLAIMING);
		rule = fake_fail(w, verbs[i], 7, ERR_GONE, FAKE_BEFORE);
		rule->code = NOT_FOUND;
		rule->times = 2;
		fake_start(w);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_closed(w, 7), 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_what_cannot_be_printed_is_refused_and_never_accepted(void **state)
{
	struct fake_world *w = *state;
	struct fake_cloud_job *j;

	(void)fake_printer(w, CUPS);
	j = fake_job(w, 0, 7);
	(void)snprintf(j->format, sizeof(j->format), "application/postscript");
	fake_start(w);
	fake_run(w, MINUTE);
	assert_true(j->never_acknowledged);
	assert_non_null(strstr(j->message, "allow-formats"));
	assert_no_line(w, "> cloud.accept 7");
	assert_int_equal(state_of(w, 7), JOB_DONE);
	assert_before(w, "store.add 7 reporting", "> cloud.refuse 7");
}

static void test_several_documents_for_a_printer_of_single_ones_are_refused(void **state)
{
	struct fake_world *w = *state;
	struct fake_cloud_job *j;

	w->printers_single = true;
	(void)fake_printer(w, IPP);
	j = fake_job(w, 0, 7);
	j->documents = 2;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_true(j->never_acknowledged);
	assert_no_line(w, "> cloud.accept 7");
}

static void test_a_refusal_survives_a_kill(void **state)
{
	struct fake_world *w = *state;
	struct fake_cloud_job *j;

	(void)fake_printer(w, CUPS);
	j = fake_job(w, 0, 7);
	(void)snprintf(j->format, sizeof(j->format), "application/postscript");
	(void)fake_fail(w, "cloud.refuse", 7, ERR_TEMPORARY, FAKE_BEFORE);
	fake_start(w);
	fake_until(w, "cloud.refuse 7 temporary");
	fake_kill(w);
	fake_start(w);
	fake_run(w, MINUTE);
	assert_true(j->never_acknowledged);
	assert_no_line(w, "> cloud.accept 7");
}

static void test_a_job_without_documents_is_taken_for_one(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;

		(void)fake_printer(w, queues[i]);
		fake_job(w, 0, 7)->documents = 0;
		fake_start(w);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_ABORTED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* ---- old acquaintances ------------------------------------------------------------------------
 */

static void
test_a_finished_job_that_is_offered_again_is_told_its_end_and_does_not_print(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_DONE);
	row->outcome = OUTCOME_COMPLETED;
	row->impressions = 3;
	fake_cloud_job(w, 7)->hold = FAKE_FETCHABLE;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_no_line(w, "> queue.create 7");
	assert_int_equal(core_tally(w->core)->finished[OUTCOME_COMPLETED], 0);
}

static void test_a_finished_job_without_answer_is_tried_until_it_is_told(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_DONE);
	row->outcome = OUTCOME_CANCELED;
	fake_cloud_job(w, 7)->hold = FAKE_FETCHABLE;
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_START);
	fake_fail(w, "cloud.report", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 3;
	fake_start(w);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_no_line(w, "> queue.create 7");
}

static void test_a_refused_job_that_is_offered_again_is_refused_again(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_DONE);
	row->outcome = OUTCOME_ABORTED;
	row->refused = true;
	row->error_code = 0x040a;
	fake_cloud_job(w, 7)->hold = FAKE_FETCHABLE;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_true(fake_cloud_job(w, 7)->never_acknowledged);
	assert_no_line(w, "> cloud.accept 7");
}

static void test_an_open_job_that_is_offered_again_is_only_accepted_again(void **state)
{
	/* whatever it is doing: waiting, held, printing, reporting */
	static const enum job_state states[] = { JOB_WAITING, JOB_HELD, JOB_PRINTING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fake_world *w = *state;
		struct job_record *row;

		(void)fake_printer(w, CUPS);
		(void)fake_job(w, 0, 7);
		row = fake_old_row(w, 0, 7, states[i]);
		row->next_try = w->clock.wall_ms + 100;
		w->manual = true;
		w->offers_ours = true;
		if (states[i] == JOB_PRINTING) {
			row->closed = true;
			row->local_job = fake_old_local(w, row, true)->id;
		}
		fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_START)->times = 3;
		fake_start(w);
		fake_run(w, 2 * MINUTE);
		assert_true(fake_cloud_job(w, 7)->accepts >= 1);
		assert_int_equal(fake_cloud_job(w, 7)->finals, 0);
		if (fake_local(w, 7))
			fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
		w->offers_ours = false;
		fake_run(w, MINUTE);
		assert_true(fake_closed(w, 7) <= 1);
		if (states[i] == JOB_HELD)
			assert_int_equal(state_of(w, 7), JOB_HELD);
		else
			assert_told(w, 7, CLOUD_JOB_COMPLETED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_what_the_cloud_says_we_hold_is_told_its_remembered_end(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_DONE);
	row->outcome = OUTCOME_COMPLETED;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_no_line(w, "> cloud.accept 7");
	assert_no_line(w, "> queue.create 7");
}

static void test_what_the_cloud_says_we_hold_and_nobody_knows_is_aborted(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	fake_job(w, 0, 7)->hold = FAKE_OURS;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_ABORTED);
	assert_int_equal(fake_cloud_job(w, 7)->hold, FAKE_FINAL);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "print it again"));
	assert_int_equal(core_counts(w->core).jobs[JOB_DONE], 0);
	/* nothing to write down: the store is not to blame */
	assert_no_line(w, "> store.lazy 7");
}

static void test_a_remembered_job_that_the_store_cannot_read_is_asked_again_later(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	fake_job(w, 0, 7)->hold = FAKE_OURS;
	(void)fake_fail(w, "store.find", 7, ERR_TEMPORARY, FAKE_BEFORE);
	fake_start(w);
	fake_run(w, MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->hold, FAKE_OURS);
	fake_channel(w, 0, CHANNEL_OFFLINE);
	fake_channel(w, 0, CHANNEL_ONLINE);
	fake_run(w, MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->hold, FAKE_FINAL);
}

static void test_a_cancel_while_claiming_ends_the_job_as_canceled(void **state)
{
	static const char *const moments[] = { "> cloud.fetch 7", "> store.add 7",
		                               "> cloud.accept 7", "cloud.accept 7 ok" };

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		struct fake_world *w = world_begin(state, CUPS);
		struct channel *ch = &w->channels[0];

		fake_until(w, moments[i]);
		ch->listener.canceled(ch->listener.data, 7);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_CANCELED);
		assert_int_equal(fake_closed(w, 7), 0);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_job_that_cannot_be_fetched_is_left_to_the_cloud),
		in_world(test_a_row_that_is_not_committed_is_not_accepted_but_fetched_again),
		in_world(test_a_job_that_another_device_took_is_dropped),
		in_world(test_a_lost_answer_to_the_acceptance_is_asked_again),
		in_world(test_a_cloud_that_says_not_fetchable_then_is_proved_by_the_document),
		in_world(test_a_large_document_proves_it_as_well),
		in_world(test_a_proof_that_fails_means_that_it_is_not_ours),
		in_world(test_a_proof_without_answer_is_tried_again),
		in_world(test_a_job_that_ended_in_the_cloud_meanwhile_is_left_there),
		in_world(test_a_job_of_an_earlier_life_is_accepted_or_proved),
		in_world(test_a_cloud_that_forgot_its_devices_costs_no_job),
		in_world(test_what_cannot_be_printed_is_refused_and_never_accepted),
		in_world(test_several_documents_for_a_printer_of_single_ones_are_refused),
		in_world(test_a_refusal_survives_a_kill),
		in_world(test_a_job_without_documents_is_taken_for_one),
		in_world(
			test_a_finished_job_that_is_offered_again_is_told_its_end_and_does_not_print),
		in_world(test_a_finished_job_without_answer_is_tried_until_it_is_told),
		in_world(test_a_refused_job_that_is_offered_again_is_refused_again),
		in_world(test_an_open_job_that_is_offered_again_is_only_accepted_again),
		in_world(test_what_the_cloud_says_we_hold_is_told_its_remembered_end),
		in_world(test_what_the_cloud_says_we_hold_and_nobody_knows_is_aborted),
		in_world(test_a_remembered_job_that_the_store_cannot_read_is_asked_again_later),
		in_world(test_a_cancel_while_claiming_ends_the_job_as_canceled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
