/* A channel's whole life against a server of the test's own, in virtual time. */
#include "tests/unit/cloud_double.h"

#include <stdio.h>

#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/service.h"

#define SUBSCRIPTION 11

static struct server {
	bool down; /* nobody listens */
	int http;  /* every exchange ends with this HTTP status */
	int retry_after_s;
	ipp_op_t bad_op; /* this operation is answered by: */
	ipp_status_t bad;
	int drops_on_active; /* connections that break on Update-Active-Jobs */
	int lease_s;
	bool hasty; /* Get-Notifications never waits, says interval */
	int interval_s;
	ipp_t *jobs;         /* answer to Get-Jobs; NULL: none */
	const char *ignores; /* an attribute it does not take */
	int64_t list_ms;
} server;

static struct heard {
	int states[CHANNEL_REFUSED + 1];
	enum channel_state state;
	struct err err;
	int offers;
	size_t offered;
	int32_t first;
	int canceled, assigned;
	int32_t last_canceled, last_assigned;
	int identified;
	char actions[64], message[64];
	struct cloud_active active[4];
	size_t active_count;
	struct channel *closes; /* on offers */
} heard;

static struct cloud *cloud;
static struct channel *channel;
static struct attrs *capabilities, *printer_state;

/* ---- the server ---- */

static void answer_ok(struct ipp_op *op, struct reply *r)
{
	switch ((int)ippGetOperation(op->request)) {
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
		ippAddInteger(r->response, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
		              "notify-subscription-id", SUBSCRIPTION);
		if (server.lease_s)
			ippAddInteger(r->response, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
			              "notify-lease-duration", server.lease_s);
		break;
	case IPP_OP_GET_JOBS:
		r->delay_ms = server.list_ms ? server.list_ms : 1;
		if (server.jobs)
			ippCopyAttributes(r->response, server.jobs, 0, NULL, NULL);
		break;
	case IPP_OP_GET_NOTIFICATIONS:
		r->delay_ms = server.hasty ? 1 : 30000;
		if (server.hasty && server.interval_s)
			ippAddInteger(r->response, IPP_TAG_OPERATION, IPP_TAG_INTEGER,
			              "notify-get-interval", server.interval_s);
		break;
	case IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES:
		if (server.ignores && ippFindAttribute(op->request, server.ignores, IPP_TAG_ZERO)) {
			ippSetStatusCode(r->response, IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED);
			ippAddOutOfBand(r->response, IPP_TAG_UNSUPPORTED_GROUP,
			                IPP_TAG_UNSUPPORTED_VALUE, server.ignores);
		}
		break;
	case IPP_OP_ACKNOWLEDGE_IDENTIFY_PRINTER:
		ippAddString(r->response, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "identify-actions",
		             NULL, "flash");
		ippAddString(r->response, IPP_TAG_OPERATION, IPP_TAG_TEXT, "message", NULL,
		             "hello\a");
		break;
	}
}

static void answer(struct ipp_op *op, struct reply *r)
{
	ipp_op_t code = ippGetOperation(op->request);

	r->delay_ms = 1;
	if (server.down) {
		(void)err_set(&r->err, ERR_TEMPORARY, 7, "connection refused");
	} else if (server.http) {
		(void)err_set(&r->err,
		              server.http == 404  ? ERR_GONE
		              : server.http < 500 ? ERR_DENIED
		                                  : ERR_TEMPORARY,
		              server.http, "HTTP %d", server.http);
		r->err.retry_after_s = server.retry_after_s;
	} else if (code == IPP_OP_UPDATE_ACTIVE_JOBS && server.drops_on_active > 0) {
		server.drops_on_active--;
		(void)err_set(&r->err, ERR_TEMPORARY, 52, "empty reply");
	} else if (code == server.bad_op) {
		r->response = double_response(server.bad);
	} else {
		r->response = double_response(IPP_STATUS_OK);
		answer_ok(op, r);
	}
}

static void server_restarts(void)
{
	server.bad_op = 0;
	if (double_find(IPP_OP_GET_NOTIFICATIONS, false))
		double_status(IPP_OP_GET_NOTIFICATIONS, IPP_STATUS_ERROR_NOT_FOUND);
}

static void event(int sequence, const char *name, int job, int job_state, const char *reason)
{
	ipp_t *m = double_response(IPP_STATUS_OK);

	ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-sequence-number",
	              sequence);
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD, "notify-subscribed-event",
	             NULL, name);
	if (job)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "job-id", job);
	if (job_state)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_ENUM, "job-state", job_state);
	if (reason)
		ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD,
		             "printer-state-reasons", NULL, reason);
	ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-get-interval", 30);
	double_reply(IPP_OP_GET_NOTIFICATIONS, m);
}

/* ---- core ---- */

static void on_state(void *data, enum channel_state state, const struct err *err)
{
	(void)data;
	heard.states[state]++;
	heard.state = state;
	assert_true((err != NULL) == (state == CHANNEL_OFFLINE || state == CHANNEL_REFUSED));
	if (err)
		heard.err = *err;
}

static void on_offers(void *data, const struct cloud_offer *offers, size_t count)
{
	(void)data;
	heard.offers++;
	heard.offered = count;
	heard.first = count ? offers[0].job : 0;
	if (heard.closes) {
		cloud_ops.channel_close(heard.closes);
		heard.closes = channel = NULL;
	}
}

static void on_canceled(void *data, int32_t job)
{
	(void)data;
	heard.canceled++;
	heard.last_canceled = job;
}

static void on_assigned(void *data, int32_t job)
{
	(void)data;
	heard.assigned++;
	heard.last_assigned = job;
}

static void on_identify(void *data, const char *actions, const char *message)
{
	(void)data;
	heard.identified++;
	(void)snprintf(heard.actions, sizeof(heard.actions), "%s", actions);
	(void)snprintf(heard.message, sizeof(heard.message), "%s", message);
}

static size_t on_active(void *data, struct cloud_active *out, size_t max)
{
	(void)data;
	assert_true(max >= heard.active_count);
	memcpy(out, heard.active, heard.active_count * sizeof(*out));
	return heard.active_count;
}

static const struct channel_listener listener = {
	.state = on_state,
	.offers = on_offers,
	.canceled = on_canceled,
	.assigned = on_assigned,
	.identify = on_identify,
	.active = on_active,
};

/* ---- fixture ---- */

static struct attrs *make_attrs(const char *name, int value)
{
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, name, value);
	return attrs_new(m);
}

static void set_state(int value)
{
	attrs_unref(printer_state);
	printer_state = make_attrs("printer-state", value);
}

static struct channel *open_one(const char *password)
{
	struct channel_settings settings = double_settings();
	struct channel *ch = NULL;
	struct err err;

	settings.username = password ? "u" : NULL;
	settings.password = password;
	assert_int_equal(cloud_ops.channel_open(&ch, cloud, &settings, &listener, &err), 0);
	return ch;
}

static int setup(void **state)
{
	(void)state;
	double_init(0);
	memset(&server, 0, sizeof(server));
	memset(&heard, 0, sizeof(heard));
	cloud_double.answer = answer;
	cloud = double_cloud();
	channel = open_one(NULL);
	capabilities = make_attrs("copies-supported", 99);
	set_state(3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.channel_close(channel);
	(void)fake_clock_settle(&cloud_double.clock); /* abandoned exchanges end */
	cloud_ops.close(cloud);
	attrs_unref(capabilities);
	attrs_unref(printer_state);
	printer_state = NULL;
	ippDelete(server.jobs);
	double_clear();
	return 0;
}

static void advance(int64_t ms)
{
	(void)fake_clock_advance(&cloud_double.clock, ms);
}

static void update(void)
{
	cloud_ops.update(channel, capabilities, printer_state);
}

static void bring_up(void)
{
	update();
	advance(20);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void add_job(int id, int job_state)
{
	if (!server.jobs)
		server.jobs = ippNew();
	ippAddSeparator(server.jobs);
	ippAddInteger(server.jobs, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", id);
	ippAddInteger(server.jobs, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", job_state);
}

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		T(test_a_change_while_attributes_are_on_their_way_follows),
		T(test_what_a_server_does_not_take_is_kept_back_until_reconnect),
		T(test_attributes_refused_for_some_are_sent_without_them),
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
