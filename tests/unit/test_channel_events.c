#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <cups/cups.h>

#include "common/util.h"
#include "connector/cloud/channel_events.h"

static ipp_t *answer_new(int interval)
{
	ipp_t *m = ippNew();

	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_CHARSET, "attributes-charset", NULL, "utf-8");
	if (interval)
		ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-get-interval",
		              interval);
	return m;
}

static void add_event(ipp_t *m, int sequence, const char *name, const char *id_name, int job,
                      int state, const char *reason)
{
	ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-subscription-id", 1);
	if (sequence)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
		              "notify-sequence-number", sequence);
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD, "notify-subscribed-event",
	             NULL, name);
	if (job)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, id_name, job);
	if (state)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_ENUM, "job-state", state);
	if (reason)
		ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD,
		             job ? "job-state-reasons" : "printer-state-reasons", NULL, reason);
}

static struct channel_events decode(ipp_t *m, int32_t seen)
{
	struct channel_events e;

	channel_events_decode(m, seen, &e);
	ippDelete(m);
	return e;
}

static void test_an_empty_answer_has_no_events(void **state)
{
	struct channel_events e = decode(answer_new(0), 5);

	(void)state;
	assert_int_equal(e.count, 0);
	assert_int_equal(e.highest, 5);
	assert_int_equal(e.interval_s, 0);
	assert_false(e.list);
	assert_false(e.complete);
}

static void test_the_highest_number_is_kept_and_old_ones_are_dropped(void **state)
{
	ipp_t *m = answer_new(30);
	struct channel_events e;

	(void)state;
	add_event(m, 5, "job-completed", "job-id", 1, 7, NULL);
	add_event(m, 9, "job-fetchable", "job-id", 2, 6, "job-fetchable");
	add_event(m, 7, "job-state-changed", "job-id", 3, 5, NULL);
	e = decode(m, 5);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.repeated, 1);
	assert_int_equal(e.highest, 9);
	assert_int_equal(e.interval_s, 30);
	assert_int_equal(e.canceled_count, 0);
	assert_true(e.list);
}

static void test_the_state_counts_and_not_the_name(void **state)
{
	ipp_t *m = answer_new(0);
	struct channel_events e;

	(void)state;
	add_event(m, 1, "job-completed", "job-id", 4, 7, NULL);
	add_event(m, 2, "", "notify-job-id", 5, 7, NULL);
	add_event(m, 3, "job-state-changed", "notify-job-id", 6, 6, "job-canceled-by-user");
	add_event(m, 4, "job-completed", "job-id", 7, 9, "job-completed-successfully");
	e = decode(m, 0);
	assert_int_equal(e.count, 4);
	assert_int_equal(e.canceled_count, 3);
	assert_int_equal(e.canceled[0], 4);
	assert_int_equal(e.canceled[1], 5);
	assert_int_equal(e.canceled[2], 6);
	assert_false(e.list);
}

/* sequence, name, job, state, reason -> is a list wanted */
static void test_what_may_be_fetchable_wants_a_list(void **state)
{
	static const struct {
		const char *name;
		int job, state;
		const char *reason;
		bool list;
	} cases[] = {
		{ "job-fetchable", 1, 6, NULL, true },
		{ "job-fetchable", 1, 0, NULL, true },
		{ "document-fetchable", 1, 5, "none", true },
		{ "job-state-changed", 1, 6, "job-fetchable", true },
		{ "job-state-changed", 1, 3, NULL, true },
		{ "job-state-changed", 1, 6, NULL, true },
		{ "job-state-changed", 1, 0, NULL, true },
		{ "", 1, 0, NULL, true },
		{ "", 0, 0, NULL, true },
		{ "job-state-changed", 1, 6, "job-printing", false },
		{ "job-state-changed", 1, 5, NULL, false },
		{ "job-completed", 1, 9, NULL, false },
		{ "job-completed", 1, 8, NULL, false },
		{ "printer-state-changed", 0, 0, "none", false },
		{ "printer-config-changed", 0, 0, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ipp_t *m = answer_new(0);

		add_event(m, 1, cases[i].name, "job-id", cases[i].job, cases[i].state,
		          cases[i].reason);
		if (decode(m, 0).list != cases[i].list)
			fail_msg("case %zu: list is not %d", i, cases[i].list);
	}
}

static void test_somebody_looks_for_the_printer(void **state)
{
	ipp_t *m = answer_new(0);
	struct channel_events e;

	(void)state;
	add_event(m, 1, "printer-state-changed", NULL, 0, 0, "identify-printer-requested");
	e = decode(m, 0);
	assert_true(e.identify);
	assert_false(e.list);
}

static void test_the_lag_is_that_of_the_event_that_waited_longest(void **state)
{
	static const struct {
		int now, first, second, expected; /* printer-up-time; 0: not told */
	} cases[] = {
		{ 100, 97, 99, 3 }, { 100, 100, 100, 0 },  { 0, 97, 99, -1 },
		{ 100, 0, 0, -1 },  { 100, 101, 150, -1 }, { 100, 0, 98, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ipp_t *m = answer_new(0);
		struct channel_events e;

		if (cases[i].now)
			ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "printer-up-time",
			              cases[i].now);
		add_event(m, 5, "job-fetchable", "job-id", 1, 6, NULL);
		if (cases[i].first)
			ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
			              "printer-up-time", cases[i].first);
		add_event(m, 6, "job-fetchable", "job-id", 2, 6, NULL);
		if (cases[i].second)
			ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
			              "printer-up-time", cases[i].second);
		channel_events_decode(m, 4, &e);
		assert_int_equal(e.lag_s, cases[i].expected);
		channel_events_decode(m, 6, &e); /* both seen before */
		assert_int_equal(e.lag_s, -1);
		ippDelete(m);
	}
}

static void test_the_last_answer_is_known(void **state)
{
	ipp_t *m = answer_new(0);

	(void)state;
	ippSetStatusCode(m, IPP_STATUS_OK_EVENTS_COMPLETE);
	assert_true(decode(m, 0).complete);
}

static void test_nonsense_does_no_harm(void **state)
{
	ipp_t *m = answer_new(-7);
	struct channel_events e;

	(void)state;
	ippAddSeparator(m);
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD, "notify-sequence-number", NULL,
	             "many");
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD, "job-state", NULL, "7");
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-subscribed-event", 1);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "job-state-reasons", 1);
	add_event(m, -3, "job-completed", "job-id", -4, 7, NULL);
	e = decode(m, 2);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.canceled_count, 0);
	assert_int_equal(e.highest, 2);
	assert_int_equal(e.interval_s, 0);
	assert_int_equal(decode(answer_new(86400), 0).interval_s, 3600);
}

static void test_more_canceled_jobs_than_fit_are_left_to_the_list(void **state)
{
	ipp_t *m = answer_new(0);
	struct channel_events e;

	(void)state;
	for (int i = 1; i <= CHANNEL_EVENTS_CANCELED_MAX + 1; i++)
		add_event(m, i, "job-completed", "job-id", i, 7, NULL);
	e = decode(m, 0);
	assert_int_equal(e.canceled_count, CHANNEL_EVENTS_CANCELED_MAX);
	assert_true(e.list);
}

/* ---- pace ---- */

static void test_after_an_event_or_a_wait_it_is_asked_at_once(void **state)
{
	struct channel_pace p = { .hasty = 4 };
	struct channel_events event = { .count = 1, .interval_s = 30 }, none = { 0 };

	(void)state;
	assert_int_equal(channel_pace_next(&p, &event, 3), 0);
	assert_int_equal(channel_pace_next(&p, &none, 29900), 0);
	assert_int_equal(channel_pace_next(&p, &none, 5), 20);
}

static void test_hasty_empty_answers_slow_down_to_a_second(void **state)
{
	static const int64_t delays[] = { 20, 40, 80, 160, 320, 640, 1000, 1000, 1000 };
	struct channel_pace p = { 0 };
	struct channel_events none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++)
		assert_int_equal(channel_pace_next(&p, &none, 2), delays[i]);
}

static void test_a_server_that_never_waits_is_taken_at_its_interval(void **state)
{
	struct channel_pace p = { 0 };
	struct channel_events none = { .interval_s = 5 }, event = { .count = 1, .interval_s = 5 };
	int64_t delay = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		delay = channel_pace_next(&p, &none, 2);
	assert_int_equal(delay, 5000);
	assert_int_equal(channel_pace_next(&p, &event, 2), 0);
	assert_int_equal(channel_pace_next(&p, &none, 2), 5000);
}

static void test_a_server_that_repeats_is_asked_for_the_next_event(void **state)
{
	struct channel_pace p = { 0 };
	struct channel_events repeated = { .repeated = 1, .highest = 8 };

	(void)state;
	assert_int_equal(channel_pace_from(&p, 0), 0);
	assert_int_equal(channel_pace_from(&p, 8), 8);
	assert_int_equal(channel_pace_next(&p, &repeated, 1), 20);
	assert_int_equal(channel_pace_from(&p, 8), 9);
	assert_int_equal(channel_pace_from(&p, 0), 0);
	assert_int_equal(channel_pace_from(&p, INT32_MAX), INT32_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_answer_has_no_events),
		cmocka_unit_test(test_the_highest_number_is_kept_and_old_ones_are_dropped),
		cmocka_unit_test(test_the_state_counts_and_not_the_name),
		cmocka_unit_test(test_what_may_be_fetchable_wants_a_list),
		cmocka_unit_test(test_somebody_looks_for_the_printer),
		cmocka_unit_test(test_the_lag_is_that_of_the_event_that_waited_longest),
		cmocka_unit_test(test_the_last_answer_is_known),
		cmocka_unit_test(test_nonsense_does_no_harm),
		cmocka_unit_test(test_more_canceled_jobs_than_fit_are_left_to_the_list),
		cmocka_unit_test(test_after_an_event_or_a_wait_it_is_asked_at_once),
		cmocka_unit_test(test_hasty_empty_answers_slow_down_to_a_second),
		cmocka_unit_test(test_a_server_that_never_waits_is_taken_at_its_interval),
		cmocka_unit_test(test_a_server_that_repeats_is_asked_for_the_next_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
