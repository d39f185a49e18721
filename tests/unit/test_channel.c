/* A channel's way up and its life while all is well, in virtual time. */
#include "tests/unit/channel_case.h"

/* ---- the start ---- */

static void test_nothing_is_said_before_the_printer_is_known(void **state)
{
	(void)state;
	cloud_ops.list(channel);
	advance(3600000);
	assert_int_equal(cloud_double.seen_count, 0);
	assert_int_equal(heard.states[CHANNEL_CONNECTING], 0);
}

static void test_the_start_goes_in_order(void **state)
{
	static const ipp_op_t order[] = {
		IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES,
		IPP_OP_UPDATE_ACTIVE_JOBS,
		IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS,
		IPP_OP_GET_JOBS,
		IPP_OP_GET_NOTIFICATIONS,
	};

	(void)state;
	heard.active[0] = (struct cloud_active){ 5, IPP_JSTATE_PROCESSING };
	heard.active_count = 1;
	add_job(7, IPP_JSTATE_STOPPED);
	bring_up();
	assert_int_equal(cloud_double.seen_count, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(cloud_double.seen[i].op, order[i]);
	assert_int_equal(heard.states[CHANNEL_CONNECTING], 1);
	assert_int_equal(heard.states[CHANNEL_ONLINE], 1);
	assert_int_equal(heard.offers, 1);
	assert_int_equal(heard.first, 7);
}

static void test_the_first_poll_names_no_number_and_waits(void **state)
{
	ipp_t *m;

	(void)state;
	bring_up();
	m = double_last(IPP_OP_GET_NOTIFICATIONS);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "notify-subscription-ids", 0),
	                 SUBSCRIPTION);
	assert_null(ippFindAttribute(m, "notify-sequence-numbers", IPP_TAG_ZERO));
	assert_true(ipp_get_bool(m, IPP_TAG_OPERATION, "notify-wait", false));
	assert_true(double_find(IPP_OP_GET_NOTIFICATIONS, true)->op->timeout_ms > 60000);
}

static void test_active_jobs_are_told_only_when_there_are_any(void **state)
{
	(void)state;
	bring_up();
	assert_int_equal(double_count(IPP_OP_UPDATE_ACTIVE_JOBS), 0);
}

static void test_the_answer_to_active_jobs_tells_canceled_and_assigned_ones(void **state)
{
	static const int ids[] = { 5, 6, 8, 9 }, states[] = { 7, 5, 6, 9 };
	ipp_t *m = double_response(IPP_STATUS_OK);

	(void)state;
	heard.active[0] = (struct cloud_active){ 5, 5 };
	heard.active[1] = (struct cloud_active){ 6, 5 };
	heard.active_count = 2;
	ippAddIntegers(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-ids", 4, ids);
	ippAddIntegers(m, IPP_TAG_OPERATION, IPP_TAG_ENUM, "output-device-job-states", 4, states);
	ippAddInteger(m, IPP_TAG_UNSUPPORTED_GROUP, IPP_TAG_INTEGER, "job-ids", 77);
	update();
	while (!double_find(IPP_OP_UPDATE_ACTIVE_JOBS, false))
		assert_int_equal(fake_clock_step(&cloud_double.clock), 1);
	double_reply(IPP_OP_UPDATE_ACTIVE_JOBS, m);
	assert_int_equal(heard.canceled, 1);
	assert_int_equal(heard.last_canceled, 5);
	assert_int_equal(heard.assigned, 1);
	assert_int_equal(heard.last_assigned, 8);
	advance(20);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_server_without_active_jobs_is_lived_with(void **state)
{
	(void)state;
	heard.active[0] = (struct cloud_active){ 5, 5 };
	heard.active_count = 1;
	server.bad_op = IPP_OP_UPDATE_ACTIVE_JOBS;
	server.bad = IPP_STATUS_ERROR_BAD_REQUEST;
	bring_up();
}

static void test_a_server_that_dropped_us_on_active_jobs_is_never_told_again(void **state)
{
	(void)state;
	heard.active[0] = (struct cloud_active){ 5, 5 };
	heard.active_count = 1;
	server.drops_on_active = 1;
	update();
	advance(5000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 1);
	assert_int_equal(double_count(IPP_OP_UPDATE_ACTIVE_JOBS), 1);
	server_restarts();
	advance(2000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(double_count(IPP_OP_UPDATE_ACTIVE_JOBS), 1);
}

static void test_few_channels_start_at_once_and_many_spread(void **state)
{
	struct channel *many[60];

	(void)state;
	update();
	assert_int_equal(fake_clock_next(&cloud_double.clock), 0);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = open_one(NULL);
	cloud_double.answer = NULL;
	for (size_t i = 0; i < 20; i++)
		cloud_ops.update(many[i], capabilities, printer_state);
	advance(0);
	assert_true(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES) < 15);
	advance(5000);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 21);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		cloud_ops.channel_close(many[i]);
}

static void test_no_channel_speaks_before_the_pause_behind_crashes_is_over(void **state)
{
	(void)state;
	cloud->start_ms = cloud_double.clock.now_ms + 20000;
	update();
	advance(19999);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 0);
	advance(1);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 1);
}

static void test_channels_with_the_same_credentials_share_connections(void **state)
{
	struct channel *same = open_one(NULL), *a = open_one("a"), *b = open_one("b");

	(void)state;
	assert_int_equal(cloud_double.peers, 3);
	cloud_ops.channel_close(same);
	cloud_ops.channel_close(a);
	cloud_ops.channel_close(b);
	assert_int_equal(cloud_double.peers, 1);
}

/* ---- listening ---- */

static void test_an_event_brings_a_list_and_the_next_poll_at_once(void **state)
{
	ipp_t *m;
	int64_t now;

	(void)state;
	bring_up();
	add_job(3, IPP_JSTATE_PENDING);
	now = cloud_double.clock.now_ms;
	event(4, "job-fetchable", 3, IPP_JSTATE_PENDING, NULL);
	m = double_last(IPP_OP_GET_NOTIFICATIONS);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "notify-sequence-numbers", 0), 4);
	assert_int_equal(cloud_double.clock.now_ms, now);
	advance(1);
	assert_int_equal(heard.offers, 2);
	assert_int_equal(heard.first, 3);
}

static void test_a_cancel_is_told_without_a_list(void **state)
{
	(void)state;
	bring_up();
	event(1, "job-completed", 9, IPP_JSTATE_CANCELED, NULL);
	assert_int_equal(heard.last_canceled, 9);
	assert_int_equal(double_count(IPP_OP_GET_JOBS), 1);
}

static void test_lists_are_joined_to_one_under_way_and_one_more(void **state)
{
	(void)state;
	bring_up();
	server.list_ms = 100;
	for (int i = 0; i < 10; i++)
		cloud_ops.list(channel);
	advance(10);
	for (int i = 1; i < 10; i++)
		event(i, "job-fetchable", i, 6, NULL);
	cloud_ops.list(channel);
	assert_int_equal(double_count(IPP_OP_GET_JOBS), 2);
	advance(1000);
	assert_int_equal(double_count(IPP_OP_GET_JOBS), 3);
	assert_int_equal(heard.offers, 3);
}

static void test_a_lost_event_is_made_good_within_a_minute_or_so(void **state)
{
	(void)state;
	bring_up();
	advance(80000);
	assert_in_range(double_count(IPP_OP_GET_JOBS), 2, 3);
	advance(600000);
	assert_in_range(double_count(IPP_OP_GET_JOBS), 9, 16);
}

static void test_a_quiet_hour_costs_little(void **state)
{
	(void)state;
	bring_up();
	double_forget_seen();
	advance(3600000);
	assert_in_range(double_count(IPP_OP_GET_NOTIFICATIONS), 100, 130);
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 4, 9);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 0);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 0);
}

static void test_a_server_that_does_not_wait_makes_no_busy_loop(void **state)
{
	(void)state;
	server.hasty = true;
	bring_up();
	double_forget_seen();
	advance(60000);
	assert_in_range(double_count(IPP_OP_GET_NOTIFICATIONS), 50, 70);
	server.interval_s = 10;
	advance(60000);
	double_forget_seen();
	advance(60000);
	assert_in_range(double_count(IPP_OP_GET_NOTIFICATIONS), 5, 7);
}

static void test_a_poll_cut_after_waiting_is_forgiven_once(void **state)
{
	(void)state;
	bring_up();
	advance(5000);
	double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 56, 0);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_non_null(double_find(IPP_OP_GET_NOTIFICATIONS, false));
	advance(5000);
	double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 56, 0);
	assert_int_equal(heard.state, CHANNEL_OFFLINE);
	advance(1100);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_gateway_that_cuts_idle_polls_costs_nothing(void **state)
{
	(void)state;
	bring_up();
	for (int i = 0; i < 20; i++) {
		advance(20000);
		add_job(i + 1, IPP_JSTATE_STOPPED);
		double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 504, 0);
		advance(10);
		assert_int_equal(heard.offered, i + 1);
	}
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 0);
	advance(20000);
	server.down = true;
	double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 504, 0);
	advance(10);
	assert_int_equal(heard.state, CHANNEL_OFFLINE);
}

static void test_identify_is_taken_and_told(void **state)
{
	(void)state;
	bring_up();
	event(1, "printer-state-changed", 0, 0, "identify-printer-requested");
	advance(5);
	assert_int_equal(heard.identified, 1);
	assert_string_equal(heard.actions, "flash");
	assert_string_equal(heard.message, "hello?");
	server.bad_op = IPP_OP_ACKNOWLEDGE_IDENTIFY_PRINTER;
	server.bad = IPP_STATUS_ERROR_NOT_POSSIBLE;
	event(2, "printer-state-changed", 0, 0, "identify-printer-requested");
	advance(5);
	assert_int_equal(heard.identified, 1);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_lease_is_renewed_at_half(void **state)
{
	ipp_t *m;

	(void)state;
	server.lease_s = 600;
	bring_up();
	advance(299000);
	assert_int_equal(double_count(IPP_OP_RENEW_SUBSCRIPTION), 0);
	advance(2000);
	assert_int_equal(double_count(IPP_OP_RENEW_SUBSCRIPTION), 1);
	m = double_last(IPP_OP_RENEW_SUBSCRIPTION);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "notify-subscription-id", 0),
	                 SUBSCRIPTION);
	assert_int_equal(ipp_get_int(m, IPP_TAG_SUBSCRIPTION, "notify-lease-duration", -1), 0);
	server.bad_op = IPP_OP_RENEW_SUBSCRIPTION;
	server.bad = IPP_STATUS_ERROR_NOT_FOUND;
	advance(305000);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 2);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 0);
}

static void test_without_subscriptions_it_lists_more_often(void **state)
{
	(void)state;
	server.bad_op = IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS;
	server.bad = IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED;
	bring_up();
	advance(60000);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 0);
	assert_in_range(double_count(IPP_OP_GET_JOBS), 5, 9);
}

/* ---- attributes ---- */

static void test_only_what_changed_is_sent(void **state)
{
	ipp_t *m;

	(void)state;
	bring_up();
	update();
	advance(10);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 1);
	set_state(5);
	update();
	advance(10);
	m = double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 2);
	assert_null(ippFindAttribute(m, "copies-supported", IPP_TAG_ZERO));
	assert_int_equal(ipp_get_int(m, IPP_TAG_PRINTER, "printer-state", 0), 5);
	attrs_unref(capabilities);
	capabilities = make_attrs("copies-supported", 5);
	update();
	advance(10);
	m = double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	assert_int_equal(ipp_get_int(m, IPP_TAG_PRINTER, "copies-supported", 0), 5);
	assert_int_equal(ipp_get_int(m, IPP_TAG_PRINTER, "printer-state", 0), 5);
}

static void set_reason(const char *reason)
{
	ipp_t *m = ippNew();

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL, reason);
	attrs_unref(printer_state);
	printer_state = attrs_new(m);
}

/* What the cloud knows. */
static const char *told_reason(void)
{
	return ipp_get_text(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), IPP_TAG_PRINTER,
	                    "printer-state-reasons", "");
}

static void test_a_reason_that_flickers_is_told_a_few_times_and_then_rarely(void **state)
{
	static const char *const reasons[] = { "none", "media-empty-error" };
	size_t before;

	(void)state;
	bring_up();
	before = double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	for (int i = 0; i < 120; i++) { /* a minute */
		set_reason(reasons[i % 2]);
		update();
		advance(500);
	}
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES) - before, 6, 12);
	advance(10000); /* and how it ended */
	assert_string_equal(told_reason(), reasons[1]);
	advance(ALLOWANCE_AT_ONCE * 10000);
	set_reason(reasons[0]); /* what changes now and then is told at once */
	update();
	advance(10);
	assert_string_equal(told_reason(), reasons[0]);
}

static void test_trouble_of_a_busy_printer_is_told_at_once(void **state)
{
	size_t before;

	(void)state;
	bring_up();
	before = double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	for (int i = 0; i < 120; i++) {
		set_state(3 + i % 2);
		update();
		advance(500);
	}
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES) - before, 15, 27);
	set_reason("media-empty-error");
	update();
	advance(10);
	assert_string_equal(told_reason(), "media-empty-error");
}

static void test_a_change_while_attributes_are_on_their_way_follows(void **state)
{
	(void)state;
	bring_up();
	for (int i = 0; i < 5; i++) {
		set_state(3 + i % 3);
		update();
	}
	advance(0);
	set_state(5);
	update();
	advance(10);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 3);
	assert_int_equal(ipp_get_int(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES),
	                             IPP_TAG_PRINTER, "printer-state", 0),
	                 5);
}

static void test_what_a_server_does_not_take_is_kept_back_until_reconnect(void **state)
{
	(void)state;
	server.ignores = "printer-state";
	bring_up();
	set_state(5);
	update();
	advance(10);
	assert_null(ippFindAttribute(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES),
	                             "printer-state", IPP_TAG_ZERO));
	server_restarts();
	advance(2000);
	assert_non_null(ippFindAttribute(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES),
	                                 "printer-state", IPP_TAG_ZERO));
}

static void test_attributes_refused_for_some_are_sent_without_them(void **state)
{
	ipp_t *m = double_response(IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES);

	(void)state;
	cloud_double.answer = NULL;
	ippAddOutOfBand(m, IPP_TAG_UNSUPPORTED_GROUP, IPP_TAG_UNSUPPORTED_VALUE,
	                "copies-supported");
	update();
	advance(1);
	double_reply(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES, m);
	assert_null(ippFindAttribute(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES),
	                             "copies-supported", IPP_TAG_ZERO));
	cloud_double.answer = answer;
	double_status(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES, IPP_STATUS_OK);
	advance(20);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_nothing_is_said_before_the_printer_is_known),
		T(test_the_start_goes_in_order),
		T(test_the_first_poll_names_no_number_and_waits),
		T(test_active_jobs_are_told_only_when_there_are_any),
		T(test_the_answer_to_active_jobs_tells_canceled_and_assigned_ones),
		T(test_a_server_without_active_jobs_is_lived_with),
		T(test_a_server_that_dropped_us_on_active_jobs_is_never_told_again),
		T(test_few_channels_start_at_once_and_many_spread),
		T(test_no_channel_speaks_before_the_pause_behind_crashes_is_over),
		T(test_channels_with_the_same_credentials_share_connections),
		T(test_an_event_brings_a_list_and_the_next_poll_at_once),
		T(test_a_cancel_is_told_without_a_list),
		T(test_lists_are_joined_to_one_under_way_and_one_more),
		T(test_a_lost_event_is_made_good_within_a_minute_or_so),
		T(test_a_quiet_hour_costs_little),
		T(test_a_server_that_does_not_wait_makes_no_busy_loop),
		T(test_a_poll_cut_after_waiting_is_forgiven_once),
		T(test_a_gateway_that_cuts_idle_polls_costs_nothing),
		T(test_identify_is_taken_and_told),
		T(test_a_lease_is_renewed_at_half),
		T(test_without_subscriptions_it_lists_more_often),
		T(test_only_what_changed_is_sent),
		T(test_a_reason_that_flickers_is_told_a_few_times_and_then_rarely),
		T(test_trouble_of_a_busy_printer_is_told_at_once),
		T(test_a_change_while_attributes_are_on_their_way_follows),
		T(test_what_a_server_does_not_take_is_kept_back_until_reconnect),
		T(test_attributes_refused_for_some_are_sent_without_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
