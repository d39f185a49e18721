/* channel_case.h - a channel against a double of its cloud and its core, in virtual time; for the
 * files of test_channel*.c, none of which needs all of it. */
#ifndef TESTS_UNIT_CHANNEL_CASE_H
#define TESTS_UNIT_CHANNEL_CASE_H

#pragma GCC diagnostic ignored "-Wunused-function"

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
