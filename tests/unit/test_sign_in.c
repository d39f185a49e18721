/* An administrator signs in: RFC 8628 with all its answers, in virtual time. */
#include "tests/unit/cloud_double.h"
#include "tests/lib/says.h"

#define CODE                                                                                       \
	"{\"device_code\":\"secret-device\",\"user_code\":\"ABC-DEF\",\"verification_uri\":"       \
	"\"https://login.example/device\",\"expires_in\":900,\"interval\":5,\"message\":\"x\"}"
#define PENDING "{\"error\":\"authorization_pending\",\"error_description\":\"AADSTS70016: wait\"}"
#define TOKEN   "{\"token_type\":\"Bearer\",\"access_token\":\"ey.admin\",\"expires_in\":3599}"

static struct cloud *cloud;
static struct cloud_op op;
static struct {
	int done, codes;
	bool failed, cancels;
	struct err err;
} end;

static void on_done(struct cloud_op *o, const struct err *err)
{
	(void)o;
	end.done++;
	end.failed = err;
	if (err)
		end.err = *err;
}

static void on_code(struct cloud_op *o)
{
	assert_int_equal(end.done, 0);
	end.codes++;
	if (end.cancels)
		cloud_ops.op_cancel(o);
}

static void start(void)
{
	struct err err;

	memset(&end, 0, sizeof(end));
	op.done = on_done;
	op.code = on_code;
	assert_int_equal(cloud_ops.sign_in(cloud, &op, &err), 0);
	assert_int_equal(end.done, 0);
}

static int setup(void **state)
{
	(void)state;
	double_init(1);
	memset(&op, 0, sizeof(op));
	cloud = double_universal();
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.op_clear(&op);
	cloud_ops.close(cloud);
	double_clear();
	return 0;
}

static void again(void)
{
	assert_int_equal(end.done, 1);
	assert_null(op.session);
	cloud_ops.op_clear(&op);
	start();
}

static void wait_ms(int64_t ms)
{
	(void)fake_clock_advance(&cloud_double.clock, ms);
}

static void assert_failed(enum err_kind kind, const char *text)
{
	assert_int_equal(end.done, 1);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, kind);
	assert_says(&end.err, text);
	if (kind != ERR_CANCELED)
		assert_says_what_helps(&end.err);
	assert_null(op.session);
}

static void test_a_code_is_shown_and_its_approval_gives_a_session(void **state)
{
	(void)state;
	assert_true(cloud_ops.wants_sign_in(cloud));
	assert_string_equal(cloud_double.web_url,
	                    "https://login.example/organizations/oauth2/v2.0/devicecode");
	assert_string_equal(cloud_double.web_body,
	                    "client_id=app-1&scope=https%3A%2F%2Fprint.example%2FPrinters.Create");
	double_web_reply(200, CODE);
	assert_int_equal(end.codes, 1);
	assert_string_equal(op.user_code, "ABC-DEF");
	assert_string_equal(op.verification_uri, "https://login.example/device");
	assert_int_equal(op.expires_s, 900);
	assert_int_equal(cloud_double.web_count, 1);
	wait_ms(999); /* the interval of five seconds is between questions */
	assert_int_equal(cloud_double.web_count, 1);
	wait_ms(1);
	assert_string_equal(cloud_double.web_url,
	                    "https://login.example/organizations/oauth2/v2.0/token");
	assert_string_equal(cloud_double.web_body,
	                    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
	                    "&client_id=app-1&device_code=secret-device");
	double_web_reply(400, PENDING);
	wait_ms(4999);
	assert_int_equal(cloud_double.web_count, 2);
	wait_ms(1);
	double_web_reply(200, TOKEN);
	assert_int_equal(end.done, 1);
	assert_false(end.failed);
	assert_non_null(op.session);
	cloud_ops.sign_out(op.session);
	cloud_ops.sign_out(NULL);
	op.session = NULL;
}

static void test_slow_down_adds_five_seconds_each_time(void **state)
{
	(void)state;
	double_web_reply(200, CODE);
	wait_ms(5000);
	double_web_reply(400, "{\"error\":\"slow_down\"}");
	wait_ms(9999);
	assert_int_equal(cloud_double.web_count, 2);
	wait_ms(1);
	double_web_reply(400, "{\"error\":\"slow_down\"}");
	wait_ms(14999);
	assert_int_equal(cloud_double.web_count, 3);
	wait_ms(1);
	assert_int_equal(cloud_double.web_count, 4);
	double_web_reply(400, "{\"error\":\"authorization_declined\"}");
	assert_failed(ERR_REJECTED, "declined");
}

static void assert_answer_says(const char *answer, const char *text)
{
	double_web_reply(200, CODE);
	wait_ms(5000);
	double_web_reply(400, answer);
	assert_failed(ERR_REJECTED, text);
	assert_null(strstr(end.err.text, "secret-device"));
	again();
}

static void test_each_final_error_says_what_to_do(void **state)
{
	(void)state;
	assert_answer_says("{\"error\":\"authorization_declined\"}", "run the command again");
	assert_answer_says("{\"error\":\"access_denied\"}", "declined");
	assert_answer_says("{\"error\":\"expired_token\"}", "expired");
	assert_answer_says("{\"error\":\"code_expired\"}", "expired");
	assert_answer_says("{\"error\":\"bad_verification_code\"}", "run the command again");
	assert_answer_says("{\"error\":\"invalid_client\"}", "client-id");
	assert_answer_says(
		"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000218: The "
		"request body must contain\"}",
		"public client flows");
	assert_answer_says(
		"{\"error\":\"unauthorized_client\",\"error_description\":\"AADSTS700016: not "
		"found\"}",
		"check client-id and tenant");
	assert_answer_says("{\"error\":\"unauthorized_client\"}", "public client flows");
	assert_answer_says(
		"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS65001: The user or "
		"administrator has not consented\"}",
		"consented");
	assert_answer_says("{\"error\":\"invalid_scope\"}", "Printers.Create");
	assert_answer_says(
		"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS53003: blocked\"}",
		"conditional access");
	assert_answer_says(
		"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS650019: other\"}",
		"AADSTS650019");
	assert_answer_says(
		"{\"error\":\"surprise\",\"error_description\":\"of a new kind\\r\\nTrace: 1\"}",
		"surprise: of a new kind (HTTP 400)");
	double_web_reply(400, "{\"error\":\"invalid_scope\"}"); /* of the first question */
	assert_failed(ERR_REJECTED, "Printers.Create");
}

static void test_an_unapproved_code_expires(void **state)
{
	(void)state;
	double_web_reply(200, CODE);
	for (int i = 0; i < 1000 && !end.done; i++) {
		wait_ms(5000);
		if (!end.done)
			double_web_reply(400, PENDING);
	}
	assert_failed(ERR_REJECTED, "expired before anybody");
	assert_true(cloud_double.web_count <= 182);
	assert_true(cloud_double.web_count >= 179);
}

static void test_trouble_on_the_way_is_sat_out_until_the_code_expires(void **state)
{
	(void)state;
	double_web_reply(200, CODE);
	wait_ms(5000);
	double_web_break(ERR_TEMPORARY, 7, 0);
	wait_ms(5000);
	double_web_break(ERR_TEMPORARY, 429, 60);
	wait_ms(59999);
	assert_int_equal(cloud_double.web_count, 3);
	wait_ms(1);
	double_web_reply(503, "<html>");
	wait_ms(5000);
	double_web_break(ERR_TEMPORARY, 429, 3600);
	assert_failed(ERR_REJECTED, "expired");
}

static void test_an_answer_without_a_usable_code_or_token_is_an_error(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"device_code\":\"d\",\"user_code\":\"u\"}",
		"{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"http://x.y/\"}",
		"{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"https://a@b/\"}",
		"{\"device_code\":7,\"user_code\":\"u\",\"verification_uri\":\"https://b/\"}",
		("{\"device_code\":\"d\",\"user_code\":\"\\u001b\","
		 "\"verification_uri\":\"https://b/\"}"),
		"no JSON",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		double_web_reply(200, bad[i]);
		assert_failed(ERR_TEMPORARY, "");
		assert_int_equal(end.codes, 0);
		again();
	}
	double_web_reply(200, CODE);
	wait_ms(5000);
	double_web_reply(200, "{\"token_type\":\"mac\",\"access_token\":\"x\"}");
	assert_failed(ERR_TEMPORARY, "no token");
	again();
	double_web_reply(200, CODE);
	wait_ms(5000);
	double_web_reply(200, "{\"token_type\":\"Bearer\"}");
	assert_failed(ERR_TEMPORARY, "no token");
}

static void test_absent_times_have_defaults(void **state)
{
	(void)state;
	double_web_reply(200, "{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_url\":"
	                      "\"https://b/\"}");
	assert_int_equal(op.expires_s, 900);
	wait_ms(5000);
	assert_int_equal(cloud_double.web_count, 2);
	double_web_reply(400, "{\"error\":\"expired_token\"}");
}

static void test_it_can_be_canceled_at_any_time(void **state)
{
	(void)state;
	cloud_ops.op_cancel(&op); /* while the code is asked for */
	assert_int_equal(end.done, 0);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
	again();
	end.cancels = true; /* from inside of code() */
	double_web_reply(200, CODE);
	assert_int_equal(end.done, 0);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
	again();
	double_web_reply(200, CODE); /* in a pause */
	wait_ms(500);
	cloud_ops.op_cancel(&op);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
	again();
	double_web_reply(200, CODE); /* while the token is asked for */
	wait_ms(5000);
	cloud_ops.op_cancel(&op);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
}

static void test_what_cannot_be_sent_ends_it(void **state)
{
	(void)state;
	double_web_reply(200, CODE);
	cloud_double.fail_starts = 1;
	wait_ms(5000); /* a pause more, then */
	assert_int_equal(end.done, 0);
	wait_ms(5000);
	double_web_reply(400, "{\"error\":\"expired_token\"}");
	assert_failed(ERR_REJECTED, "");
	cloud_double.fail_starts = 1;
	again();
	wait_ms(0);
	assert_failed(ERR_TEMPORARY, "too many open files");
}

static void test_settings_that_lead_nowhere_are_refused(void **state)
{
	struct cloud_settings s;
	struct cloud *c = NULL;
	struct err err;

	(void)state;
	double_web_reply(400, "{}");
#define REFUSED(member, value)                                                                     \
	do {                                                                                       \
		s = double_universal_settings();                                                   \
		s.member = value;                                                                  \
		assert_int_equal(cloud_ops.open(&c, &s, &err), -1);                                \
		assert_int_equal(err.kind, ERR_REJECTED);                                          \
		assert_null(c);                                                                    \
	} while (0)
	REFUSED(login_url, NULL);
	REFUSED(login_url, "http://login.example");
	REFUSED(login_url, "ftp://login.example");
	REFUSED(print_url, "https://a:b@print.example");
	REFUSED(notification_url, "https://print.example/?x");
	REFUSED(client_id, "");
	REFUSED(scope, NULL);
	REFUSED(resource, NULL);
	REFUSED(tenant, "a/../b");
	assert_non_null(strstr(err.text, "cloud up"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_code_is_shown_and_its_approval_gives_a_session),
		TEST(test_slow_down_adds_five_seconds_each_time),
		TEST(test_each_final_error_says_what_to_do),
		TEST(test_an_unapproved_code_expires),
		TEST(test_trouble_on_the_way_is_sat_out_until_the_code_expires),
		TEST(test_an_answer_without_a_usable_code_or_token_is_an_error),
		TEST(test_absent_times_have_defaults),
		TEST(test_it_can_be_canceled_at_any_time),
		TEST(test_what_cannot_be_sent_ends_it),
		TEST(test_settings_that_lead_nowhere_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
