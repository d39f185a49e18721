/* A printer of its own for a queue at Universal Print's registration service, in virtual time. */
#include "tests/unit/cloud_double.h"

#include <cJSON.h>

#include "common/buf.h"
#include "connector/base/crypto.h"
#include "tests/lib/says.h"
#include "tests/unit/keys_case.h"

#define DEVICE  "0b1c2d3e-aaaa-bbbb-cccc-0123456789ab"
#define BEGUN   "{\"registration_id\":\"reg/1 a\",\"interval\":2}"
#define RUNNING "{\"interval\":4}"

static struct cloud *cloud;
static struct cloud_session *session;
static struct cloud_enrolment what;
static struct cloud_op op;
static struct {
	int done, begun;
	bool failed, cancels;
	struct err err;
} end;

/* The answer of success; each member as given, NULL: absent. */
static const char *success(const char *pem, const char *token_url, const char *device,
                           const char *more)
{
	static char text[8192];
	cJSON *o = more ? cJSON_Parse(more) : cJSON_CreateObject();
	char *printed;

	assert_non_null(o);
	if (pem)
		(void)cJSON_AddStringToObject(o, "certificate", pem);
	if (token_url)
		(void)cJSON_AddStringToObject(o, "device_token_url", token_url);
	if (device)
		(void)cJSON_AddStringToObject(o, "cloud_device_id", device);
	printed = cJSON_PrintUnformatted(o);
	(void)snprintf(text, sizeof(text), "%s", printed);
	cJSON_free(printed);
	cJSON_Delete(o);
	return text;
}

static const char *good(void)
{
	return success(certificate, "https://login.example/t/oauth2/token", DEVICE, NULL);
}

/* ---- the caller ---- */

static void on_done(struct cloud_op *o, const struct err *err)
{
	(void)o;
	end.done++;
	end.failed = err;
	if (err)
		end.err = *err;
}

static void on_begun(struct cloud_op *o)
{
	assert_string_not_equal(o->identity.registration_id, "");
	assert_int_equal(end.done, 0);
	end.begun++;
	if (end.cancels)
		cloud_ops.op_cancel(o);
}

static void wait_ms(int64_t ms)
{
	(void)fake_clock_advance(&cloud_double.clock, ms);
}

static void start(void)
{
	struct err err;

	memset(&end, 0, sizeof(end));
	op.done = on_done;
	op.begun = on_begun;
	assert_int_equal(cloud_ops.enroll(cloud, &op, &what, &err), 0);
	assert_int_equal(end.done, 0);
}

static int setup(void **state)
{
	struct cloud_op in = { .done = on_done };
	struct err err;

	(void)state;
	double_init(1);
	memset(&op, 0, sizeof(op));
	cloud = double_universal();
	assert_int_equal(cloud_ops.sign_in(cloud, &in, &err), 0);
	double_web_reply(200, "{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":"
	                      "\"https://b/\"}");
	wait_ms(5000);
	double_web_reply(200, "{\"access_token\":\"ey.admin\"}");
	session = in.session;
	assert_non_null(session);
	what = (struct cloud_enrolment){
		.session = session,
		.device_uuid = DOUBLE_UUID,
		.name = "Lab \"printer\"",
		.manufacturer = "Acme",
		.model = "Acme 1",
		.request_pem = buf_text(&request),
		.registration_id = "",
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.op_clear(&op);
	cloud_ops.sign_out(session);
	cloud_ops.close(cloud);
	double_clear();
	return 0;
}

static void again(void)
{
	assert_int_equal(end.done, 1);
	cloud_ops.op_clear(&op);
	start();
}

static void assert_failed(enum err_kind kind, const char *text)
{
	assert_int_equal(end.done, 1);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, kind);
	assert_says(&end.err, text);
	if (kind != ERR_CANCELED)
		assert_says_what_helps(&end.err);
}

static const char *member(const cJSON *o, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

	return text ? text : "(none)";
}

/* ---- tests ---- */

static void test_the_request_is_that_of_the_document(void **state)
{
	struct buf der, text;
	struct err err;
	cJSON *body;
	const cJSON *csr;

	(void)state;
	start();
	assert_string_equal(cloud_double.web_url, "https://register.example/api/v1.0/register");
	assert_string_equal(cloud_double.web_bearer, "ey.admin");
	assert_int_equal(double_web()->op->method, JSON_POST);
	body = cJSON_Parse(cloud_double.web_body);
	assert_non_null(body);
	assert_string_equal(member(body, "name"), "Lab \"printer\"");
	assert_string_equal(member(body, "manufacturer"), "Acme");
	assert_string_equal(member(body, "model"), "Acme 1");
	assert_string_equal(member(body, "device_id"), DOUBLE_UUID);
	assert_string_equal(member(body, "device_type"), "printer");
	csr = cJSON_GetObjectItemCaseSensitive(body, "certificate_request");
	assert_string_equal(member(csr, "type"), "pkcs10");
	buf_init(&der, 65536);
	buf_init(&text, 65536);
	assert_int_equal(crypto_key_public(buf_text(&key), &der, &err), 0);
	assert_int_equal(crypto_base64(der.data, der.len, &text), 0);
	assert_string_equal(member(csr, "transport_key"), buf_text(&text));
	buf_clear(&der);
	buf_clear(&text);
	assert_int_equal(crypto_request_der(buf_text(&request), &der, &err), 0);
	assert_int_equal(crypto_base64(der.data, der.len, &text), 0);
	assert_string_equal(member(csr, "data"), buf_text(&text));
	buf_clear(&der);
	buf_clear(&text);
	cJSON_Delete(body);
	double_web_reply(400, "{}");
	assert_failed(ERR_REJECTED, "");
}

static void test_a_registration_is_polled_until_it_is_done(void **state)
{
	(void)state;
	start();
	double_web_reply(202, BEGUN);
	assert_int_equal(end.begun, 1);
	assert_string_equal(op.identity.registration_id, "reg/1 a");
	wait_ms(1999);
	assert_int_equal(double_open_count(), 0);
	wait_ms(1);
	assert_int_equal(double_web()->op->method, JSON_GET);
	assert_string_equal(cloud_double.web_url, "https://register.example/api/v1.0/register?"
	                                          "registration_id=reg%2F1%20a");
	assert_string_equal(cloud_double.web_bearer, "ey.admin");
	double_web_reply(202, RUNNING);
	wait_ms(3999);
	assert_int_equal(double_open_count(), 0);
	wait_ms(1);
	double_web_reply(200, good());
	assert_int_equal(end.done, 1);
	assert_false(end.failed);
	assert_string_equal(op.identity.device, DEVICE);
	assert_string_equal(op.identity.token_url, "https://login.example/t/oauth2/token");
	assert_string_equal(op.identity.client_id, "app-1");
	assert_string_equal(op.identity.redirect_uri,
	                    "https://login.microsoftonline.com/common/oauth2/nativeclient");
	assert_string_equal(op.identity.resource, "https://print.example");
	assert_string_equal(op.identity.registration_id, "");
	assert_string_equal(op.printer_uri, "https://print.example/printers/" DEVICE);
	assert_string_equal(op.printer_uuid, "urn:uuid:" DEVICE);
	assert_string_equal(buf_text(&op.certificate), certificate);
}

static void test_what_the_answer_says_goes_before_the_defaults(void **state)
{
	(void)state;
	start();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	double_web_reply(200, success(certificate, "https://login.example:443/x", DEVICE,
	                              "{\"printer_client_id\":\"other\",\"printer_redirect_uri\":"
	                              "\"https://r/\",\"mcp_svc_resource_id\":\"https://m\"}"));
	assert_false(end.failed);
	assert_string_equal(op.identity.client_id, "other");
	assert_string_equal(op.identity.redirect_uri, "https://r/");
	assert_string_equal(op.identity.resource, "https://m");
	again();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	double_web_reply(200,
	                 success(certificate, "https://login.example/x", DEVICE,
	                         "{\"printer_client_id\":\"\",\"printer_redirect_uri\":null}"));
	assert_false(end.failed);
	assert_string_equal(op.identity.client_id, "app-1");
}

static void test_a_registration_that_was_cut_is_gone_on_with(void **state)
{
	(void)state;
	what.registration_id = "reg-7";
	start();
	wait_ms(0);
	assert_string_equal(cloud_double.web_url,
	                    "https://register.example/api/v1.0/register?registration_id=reg-7");
	double_web_reply(200, good());
	assert_false(end.failed);
	again();
	wait_ms(0);
	double_web_reply(404, "{}");
	assert_failed(ERR_GONE, "run the command again");
}

static void test_polling_for_ever_ends_after_five_minutes(void **state)
{
	int64_t from;

	(void)state;
	start();
	from = cloud_double.clock.now_ms;
	double_web_reply(202, BEGUN);
	while (!end.done) {
		wait_ms(1000);
		if (!end.done && double_open_count())
			double_web_reply(202, RUNNING);
	}
	assert_failed(ERR_TEMPORARY, "reg/1 a");
	assert_string_equal(op.identity.registration_id, "reg/1 a");
	assert_in_range(cloud_double.clock.now_ms - from, 290000, 300000);
	assert_non_null(strstr(end.err.text, "within 5min "));
}

static void test_how_long_is_a_setting(void **state)
{
	struct cloud_settings settings = double_universal_settings();
	struct err err;
	int64_t from;

	(void)state;
	cloud_ops.close(cloud);
	settings.registration_timeout_ms = 20000;
	assert_int_equal(cloud_ops.open(&cloud, &settings, &err), 0);
	start();
	from = cloud_double.clock.now_ms;
	double_web_reply(202, BEGUN);
	while (!end.done) {
		wait_ms(1000);
		if (!end.done && double_open_count())
			double_web_reply(202, RUNNING);
	}
	assert_failed(ERR_TEMPORARY, "within 20s (registration reg/1 a); run the command again");
	assert_in_range(cloud_double.clock.now_ms - from, 10000, 20000);
}

static void refused(long status, const char *text, enum err_kind kind, const char *says)
{
	start();
	double_web_reply(status, text);
	assert_failed(kind, says);
	cloud_ops.op_clear(&op);
	start();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	double_web_reply(status, text);
	assert_failed(kind, says);
	cloud_ops.op_clear(&op);
}

static void test_each_refusal_says_what_to_do(void **state)
{
	(void)state;
	refused(401, "{}", ERR_DENIED, "sign in again");
	refused(403, "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\"}}", ERR_DENIED,
	        "Printer Administrator");
	refused(403, "{\"error\":\"NoLicense\"}", ERR_DENIED, "(NoLicense)");
	refused(409, "no JSON", ERR_REJECTED, "delete it in the portal");
	refused(400, "{\"error\":\"bad_csr\",\"error_description\":\"why\"}", ERR_REJECTED,
	        "bad_csr: why");
}

static void test_trouble_of_the_service_is_sat_out_once_it_has_begun(void **state)
{
	(void)state;
	start();
	double_web_reply(503, "{}");
	assert_failed(ERR_TEMPORARY, "503");
	again();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	double_web_reply(500, "{}");
	wait_ms(2000);
	double_web_break(ERR_TEMPORARY, 429, 30);
	wait_ms(29999);
	assert_int_equal(double_open_count(), 0);
	wait_ms(1);
	double_web_break(ERR_TEMPORARY, 28, 0);
	wait_ms(2000);
	double_web_reply(200, good());
	assert_false(end.failed);
}

static void answered(const char *answer, const char *says)
{
	start();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	double_web_reply(200, answer);
	assert_failed(ERR_CORRUPT, says);
	cloud_ops.op_clear(&op);
}

static void test_an_answer_that_cannot_be_trusted_is_refused(void **state)
{
	static const char at[] = "https://login.example/t";

	(void)state;
	answered(success(other_certificate, at, DEVICE, NULL), "does not belong to the key");
	answered(success("junk", at, DEVICE, NULL), "certificate");
	answered(success(NULL, at, DEVICE, NULL), "no certificate");
	answered(success(certificate, "https://evil.example/t", DEVICE, NULL), "evil.example");
	answered(success(certificate, "http://login.example/t", DEVICE, NULL), "login-url");
	answered(success(certificate, "https://login.example@evil.example/t", DEVICE, NULL),
	         "login-url");
	answered(success(certificate, NULL, DEVICE, NULL), "device_token_url");
	answered(success(certificate, at, "../../x", NULL), "no id");
	answered(success(certificate, at, "", NULL), "cloud_device_id");
	answered(success(certificate, at, NULL, "{\"cloud_device_id\":7}"), "cloud_device_id");
	answered(success(certificate, at, DEVICE, "{\"printer_client_id\":7}"),
	         "printer_client_id");
	answered(success(certificate, at, DEVICE, "{\"printer_redirect_uri\":\"a b\"}"),
	         "printer_redirect_uri");
}

static void test_an_answer_without_an_id_to_ask_for_is_an_error(void **state)
{
	(void)state;
	start();
	double_web_reply(202, "{\"interval\":2}");
	assert_failed(ERR_TEMPORARY, "no id");
	again();
	double_web_reply(200, good()); /* done at once */
	assert_false(end.failed);
	assert_int_equal(end.begun, 0);
}

static void test_it_can_be_canceled_at_any_time(void **state)
{
	(void)state;
	start();
	cloud_ops.op_cancel(&op);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
	again();
	end.cancels = true;
	double_web_reply(202, BEGUN);
	assert_int_equal(end.done, 0);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
	again();
	double_web_reply(202, BEGUN);
	wait_ms(2000);
	cloud_ops.op_cancel(&op);
	wait_ms(0);
	assert_failed(ERR_CANCELED, "");
}

static void test_without_a_session_or_a_request_nothing_begins(void **state)
{
	struct err err;

	(void)state;
	what.session = NULL;
	assert_int_equal(cloud_ops.enroll(cloud, &op, &what, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	what.session = session;
	what.request_pem = "junk";
	assert_int_equal(cloud_ops.enroll(cloud, &op, &what, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	what.request_pem = buf_text(&request);
	cloud_double.fail_starts = 1;
	start();
	wait_ms(0);
	assert_failed(ERR_TEMPORARY, "too many open files");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_request_is_that_of_the_document),
		TEST(test_a_registration_is_polled_until_it_is_done),
		TEST(test_what_the_answer_says_goes_before_the_defaults),
		TEST(test_a_registration_that_was_cut_is_gone_on_with),
		TEST(test_polling_for_ever_ends_after_five_minutes),
		TEST(test_how_long_is_a_setting),
		TEST(test_each_refusal_says_what_to_do),
		TEST(test_trouble_of_the_service_is_sat_out_once_it_has_begun),
		TEST(test_an_answer_that_cannot_be_trusted_is_refused),
		TEST(test_an_answer_without_an_id_to_ask_for_is_an_error),
		TEST(test_it_can_be_canceled_at_any_time),
		TEST(test_without_a_session_or_a_request_nothing_begins),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
