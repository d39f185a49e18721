#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/request.h"

#define UUID "11111111-2222-3333-4444-555555555555"

static struct target target;

static int setup(void **state)
{
	struct err err;

	(void)state;
	target_clear(&target);
	return target_set(&target, "ipps://cloud.example/ipp/print/a", UUID, NULL, &err);
}

static struct attrs *some_attrs(const char *const *names)
{
	ipp_t *m = ippNew();

	for (int i = 0; names[i]; i++)
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, names[i], i + 1);
	return attrs_new(m);
}

/* Names of the operation group in order, then those of the other, parted by '|'. */
static void assert_names(ipp_t *m, const char *names)
{
	char all[1024] = "";
	ipp_tag_t group = IPP_TAG_OPERATION;

	for (ipp_attribute_t *a = ippFirstAttribute(m); a; a = ippNextAttribute(m)) {
		size_t len = strlen(all);
		bool other;

		if (!ippGetName(a))
			continue;
		other = ippGetGroupTag(a) != group;
		group = ippGetGroupTag(a);
		(void)snprintf(all + len, sizeof(all) - len, "%s%s",
		               other ? "|"
		               : len ? " "
		                     : "",
		               ippGetName(a));
	}
	assert_string_equal(all, names);
	ippDelete(m);
}

/* ---- target ---- */

static void test_addresses_become_url_and_printer_uri(void **state)
{
	static const struct {
		const char *uri, *url, *printer_uri;
	} cases[] = {
		{ "ipps://c.example/ipp/print/a", "https://c.example:631/ipp/print/a",
		  "ipps://c.example:631/ipp/print/a" },
		{ "ipps://c.example:443/p", "https://c.example:443/p", "ipps://c.example:443/p" },
		{ "https://c.example/p", "https://c.example/p", "ipps://c.example:443/p" },
		{ "http://127.0.0.1:8631/p", "http://127.0.0.1:8631/p", "ipp://127.0.0.1:8631/p" },
		{ "http://localhost/p", "http://localhost/p", "ipp://localhost:80/p" },
		{ "ipp://[::1]:9999/p", "http://[::1]:9999/p", "ipp://[::1]:9999/p" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target t = { 0 };
		struct err err;

		if (target_set(&t, cases[i].uri, UUID, "ann", &err) < 0)
			fail_msg("%s: %s", cases[i].uri, err.text);
		assert_string_equal(t.url, cases[i].url);
		assert_string_equal(t.printer_uri, cases[i].printer_uri);
		assert_string_equal(t.device_uri, "urn:uuid:" UUID);
		assert_string_equal(t.user, "ann");
		target_clear(&t);
	}
}

static void test_addresses_that_are_not_safe_are_refused(void **state)
{
	static const char *const bad[] = { "ipp://cloud.example/p",
		                           "http://10.0.0.1/p",
		                           "http://127.0.0.1.evil.example/p",
		                           "file:///etc/passwd",
		                           "cloud.example",
		                           "",
		                           "ipps://ann:secret@cloud.example/p" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct target t = { .user = "untouched" };

		if (target_set(&t, bad[i], UUID, NULL, &err) == 0)
			fail_msg("%s is taken", bad[i]);
		assert_int_equal(err.kind, ERR_REJECTED);
		assert_null(strstr(err.text, "secret"));
		assert_string_equal(t.user, "untouched");
	}
	assert_int_equal(target_set(&target, "ipps://c/p", "no-uuid", NULL, &err), -1);
}

/* ---- order ---- */

static void test_requests_begin_in_the_right_order(void **state)
{
#define WHO "attributes-charset attributes-natural-language printer-uri "
	(void)state;
	assert_names(request_list(&target, &dialect_ipp_infra),
	             WHO "output-device-uuid requesting-user-name "
	                 "which-jobs requested-attributes");
	assert_names(request_job(&target, IPP_OP_FETCH_JOB, 1),
	             WHO "job-id output-device-uuid requesting-user-name");
	assert_names(request_document(&target, IPP_OP_ACKNOWLEDGE_DOCUMENT, 1, 1),
	             WHO "job-id document-number output-device-uuid requesting-user-name");
	assert_names(request_subscribe(&target, &dialect_ipp_infra),
	             WHO "output-device-uuid requesting-user-name|notify-pull-method "
	                 "notify-events notify-lease-duration");
	assert_names(request_renew(&target, &dialect_ipp_infra, 5),
	             WHO "notify-subscription-id output-device-uuid requesting-user-name|"
	                 "notify-lease-duration");
	assert_names(request_notifications(&target, &dialect_ipp_infra, 5, 9),
	             WHO "output-device-uuid requesting-user-name notify-subscription-ids "
	                 "notify-sequence-numbers notify-wait");
	assert_names(request_notifications(&target, &dialect_ipp_infra, 5, 0),
	             WHO "output-device-uuid requesting-user-name notify-subscription-ids "
	                 "notify-wait");
	assert_names(request_document_report(&target, 1, 2, IPP_JSTATE_COMPLETED),
	             WHO "job-id document-number output-device-uuid requesting-user-name|"
	                 "output-device-document-state");
}

static void test_all_requests_can_be_encoded(void **state)
{
	struct cloud_active jobs[3] = { { 1, 5 }, { 2, 6 }, { 3, 9 } };
	struct cloud_report r = {
		.job = 1, .reasons = "a,b", .message = "m", .impressions = 2, .sheets = 1
	};
	ipp_t *all[] = {
		request_active(&target, jobs, 3),
		request_report(&target, &dialect_ipp_infra, &r, IPP_JSTATE_COMPLETED),
		request_refuse(&target, 1, 0x040a, "why"),
		request_check(&target, 1),
		request_fetch_document(&target, &dialect_ipp_infra, 1, 1),
		request_probe(&target),
		request_register(&target, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct buf b;
		struct err err;

		buf_init(&b, IPP_MESSAGE_MAX);
		assert_int_equal(ipp_encode(all[i], &b, &err), 0);
		buf_clear(&b);
		ippDelete(all[i]);
	}
}

/* ---- attributes ---- */

static void test_attributes_go_to_the_printer_group_without_what_is_withheld(void **state)
{
	static const char *const caps[] = { "copies-supported", "printer-uuid", "printer-state",
		                            "media-ready", NULL };
	static const char *const now[] = { "printer-state", "queued-job-count", NULL };
	char ignored_name[] = "media-ready";
	char *names[] = { ignored_name };
	struct request_ignored ignored = { names, 1 };
	struct attrs *c = some_attrs(caps), *s = some_attrs(now);

	(void)state;
	assert_names(request_attributes(&target, &dialect_ipp_infra, c, s, &ignored),
	             WHO "output-device-uuid requesting-user-name|copies-supported printer-state "
	                 "queued-job-count");
	assert_names(request_attributes(&target, &dialect_ipp_infra, NULL, s, NULL),
	             WHO "output-device-uuid requesting-user-name|printer-state "
	                 "queued-job-count");
	assert_names(request_attributes(&target, &dialect_ipp_infra, c, NULL, NULL),
	             WHO "output-device-uuid requesting-user-name|copies-supported printer-state "
	                 "media-ready");
	attrs_unref(c);
	attrs_unref(s);
}

/* ---- one job ---- */

static void test_active_jobs_are_two_lists_of_one_length(void **state)
{
	struct cloud_active jobs[3] = { { 1, 5 }, { 2, 6 }, { 3, 9 } };
	ipp_t *m = request_active(&target, jobs, 3);
	ipp_attribute_t *ids = ippFindAttribute(m, "job-ids", IPP_TAG_INTEGER);
	ipp_attribute_t *states = ippFindAttribute(m, "output-device-job-states", IPP_TAG_ENUM);

	(void)state;
	assert_int_equal(ippGetCount(ids), 3);
	assert_int_equal(ippGetCount(states), 3);
	assert_int_equal(ippGetInteger(ids, 2), 3);
	assert_int_equal(ippGetInteger(states, 2), 9);
	ippDelete(m);
}

static void test_reasons_are_keywords_and_not_without_end(void **state)
{
	static const char many[] = "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,Upper,sp ace,\x01";
	struct cloud_report r = {
		.job = 1, .reasons = many, .message = "", .impressions = -1, .sheets = -1
	};
	ipp_t *m;

	(void)state;
	m = request_report(&target, &dialect_ipp_infra, &r, IPP_JSTATE_ABORTED);
	assert_int_equal(ippGetCount(ippFindAttribute(m, "output-device-job-state-reasons",
	                                              IPP_TAG_KEYWORD)),
	                 16);
	assert_null(ippFindAttribute(m, "output-device-job-state-message", IPP_TAG_ZERO));
	ippDelete(m);
	r.reasons = "Upper,sp ace,,";
	m = request_report(&target, &dialect_ipp_infra, &r, IPP_JSTATE_ABORTED);
	assert_null(ippFindAttribute(m, "output-device-job-state-reasons", IPP_TAG_ZERO));
	ippDelete(m);
}

static void test_a_csr_goes_line_by_line(void **state)
{
	ipp_t *m = request_register(&target, "-----BEGIN X-----\r\nAAAA\n\nBBBB\n-----END X-----");
	ipp_attribute_t *a = ippFindAttribute(m, "output-device-x509-request", IPP_TAG_TEXT);

	(void)state;
	assert_int_equal(ippGetCount(a), 4);
	assert_string_equal(ippGetString(a, 0, NULL), "-----BEGIN X-----");
	assert_string_equal(ippGetString(a, 2, NULL), "BBBB");
	assert_string_equal(ippGetString(a, 3, NULL), "-----END X-----");
	assert_string_equal(ipp_get_text(m, IPP_TAG_OPERATION, "printer-service-type", ""),
	                    "print");
	ippDelete(m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_become_url_and_printer_uri),
		cmocka_unit_test(test_addresses_that_are_not_safe_are_refused),
		cmocka_unit_test_setup(test_requests_begin_in_the_right_order, setup),
		cmocka_unit_test_setup(test_all_requests_can_be_encoded, setup),
		cmocka_unit_test_setup(
			test_attributes_go_to_the_printer_group_without_what_is_withheld, setup),
		cmocka_unit_test_setup(test_active_jobs_are_two_lists_of_one_length, setup),
		cmocka_unit_test_setup(test_reasons_are_keywords_and_not_without_end, setup),
		cmocka_unit_test_setup(test_a_csr_goes_line_by_line, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
