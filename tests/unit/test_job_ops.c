/* What is said about one job, against a server of the test's own. */
#include "tests/unit/cloud_double.h"

#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"

static struct cloud *cloud;
static struct channel *channel;
static struct cloud_op op;
static struct {
	int done;
	bool failed;
	struct err err;
} end;

static void on_state(void *data, enum channel_state state, const struct err *err)
{
	(void)data;
	(void)state;
	(void)err;
}

static const struct channel_listener listener = { .state = on_state };

static void on_done(struct cloud_op *o, const struct err *err)
{
	assert_ptr_equal(o, &op);
	end.done++;
	end.failed = err;
	if (err)
		end.err = *err;
}

static int setup(void **state)
{
	struct channel_settings settings = double_settings();
	struct err err;

	(void)state;
	double_init(1);
	memset(&end, 0, sizeof(end));
	memset(&op, 0, sizeof(op));
	op.done = on_done;
	cloud = double_cloud();
	assert_int_equal(cloud_ops.channel_open(&channel, cloud, &settings, &listener, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.op_clear(&op);
	cloud_ops.channel_close(channel);
	cloud_ops.close(cloud);
	double_clear();
	return 0;
}

static void again(void)
{
	assert_int_equal(end.done, 1);
	cloud_ops.op_clear(&op);
	memset(&end, 0, sizeof(end));
	op.done = on_done;
}

static void assert_ok(void)
{
	assert_int_equal(end.done, 1);
	if (end.failed)
		fail_msg("failed: %s", end.err.text);
	assert_int_equal(double_open_count(), 0);
}

static void assert_failed(enum err_kind kind, int code)
{
	assert_int_equal(end.done, 1);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, kind);
	assert_int_equal(end.err.code, code);
	assert_int_equal(double_open_count(), 0);
}

/* ---- fetch ---- */

static void fetch(int32_t job)
{
	struct err err;

	assert_int_equal(cloud_ops.fetch(channel, &op, job, &err), 0);
}

static void add_job_text(ipp_t *m, ipp_tag_t tag, const char *name, const char *value)
{
	ippAddString(m, IPP_TAG_JOB, tag, name, NULL, value);
}

static ipp_t *job_answer(int documents)
{
	ipp_t *m = double_response(IPP_STATUS_OK);

	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, "job-password", NULL, "secret");
	add_job_text(m, IPP_TAG_URI, "job-uuid", "urn:uuid:a");
	add_job_text(m, IPP_TAG_NAME, "job-name", "report \x1b]0;\a");
	add_job_text(m, IPP_TAG_NAME, "job-originating-user-name", "ann");
	add_job_text(m, IPP_TAG_URI, "job-originating-user-uri", "mailto:ann@example.org");
	add_job_text(m, IPP_TAG_MIMETYPE, "document-format-supplied", "application/pdf");
	add_job_text(m, IPP_TAG_KEYWORD, "sides", "two-sided-long-edge");
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-priority", 70);
	ippAddDate(m, IPP_TAG_JOB, "date-time-at-creation", ippTimeToDate(1700000000));
	if (documents)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "number-of-documents", documents);
	return m;
}

static void test_a_fetched_job_is_read_and_made_safe(void **state)
{
	(void)state;
	fetch(12);
	assert_int_equal(ipp_get_int(double_last(IPP_OP_FETCH_JOB), IPP_TAG_OPERATION, "job-id", 0),
	                 12);
	double_reply(IPP_OP_FETCH_JOB, job_answer(2));
	assert_ok();
	assert_int_equal(op.job.cloud_job, 12);
	assert_string_equal(op.job.cloud_uuid, "urn:uuid:a");
	assert_int_equal(op.job.cloud_created, 1700000000);
	assert_int_equal(op.job.documents, 2);
	assert_string_equal(op.job.job_name, "report ?]0;?");
	assert_string_equal(op.job.user_name, "ann");
	assert_string_equal(op.job.user_uri, "mailto:ann@example.org");
	assert_string_equal(op.job.format, "application/pdf");
	assert_int_equal(op.priority, 70);
	assert_non_null(ippFindAttribute(attrs_ipp(op.ticket), "sides", IPP_TAG_KEYWORD));
	assert_null(ippFindAttribute(attrs_ipp(op.ticket), "job-password", IPP_TAG_ZERO));
}

static void test_a_job_that_tells_nothing_has_one_document_and_no_names(void **state)
{
	(void)state;
	fetch(1);
	double_status(IPP_OP_FETCH_JOB, IPP_STATUS_OK);
	double_status(IPP_OP_GET_DOCUMENTS, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED);
	assert_ok();
	assert_int_equal(op.job.documents, 1);
	assert_int_equal(op.priority, 50);
	assert_string_equal(op.job.user_name, "");
	assert_int_equal(op.job.cloud_created, 0);
	assert_non_null(op.ticket);
}

static void test_documents_are_counted_when_the_job_does_not_say(void **state)
{
	ipp_t *m = double_response(IPP_STATUS_OK);

	(void)state;
	for (int i = 1; i <= 3; i++) {
		ippAddSeparator(m);
		ippAddInteger(m, IPP_TAG_DOCUMENT, IPP_TAG_INTEGER, "document-number", i);
	}
	fetch(1);
	double_reply(IPP_OP_FETCH_JOB, job_answer(0));
	double_reply(IPP_OP_GET_DOCUMENTS, m);
	assert_ok();
	assert_int_equal(op.job.documents, 3);
}

static void test_a_job_of_a_million_documents_is_rejected(void **state)
{
	(void)state;
	fetch(1);
	double_reply(IPP_OP_FETCH_JOB, job_answer(1000000));
	assert_failed(ERR_REJECTED, 0);
}

/* status of the server -> kind for core */
static void test_what_fetch_failures_mean(void **state)
{
	static const struct {
		ipp_status_t status;
		enum err_kind kind;
	} cases[] = {
		{ IPP_STATUS_ERROR_NOT_FETCHABLE, ERR_GONE },
		{ IPP_STATUS_ERROR_NOT_POSSIBLE, ERR_GONE },
		{ IPP_STATUS_ERROR_NOT_FOUND, ERR_GONE },
		{ IPP_STATUS_ERROR_NOT_AUTHORIZED, ERR_DENIED },
		{ IPP_STATUS_ERROR_BUSY, ERR_TEMPORARY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fetch(1);
		double_status(IPP_OP_FETCH_JOB, cases[i].status);
		assert_failed(cases[i].kind, (int)cases[i].status);
		again();
	}
	fetch(1);
	double_break(IPP_OP_FETCH_JOB, ERR_TEMPORARY, 56, 3);
	assert_failed(ERR_TEMPORARY, 56);
	assert_int_equal(end.err.retry_after_s, 3);
}

static void test_what_http_alone_says_is_no_word_about_the_job(void **state)
{
	struct err err;

	(void)state;
	fetch(1);
	double_break(IPP_OP_FETCH_JOB, ERR_GONE, 404, 0);
	assert_failed(ERR_TEMPORARY, 404);
	again();
	assert_int_equal(cloud_ops.accept(channel, &op, 1, &err), 0);
	double_break(IPP_OP_ACKNOWLEDGE_JOB, ERR_GONE, 404, 0);
	assert_failed(ERR_TEMPORARY, 404);
	/* a portal that redirects, a proxy that refuses */
	again();
	assert_int_equal(cloud_ops.accept(channel, &op, 1, &err), 0);
	double_break(IPP_OP_ACKNOWLEDGE_JOB, ERR_REJECTED, 302, 0);
	assert_failed(ERR_TEMPORARY, 302);
	again();
	fetch(1);
	double_break(IPP_OP_FETCH_JOB, ERR_REJECTED, 400, 0);
	assert_failed(ERR_TEMPORARY, 400);
}

/* ---- accept, check ---- */

static void test_accepting_and_who_else_has_it(void **state)
{
	static const ipp_status_t taken[] = { IPP_STATUS_ERROR_NOT_FETCHABLE,
		                              IPP_STATUS_ERROR_NOT_POSSIBLE,
		                              IPP_STATUS_ERROR_NOT_AUTHORIZED,
		                              IPP_STATUS_ERROR_NOT_FOUND };
	struct err err;

	(void)state;
	assert_int_equal(cloud_ops.accept(channel, &op, 3, &err), 0);
	double_status(IPP_OP_ACKNOWLEDGE_JOB, IPP_STATUS_OK);
	assert_ok();
	assert_null(ippFindAttribute(double_last(IPP_OP_ACKNOWLEDGE_JOB), "fetch-status-code",
	                             IPP_TAG_ZERO));
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		again();
		assert_int_equal(cloud_ops.accept(channel, &op, 3, &err), 0);
		double_status(IPP_OP_ACKNOWLEDGE_JOB, taken[i]);
		assert_failed(ERR_GONE, (int)taken[i]);
	}
}

static ipp_t *state_answer(int job_state, const char *reason)
{
	ipp_t *m = double_response(IPP_STATUS_OK);

	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", job_state);
	if (reason)
		add_job_text(m, IPP_TAG_KEYWORD, "job-state-reasons", reason);
	return m;
}

static void test_a_check_tells_canceled_and_final(void **state)
{
	static const struct {
		int state;
		const char *reason;
		bool canceled, final;
	} cases[] = {
		{ 5, NULL, false, false },
		{ 6, "job-canceled-by-user", true, false },
		{ 6, "job-canceled-by-operator", true, false },
		{ 6, "job-printing", false, false },
		{ 7, NULL, true, true },
		{ 8, "job-canceled-by-user", false, true },
		{ 9, NULL, false, true },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cloud_ops.check(channel, &op, 3, &err), 0);
		double_reply(IPP_OP_GET_JOB_ATTRIBUTES,
		             state_answer(cases[i].state, cases[i].reason));
		assert_ok();
		assert_int_equal(op.canceled, cases[i].canceled);
		assert_int_equal(op.final, cases[i].final);
		again();
	}
	assert_int_equal(cloud_ops.check(channel, &op, 3, &err), 0);
	double_status(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND);
	assert_failed(ERR_GONE, IPP_STATUS_ERROR_NOT_FOUND);
}

/* ---- refusal ---- */

static void refuse(int status)
{
	struct err err;

	assert_int_equal(cloud_ops.refuse(channel, &op, 3, status, "no \x1b such format", &err), 0);
}

static void test_a_refusal_gives_the_status_and_then_ends_the_job(void **state)
{
	ipp_t *m;

	(void)state;
	refuse(IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED);
	m = double_last(IPP_OP_ACKNOWLEDGE_JOB);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "fetch-status-code", 0),
	                 IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED);
	assert_text(m, IPP_TAG_OPERATION, "fetch-status-message", "no ? such format");
	double_status(IPP_OP_ACKNOWLEDGE_JOB, IPP_STATUS_OK);
	m = double_last(IPP_OP_UPDATE_JOB_STATUS);
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "output-device-job-state", 0), 8);
	assert_true(ipp_has_keyword(m, IPP_TAG_JOB, "output-device-job-state-reasons",
	                            "unsupported-document-format"));
	assert_true(ipp_has_keyword(m, IPP_TAG_JOB, "output-device-job-state-reasons",
	                            "aborted-by-system"));
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
}

static void test_a_job_that_another_has_is_not_ended_by_our_refusal(void **state)
{
	(void)state;
	refuse(IPP_STATUS_ERROR_DOCUMENT_ACCESS);
	double_status(IPP_OP_ACKNOWLEDGE_JOB, IPP_STATUS_ERROR_NOT_POSSIBLE);
	assert_failed(ERR_GONE, IPP_STATUS_ERROR_NOT_POSSIBLE);
	assert_int_equal(double_count(IPP_OP_UPDATE_JOB_STATUS), 0);
}

static void test_a_refusal_that_ended_the_job_by_itself_is_fine(void **state)
{
	(void)state;
	refuse(IPP_STATUS_ERROR_DOCUMENT_FORMAT_ERROR);
	double_status(IPP_OP_ACKNOWLEDGE_JOB, IPP_STATUS_OK);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_ERROR_NOT_POSSIBLE);
	assert_ok();
	again();
	refuse(IPP_STATUS_ERROR_COMPRESSION_ERROR);
	double_status(IPP_OP_ACKNOWLEDGE_JOB, IPP_STATUS_OK);
	double_break(IPP_OP_UPDATE_JOB_STATUS, ERR_TEMPORARY, 28, 0);
	assert_failed(ERR_TEMPORARY, 28);
}

/* ---- reports ---- */

static bool printed; /* of the next report */

static void report(enum cloud_job_state job_state, int32_t documents)
{
	struct cloud_report r = { .job = 4,
		                  .state = job_state,
		                  .reasons = "job-printing,bad word,,processing-to-stop-point",
		                  .message = "page 3",
		                  .impressions = 3,
		                  .sheets = -1,
		                  .documents = documents,
		                  .printed = printed };
	struct err err;

	printed = false;
	assert_int_equal(cloud_ops.report(channel, &op, &r, &err), 0);
	memset(&r, 0xff, sizeof(r)); /* it was borrowed for the call only */
}

static int reported_state(void)
{
	return ipp_get_int(double_last(IPP_OP_UPDATE_JOB_STATUS), IPP_TAG_JOB,
	                   "output-device-job-state", 0);
}

static void test_progress_is_one_exchange(void **state)
{
	char reasons[NAME_SIZE];
	ipp_t *m;

	(void)state;
	report(CLOUD_JOB_PROCESSING, 2);
	m = double_last(IPP_OP_UPDATE_JOB_STATUS);
	assert_int_equal(reported_state(), 5);
	ipp_join_text(m, IPP_TAG_JOB, "output-device-job-state-reasons", reasons, sizeof(reasons));
	assert_string_equal(reasons, "job-printing,processing-to-stop-point");
	assert_text(m, IPP_TAG_JOB, "output-device-job-state-message", "page 3");
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "job-impressions-completed", -1), 3);
	assert_null(ippFindAttribute(m, "job-media-sheets-completed", IPP_TAG_ZERO));
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	assert_int_equal(cloud_double.seen_count, 1);
	again();
	report(CLOUD_JOB_STOPPED, 2);
	assert_int_equal(reported_state(), 6);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
}

static void test_an_end_tells_the_documents_first(void **state)
{
	static const ipp_op_t order[] = { IPP_OP_UPDATE_DOCUMENT_STATUS,
		                          IPP_OP_ACKNOWLEDGE_DOCUMENT,
		                          IPP_OP_UPDATE_DOCUMENT_STATUS,
		                          IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_OP_UPDATE_JOB_STATUS };

	(void)state;
	report(CLOUD_JOB_COMPLETED, 2);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(cloud_double.seen_count, i + 1);
		assert_int_equal(cloud_double.seen[i].op, order[i]);
		if (order[i] != IPP_OP_UPDATE_JOB_STATUS)
			assert_int_equal(ipp_get_int(cloud_double.seen[i].request,
			                             IPP_TAG_OPERATION, "document-number", 0),
			                 (int)i / 2 + 1);
		double_status(order[i], IPP_STATUS_OK);
	}
	assert_ok();
	assert_int_equal(ipp_get_int(cloud_double.seen[0].request, IPP_TAG_DOCUMENT,
	                             "output-device-document-state", 0),
	                 9);
	assert_int_equal(reported_state(), 9);
}

static void test_documents_of_a_canceled_job_may_have_printed(void **state)
{
	static const int states[] = { 7, 9 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		printed = i > 0;
		report(CLOUD_JOB_CANCELED, 1);
		assert_int_equal(ipp_get_int(double_last(IPP_OP_UPDATE_DOCUMENT_STATUS),
		                             IPP_TAG_DOCUMENT, "output-device-document-state", 0),
		                 states[i]);
		double_status(IPP_OP_UPDATE_DOCUMENT_STATUS, IPP_STATUS_OK);
		double_status(IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_STATUS_OK);
		double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
		assert_int_equal(reported_state(), 7);
		/* whether that was taken */
		double_status(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_INTERNAL);
		assert_ok();
		again();
	}
}

static void test_a_job_without_documents_is_ended_by_one_exchange(void **state)
{
	(void)state;
	report(CLOUD_JOB_ABORTED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	assert_int_equal(cloud_double.seen_count, 1);
	assert_int_equal(reported_state(), 8);
}

static void test_what_is_answered_about_documents_does_not_matter(void **state)
{
	(void)state;
	report(CLOUD_JOB_COMPLETED, 1);
	double_status(IPP_OP_UPDATE_DOCUMENT_STATUS, IPP_STATUS_ERROR_BAD_REQUEST);
	double_status(IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_STATUS_ERROR_NOT_POSSIBLE);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	again();
	report(CLOUD_JOB_COMPLETED, 1); /* neither was unknown: both come again */
	double_status(IPP_OP_UPDATE_DOCUMENT_STATUS, IPP_STATUS_OK);
	double_status(IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_STATUS_OK);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
}

static void test_operations_that_a_server_does_not_know_are_not_sent_again(void **state)
{
	(void)state;
	report(CLOUD_JOB_COMPLETED, 2);
	double_status(IPP_OP_UPDATE_DOCUMENT_STATUS, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED);
	double_status(IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	again();
	report(CLOUD_JOB_COMPLETED, 1000000);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
}

static void test_no_answer_at_any_step_ends_the_try(void **state)
{
	static const ipp_op_t steps[] = { IPP_OP_UPDATE_DOCUMENT_STATUS,
		                          IPP_OP_ACKNOWLEDGE_DOCUMENT, IPP_OP_UPDATE_JOB_STATUS };

	(void)state;
	for (size_t broken = 0; broken < ARRAY_SIZE(steps); broken++) {
		report(CLOUD_JOB_COMPLETED, 1);
		for (size_t i = 0; i < broken; i++)
			double_status(steps[i], IPP_STATUS_OK);
		double_break(steps[broken], ERR_TEMPORARY, 56, 0);
		assert_failed(ERR_TEMPORARY, 56);
		again();
	}
	report(CLOUD_JOB_COMPLETED, 1);
	cloud_double.fail_starts = 1;
	double_status(IPP_OP_UPDATE_DOCUMENT_STATUS, IPP_STATUS_OK);
	assert_failed(ERR_TEMPORARY, 0);
}

static void test_already_over_is_success(void **state)
{
	(void)state;
	report(CLOUD_JOB_COMPLETED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_ERROR_NOT_POSSIBLE);
	double_reply(IPP_OP_GET_JOB_ATTRIBUTES, state_answer(7, NULL));
	assert_ok();
	assert_true(op.canceled);
	again();
	report(CLOUD_JOB_COMPLETED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_ERROR_NOT_POSSIBLE);
	double_reply(IPP_OP_GET_JOB_ATTRIBUTES, state_answer(6, NULL));
	assert_failed(ERR_REJECTED, IPP_STATUS_ERROR_NOT_POSSIBLE);
	again();
	report(CLOUD_JOB_COMPLETED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_ERROR_NOT_POSSIBLE);
	double_status(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND);
	assert_failed(ERR_GONE, IPP_STATUS_ERROR_NOT_FOUND);
}

static void test_a_job_unknown_to_the_cloud_is_gone(void **state)
{
	(void)state;
	report(CLOUD_JOB_COMPLETED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_ERROR_NOT_FOUND);
	assert_failed(ERR_GONE, IPP_STATUS_ERROR_NOT_FOUND);
	again();
	report(CLOUD_JOB_COMPLETED, 0);
	double_break(IPP_OP_UPDATE_JOB_STATUS, ERR_GONE, 404, 0);
	assert_failed(ERR_TEMPORARY, 404);
}

static void test_canceled_is_looked_up_once_and_then_believed(void **state)
{
	(void)state;
	report(CLOUD_JOB_CANCELED, 0);
	assert_int_equal(reported_state(), 7);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	double_reply(IPP_OP_GET_JOB_ATTRIBUTES, state_answer(7, NULL));
	assert_ok();
	again();
	report(CLOUD_JOB_CANCELED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	assert_int_equal(double_count(IPP_OP_GET_JOB_ATTRIBUTES), 1);
}

static void test_a_server_that_ignores_canceled_is_told_aborted(void **state)
{
	(void)state;
	report(CLOUD_JOB_CANCELED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	double_reply(IPP_OP_GET_JOB_ATTRIBUTES, state_answer(5, NULL));
	assert_int_equal(reported_state(), 8);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
	again();
	report(CLOUD_JOB_CANCELED, 0); /* it has learned */
	assert_int_equal(reported_state(), 8);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	assert_ok();
}

static void test_canceled_counts_when_it_cannot_be_looked_up(void **state)
{
	(void)state;
	report(CLOUD_JOB_CANCELED, 0);
	double_status(IPP_OP_UPDATE_JOB_STATUS, IPP_STATUS_OK);
	double_status(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_NOT_AUTHORIZED);
	assert_ok();
}

/* ---- cancel ---- */

static void test_canceling_ends_between_steps_too(void **state)
{
	struct exchange *x;

	(void)state;
	report(CLOUD_JOB_COMPLETED, 1);
	cloud_ops.op_cancel(&op);
	assert_int_equal(end.done, 0);
	(void)fake_clock_settle(&cloud_double.clock);
	assert_failed(ERR_CANCELED, 0);
	again();
	report(CLOUD_JOB_COMPLETED, 1);
	x = double_find(IPP_OP_UPDATE_DOCUMENT_STATUS, true);
	cloud_ops.op_cancel(&op);
	x->reply.response = double_response(IPP_STATUS_OK); /* it had been there first */
	double_finish(x);
	assert_failed(ERR_CANCELED, 0);
}

static void test_an_exchange_that_cannot_start_leaves_nothing(void **state)
{
	struct err err;

	(void)state;
	cloud_double.fail_starts = 3;
	assert_int_equal(cloud_ops.fetch(channel, &op, 1, &err), -1);
	assert_int_equal(cloud_ops.accept(channel, &op, 1, &err), -1);
	assert_int_equal(cloud_ops.check(channel, &op, 1, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_int_equal(end.done, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_a_fetched_job_is_read_and_made_safe),
		T(test_a_job_that_tells_nothing_has_one_document_and_no_names),
		T(test_documents_are_counted_when_the_job_does_not_say),
		T(test_a_job_of_a_million_documents_is_rejected),
		T(test_what_fetch_failures_mean),
		T(test_what_http_alone_says_is_no_word_about_the_job),
		T(test_accepting_and_who_else_has_it),
		T(test_a_check_tells_canceled_and_final),
		T(test_a_refusal_gives_the_status_and_then_ends_the_job),
		T(test_a_job_that_another_has_is_not_ended_by_our_refusal),
		T(test_a_refusal_that_ended_the_job_by_itself_is_fine),
		T(test_progress_is_one_exchange),
		T(test_an_end_tells_the_documents_first),
		T(test_documents_of_a_canceled_job_may_have_printed),
		T(test_a_job_without_documents_is_ended_by_one_exchange),
		T(test_what_is_answered_about_documents_does_not_matter),
		T(test_operations_that_a_server_does_not_know_are_not_sent_again),
		T(test_no_answer_at_any_step_ends_the_try),
		T(test_already_over_is_success),
		T(test_a_job_unknown_to_the_cloud_is_gone),
		T(test_canceled_is_looked_up_once_and_then_believed),
		T(test_a_server_that_ignores_canceled_is_told_aborted),
		T(test_canceled_counts_when_it_cannot_be_looked_up),
		T(test_canceling_ends_between_steps_too),
		T(test_an_exchange_that_cannot_start_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
