/* A channel of Universal Print: tokens, the host of notifications, what it says and does not say.
 * Virtual time. */
#include "tests/unit/universal_double.h"

#include "connector/base/ipp_codec.h"
#include "connector/base/journal.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"
#include "tests/lib/says.h"

#define SUBSCRIPTION 11

static struct server {
	bool deaf;         /* the notification host is down */
	const char *takes; /* the one token that is accepted; NULL: any */
	bool takes_none;   /* HTTP 401 for each */
	ipp_op_t bad_op;   /* answered by: */
	ipp_status_t bad;
	ipp_op_t slow_op; /* HTTP 429, so many times */
	int slow, retry_after_s;
	int interval_s, lease_s;
	int sequence; /* of the next event; 0: no events */
	int32_t job;  /* fetchable; 0: none */
	int looked;   /* job-state that a look-up shows */
	/* where notifications are asked for, and for whom; NULL: at /printers/ID there */
	const char *events_url, *events_uri;
} server;

static struct heard {
	enum channel_state state;
	int changes, offers;
	struct err err;
	int32_t job;
} heard;

static int warnings, infos;
static char logged[1024];
static struct cloud *cloud;
static struct channel *channel;
static struct attrs *capabilities, *state_attrs;
static struct cloud_op op;
static struct {
	int done;
	bool failed;
	struct err err;
} end;

/* ---- the server ---- */

static void add_event(ipp_t *m, int sequence)
{
	ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-sequence-number",
	              sequence);
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD, "notify-subscribed-event",
	             NULL, "job-fetchable");
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-job-id", 7);
}

static void answer_ok(struct ipp_op *ipp, ipp_t *m)
{
	switch ((int)ippGetOperation(ipp->request)) {
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
		ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id",
		              SUBSCRIPTION);
		if (server.lease_s)
			ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
			              "notify-lease-duration", server.lease_s);
		break;
	case IPP_OP_GET_NOTIFICATIONS:
		if (server.interval_s)
			ippAddInteger(m, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-get-interval",
			              server.interval_s);
		if (server.sequence)
			add_event(m, server.sequence);
		server.sequence = 0;
		break;
	case IPP_OP_GET_JOBS:
		if (!server.job)
			break;
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", server.job);
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", IPP_JSTATE_PENDING);
		ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", NULL,
		             "job-fetchable");
		break;
	case IPP_OP_GET_JOB_ATTRIBUTES:
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", server.looked);
		break;
	}
}

static void assert_host(const struct ipp_op *ipp)
{
	static const char print[] = "https://print.example/printers/" UNIVERSAL_DEVICE;
	static const char events[] = "https://notification.example/printers/" UNIVERSAL_DEVICE;
	bool notifies = false;

	switch ((int)ippGetOperation(ipp->request)) {
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
	case IPP_OP_RENEW_SUBSCRIPTION:
	case IPP_OP_GET_NOTIFICATIONS:
		notifies = true;
	}
	if (notifies && server.events_url)
		assert_string_equal(ipp->url, server.events_url);
	else
		assert_string_equal(ipp->url, notifies ? events : print);
	if (notifies && server.events_uri)
		assert_text(ipp->request, IPP_TAG_OPERATION, "printer-uri", server.events_uri);
	else
		assert_text(ipp->request, IPP_TAG_OPERATION, "printer-uri",
		            notifies ? "ipps://notification.example/printers/" UNIVERSAL_DEVICE
		                     : "ipps://print.example/printers/" UNIVERSAL_DEVICE);
	assert_text(ipp->request, IPP_TAG_OPERATION, "output-device-uuid",
	            "urn:uuid:" UNIVERSAL_DEVICE);
}

static void answer(struct ipp_op *ipp, struct reply *r)
{
	ipp_op_t code = ippGetOperation(ipp->request);
	bool events = strstr(ipp->url, "notification");

	assert_host(ipp);
	assert_non_null(ipp->bearer); /* each exchange shows one */
	r->delay_ms = 1;
	if (events && server.deaf) {
		(void)err_set(&r->err, ERR_TEMPORARY, 7, "connection refused");
	} else if (server.takes_none || (server.takes && strcmp(server.takes, ipp->bearer) != 0)) {
		(void)err_set(&r->err, ERR_DENIED, 401, "HTTP 401");
	} else if (code == server.slow_op && server.slow > 0) {
		server.slow--;
		(void)err_set(&r->err, ERR_TEMPORARY, 429, "HTTP 429");
		r->err.retry_after_s = server.retry_after_s;
	} else if (code == server.bad_op) {
		r->response = double_response(server.bad);
	} else {
		r->response = double_response(IPP_STATUS_OK);
		answer_ok(ipp, r->response);
	}
}

/* ---- core ---- */

static void on_state(void *data, enum channel_state state, const struct err *err)
{
	(void)data;
	heard.state = state;
	heard.changes++;
	if (err)
		heard.err = *err;
}

static void on_offers(void *data, const struct cloud_offer *offers, size_t count)
{
	(void)data;
	heard.offers++;
	heard.job = count ? offers[0].job : 0;
}

static void on_canceled(void *data, int32_t job)
{
	(void)data;
	(void)job;
}

static void on_identify(void *data, const char *actions, const char *message)
{
	(void)data;
	(void)actions;
	(void)message;
}

static size_t on_active(void *data, struct cloud_active *out, size_t max)
{
	(void)data;
	assert_true(max > 0);
	out[0] = (struct cloud_active){ 3, 5 };
	return 1;
}

static const struct channel_listener listener = {
	.state = on_state,
	.offers = on_offers,
	.canceled = on_canceled,
	.assigned = on_canceled,
	.identify = on_identify,
	.active = on_active,
};

static void on_log(void *data, enum log_level level, const struct log_about *about,
                   const char *text)
{
	(void)data;
	assert_string_equal(about->cloud, "up");
	warnings += level == LOG_LEVEL_WARNING;
	infos += level == LOG_LEVEL_INFO;
	(void)snprintf(logged, sizeof(logged), "%s", text);
}

static void on_done(struct cloud_op *o, const struct err *err)
{
	(void)o;
	end.done++;
	end.failed = err;
	if (err)
		end.err = *err;
}

static struct attrs *some(const char *name, const char *value)
{
	ipp_t *m = ippNew();

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, name, NULL, value);
	return attrs_new(m);
}

static void wait_ms(int64_t ms)
{
	(void)fake_clock_advance(&cloud_double.clock, ms);
}

static void open_channel(void)
{
	struct channel_settings settings = universal_settings();
	struct err err;

	assert_int_equal(cloud_ops.channel_open(&channel, cloud, &settings, &listener, &err), 0);
	cloud_ops.update(channel, capabilities, state_attrs);
}

static int setup(void **state)
{
	(void)state;
	double_init(1);
	universal_init();
	memset(&server, 0, sizeof(server));
	memset(&heard, 0, sizeof(heard));
	memset(&end, 0, sizeof(end));
	memset(&op, 0, sizeof(op));
	op.done = on_done;
	warnings = infos = 0;
	log_divert(on_log, NULL);
	cloud_double.answer = answer;
	cloud = double_universal();
	capabilities = some("printer-info", "Lab");
	state_attrs = some("printer-state-message", "idle");
	open_channel();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.op_clear(&op);
	cloud_ops.channel_close(channel);
	wait_ms(0);
	cloud_ops.close(cloud);
	attrs_unref(capabilities);
	attrs_unref(state_attrs);
	double_clear();
	log_divert(NULL, NULL);
	return 0;
}

/* ---- up ---- */

static void assert_order(ipp_t *m, const char *names)
{
	char got[512] = "";
	size_t n = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(m); a; a = ippNextAttribute(m))
		if (ippGetGroupTag(a) == IPP_TAG_OPERATION)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s", n ? " " : "",
			                      ippGetName(a));
	assert_string_equal(got, names);
}

#define WHO "attributes-charset attributes-natural-language printer-uri output-device-uuid"

static void test_it_comes_up_and_speaks_as_the_document_says(void **state)
{
	ipp_t *m;

	(void)state;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(universal_double.tokens, 1);
	assert_int_equal(cloud_double.peers, 4); /* for all printers */
	assert_int_equal(cloud_double.seen[0].op, IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES);
	assert_order(cloud_double.seen[0].request, WHO);
	assert_int_equal(double_count(IPP_OP_UPDATE_ACTIVE_JOBS), 0);
	m = double_last(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS);
	assert_order(m, WHO);
	assert_text(m, IPP_TAG_SUBSCRIPTION, "notify-pull-method", "ippget");
	assert_int_equal(ippGetCount(ippFindAttribute(m, "notify-events", IPP_TAG_KEYWORD)), 2);
	m = double_last(IPP_OP_GET_JOBS);
	assert_order(m, WHO " which-jobs requested-attributes");
	assert_text(m, IPP_TAG_OPERATION, "which-jobs", "fetchable");
	assert_text(m, IPP_TAG_OPERATION, "requested-attributes", "all");
	m = double_last(IPP_OP_GET_NOTIFICATIONS);
	assert_order(m, WHO " notify-subscription-ids notify-sequence-numbers");
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "notify-sequence-numbers", 0), 1);
	assert_string_equal(cloud_double.seen[0].bearer, "token-1");
}

static void polls_every(int interval_s, int64_t ms)
{
	server.interval_s = interval_s;
	cloud_ops.channel_close(channel);
	open_channel();
	wait_ms(100);
	double_forget_seen();
	wait_ms(ms - 110);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 0);
	wait_ms(20);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 1);
}

static void test_the_servers_interval_is_obeyed(void **state)
{
	(void)state;
	polls_every(0, 30000);
	polls_every(7, 7000);
	polls_every(1, 1000);
	polls_every(3599, 3599000);
	polls_every(3600, 30000);
	polls_every(-5, 30000);
}

/* The channel again, at a cloud with other settings. */
static void reopen(const struct cloud_settings *settings)
{
	struct err err;

	cloud_ops.channel_close(channel);
	wait_ms(100);
	cloud_ops.close(cloud);
	double_forget_seen();
	assert_int_equal(cloud_ops.open(&cloud, settings, &err), 0);
	open_channel();
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 1);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 1);
}

static void test_what_microsoft_does_not_say_of_notifications_is_a_setting(void **state)
{
	struct cloud_settings settings = double_universal_settings();

	(void)state;
	wait_ms(100);
	settings.notification_names_print = true;
	server.events_uri = "ipps://print.example/printers/" UNIVERSAL_DEVICE;
	reopen(&settings);
	settings.notification_path = "/";
	server.events_url = "https://notification.example/";
	reopen(&settings);
	settings.notification_path = "/api/ID/events";
	settings.notification_names_print = false;
	server.events_url = "https://notification.example/api/" UNIVERSAL_DEVICE "/events";
	server.events_uri = NULL;
	reopen(&settings);
}

static void test_the_heartbeat_is_a_setting(void **state)
{
	struct cloud_settings settings = double_universal_settings();

	(void)state;
	wait_ms(100);
	settings.heartbeat_ms = 120000;
	reopen(&settings);
	double_forget_seen();
	wait_ms(3600000);
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 24, 40);
}

static void test_an_idle_printer_asks_for_little(void **state)
{
	(void)state;
	wait_ms(100);
	double_forget_seen();
	wait_ms(3600000);
	assert_in_range(double_count(IPP_OP_GET_NOTIFICATIONS), 118, 120);
	assert_in_range(double_count(IPP_OP_GET_JOBS), 4, 8);
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 4, 8);
	assert_int_equal(universal_double.tokens, 2);
}

static void test_an_event_brings_a_list_and_the_next_number_is_asked_for(void **state)
{
	(void)state;
	wait_ms(100);
	server.sequence = 1;
	server.job = 7;
	wait_ms(30100);
	assert_int_equal(heard.job, 7);
	double_forget_seen();
	wait_ms(30000);
	assert_int_equal(ipp_get_int(double_last(IPP_OP_GET_NOTIFICATIONS), IPP_TAG_OPERATION,
	                             "notify-sequence-numbers", 0),
	                 2);
	assert_int_equal(double_count(IPP_OP_GET_JOBS), 0);
	server.sequence = 1; /* repeated */
	wait_ms(30000);
	assert_int_equal(double_count(IPP_OP_GET_JOBS), 0);
}

static void test_a_gap_in_the_numbers_brings_a_list(void **state)
{
	struct channel_events events;
	ipp_t *m = double_response(IPP_STATUS_OK);

	(void)state;
	wait_ms(100);
	add_event(m, 5);
	add_event(m, 4);
	channel_events_decode(m, 3, &events);
	assert_false(events.lost);
	channel_events_decode(m, 2, &events);
	assert_true(events.lost);
	channel_events_decode(m, 5, &events);
	assert_false(events.lost);
	assert_int_equal(events.repeated, 2);
	ippDelete(m);
}

/* ---- tokens ---- */

static void test_a_revoked_token_is_replaced_unseen(void **state)
{
	(void)state;
	wait_ms(100);
	server.takes = "token-2";
	heard.changes = 0;
	wait_ms(30100);
	assert_int_equal(universal_double.tokens, 2);
	assert_int_equal(heard.changes, 0);
	double_forget_seen();
	wait_ms(30000);
	assert_string_equal(cloud_double.seen[0].bearer, "token-2");
}

static void test_a_second_401_is_a_refusal_and_keeps_quiet(void **state)
{
	size_t before;

	(void)state;
	server.takes_none = true;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_non_null(strstr(heard.err.text, "--renew"));
	assert_int_equal(cloud_double.seen_count, 2); /* one, and one repeat */
	before = cloud_double.seen_count;
	wait_ms(14 * 60000);
	assert_int_equal(cloud_double.seen_count, before);
	server.takes_none = false;
	wait_ms(17 * 60000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_certificate_that_is_not_accepted_is_a_refusal(void **state)
{
	(void)state;
	universal_double.token_status = 400;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_int_equal(cloud_double.seen_count, 0);
}

static void test_a_sign_in_service_that_is_down_is_an_outage(void **state)
{
	(void)state;
	universal_double.status = 503;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_OFFLINE);
	universal_double.status = 0;
	wait_ms(300000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

static void test_a_printer_deleted_in_the_portal_is_refused_and_quiet(void **state)
{
	size_t before;

	(void)state;
	wait_ms(100);
	server.bad_op = IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES;
	server.bad = IPP_STATUS_ERROR_GONE;
	channel_doubt(channel);
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_string_equal(heard.err.text,
	                    "the printer was deleted in the portal; unregister it here");
	before = cloud_double.seen_count;
	wait_ms(14 * 60000);
	assert_int_equal(cloud_double.seen_count, before);
}

static void test_missing_consent_is_a_refusal(void **state)
{
	(void)state;
	server.bad_op = IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES;
	server.bad = IPP_STATUS_ERROR_NOT_AUTHORIZED;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_REFUSED);
	assert_non_null(strstr(heard.err.text, "consent"));
}

/* ---- the notification host ---- */

static void test_jobs_arrive_while_the_notification_host_is_down(void **state)
{
	(void)state;
	server.deaf = true;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(logged, "https://notification.example"));
	server.job = 9;
	wait_ms(40000);
	assert_int_equal(heard.job, 9);
	wait_ms(3600000);
	assert_int_equal(warnings, 1);
	assert_int_equal(heard.changes, 2); /* connecting, online */
	assert_in_range(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 20, 60);
	server.deaf = false;
	wait_ms(301000);
	assert_int_equal(infos, 1);
	double_forget_seen();
	wait_ms(31000);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 1);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 0);
}

static void test_one_host_down_is_told_once_for_all_printers(void **state)
{
	struct channel_settings settings = universal_settings();
	struct channel *more[5];
	struct err err;

	(void)state;
	server.deaf = true;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		assert_int_equal(
			cloud_ops.channel_open(&more[i], cloud, &settings, &listener, &err), 0);
		cloud_ops.update(more[i], capabilities, state_attrs);
	}
	wait_ms(60000);
	assert_int_equal(warnings, 1);
	assert_int_equal(cloud_double.peers, 4);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		cloud_ops.channel_close(more[i]);
	wait_ms(0);
	assert_int_equal(cloud->universal->deaf, 1);
}

static void test_a_host_that_fails_later_is_tried_again(void **state)
{
	(void)state;
	wait_ms(100);
	server.deaf = true;
	wait_ms(60000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_int_equal(warnings, 1);
	server.deaf = false;
	wait_ms(300000);
	assert_int_equal(infos, 1);
	assert_int_equal(cloud->universal->deaf, 0);
}

static void test_a_lost_subscription_is_made_again_at_once(void **state)
{
	(void)state;
	wait_ms(100);
	server.bad_op = IPP_OP_GET_NOTIFICATIONS;
	server.bad = IPP_STATUS_ERROR_NOT_FOUND;
	wait_ms(29800);
	double_forget_seen();
	wait_ms(200);
	assert_in_range(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 1, 3);
	assert_in_range(double_count(IPP_OP_GET_JOBS), 1, 3);
	/* it may have forgotten the printer's attributes as well */
	assert_in_range(double_count(IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES), 1, 3);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	wait_ms(60000); /* never in a hurry */
	assert_true(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS) < 10);
	server.bad_op = 0;
	wait_ms(300000);
	double_forget_seen();
	wait_ms(60000);
	assert_int_equal(double_count(IPP_OP_GET_NOTIFICATIONS), 2);
}

static void test_a_lease_is_renewed_at_half_its_time(void **state)
{
	(void)state;
	server.lease_s = 600;
	wait_ms(100);
	wait_ms(299000);
	assert_int_equal(double_count(IPP_OP_RENEW_SUBSCRIPTION), 0);
	wait_ms(2000);
	assert_int_equal(double_count(IPP_OP_RENEW_SUBSCRIPTION), 1);
	assert_order(double_last(IPP_OP_RENEW_SUBSCRIPTION), WHO " notify-subscription-id");
	server.bad_op = IPP_OP_RENEW_SUBSCRIPTION; /* expired: a new one */
	server.bad = IPP_STATUS_ERROR_NOT_FOUND;
	wait_ms(300000);
	assert_int_equal(double_count(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS), 2);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

/* ---- slow down ---- */

static void test_a_wish_to_slow_down_counts_for_all_printers(void **state)
{
	struct channel_settings settings = universal_settings();
	struct channel *second;
	struct err err;

	(void)state;
	wait_ms(100);
	server.slow_op = IPP_OP_GET_JOBS;
	server.slow = 1;
	server.retry_after_s = 40;
	cloud_ops.list(channel);
	wait_ms(100);
	assert_int_equal(server.slow, 0);
	assert_int_equal(cloud_ops.channel_open(&second, cloud, &settings, &listener, &err), 0);
	cloud_ops.update(second, capabilities, state_attrs);
	double_forget_seen();
	wait_ms(39000);
	for (size_t i = 0; i < cloud_double.seen_count; i++)
		assert_non_null(strstr(cloud_double.seen[i].url, "notification"));
	wait_ms(10000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
	assert_true(double_count(IPP_OP_GET_JOBS) >= 2);
	cloud_ops.channel_close(second);
	wait_ms(0);
}

static void test_a_long_wish_is_an_outage_until_then(void **state)
{
	(void)state;
	server.slow_op = IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES;
	server.slow = 1;
	server.retry_after_s = 600;
	wait_ms(100);
	assert_int_equal(heard.state, CHANNEL_OFFLINE);
	wait_ms(590000);
	assert_int_equal(cloud_double.seen_count, 1);
	wait_ms(100000);
	assert_int_equal(heard.state, CHANNEL_ONLINE);
}

/* ---- jobs ---- */

static const struct cloud_report aborted = {
	.job = 7,
	.state = CLOUD_JOB_ABORTED,
	.reasons = "aborted-by-system",
	.message = "paper jam (E12)",
	.impressions = -1,
	.sheets = -1,
	.documents = 1,
	.fetched_s = 3,
};

static void test_a_report_has_what_the_portal_reads(void **state)
{
	struct err err;
	ipp_t *m;

	(void)state;
	wait_ms(100);
	assert_int_equal(cloud_ops.report(channel, &op, &aborted, &err), 0);
	wait_ms(100);
	assert_int_equal(end.done, 1);
	assert_false(end.failed);
	assert_int_equal(double_count(IPP_OP_UPDATE_DOCUMENT_STATUS), 0);
	assert_order(double_last(IPP_OP_ACKNOWLEDGE_DOCUMENT), WHO " job-id document-number");
	m = double_last(IPP_OP_UPDATE_JOB_STATUS);
	assert_order(m, WHO " job-id");
	assert_text(m, IPP_TAG_JOB, "microsoft-output-device-job-state-message", "paper jam (E12)");
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "microsoft-job-fetched-time-seconds", 0), 3);
	assert_null(ippFindAttribute(m, "microsoft-job-spooler-time-in-seconds", IPP_TAG_ZERO));
}

static void report_meets_internal_error(int looked)
{
	struct err err;

	cloud_ops.op_clear(&op);
	memset(&end, 0, sizeof(end));
	op.done = on_done;
	server.bad_op = IPP_OP_UPDATE_JOB_STATUS;
	server.bad = IPP_STATUS_ERROR_INTERNAL;
	server.looked = looked;
	assert_int_equal(cloud_ops.report(channel, &op, &aborted, &err), 0);
	wait_ms(100);
	assert_int_equal(end.done, 1);
}

static void test_an_internal_error_about_an_end_is_looked_into(void **state)
{
	(void)state;
	wait_ms(100);
	report_meets_internal_error(IPP_JSTATE_ABORTED);
	assert_false(end.failed);
	assert_int_equal(double_count(IPP_OP_GET_JOB_ATTRIBUTES), 1);
	report_meets_internal_error(IPP_JSTATE_PROCESSING);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, ERR_TEMPORARY);
}

static void test_a_job_has_one_document(void **state)
{
	struct err err;

	(void)state;
	wait_ms(100);
	assert_int_equal(cloud_ops.fetch(channel, &op, 7, &err), 0);
	wait_ms(100);
	assert_false(end.failed);
	assert_int_equal(op.job.documents, 1);
	assert_int_equal(double_count(IPP_OP_GET_DOCUMENTS), 0);
	assert_order(double_last(IPP_OP_FETCH_JOB), WHO " job-id");
}

static void test_a_refused_job_is_not_spoken_of_again(void **state)
{
	struct err err;

	(void)state;
	wait_ms(100);
	assert_int_equal(cloud_ops.refuse(channel, &op, 7, 0x040a, "XPS", &err), 0);
	wait_ms(100);
	assert_false(end.failed);
	assert_int_equal(double_count(IPP_OP_UPDATE_JOB_STATUS), 0);
	assert_order(double_last(IPP_OP_ACKNOWLEDGE_JOB),
	             WHO " job-id fetch-status-code fetch-status-message");
}

static void test_a_document_is_asked_for_again_with_a_new_token(void **state)
{
	struct stream *into = stream_new(65536);
	struct exchange *x;
	struct err err;

	(void)state;
	wait_ms(100);
	cloud_double.answer = NULL;
	assert_int_equal(cloud_ops.document(channel, &op, 7, 1, into, 0, &err), 0);
	assert_order(double_last(IPP_OP_FETCH_DOCUMENT), WHO " job-id document-number");
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_DENIED, 401, 0);
	assert_int_equal(stream_state(into), STREAM_OPEN);
	wait_ms(10);
	x = double_find(IPP_OP_FETCH_DOCUMENT, true);
	assert_string_equal(x->op->bearer, "token-2");
	x->op->response = double_response(IPP_STATUS_OK);
	assert_int_equal(x->op->on_message(x->op, &err), 0);
	assert_ptr_equal(x->op->document, into);
	assert_int_equal(stream_write(into, "bytes", 5), 0);
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_DENIED, 401, 0);
	wait_ms(10);
	assert_int_equal(end.done, 1);
	assert_int_equal(end.err.kind, ERR_DENIED);
	assert_int_equal(stream_state(into), STREAM_FAILED);
	cloud_double.answer = answer;
	cloud_ops.op_clear(&op);
	stream_free(into);
}

/* ---- the rest ---- */

static void test_operations_can_be_canceled_while_they_wait(void **state)
{
	struct err err;

	(void)state;
	universal_double.delay_ms = 500;
	wait_ms(0);
	assert_int_equal(cloud_ops.check(channel, &op, 7, &err), 0); /* for a token */
	cloud_ops.op_cancel(&op);
	assert_int_equal(end.done, 0);
	wait_ms(0);
	assert_int_equal(end.done, 1);
	assert_int_equal(end.err.kind, ERR_CANCELED);
	cloud_ops.op_clear(&op);
	op.done = on_done;
	wait_ms(2000);
	server.slow_op = IPP_OP_GET_JOB_ATTRIBUTES;
	server.slow = 1;
	server.retry_after_s = 30;
	assert_int_equal(cloud_ops.check(channel, &op, 7, &err), 0); /* because it was asked to */
	wait_ms(100);
	assert_int_equal(end.done, 1);
	cloud_ops.op_cancel(&op);
	wait_ms(0);
	assert_int_equal(end.done, 2);
	assert_int_equal(end.err.kind, ERR_CANCELED);
}

static void test_a_channel_can_be_closed_at_any_time(void **state)
{
	(void)state;
	for (int ms = 0; ms < 40; ms++) {
		cloud_ops.channel_close(channel);
		wait_ms(0);
		open_channel();
		wait_ms(ms % 13);
	}
}

/* The loop does not turn any more when a daemon closes its clouds: what is left is the exchange
 * with the sign-in service, which ends when HTTP is closed. */
static void test_a_cloud_that_is_closed_leaves_nothing_for_later(void **state)
{
	(void)state;
	universal_double.delay_ms = 1000;
	wait_ms(500);
	cloud_ops.channel_close(channel);
	cloud_ops.close(cloud);
	assert_int_equal(fake_clock_armed(&cloud_double.clock), 1);
	wait_ms(0);
	assert_int_equal(fake_clock_armed(&cloud_double.clock), 0);
	cloud = double_universal();
	open_channel();
}

static void refused(const char *uri, const char *device, const char *text)
{
	struct cloud_identity identity = universal_double.identity;
	struct channel_settings settings = universal_settings();
	struct channel *ch = NULL;
	struct err err;

	(void)snprintf(identity.device, sizeof(identity.device), "%s", device);
	settings.identity = &identity;
	settings.uri = uri;
	assert_int_equal(cloud_ops.channel_open(&ch, cloud, &settings, &listener, &err), -1);
	assert_null(ch);
	assert_says(&err, text);
}

static void test_a_token_goes_to_no_other_host(void **state)
{
	struct channel_settings settings = universal_settings();
	struct channel *ch = NULL;
	struct err err;

	(void)state;
	refused("https://evil.example/printers/x", UNIVERSAL_DEVICE, "print-url");
	refused("https://print.example:444/printers/x", UNIVERSAL_DEVICE, "print-url");
	refused("http://print.example/printers/x", UNIVERSAL_DEVICE, "print-url");
	refused("https://print.example/printers/x", "a/../b", "id");
	settings.identity = NULL;
	assert_int_equal(cloud_ops.channel_open(&ch, cloud, &settings, &listener, &err), -1);
	assert_non_null(strstr(err.text, "register"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_it_comes_up_and_speaks_as_the_document_says),
		TEST(test_the_servers_interval_is_obeyed),
		TEST(test_what_microsoft_does_not_say_of_notifications_is_a_setting),
		TEST(test_the_heartbeat_is_a_setting),
		TEST(test_an_idle_printer_asks_for_little),
		TEST(test_an_event_brings_a_list_and_the_next_number_is_asked_for),
		TEST(test_a_gap_in_the_numbers_brings_a_list),
		TEST(test_a_revoked_token_is_replaced_unseen),
		TEST(test_a_second_401_is_a_refusal_and_keeps_quiet),
		TEST(test_a_certificate_that_is_not_accepted_is_a_refusal),
		TEST(test_a_sign_in_service_that_is_down_is_an_outage),
		TEST(test_a_printer_deleted_in_the_portal_is_refused_and_quiet),
		TEST(test_missing_consent_is_a_refusal),
		TEST(test_jobs_arrive_while_the_notification_host_is_down),
		TEST(test_one_host_down_is_told_once_for_all_printers),
		TEST(test_a_host_that_fails_later_is_tried_again),
		TEST(test_a_lost_subscription_is_made_again_at_once),
		TEST(test_a_lease_is_renewed_at_half_its_time),
		TEST(test_a_wish_to_slow_down_counts_for_all_printers),
		TEST(test_a_long_wish_is_an_outage_until_then),
		TEST(test_a_report_has_what_the_portal_reads),
		TEST(test_an_internal_error_about_an_end_is_looked_into),
		TEST(test_a_job_has_one_document),
		TEST(test_a_refused_job_is_not_spoken_of_again),
		TEST(test_a_document_is_asked_for_again_with_a_new_token),
		TEST(test_operations_can_be_canceled_while_they_wait),
		TEST(test_a_channel_can_be_closed_at_any_time),
		TEST(test_a_cloud_that_is_closed_leaves_nothing_for_later),
		TEST(test_a_token_goes_to_no_other_host),
	};

	return cmocka_run_group_tests(tests, universal_make, universal_drop);
}
