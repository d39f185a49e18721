/* A channel whose cloud goes away, forgets it or refuses it, and its end, in virtual time. */
#include "tests/unit/channel_case.h"

/* ---- outages ---- */

static void test_a_cloud_that_is_down_is_tried_with_back_off(void **state)
{
	size_t n;

	(void)state;
	server.down = true;
	update();
	advance(3600000);
	n = cloud_double.seen_count;
	assert_in_range(n, 20, 80);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 1);
	assert_int_equal(heard.states[CHANNEL_CONNECTING], 1);
	assert_string_equal(heard.err.text, "connection refused");
	server.down = false;
	advance(301000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_after_a_short_outage_it_is_back_within_seconds(void **state)
{
	(void)state;
	bring_up();
	advance(120000);
	add_job(1, 6);
	server.down = true;
	double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 56, 0);
	advance(500);
	server.down = false;
	advance(8000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(heard.first, 1);
}

static void test_retry_after_is_obeyed(void **state)
{
	(void)state;
	server.http = 503;
	server.retry_after_s = 600;
	update();
	advance(10);
	assert_int_equal(cloud_double.seen_count, 1);
	advance(599000);
	assert_int_equal(cloud_double.seen_count, 1);
	advance(90000);
	assert_int_equal(cloud_double.seen_count, 2);
}

static void test_wrong_credentials_are_refused_and_retried_rarely(void **state)
{
	(void)state;
	server.http = 401;
	update();
	advance(5000);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_int_equal(cloud_double.seen_count, 2);
	assert_int_equal(heard.err.kind, ERR_DENIED);
	advance(4 * 3600000);
	assert_in_range(cloud_double.seen_count, 9, 19);
	server.http = 0;
	advance(1800000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_credentials_withdrawn_while_listening_are_refused(void **state)
{
	(void)state;
	bring_up();
	advance(100000);
	server.http = 403;
	advance(120000);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
}

static void test_a_printer_that_the_cloud_does_not_have_is_said_so(void **state)
{
	(void)state;
	server.http = 404;
	update();
	advance(5000);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_non_null(strstr(heard.err.text, "no such printer"));
}

static void test_a_server_that_forgot_us_is_told_all_again_at_once(void **state)
{
	(void)state;
	bring_up();
	advance(100000);
	event(6, "job-state-changed", 1, 5, NULL);
	double_forget_seen();
	server_restarts();
	advance(50);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 0);
	assert_int_equal(heard.states[CHANNEL_ONLINE], 2);
	assert_non_null(ippFindAttribute(double_last(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES),
	                                 "copies-supported", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(double_last(IPP_OP_GET_NOTIFICATIONS),
	                             "notify-sequence-numbers", IPP_TAG_ZERO));
}

static void test_a_subscription_that_ends_is_made_again(void **state)
{
	(void)state;
	bring_up();
	double_status(IPP_OP_GET_NOTIFICATIONS, IPP_STATUS_OK_EVENTS_COMPLETE);
	advance(50);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 2);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_server_that_forgets_all_the_time_makes_no_busy_loop(void **state)
{
	(void)state;
	server.bad_op = IPP_OP_GET_NOTIFICATIONS;
	server.bad = IPP_STATUS_ERROR_NOT_FOUND;
	update();
	advance(3600000);
	assert_in_range(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 10, 80);
}

static void test_an_exchange_that_cannot_start_is_an_outage(void **state)
{
	(void)state;
	cloud_double.fail_starts = 3;
	update();
	advance(20000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(heard.states[CHANNEL_OFFLINE], 1);
}

static void test_a_flapping_network_costs_no_more_than_the_back_off(void **state)
{
	(void)state;
	update();
	for (int i = 0; i < 720; i++) {
		server.down = i % 2;
		if (server.down && double_find(IPP_OP_GET_NOTIFICATIONS, false))
			double_break(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 56, 0);
		advance(5000);
	}
	assert_true(cloud_double.seen_count < 600);
	server.down = false;
	advance(301000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_doubted_channel_looks_and_starts_again(void **state)
{
	(void)state;
	bring_up();
	channel_doubt(channel);
	advance(5);
	assert_int_equal(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 2);
	assert_int_equal(heard.states[CHANNEL_ONLINE], 1);
	server.bad_op = IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES;
	server.bad = IPP_STATUS_ERROR_NOT_FOUND;
	channel_doubt(channel);
	advance(0);
	advance(1);
	server.bad_op = 0;
	advance(2000);
	assert_int_equal(heard.states[CHANNEL_ONLINE], 2);
}

/* ---- the end ---- */

static void test_closing_at_any_moment_leaves_nothing(void **state)
{
	(void)state;
	for (size_t steps = 0; steps < 40; steps++) {
		struct channel *ch = open_one("x");

		server.down = steps % 5 == 4;
		heard.active[0] = (struct cloud_active){ 5, 5 };
		heard.active_count = steps % 2;
		cloud_ops.update(ch, capabilities, printer_state);
		for (size_t i = 0; i < steps; i++)
			(void)fake_clock_step(&cloud_double.clock);
		cloud_ops.channel_close(ch);
		advance(0);
		assert_int_equal(double_open_count(), 0);
		assert_int_equal(fake_clock_armed(&cloud_double.clock), 0);
		assert_int_equal(cloud_double.peers, 1);
	}
}

static void test_the_listener_may_close_the_channel(void **state)
{
	(void)state;
	update();
	heard.closes = channel;
	advance(20);
	assert_null(channel);
	assert_int_equal(double_open_count(), 0);
}

static void test_the_cloud_may_be_closed_before_abandoned_exchanges_end(void **state)
{
	(void)state;
	bring_up();
	cloud_ops.channel_close(channel);
	channel = NULL;
	cloud_ops.close(cloud);
	assert_int_equal(double_open_count(), 1);
	advance(0);
	assert_int_equal(double_open_count(), 0);
	assert_int_equal(cloud_double.peers, 0);
	cloud = double_cloud();
}

/* ---- random ---- */

static void random_act(uint64_t r)
{
	switch (r % 12) {
	case 0:
		server.down = !server.down;
		break;
	case 1:
		server.http = server.http ? 0 : 503;
		break;
	case 2:
		server_restarts();
		break;
	case 3:
		server.hasty = !server.hasty;
		break;
	case 4:
		set_state((int)(3 + r / 12 % 3));
		update();
		break;
	case 5:
		cloud_ops.list(channel);
		break;
	case 6:
		server.bad_op = (ipp_op_t)(0x3f + r / 12 % 10);
		server.bad = r & 4096 ? IPP_STATUS_ERROR_NOT_FOUND : IPP_STATUS_ERROR_BUSY;
		break;
	case 7:
		server.bad_op = 0;
		break;
	case 8:
		if (double_find(IPP_OP_GET_NOTIFICATIONS, false) && !server.hasty)
			event((int)(r / 12 % 1000), "job-fetchable", 1, 6, NULL);
		break;
	case 9:
		cloud_double.fail_starts = (int)(r / 12 % 3);
		break;
	case 10:
		channel_doubt(channel);
		break;
	case 11:
		server.drops_on_active = 1;
		break;
	}
}

static void test_whatever_happens_it_comes_back(void **state)
{
	struct clock *clock = &cloud_double.clock.clock;

	(void)state;
	heard.active[0] = (struct cloud_active){ 5, 5 };
	heard.active_count = 1;
	update();
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 30; i++) {
			random_act(clock->random(clock));
			advance((int64_t)(clock->random(clock) % 20000));
			assert_true(double_open_count() <= 3);
			assert_true(fake_clock_armed(&cloud_double.clock) <= 9);
			double_forget_seen();
		}
		ippDelete(server.jobs);
		memset(&server, 0, sizeof(server));
		cloud_double.fail_starts = 0;
		add_job(round + 1, 6);
		/* an answer under way may still be of the bad time */
		advance(400000);
		assert_int_equal(heard.state, CHANNEL_ONLINE);
		assert_int_equal(heard.first, round + 1);
		double_forget_seen();
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_a_cloud_that_is_down_is_tried_with_back_off),
		T(test_after_a_short_outage_it_is_back_within_seconds),
		T(test_retry_after_is_obeyed),
		T(test_wrong_credentials_are_refused_and_retried_rarely),
		T(test_credentials_withdrawn_while_listening_are_refused),
		T(test_a_printer_that_the_cloud_does_not_have_is_said_so),
		T(test_a_server_that_forgot_us_is_told_all_again_at_once),
		T(test_a_subscription_that_ends_is_made_again),
		T(test_a_server_that_forgets_all_the_time_makes_no_busy_loop),
		T(test_an_exchange_that_cannot_start_is_an_outage),
		T(test_a_flapping_network_costs_no_more_than_the_back_off),
		T(test_a_doubted_channel_looks_and_starts_again),
		T(test_closing_at_any_moment_leaves_nothing),
		T(test_the_listener_may_close_the_channel),
		T(test_the_cloud_may_be_closed_before_abandoned_exchanges_end),
		T(test_whatever_happens_it_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
