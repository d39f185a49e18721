/* Opening a cloud, looking at a printer, registering a device. */
#include "tests/unit/cloud_double.h"

#include "common/buf.h"
#include "connector/base/ipp_codec.h"
#include "tests/lib/says.h"

static struct cloud *cloud;
static struct cloud_op op;
static struct {
	int done;
	bool failed;
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

static int setup(void **state)
{
	struct cloud_settings settings = { .name = "test",
		                           .system_uri = "ipps://cloud.example/ipp/system",
		                           .username = "admin",
		                           .password = "secret",
		                           .clock = NULL };
	struct err err;

	(void)state;
	double_init(1);
	settings.clock = &cloud_double.clock.clock;
	memset(&op, 0, sizeof(op));
	memset(&end, 0, sizeof(end));
	op.done = on_done;
	return cloud_ops.open(&cloud, &settings, &err);
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
	assert_int_equal(cloud_double.peers, 0);
	cloud_ops.op_clear(&op);
	memset(&end, 0, sizeof(end));
	op.done = on_done;
}

static void assert_failed(enum err_kind kind, const char *text)
{
	assert_int_equal(end.done, 1);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, kind);
	assert_says(&end.err, text);
}

/* ---- probe ---- */

static void probe(void)
{
	struct channel_settings settings = double_settings();
	struct err err;

	assert_int_equal(cloud_ops.probe(cloud, &op, &settings, &err), 0);
}

static ipp_t *printer_answer(int operation)
{
	ipp_t *m = double_response(IPP_STATUS_OK);

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "printer-uuid", NULL, "urn:uuid:b");
	if (operation)
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", operation);
	return m;
}

static void test_a_printer_that_is_there_is_found(void **state)
{
	(void)state;
	probe();
	double_reply(IPP_OP_GET_PRINTER_ATTRIBUTES, printer_answer(IPP_OP_FETCH_JOB));
	assert_int_equal(end.done, 1);
	assert_false(end.failed);
	assert_string_equal(op.printer_uuid, "urn:uuid:b");
	assert_string_equal(op.printer_uri, "ipps://cloud.example:631/ipp/print/a");
	again();
	probe();
	double_reply(IPP_OP_GET_PRINTER_ATTRIBUTES, printer_answer(0));
	assert_false(end.failed);
	again();
}

static void test_an_ordinary_printer_is_no_infrastructure_printer(void **state)
{
	(void)state;
	probe();
	double_reply(IPP_OP_GET_PRINTER_ATTRIBUTES, printer_answer(IPP_OP_PRINT_JOB));
	assert_failed(ERR_REJECTED, "not an infrastructure printer");
}

static void test_a_probe_says_why_it_failed(void **state)
{
	(void)state;
	probe();
	double_break(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_DENIED, 401, 0);
	assert_failed(ERR_DENIED, "password");
	again();
	probe();
	double_break(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_GONE, 404, 0);
	assert_failed(ERR_GONE, "no such printer");
	again();
	probe();
	double_status(IPP_OP_GET_PRINTER_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND);
	assert_failed(ERR_GONE, "no such printer");
	again();
	probe();
	double_break(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_TEMPORARY, 7, 0);
	assert_failed(ERR_TEMPORARY, "broken");
	again();
	probe();
	cloud_ops.op_cancel(&op);
	(void)fake_clock_settle(&cloud_double.clock);
	assert_failed(ERR_CANCELED, "");
}

static void test_a_probe_of_nonsense_does_not_start(void **state)
{
	struct channel_settings settings = double_settings();
	struct err err;

	(void)state;
	settings.uri = "ipp://cloud.example/unencrypted";
	assert_int_equal(cloud_ops.probe(cloud, &op, &settings, &err), -1);
	assert_non_null(strstr(err.text, "unencrypted"));
	settings = double_settings();
	cloud_double.fail_starts = 1;
	assert_int_equal(cloud_ops.probe(cloud, &op, &settings, &err), -1);
	assert_int_equal(cloud_double.peers, 0);
}

/* ---- enroll ---- */

static const struct cloud_enrolment lab = {
	.device_uuid = DOUBLE_UUID,
	.name = "lab",
	.request_pem = "-----BEGIN R-----\nA\n",
	.registration_id = "",
};

static void enroll(void)
{
	struct err err;

	assert_int_equal(cloud_ops.enroll(cloud, &op, &lab, &err), 0);
}

static ipp_t *enrolled(const char *uri, bool certificate)
{
	static const char *const lines[] = { "-----BEGIN CERTIFICATE-----", "MIIB",
		                             "-----END CERTIFICATE-----\n" };
	ipp_t *m = double_response(IPP_STATUS_OK), *xri = ippNew();

	if (certificate)
		ippAddStrings(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, "output-device-x509-certificate",
		              3, NULL, lines);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "printer-uuid", NULL, "urn:uuid:c");
	if (uri) {
		ippAddString(xri, IPP_TAG_ZERO, IPP_TAG_URI, "xri-uri", NULL, uri);
		ippAddCollection(m, IPP_TAG_PRINTER, "printer-xri-supported", xri);
	}
	ippDelete(xri);
	return m;
}

static void test_a_device_is_registered_by_its_request(void **state)
{
	ipp_t *m;

	(void)state;
	enroll();
	m = double_last(IPP_OP_REGISTER_OUTPUT_DEVICE);
	assert_text(m, IPP_TAG_OPERATION, "system-uri", "ipps://cloud.example:631/ipp/system");
	assert_text(m, IPP_TAG_OPERATION, "output-device-uuid", "urn:uuid:" DOUBLE_UUID);
	double_reply(IPP_OP_REGISTER_OUTPUT_DEVICE,
	             enrolled("ipps://CLOUD.example/ipp/print/9", true));
	assert_false(end.failed);
	assert_string_equal(op.printer_uri, "ipps://CLOUD.example/ipp/print/9");
	assert_string_equal(op.printer_uuid, "urn:uuid:c");
	assert_string_equal(buf_text(&op.certificate),
	                    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
}

static void test_a_cloud_cannot_send_us_elsewhere(void **state)
{
	(void)state;
	enroll();
	double_reply(IPP_OP_REGISTER_OUTPUT_DEVICE, enrolled("ipps://evil.example/p", true));
	assert_failed(ERR_REJECTED, "evil.example");
	again();
	enroll();
	double_reply(IPP_OP_REGISTER_OUTPUT_DEVICE, enrolled("ipps://a:b@cloud.example/p", true));
	assert_failed(ERR_TEMPORARY, "no address");
}

static void test_half_a_registration_is_none(void **state)
{
	(void)state;
	enroll();
	double_reply(IPP_OP_REGISTER_OUTPUT_DEVICE, enrolled(NULL, true));
	assert_failed(ERR_TEMPORARY, "no address");
	again();
	enroll();
	double_reply(IPP_OP_REGISTER_OUTPUT_DEVICE, enrolled("ipps://cloud.example/p", false));
	assert_failed(ERR_TEMPORARY, "no certificate");
	again();
	enroll();
	double_status(IPP_OP_REGISTER_OUTPUT_DEVICE, IPP_STATUS_ERROR_NOT_AUTHORIZED);
	assert_failed(ERR_DENIED, "");
	again();
}

static void test_a_cloud_without_a_system_uri_says_so(void **state)
{
	struct cloud *plain = double_cloud();
	struct err err;

	(void)state;
	assert_int_equal(cloud_ops.enroll(plain, &op, &lab, &err), -1);
	assert_non_null(strstr(err.text, "system-uri"));
	cloud_ops.close(plain);
}

static void test_a_cloud_with_a_wrong_system_uri_does_not_open(void **state)
{
	struct cloud_settings settings = { .name = "x",
		                           .system_uri = "http://cloud.example/",
		                           .clock = &cloud_double.clock.clock };
	struct cloud *c = NULL;
	struct err err;

	(void)state;
	assert_int_equal(cloud_ops.open(&c, &settings, &err), -1);
	assert_null(c);
	assert_non_null(strstr(err.text, "system-uri"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_a_printer_that_is_there_is_found),
		T(test_an_ordinary_printer_is_no_infrastructure_printer),
		T(test_a_probe_says_why_it_failed),
		T(test_a_probe_of_nonsense_does_not_start),
		T(test_a_device_is_registered_by_its_request),
		T(test_a_cloud_cannot_send_us_elsewhere),
		T(test_half_a_registration_is_none),
		T(test_a_cloud_without_a_system_uri_says_so),
		T(test_a_cloud_with_a_wrong_system_uri_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
