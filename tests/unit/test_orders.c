/* What an administrator orders: retry, resolve, pause, resume, drain. */
#include "tests/unit/core_case.h"

/* Job 7 is held: it vanished from the queue while it printed. */
static struct fake_world *held(void **state)
{
	struct fake_world *w = *state;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	fake_run(w, 10);
	fake_begin(fake_local(w, 7));
	fake_vanish(fake_local(w, 7));
	fake_run(w, MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
	w->manual = false;
	return w;
}

static void resolve(struct fake_world *w, enum core_verdict verdict)
{
	struct err err;

	assert_int_equal(core_resolve(w->core, id_of(w, 7), verdict, &err), 0);
	fake_run(w, 10 * MINUTE);
}

static void test_a_held_job_that_printed_is_told_so(void **state)
{
	struct fake_world *w = held(state);

	resolve(w, CORE_PRINTED);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "says the administrator"));
	assert_int_equal(fake_closed(w, 7), 1);
	assert_int_equal(fake_row(w, 7)->impressions, -1);
}

static void test_a_held_job_is_printed_again_when_ordered(void **state)
{
	struct fake_world *w = held(state);

	resolve(w, CORE_PRINT_AGAIN);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(fake_closed(w, 7), 2);
	assert_int_equal(fake_row(w, 7)->attempt, 2);
}

static void test_a_held_job_that_is_aborted_says_by_whom_and_what_is_unknown(void **state)
{
	struct fake_world *w = held(state);

	resolve(w, CORE_ABORT);
	assert_told(w, 7, CLOUD_JOB_ABORTED);
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "by the administrator"));
	assert_non_null(strstr(fake_cloud_job(w, 7)->message, "unknown whether it printed"));
	assert_int_equal(fake_closed(w, 7), 1);
}

static void test_a_verdict_during_a_commit_is_obeyed_after_it(void **state)
{
	struct fake_world *w = *state;
	struct err err;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	fake_vanish(fake_local(w, 7));
	fake_until(w, "> store.save 7"); /* held, not durable yet */
	assert_int_equal(core_resolve(w->core, id_of(w, 7), CORE_ABORT, &err), 0);
	assert_int_equal(core_resolve(w->core, id_of(w, 7), CORE_PRINTED, &err), 0);
	fake_run(w, MINUTE);
	assert_line(w, "store.save 7 held");
	assert_told(w, 7, CLOUD_JOB_COMPLETED); /* the last word counts */
}

static void test_only_held_jobs_are_resolved_and_only_open_ones_tried_again(void **state)
{
	struct fake_world *w = *state;
	struct err err;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	assert_int_equal(core_resolve(w->core, id_of(w, 7), CORE_PRINTED, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, "not held"));
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	fake_begin(fake_local(w, 7));
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
	assert_int_equal(core_resolve(w->core, 4711, CORE_PRINTED, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
}

static void test_a_waiting_job_is_tried_at_once(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	unsigned tries;
	struct err err;

	fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->times = 100;
	for (int i = 0; i < 3600 && (state_of(w, 7) != JOB_WAITING ||
	                             fake_row(w, 7)->next_try - w->clock.wall_ms < MINUTE);
	     i++)
		fake_run(w, 1000);
	assert_int_equal(state_of(w, 7), JOB_WAITING);
	w->rules[0].times = 0;
	tries = fake_count(w, "> queue.create 7");
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), 0);
	fake_run(w, 100);
	assert_int_equal(fake_count(w, "> queue.create 7"), tries + 1);
	fake_run(w, HOUR);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_job_whose_printer_cannot_print_is_not_tried(void **state)
{
	struct fake_world *w = held(state);
	struct err err;

	fake_health(w, 0, QUEUE_STOPPED);
	fake_run(w, 10);
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), -1);
	assert_non_null(strstr(err.text, "cannot be printed now"));
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, 10);
	core_rest(w->core, true);
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), -1);
	assert_non_null(strstr(err.text, "print-connector resume"));
	core_rest(w->core, false);
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), 0);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

/* ---- quarantine ---- */

/* Job 7 in that state was active in so many crashes. */
static struct fake_world *crashed(void **state, enum job_state at, int crashes)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	(void)fake_job(w, 0, 8);
	fake_old_row(w, 0, 7, at)->crashes = crashes;
	fake_start(w);
	fake_run(w, 10 * MINUTE);
	assert_told(w, 8, CLOUD_JOB_COMPLETED); /* the rest goes on */
	return w;
}

static enum health_code seen_code;

static void on_health(void *data, const struct core_health *h)
{
	(void)data;
	seen_code = h->code;
}

static void test_a_job_active_in_three_crashes_is_held_and_shown(void **state)
{
	static const enum job_state states[] = { JOB_CLAIMING, JOB_HANDING, JOB_PRINTING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fake_world *w = crashed(state, states[i], 3);

		assert_int_equal(state_of(w, 7), JOB_HELD);
		assert_no_line(w, "> queue.find 7");
		assert_no_line(w, "> cloud.accept 7");
		assert_non_null(strstr(fake_row(w, 7)->error_text, "crashed 3 times"));
		core_health(w->core, on_health, NULL);
		assert_int_equal(seen_code, HEALTH_JOB_QUARANTINED);
		resolve(w, CORE_ABORT);
		assert_int_equal(state_of(w, 7), JOB_DONE);
		assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_ABORTED);
		assert_int_equal(fake_closed(w, 7), 0);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_quarantined_job_goes_on_when_ordered(void **state)
{
	static const enum job_state states[] = { JOB_CLAIMING, JOB_HANDING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fake_world *w = crashed(state, states[i], 3);

		resolve(w, CORE_PRINT_AGAIN);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_closed(w, 7), 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_what_a_quarantined_job_left_open_at_the_queue_is_taken_back(void **state)
{
	struct fake_world *w = *state;
	struct job_record *row;
	struct fake_local *local;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	row = fake_old_row(w, 0, 7, JOB_HANDING);
	local = fake_old_local(w, row, false);
	row->local_job = local->id;
	row->crashes = 3;
	fake_start(w);
	fake_run(w, 10 * MINUTE);
	assert_int_equal(state_of(w, 7), JOB_HELD);
	assert_true(local->canceled);
	assert_int_equal(local->printed, 0);
	resolve(w, CORE_PRINT_AGAIN);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(local->printed, 0);
}

static void test_two_crashes_hold_nothing(void **state)
{
	struct fake_world *w = crashed(state, JOB_HANDING, 2);

	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_report_that_crashes_waits_for_the_administrator(void **state)
{
	struct fake_world *w = *state;
	struct err err;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	fake_old_row(w, 0, 7, JOB_REPORTING)->crashes = 3;
	w->rows[0].outcome = OUTCOME_COMPLETED;
	fake_start(w);
	fake_run(w, HOUR);
	assert_no_line(w, "> cloud.report 7");
	core_health(w->core, on_health, NULL);
	assert_int_equal(seen_code, HEALTH_JOB_QUARANTINED);
	assert_int_equal(core_retry(w->core, id_of(w, 7), &err), 0);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_job_that_gets_further_starts_to_count_anew(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	w->manual = true;
	for (int i = 0; i < 2; i++) {
		fake_until(w, "> queue.create 7");
		fake_kill(w);
		fake_start(w);
	}
	fake_until(w, "store.lazy 7 printing");
	assert_int_equal(fake_row(w, 7)->crashes, 0);
	for (int i = 0; i < 3; i++) {
		fake_run(w, 1000);
		assert_int_equal(state_of(w, 7), JOB_PRINTING);
		fake_kill(w);
		fake_start(w);
	}
	fake_run(w, 1000);
	assert_int_equal(state_of(w, 7), JOB_HELD);
}

/* ---- pause ---- */

struct pausing {
	struct core_pause op;
	unsigned done;
	struct err err;
};

static void on_paused(struct core_pause *op, const struct err *err)
{
	struct pausing *p = op->data;

	p->done++;
	p->err = err ? *err : (struct err){ .kind = ERR_NONE };
}

static int start_pause(struct fake_world *w, struct pausing *p, bool paused, struct err *err)
{
	*p = (struct pausing){ .op = { .data = p, .done = on_paused } };
	return core_pause(w->core, &p->op, CUPS, NULL, paused, err);
}

static void test_a_pause_is_durable_and_takes_no_more_jobs(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	struct pausing p, other;
	struct err err;

	fake_until(w, "queue.finish 7 ok");
	assert_int_equal(start_pause(w, &p, true, &err), 0);
	assert_int_equal(start_pause(w, &other, true, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_int_equal(p.done, 0); /* never from inside start */
	fake_run(w, MINUTE);
	assert_int_equal(p.done, 1);
	assert_told(w, 7, CLOUD_JOB_COMPLETED); /* what prints goes on */
	(void)fake_job(w, 0, 8);
	fake_offer(w, 0);
	fake_run(w, MINUTE);
	assert_no_line(w, "> cloud.fetch 8");
	fake_kill(w);
	fake_start(w);
	fake_run(w, HOUR);
	assert_no_line(w, "> cloud.fetch 8");
	assert_int_equal(core_counts(w->core).printers_paused, 1);
	assert_int_equal(start_pause(w, &p, false, &err), 0);
	fake_offer(w, 0);
	fake_run(w, MINUTE);
	assert_told(w, 8, CLOUD_JOB_COMPLETED);
}

static void test_a_pause_that_is_not_committed_is_none(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	struct pausing p;
	struct err err;

	fake_run(w, MINUTE);
	fake_fail(w, "store.printer", 0, ERR_TEMPORARY, FAKE_BEFORE);
	assert_int_equal(start_pause(w, &p, true, &err), 0);
	fake_run(w, 100);
	assert_int_equal(p.err.kind, ERR_TEMPORARY);
	assert_int_equal(core_counts(w->core).printers_paused, 0);
	assert_int_equal(core_pause(w->core, &p.op, "nobody", NULL, true, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
}

static void test_a_stop_waits_for_a_pause_under_way(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	struct pausing p;
	struct err err;

	fake_run(w, MINUTE);
	assert_int_equal(start_pause(w, &p, true, &err), 0);
	fake_stop(w);
	assert_int_equal(p.done, 1);
	assert_true(w->printers[0].paused);
}

/* ---- another key ---- */

#define EVE "ipps://printer.example/ipp/print"

struct trusting {
	struct core_trust op;
	unsigned done;
	struct err err;
};

static void on_trusted(struct core_trust *op, const struct err *err)
{
	struct trusting *t = op->data;

	t->done++;
	t->err = err ? *err : (struct err){ 0 };
}

static int start_trust(struct fake_world *w, struct trusting *t, const char *queue, struct err *err)
{
	*t = (struct trusting){ .op = { .data = t, .done = on_trusted } };
	return core_trust(w->core, &t->op, queue, NULL, err);
}

static void test_another_key_is_trusted_when_it_is_said_and_committed(void **state)
{
	struct fake_world *w = world_begin(state, EVE);
	struct trusting t, other;
	struct err err;

	fake_run(w, MINUTE);
	w->key_shown = "sha256//BBBB";
	fake_fail(w, "store.printer", 0, ERR_TEMPORARY, FAKE_BEFORE);
	assert_int_equal(start_trust(w, &t, EVE, &err), 0);
	assert_int_equal(start_trust(w, &other, EVE, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	fake_run(w, MINUTE);
	assert_int_equal(t.done, 1);
	assert_int_equal(t.err.kind, ERR_TEMPORARY);
	assert_no_line(w, "trust " EVE);
	assert_int_equal(start_trust(w, &t, EVE, &err), 0);
	fake_run(w, MINUTE);
	assert_int_equal(t.err.kind, ERR_NONE);
	assert_line(w, "trust " EVE " sha256//BBBB");
	assert_string_equal(w->printers[0].pinned_key, "sha256//BBBB");
	w->key_shown = NULL; /* an authority vouches for it now */
	assert_int_equal(start_trust(w, &t, EVE, &err), 0);
	fake_run(w, MINUTE);
	assert_string_equal(w->printers[0].pinned_key, "");
}

static void test_a_stop_ends_the_question_for_another_key(void **state)
{
	struct fake_world *w = world_begin(state, EVE);
	struct trusting t;
	struct err err;

	fake_run(w, MINUTE);
	w->key_shown = "sha256//BBBB";
	assert_int_equal(start_trust(w, &t, EVE, &err), 0);
	fake_stop(w);
	assert_int_equal(t.done, 1);
	assert_int_equal(t.err.kind, ERR_CANCELED);
	assert_string_equal(w->printers[0].pinned_key, "");
}

static void test_what_shows_no_key_is_not_trusted_anew(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	struct trusting t;
	struct err err;

	fake_run(w, MINUTE);
	assert_int_equal(start_trust(w, &t, CUPS, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(start_trust(w, &t, "nobody", &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
}

/* ---- drain ---- */

static void test_a_drain_begins_nothing_and_lets_what_is_under_way_end(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "> queue.create 7");
	assert_int_equal(core_counts(w->core).handing_over, 1);
	core_rest(w->core, true);
	(void)fake_job(w, 0, 8);
	fake_offer(w, 0);
	fake_run(w, HOUR);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_no_line(w, "> cloud.fetch 8");
	assert_int_equal(core_counts(w->core).handing_over, 0);
	assert_true(core_counts(w->core).resting);
	core_rest(w->core, false);
	fake_run(w, MINUTE);
	assert_told(w, 8, CLOUD_JOB_COMPLETED);
}

static void test_a_drain_ends_with_the_process(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	core_rest(w->core, true);
	fake_run(w, MINUTE);
	assert_no_line(w, "> cloud.fetch 7");
	fake_stop(w);
	fake_start(w);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_held_job_that_printed_is_told_so),
		in_world(test_a_held_job_is_printed_again_when_ordered),
		in_world(test_a_held_job_that_is_aborted_says_by_whom_and_what_is_unknown),
		in_world(test_a_verdict_during_a_commit_is_obeyed_after_it),
		in_world(test_only_held_jobs_are_resolved_and_only_open_ones_tried_again),
		in_world(test_a_waiting_job_is_tried_at_once),
		in_world(test_a_job_whose_printer_cannot_print_is_not_tried),
		in_world(test_a_job_active_in_three_crashes_is_held_and_shown),
		in_world(test_a_quarantined_job_goes_on_when_ordered),
		in_world(test_what_a_quarantined_job_left_open_at_the_queue_is_taken_back),
		in_world(test_two_crashes_hold_nothing),
		in_world(test_a_report_that_crashes_waits_for_the_administrator),
		in_world(test_a_job_that_gets_further_starts_to_count_anew),
		in_world(test_a_pause_is_durable_and_takes_no_more_jobs),
		in_world(test_a_pause_that_is_not_committed_is_none),
		in_world(test_a_stop_waits_for_a_pause_under_way),
		in_world(test_another_key_is_trusted_when_it_is_said_and_committed),
		in_world(test_a_stop_ends_the_question_for_another_key),
		in_world(test_what_shows_no_key_is_not_trusted_anew),
		in_world(test_a_drain_begins_nothing_and_lets_what_is_under_way_end),
		in_world(test_a_drain_ends_with_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
