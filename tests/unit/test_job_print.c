/* Printing, waiting, held, reporting; cancels; what an earlier life left. */
#include "tests/unit/core_case.h"

#include "common/str.h"

/* Job 7 prints, by hand from here on. */
static struct fake_world *printing(void **state, const char *queue)
{
	struct fake_world *w = *state;

	w->manual = true;
	world_begin(state, queue);
	fake_until(w, "store.lazy 7 printing");
	fake_run(w, 10);
	return w;
}

static void test_an_end_at_the_queue_is_told_with_its_reason(void **state)
{
	static const struct {
		enum job_outcome outcome;
		enum cloud_job_state told;
		const char *reasons;
	} ends[] = {
		{ OUTCOME_COMPLETED, CLOUD_JOB_COMPLETED, "job-completed-successfully" },
		{ OUTCOME_ABORTED, CLOUD_JOB_ABORTED, "aborted-by-system" },
		{ OUTCOME_CANCELED, CLOUD_JOB_CANCELED, "canceled-at-device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct fake_world *w = printing(state, CUPS);

		fake_begin(fake_local(w, 7));
		fake_end(fake_local(w, 7), ends[i].outcome);
		fake_run(w, MINUTE);
		assert_told(w, 7, ends[i].told);
		assert_string_equal(fake_cloud_job(w, 7)->reasons, ends[i].reasons);
		if (ends[i].outcome == OUTCOME_ABORTED)
			assert_string_equal(fake_cloud_job(w, 7)->message, "out of luck");
		assert_int_equal(core_tally(w->core)->finished[ends[i].outcome], 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_job_that_printed_twice_says_so(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	fake_local(w, 7)->printed_again = true;
	fake_begin(fake_local(w, 7));
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "come out twice"));
}

static void test_a_job_that_the_device_has_not_confirmed_is_not_called_completed(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	fake_local(w, 7)->unconfirmed = true;
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	assert_int_equal(fake_cloud_job(w, 7)->finals, 0);
}

static void vanished(void **state, const char *settings, enum job_state to,
                     enum cloud_job_state told, unsigned closed)
{
	struct fake_world *w = *state;

	world_settings(w, settings);
	printing(state, CUPS);
	fake_begin(fake_local(w, 7));
	w->manual = false;
	fake_vanish(fake_local(w, 7));
	fake_run(w, 10 * MINUTE);
	assert_int_equal(state_of(w, 7), to);
	assert_int_equal(fake_cloud_job(w, 7)->told, told);
	assert_int_equal(fake_closed(w, 7), closed);
}

static void test_an_end_is_not_told_of_another_job_with_the_same_number(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	(void)snprintf(fake_cloud_job(w, 7)->uuid, sizeof(fake_cloud_job(w, 7)->uuid), "%s",
	               "urn:uuid:11111111-2222-4333-8444-555555555555");
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_int_equal(fake_count(w, "> cloud.check 7"), 1);
	assert_int_equal(fake_cloud_job(w, 7)->finals, 0);
	assert_int_equal(state_of(w, 7), JOB_DONE);
}

static void test_a_job_that_cups_has_open_again_is_held_and_taken_back(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	struct fake_local *local = fake_local(w, 7);

	local->closed = false; /* as an earlier control file had it */
	fake_begin(local);
	fake_run(w, MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "unknown whether it printed"));
	assert_int_equal(local->outcome, OUTCOME_CANCELED);
	assert_ptr_equal(fake_local(w, 7), local); /* no other was made */
}

static void test_a_job_that_vanished_is_held_until_give_up_after(void **state)
{
	struct fake_world *w = *state;

	vanished(state, "", JOB_HELD, CLOUD_JOB_STOPPED, 1);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "unknown whether it printed"));
	fake_run(w, 3 * (int64_t)DAY);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "unknown whether printed"));
	assert_true(fake_cloud_job(w, 7)->worst_silence <= 4 * MINUTE);
}

static void test_when_unknown_print_again_prints_again(void **state)
{
	vanished(state, "[jobs]\nwhen-unknown = print-again\n", JOB_DONE, CLOUD_JOB_COMPLETED, 2);
}

static void test_when_unknown_abort_aborts(void **state)
{
	vanished(state, "[jobs]\nwhen-unknown = abort\n", JOB_DONE, CLOUD_JOB_ABORTED, 1);
}

/* What the cloud did to it while we could not hear it. */
static void ended_in_the_cloud(void **state, enum fake_hold hold, bool canceled,
                               enum job_outcome outcome, unsigned finals)
{
	struct fake_world *w = *state;

	vanished(state, "", JOB_HELD, CLOUD_JOB_STOPPED, 1);
	fake_cloud_job(w, 7)->hold = hold;
	fake_cloud_job(w, 7)->canceled = canceled;
	fake_run(w, 30 * MINUTE);
	assert_int_equal(state_of(w, 7), JOB_DONE);
	assert_int_equal(fake_row(w, 7)->outcome, outcome);
	assert_int_equal(fake_cloud_job(w, 7)->finals, finals);
}

static void test_a_held_job_ends_when_the_cloud_has_ended_it(void **state)
{
	struct fake_world *w = *state;

	ended_in_the_cloud(state, FAKE_FINAL, false, OUTCOME_ABORTED, 0);
	assert_non_null(strstr(fake_row(w, 7)->error_text, "the cloud has ended the job"));
}

static void test_a_held_job_ends_when_the_cloud_has_forgotten_it(void **state)
{
	ended_in_the_cloud(state, FAKE_FORGOTTEN, false, OUTCOME_ABORTED, 0);
}

static void test_a_held_job_ends_when_it_was_canceled_unheard(void **state)
{
	ended_in_the_cloud(state, FAKE_OURS, true, OUTCOME_CANCELED, 1);
}

static void test_a_held_job_can_be_canceled(void **state)
{
	struct fake_world *w = *state;

	vanished(state, "", JOB_HELD, CLOUD_JOB_STOPPED, 1);
	cancel_here(w, 7);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
}

static void test_a_job_that_never_ends_is_canceled_at_give_up_after(void **state)
{
	struct fake_world *w = *state;
	size_t fired;

	world_settings(w, "[jobs]\ngive-up-after = 1h\n");
	printing(state, CUPS);
	fake_begin(fake_local(w, 7));
	fake_fail(w, "queue.cancel", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 20;
	fired = fake_clock_advance(&w->clock, 2 * (int64_t)HOUR);
	assert_true(fired < 1000); /* no turn of the loop without pause */
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "give-up-after"));
}

static void test_a_job_that_prints_is_told_at_least_every_four_minutes(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	for (int i = 0; i < 60; i++) {
		fake_run(w, MINUTE / 2 + 7);
		fake_health(w, 0, i % 2 ? QUEUE_READY : QUEUE_DOWN); /* jobs are run each time */
	}
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_true(fake_cloud_job(w, 7)->worst_silence <= 4 * MINUTE);
	assert_true(fake_cloud_job(w, 7)->reports < 15); /* and not for nothing */
}

static void test_a_word_that_the_cloud_did_not_take_is_said_again_soon(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	struct fake_rule *rule;

	fake_begin(fake_local(w, 7));
	fake_run(w, 2000);
	fake_fail(w, "cloud.report", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 1;
	fake_health(w, 0, QUEUE_UNREACHABLE);
	fake_run(w, 5000);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	rule = fake_fail(w, "cloud.report", 7, ERR_TEMPORARY, FAKE_BEFORE);
	rule->times = 1000;
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, 10 * MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	assert_in_range(1000 - rule->times, 10,
	                60); /* after a minute at the latest, with back-off */
	rule->times = 0;
	fake_run(w, MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_PROCESSING);
}

static void test_a_job_stands_while_its_printer_does(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	fake_run(w, 2000);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_PROCESSING);
	fake_health(w, 0, QUEUE_UNREACHABLE); /* CUPS goes on calling it processing */
	fake_run(w, 2000);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, 2000);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_PROCESSING);
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_news_within_a_second_are_told_together_a_second_later(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	unsigned before;

	fake_run(w, MINUTE);
	fake_begin(fake_local(w, 7));
	fake_run(w, 100);
	before = fake_cloud_job(w, 7)->reports;
	fake_begin(fake_local(w, 7));
	fake_begin(fake_local(w, 7));
	fake_run(w, 500);
	assert_int_equal(fake_cloud_job(w, 7)->reports, before);
	fake_run(w, 600);
	assert_int_equal(fake_cloud_job(w, 7)->reports, before + 1);
	fake_run(w, MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->reports, before + 1);
}

/* Killed when CUPS has canceled it for us, and nothing of that is durable but what came before. */
static void test_what_we_cancel_ourselves_is_never_called_canceled(void **state)
{
	for (int reopened = 0; reopened < 2; reopened++) {
		struct fake_world *w = *state;
		const struct fake_cloud_job *job;

		world_settings(w, "[jobs]\ngive-up-after = 1h\nwhen-unknown = abort\n");
		w->manual = true;
		(void)world_begin(state, CUPS);
		fake_until(w, "store.lazy 7 printing");
		if (reopened) {
			fake_local(w, 7)->closed = false;
			fake_begin(fake_local(w, 7));
		}
		fake_until(w, "queue.cancel 7 ok");
		fake_kill(w);
		assert_int_equal(state_of(w, 7), JOB_PRINTING);
		w->clock.wall_ms -= DAY; /* so that its age does not tell */
		fake_start(w);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_ABORTED);
		job = fake_cloud_job(w, 7);
		assert_non_null(strstr(job->message, reopened ? "unknown" : "give-up-after"));
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_waiting_job_is_told_and_ends_at_give_up_after(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 1000000;
	w->quiet = true;
	fake_start(w);
	fake_run(w, HOUR);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	fake_run(w, 3 * (int64_t)DAY + HOUR);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_true(fake_cloud_job(w, 7)->worst_silence <= 4 * MINUTE);
	assert_int_equal(fake_closed(w, 7), 0);
}

static void test_a_stopped_queue_is_waited_for_and_tried_at_once_when_it_is_back(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_start(w);
	fake_until(w, "> cloud.accept 7");
	fake_health(w, 0, QUEUE_STOPPED);
	fake_run(w, HOUR);
	assert_int_equal(state_of(w, 7), JOB_WAITING);
	assert_no_line(w, "> queue.create 7");
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, 10);
	assert_line(w, "> queue.create 7");
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

/* ---- cancels ----------------------------------------------------------------------------------
 */

static const char *const cups_moments[] = {
	"> store.lazy 7",
	"> queue.create 7",
	"queue.create 7 ok",
	"store.save 7 handing try=1 local=100 open",
	"> queue.send 7",
	"queue.send 7 ok",
	"store.save 7 handing try=1 local=100 closed",
	"> queue.finish 7",
	"queue.finish 7 ok",
	"prints 7",
};
static const char *const ipp_moments[] = {
	"> cloud.document 7", "transit.fill 0 ok", "store.save 7 handing try=1 local=0 closed",
	"> queue.send 7",     "queue.send 7 ok",   "prints 7",
};

static void cancel_at(void **state, const char *queue, const char *moment, bool here)
{
	struct fake_world *w = world_begin(state, queue);
	const struct fake_local *l;

	fake_until(w, moment);
	if (here)
		cancel_here(w, 7);
	else
		fake_cloud_cancel(w, 7);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_string_equal(fake_cloud_job(w, 7)->reasons, "job-canceled-by-user");
	l = fake_local(w, 7);
	if (l && l->printed)
		fail_msg("printed after a cancel at \"%s\"", moment);
	assert_int_equal(w->transit_files, 0);
	(void)world_teardown(state);
	(void)world_setup(state);
}

static void test_a_cancel_from_either_side_ends_each_step(void **state)
{
	for (int here = 0; here < 2; here++) {
		for (size_t i = 0; i < ARRAY_SIZE(cups_moments); i++)
			cancel_at(state, CUPS, cups_moments[i], here);
		for (size_t i = 0; i < ARRAY_SIZE(ipp_moments); i++)
			cancel_at(state, IPP, ipp_moments[i], here);
	}
}

static void test_a_cancel_here_survives_a_kill(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	w->queue_down = true;
	cancel_here(w, 7);
	fake_run(w, 100);
	fake_kill(w);
	w->queue_down = false;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_string_equal(fake_cloud_job(w, 7)->reasons, "job-canceled-by-user");
}

static void test_a_cancel_that_the_queue_did_not_hear_is_sent_again_with_back_off(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	fake_fail(w, "queue.cancel", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 5;
	cancel_here(w, 7);
	fake_run(w, 50);
	assert_true(fake_count(w, "> queue.cancel 7") <= 2);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_int_equal(fake_count(w, "> queue.cancel 7"), 6);
}

static void test_a_cancel_that_the_queue_forgets_is_sent_again(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_begin(fake_local(w, 7));
	fake_fail(w, "queue.cancel", 7, ERR_TEMPORARY, FAKE_LIE);
	cancel_here(w, 7);
	fake_run(w, 10000);
	assert_int_equal(fake_count(w, "> queue.cancel 7"), 1);
	fake_run(w, 10000);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_int_equal(fake_count(w, "> queue.cancel 7"), 2);
}

static void test_a_job_that_has_ended_or_is_unknown_cannot_be_canceled(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	struct err err;

	w->cloud_down = true;
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_int_equal(core_cancel(w->core, id_of(w, 7), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(core_cancel(w->core, 999, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
	w->cloud_down = false;
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_cancel_in_the_cloud_that_came_too_late_is_not_called_completed(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_cloud_job(w, 7)->canceled = true;
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_CANCELED);
	assert_string_equal(fake_cloud_job(w, 7)->message, "printed before the cancel arrived");
}

/* ---- reporting --------------------------------------------------------------------------------
 */

static void test_an_outcome_that_is_not_committed_is_not_told(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	w->store_down = true;
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, 10 * MINUTE);
	assert_int_equal(fake_cloud_job(w, 7)->finals, 0);
	/* but that it is still there */
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_STOPPED);
	assert_int_equal(fake_count(w, "> cloud.report 7"), 2);
	assert_true(fake_cloud_job(w, 7)->worst_silence <= 4 * MINUTE);
	w->store_down = false;
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_an_end_is_told_until_the_cloud_has_taken_it(void **state)
{
	static const enum fake_how hows[] = { FAKE_START, FAKE_BEFORE, FAKE_AFTER };
	static const char *const verbs[] = { "cloud.check", "cloud.report" };
	static const enum err_kind kinds[] = { ERR_TEMPORARY, ERR_DENIED };

	for (unsigned i = 0; i < 12; i++) {
		struct fake_world *w = printing(state, CUPS);

		fake_run(w, 1000);
		fake_fail(w, verbs[i % 2], 7, kinds[i / 2 % 2], hows[i / 4])->times = 6;
		fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
		fake_run(w, HOUR);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_cloud_that_knows_no_such_job_is_not_asked_for_ever(void **state)
{
	static const enum err_kind kinds[] = { ERR_GONE, ERR_REJECTED, ERR_CORRUPT };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct fake_world *w = printing(state, CUPS);

		fake_run(w, 1000);
		fake_fail(w, "cloud.report", 7, kinds[i], FAKE_BEFORE)->times = 100;
		fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
		fake_run(w, HOUR);
		assert_int_equal(state_of(w, 7), JOB_DONE);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_nothing_is_said_of_a_number_that_the_cloud_does_not_know(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	struct fake_rule *rule;

	fake_run(w, 1000);
	rule = fake_fail(w, "cloud.check", 7, ERR_GONE, FAKE_BEFORE);
	rule->code = 0x0406;
	rule->times = 100;
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, HOUR);
	assert_int_equal(state_of(w, 7), JOB_DONE);
	assert_int_equal(fake_cloud_job(w, 7)->finals, 0);
}

static void test_an_end_that_a_cloud_without_our_device_refused_is_told_again(void **state)
{
	struct fake_world *w = printing(state, CUPS);
	struct fake_rule *rule;

	fake_run(w, 1000);
	rule = fake_fail(w, "cloud.report", 7, ERR_REJECTED, FAKE_BEFORE);
	rule->code = 0x0404;
	rule->times = 1;
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_reports_wait_for_the_cloud_and_go_when_it_is_back(void **state)
{
	struct fake_world *w = printing(state, CUPS);

	fake_channel(w, 0, CHANNEL_REFUSED);
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, DAY);
	assert_int_equal(state_of(w, 7), JOB_REPORTING);
	assert_no_line(w, "> cloud.check 7");
	fake_channel(w, 0, CHANNEL_ONLINE);
	fake_run(w, 100);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

/* ---- what an earlier life left ----------------------------------------------------------------
 */

struct earlier {
	const char *queue;
	enum job_state state;
	bool closed, local, local_closed; /* row; is it at the queue; can it print there */
	enum job_state to;
	enum cloud_job_state told;
	unsigned closings; /* of all local jobs */
};

static const struct earlier lives[] = {
	{ CUPS, JOB_HANDING, false, false, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_HANDING, false, true, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_HANDING, true, true, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_HANDING, true, true, true, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_HANDING, true, false, false, JOB_HELD, CLOUD_JOB_STOPPED, 0 },
	{ CUPS, JOB_PRINTING, true, true, true, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_PRINTING, true, false, false, JOB_HELD, CLOUD_JOB_STOPPED, 0 },
	{ CUPS, JOB_WAITING, false, false, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ CUPS, JOB_HELD, true, false, false, JOB_HELD, CLOUD_JOB_STOPPED, 0 },
	{ CUPS, JOB_REPORTING, true, false, false, JOB_DONE, CLOUD_JOB_ABORTED, 0 },
	{ IPP, JOB_HANDING, false, false, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, JOB_HANDING, true, true, true, JOB_HELD, CLOUD_JOB_STOPPED, 1 },
	{ IPP, JOB_PRINTING, true, true, true, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
	{ IPP, JOB_PRINTING, true, false, false, JOB_HELD, CLOUD_JOB_STOPPED, 0 },
	{ IPP, JOB_WAITING, false, false, false, JOB_DONE, CLOUD_JOB_COMPLETED, 1 },
};

static void test_jobs_of_an_earlier_life_go_on_where_they_were(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		const struct earlier *e = &lives[i];
		struct fake_world *w = *state;
		struct job_record *row;

		(void)fake_printer(w, e->queue);
		(void)fake_job(w, 0, 7);
		row = fake_old_row(w, 0, 7, e->state);
		row->closed = e->closed;
		row->local_job = e->closed ? 99 : 0;
		row->outcome = e->state == JOB_REPORTING ? OUTCOME_ABORTED : OUTCOME_NONE;
		if (e->local)
			row->local_job = fake_old_local(w, row, e->local_closed)->id;
		fake_start(w);
		fake_run(w, 10 * MINUTE);
		if (state_of(w, 7) != e->to || fake_cloud_job(w, 7)->told != e->told ||
		    fake_closed(w, 7) != e->closings) {
			fake_print_lines(w);
			fail_msg("%zu: row %s, told %d, closed %u", i,
			         job_state_name(state_of(w, 7)), fake_cloud_job(w, 7)->told,
			         fake_closed(w, 7));
		}
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* CUPS closes by itself what nobody closes for a quarter of an hour. */
static void test_what_cups_closed_and_printed_while_we_were_gone_is_not_printed_again(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;
	struct fake_local *l;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_HANDING);
	l = fake_old_local(w, row, true);
	row->local_job = l->id;
	fake_begin(l);
	fake_end(l, OUTCOME_COMPLETED);
	fake_start(w);
	fake_run(w, 10 * MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
	assert_no_line(w, "> queue.create 7");
}

/* CUPS closes by itself what nobody closed, prints it, and may keep no history. */
static void test_what_is_gone_after_cups_may_have_closed_it_is_not_printed_again(void **state)
{
	static const struct {
		int64_t age_ms;
		int32_t closes_after_s, local_job;
		enum job_state to;
	} cases[] = {
		{ 899000, 0, 100, JOB_DONE },   { 900000, 0, 100, JOB_HELD },
		{ 900000, 0, 0, JOB_DONE },     { 900000, 1200, 100, JOB_DONE },
		{ 300000, 300, 100, JOB_HELD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = *state;
		struct job_record *row;

		(void)fake_printer(w, CUPS);
		(void)fake_job(w, 0, 7);
		row = fake_old_row(w, 0, 7, JOB_HANDING);
		row->local_job = cases[i].local_job;
		row->received = w->clock.wall_ms - cases[i].age_ms;
		fake_start(w);
		w->queues[0].status.closes_after_s = cases[i].closes_after_s;
		fake_run(w, MINUTE);
		assert_int_equal(state_of(w, 7), cases[i].to);
		assert_int_equal(fake_count(w, "printed 7"), cases[i].to == JOB_DONE);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* Without a job-uuid only its printer-uuid tells whose number that is. */
static void test_another_printer_at_the_same_address_is_not_asked_about_our_job(void **state)
{
	static const char *const now[] = { "urn:uuid:other", "URN:UUID:own-printer", "" };

	for (size_t i = 0; i < ARRAY_SIZE(now); i++) {
		struct fake_world *w = *state;
		struct job_record *row;
		struct queue_status *status = &w->queues[0].status;

		(void)fake_printer(w, IPP);
		(void)fake_job(w, 0, 7);
		row = fake_old_row(w, 0, 7, JOB_PRINTING);
		(void)str_copy(row->local_printer_uuid, sizeof(row->local_printer_uuid),
		               "urn:uuid:own-printer");
		row->local_job = fake_old_local(w, row, true)->id;
		fake_start(w);
		(void)str_copy(status->printer_uuid, sizeof(status->printer_uuid), now[i]);
		fake_run(w, MINUTE);
		assert_int_equal(state_of(w, 7), i == 0 ? JOB_HELD : JOB_DONE);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* ---- a clock that is moved ---------------------------------------------------------------------
 */

static void test_a_clock_moved_by_years_ends_no_job_and_delays_none(void **state)
{
	static const int64_t years[] = { 10, -10 };

	for (size_t i = 0; i < ARRAY_SIZE(years); i++) {
		struct fake_world *w = *state;

		(void)fake_printer(w, CUPS);
		(void)fake_job(w, 0, 7);
		w->quiet = true;
		w->manual = true;
		fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 1;
		fake_start(w);
		while (state_of(w, 7) != JOB_WAITING)
			fake_run(w, 10);
		w->clock.wall_ms += years[i] * 365 * (int64_t)DAY;
		fake_run(w, 10 * MINUTE);
		assert_int_equal(state_of(w, 7), JOB_PRINTING);
		w->clock.wall_ms -= years[i] * 365 * (int64_t)DAY;
		fake_run(w, 10 * MINUTE);
		assert_int_equal(state_of(w, 7), JOB_PRINTING);
		fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
		fake_run(w, MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_clock_moved_while_the_daemon_was_down_ends_no_young_job(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_old_row(w, 0, 7, JOB_WAITING)->next_try = w->clock.wall_ms;
	w->clock.wall_ms -= 10 * 365 * (int64_t)DAY; /* the battery of its clock is empty */
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_clock_moved_back_delays_no_try(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 3;
	fake_until(w, "store.save 7 waiting");
	w->clock.wall_ms -= 3 * HOUR;
	fake_run(w, 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_clock_moved_back_while_the_daemon_was_down_delays_no_try_for_long(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_old_row(w, 0, 7, JOB_WAITING)->next_try = w->clock.wall_ms + MINUTE;
	w->clock.wall_ms -= 3 * HOUR;
	fake_start(w);
	fake_run(w, HOUR + 10 * MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static enum job_state after_a_start_in(struct fake_world *w, int64_t years, bool of_cloud)
{
	fake_kill(w);
	w->clock.wall_ms += years * 365 * (int64_t)DAY;
	if (of_cloud)
		w->clock_ahead_ms = 0; /* so long did we rest */
	else
		w->clock_ahead_ms += years * 365 * (int64_t)DAY;
	fake_start(w);
	fake_run(w, HOUR);
	return state_of(w, 7);
}

static void test_a_clock_years_ahead_at_the_start_ends_no_job(void **state)
{
	struct fake_world *w = *state;
	const struct fake_local *local;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	fake_run(w, HOUR);
	local = fake_local(w, 7);
	fake_begin(fake_local(w, 7));
	assert_int_equal(after_a_start_in(w, 10, false), JOB_PRINTING);
	assert_true(w->identities_before < w->clock.wall_ms - 9 * 365 * (int64_t)DAY);
	assert_int_equal(after_a_start_in(w, -10, false), JOB_PRINTING);
	assert_false(local->canceled);
	/* what it waited before the start, and waits after it, is counted all the same */
	fake_run(w, 3 * (int64_t)DAY);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
}

static void test_a_rest_of_years_is_one_when_the_cloud_says_so_too(void **state)
{
	struct fake_world *w = *state;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	fake_begin(fake_local(w, 7));
	assert_int_equal(after_a_start_in(w, 1, true), JOB_DONE);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
}

static void test_a_job_that_came_while_the_clock_was_wrong_is_not_old(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_WAITING);
	row->next_try = w->clock.wall_ms;
	row->received = 1000; /* 1970: no battery, no network time yet */
	row->cloud_created = w->clock.wall_ms / 1000 - 60;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_where_no_cloud_tells_the_time_a_start_makes_nothing_old(void **state)
{
	struct fake_world *w = *state;

	w->timeless = w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	fake_begin(fake_local(w, 7));
	assert_int_equal(after_a_start_in(w, 1, true), JOB_PRINTING);
	assert_true(w->identities_before <= 0);
	fake_run(w, 3 * (int64_t)DAY);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
}

static void test_identities_are_kept_for_thirty_days_by_either_clock(void **state)
{
	struct fake_world *w = *state;
	int64_t start = w->clock.wall_ms;

	(void)fake_printer(w, CUPS);
	fake_start(w);
	fake_run(w, DAY);
	assert_true(w->identities_before > start - 30 * (int64_t)DAY);
	assert_true(w->identities_before <= start - 29 * (int64_t)DAY);
	w->clock.wall_ms += 3650 * (int64_t)DAY;
	fake_run(w, DAY);
	assert_true(w->identities_before <= start - 28 * (int64_t)DAY);
}

/* ---- many --------------------------------------------------------------------------------------
 */

static void test_few_jobs_of_an_earlier_life_are_talked_about_at_once(void **state)
{
	struct fake_world *w = *state;
	long at = 0;
	int busy = 0, most = 0;

	(void)fake_printer(w, CUPS);
	for (int i = 1; i <= 200; i++) {
		(void)fake_job(w, 0, i);
		fake_old_row(w, 0, i, i % 2 ? JOB_HELD : JOB_REPORTING)->outcome =
			i % 2 ? OUTCOME_NONE : OUTCOME_ABORTED;
	}
	w->delay_ms = 20;
	fake_start(w);
	fake_run(w, 10);
	fake_channel(w, 0, CHANNEL_OFFLINE); /* those in line are not forgotten */
	fake_run(w, MINUTE);
	fake_channel(w, 0, CHANNEL_ONLINE);
	fake_run(w, 3 * MINUTE);
	for (at = 0; (size_t)at < w->line_count; at++) {
		const char *line = w->lines[at];

		busy += !strncmp(line, "> cloud.check", 13) || !strncmp(line, "> cloud.report", 14);
		busy -= !strncmp(line, "cloud.check", 11) || !strncmp(line, "cloud.report", 12);
		most = busy > most ? busy : most;
	}
	assert_true(most >= 32);
	assert_true(most <= 64); /* a check is followed by its report */
	for (int i = 1; i <= 200; i++)
		assert_int_equal(fake_cloud_job(w, i)->told,
		                 i % 2 ? CLOUD_JOB_STOPPED : CLOUD_JOB_ABORTED);
}

static void test_another_job_under_the_same_number_is_not_taken_for_ours(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;
	struct fake_local *l;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_PRINTING);
	row->closed = true;
	l = fake_old_local(w, row, true);
	row->local_job = l->id;
	(void)snprintf(l->uuid, sizeof(l->uuid), "urn:uuid:somebody-else");
	fake_start(w);
	fake_run(w, MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
}

static void test_a_kill_at_each_turn_of_the_loop_loses_and_doubles_nothing(void **state)
{
	static const char *const queues[] = { CUPS, IPP };

	for (size_t q = 0; q < 2; q++)
		for (int turns = 0; turns < 60; turns++) {
			struct fake_world *w = world_begin(state, queues[q]);

			for (int i = 0; i < turns; i++)
				(void)fake_clock_step(&w->clock);
			fake_kill(w);
			fake_start(w);
			fake_run(w, 10 * MINUTE);
			if (state_of(w, 7) != JOB_HELD)
				assert_told(w, 7, CLOUD_JOB_COMPLETED);
			else
				assert_true(q == 1); /* of CUPS it can always be known */
			assert_true(fake_closed(w, 7) <= 1);
			(void)world_teardown(state);
			(void)world_setup(state);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_an_end_at_the_queue_is_told_with_its_reason),
		in_world(test_a_job_that_printed_twice_says_so),
		in_world(test_a_job_that_the_device_has_not_confirmed_is_not_called_completed),
		in_world(test_an_end_is_not_told_of_another_job_with_the_same_number),
		in_world(test_a_job_that_cups_has_open_again_is_held_and_taken_back),
		in_world(test_a_job_that_vanished_is_held_until_give_up_after),
		in_world(test_when_unknown_print_again_prints_again),
		in_world(test_when_unknown_abort_aborts),
		in_world(test_a_held_job_ends_when_the_cloud_has_ended_it),
		in_world(test_a_held_job_ends_when_the_cloud_has_forgotten_it),
		in_world(test_a_held_job_ends_when_it_was_canceled_unheard),
		in_world(test_a_held_job_can_be_canceled),
		in_world(test_a_job_that_never_ends_is_canceled_at_give_up_after),
		in_world(test_a_job_that_prints_is_told_at_least_every_four_minutes),
		in_world(test_a_word_that_the_cloud_did_not_take_is_said_again_soon),
		in_world(test_a_job_stands_while_its_printer_does),
		in_world(test_news_within_a_second_are_told_together_a_second_later),
		in_world(test_what_we_cancel_ourselves_is_never_called_canceled),
		in_world(test_a_waiting_job_is_told_and_ends_at_give_up_after),
		in_world(test_a_stopped_queue_is_waited_for_and_tried_at_once_when_it_is_back),
		in_world(test_a_cancel_from_either_side_ends_each_step),
		in_world(test_a_cancel_here_survives_a_kill),
		in_world(test_a_cancel_that_the_queue_did_not_hear_is_sent_again_with_back_off),
		in_world(test_a_cancel_that_the_queue_forgets_is_sent_again),
		in_world(test_a_job_that_has_ended_or_is_unknown_cannot_be_canceled),
		in_world(test_a_cancel_in_the_cloud_that_came_too_late_is_not_called_completed),
		in_world(test_an_outcome_that_is_not_committed_is_not_told),
		in_world(test_an_end_is_told_until_the_cloud_has_taken_it),
		in_world(test_a_cloud_that_knows_no_such_job_is_not_asked_for_ever),
		in_world(test_nothing_is_said_of_a_number_that_the_cloud_does_not_know),
		in_world(test_an_end_that_a_cloud_without_our_device_refused_is_told_again),
		in_world(test_reports_wait_for_the_cloud_and_go_when_it_is_back),
		in_world(test_jobs_of_an_earlier_life_go_on_where_they_were),
		in_world(test_what_cups_closed_and_printed_while_we_were_gone_is_not_printed_again),
		in_world(test_what_is_gone_after_cups_may_have_closed_it_is_not_printed_again),
		in_world(test_another_printer_at_the_same_address_is_not_asked_about_our_job),
		in_world(test_a_clock_moved_by_years_ends_no_job_and_delays_none),
		in_world(test_a_clock_moved_while_the_daemon_was_down_ends_no_young_job),
		in_world(test_a_clock_moved_back_delays_no_try),
		in_world(test_a_clock_moved_back_while_the_daemon_was_down_delays_no_try_for_long),
		in_world(test_a_clock_years_ahead_at_the_start_ends_no_job),
		in_world(test_a_rest_of_years_is_one_when_the_cloud_says_so_too),
		in_world(test_a_job_that_came_while_the_clock_was_wrong_is_not_old),
		in_world(test_where_no_cloud_tells_the_time_a_start_makes_nothing_old),
		in_world(test_identities_are_kept_for_thirty_days_by_either_clock),
		in_world(test_few_jobs_of_an_earlier_life_are_talked_about_at_once),
		in_world(test_another_job_under_the_same_number_is_not_taken_for_ours),
		in_world(test_a_kill_at_each_turn_of_the_loop_loses_and_doubles_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
