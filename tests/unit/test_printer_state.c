/* How printers do, as data: what they answered, and what that means for jobs and for
 * the cloud. */
#include "connector/printer/printer_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"

#define GONE_TEXT "The printer may not exist or is unavailable at this time."

static const struct example {
	const char *name;
	bool cups;
	ipp_pstate_t state;
	const char *reason, *message;
	bool accepting;
	/* expected */
	enum queue_health health;
	bool connecting;
	const char *text;
} examples[] = {
	{ "idle", true, IPP_PSTATE_IDLE, "none", "", true, QUEUE_READY, false, "" },
	{ "filters mutter", true, IPP_PSTATE_PROCESSING, "none", "Rendering completed", true,
	  QUEUE_READY, false, "" },
	{ "switched off, found out while printing", true, IPP_PSTATE_PROCESSING, "none", GONE_TEXT,
	  true, QUEUE_UNREACHABLE, false, "the device of queue laser does not answer" },
	{ "the same from the last job", true, IPP_PSTATE_IDLE, "offline-report", GONE_TEXT, true,
	  QUEUE_READY, false, "" },
	{ "offline by SNMP", true, IPP_PSTATE_PROCESSING, "offline-report", "", true,
	  QUEUE_UNREACHABLE, false, "does not answer" },
	{ "cannot connect", true, IPP_PSTATE_PROCESSING, "none", "Unable to connect to 10.0.0.9",
	  true, QUEUE_UNREACHABLE, false, "10.0.0.9" },
	{ "connecting", true, IPP_PSTATE_PROCESSING, "connecting-to-device", "", true, QUEUE_READY,
	  true, "" },
	{ "stopped", true, IPP_PSTATE_STOPPED, "paused", "out of toner", true, QUEUE_STOPPED, false,
	  "queue laser is stopped: out of toner; cupsenable laser" },
	{ "stopped without a word", true, IPP_PSTATE_STOPPED, "paused", "", true, QUEUE_STOPPED,
	  false, "queue laser is stopped; cupsenable laser" },
	{ "rejecting", true, IPP_PSTATE_IDLE, "none", "", false, QUEUE_STOPPED, false,
	  "queue laser rejects jobs; cupsaccept laser" },
	{ "IPP printer out of paper", false, IPP_PSTATE_STOPPED, "media-empty-error", "Load\npaper",
	  true, QUEUE_HALTED, false, "printer laser is stopped: Load paper" },
	{ "IPP printer idle", false, IPP_PSTATE_IDLE, "none", "Ready", true, QUEUE_READY, false,
	  "" },
	{ "IPP printer whose engine is off", false, IPP_PSTATE_IDLE, "offline-report", "", true,
	  QUEUE_UNREACHABLE, false, "does not answer" },
	{ "IPP printer rejecting", false, IPP_PSTATE_IDLE, "none", "", false, QUEUE_HALTED, false,
	  "printer laser rejects jobs" },
};

static ipp_t *new_answer(const struct example *e)
{
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", (int)e->state);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL, e->reason);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, e->message);
	ippAddBoolean(m, IPP_TAG_PRINTER, "printer-is-accepting-jobs", (char)e->accepting);
	return m;
}

static void test_a_backend_that_was_turned_away_has_printed_nothing(void **state)
{
	(void)state;
	assert_true(printer_state_says_untouched("The printer is in use."));
	assert_true(printer_state_says_untouched(GONE_TEXT));
	assert_false(printer_state_says_untouched("Rendering completed"));
	assert_false(printer_state_says_untouched(""));
}

static void test_each_state_means_what_it_says(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		struct queue_status status = { .health = QUEUE_UNKNOWN };
		ipp_t *m = new_answer(e);
		bool connecting;

		print_message("%s\n", e->name);
		printer_state_read(m, "laser", e->cups, &status, &connecting);
		assert_int_equal(status.health, e->health);
		assert_int_equal(connecting, e->connecting);
		if (e->text[0] == '\0')
			assert_string_equal(status.text, "");
		else
			assert_non_null(strstr(status.text, e->text));
		ippDelete(m);
	}
}

static void test_an_empty_answer_is_taken_as_ready(void **state)
{
	struct queue_status status = { .health = QUEUE_UNKNOWN };
	ipp_t *m = ippNew();
	bool connecting;

	(void)state;
	printer_state_read(m, "laser", true, &status, &connecting);
	assert_int_equal(status.health, QUEUE_READY);
	ippDelete(m);
}

static struct attrs *attrs_of(size_t example, enum queue_health health, bool whole)
{
	struct queue_status status = { .health = health, .whole = whole, .text = "why" };
	ipp_t *m = new_answer(&examples[example]);
	struct attrs *attrs;

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-up-time", 1234);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "queued-job-count", 3);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-config-change-time", 3);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-ready", NULL, "iso_a4_210x297mm");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "sides-supported", NULL, "one-sided");
	attrs = printer_state_attrs(m, &status, NULL, NULL);
	ippDelete(m);
	return attrs;
}

static const char *text_of(struct attrs *attrs, const char *name)
{
	return ipp_get_text(attrs_ipp(attrs), IPP_TAG_ZERO, name, "");
}

static void test_the_cloud_sees_state_and_paper_but_no_counters(void **state)
{
	struct attrs *attrs = attrs_of(7, QUEUE_STOPPED, true);
	ipp_t *m = attrs_ipp(attrs);

	(void)state;
	assert_int_equal(ipp_get_int(m, IPP_TAG_ZERO, "printer-state", 0), IPP_PSTATE_STOPPED);
	assert_string_equal(text_of(attrs, "printer-state-reasons"), "paused");
	assert_string_equal(text_of(attrs, "printer-state-message"), "out of toner");
	assert_string_equal(text_of(attrs, "media-ready"), "iso_a4_210x297mm");
	assert_true(ipp_get_bool(m, IPP_TAG_ZERO, "printer-is-accepting-jobs", false));
	assert_null(ippFindAttribute(m, "printer-up-time", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(m, "queued-job-count", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(m, "printer-config-change-time", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(m, "sides-supported", IPP_TAG_ZERO));
	attrs_unref(attrs);
}

static void test_the_paper_that_cups_believes_ready_is_no_state(void **state)
{
	struct attrs *attrs = attrs_of(7, QUEUE_STOPPED, false);

	(void)state;
	assert_null(ippFindAttribute(attrs_ipp(attrs), "media-ready", IPP_TAG_ZERO));
	attrs_unref(attrs);
}

static void test_what_filters_mutter_changes_nothing_for_the_cloud(void **state)
{
	struct attrs *cups = attrs_of(1, QUEUE_READY, false);
	struct attrs *printer = attrs_of(1, QUEUE_READY, true);

	(void)state;
	assert_non_null(ippFindAttribute(attrs_ipp(cups), "printer-state-message", IPP_TAG_TEXT));
	assert_string_equal(text_of(cups, "printer-state-message"), "");
	assert_string_equal(text_of(printer, "printer-state-message"), "Rendering completed");
	attrs_unref(cups);
	attrs_unref(printer);
}

static void test_who_cannot_be_reached_is_stopped_with_the_reason(void **state)
{
	static const enum queue_health healths[] = { QUEUE_UNKNOWN, QUEUE_UNREACHABLE,
		                                     QUEUE_MISSING, QUEUE_DOWN };
	struct queue_status status = { .text = "why" };
	struct attrs *attrs;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(healths); i++) {
		attrs = attrs_of(2, healths[i], true);
		assert_int_equal(ipp_get_int(attrs_ipp(attrs), IPP_TAG_ZERO, "printer-state", 0),
		                 IPP_PSTATE_STOPPED);
		assert_string_not_equal(text_of(attrs, "printer-state-reasons"), "none");
		assert_string_equal(text_of(attrs, "printer-state-message"), "why");
		assert_string_equal(text_of(attrs, "media-ready"), "iso_a4_210x297mm");
		attrs_unref(attrs);
		status.health = healths[i];
		attrs = printer_state_attrs(NULL, &status, NULL, NULL);
		assert_int_equal(ipp_get_int(attrs_ipp(attrs), IPP_TAG_ZERO, "printer-state", 0),
		                 IPP_PSTATE_STOPPED);
		attrs_unref(attrs);
	}
}

#define BLACK                                                                                      \
	"index=1;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level=42;"     \
	"colorantname=black;"
#define WASTE                                                                                      \
	"index=2;class=receptacleThatIsFilled;type=wasteToner;unit=percent;maxcapacity=100;"       \
	"level=-2;colorantname=unknown;"

static void test_markers_of_drivers_become_supplies(void **state)
{
	static const char *const names[] = { "Black Toner", "Waste" };
	static const char *const types[] = { "toner", "waste-toner" };
	static const char *const colors[] = { "#000000", "none" };
	static const int levels[] = { 42, -2 };
	struct queue_status status = { .health = QUEUE_READY };
	ipp_t *m = new_answer(&examples[0]);
	ipp_attribute_t *supply;
	struct attrs *attrs;
	const char *text;
	int len;

	(void)state;
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "marker-names", 2, NULL, names);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "marker-types", 2, NULL, types);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "marker-colors", 2, NULL, colors);
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "marker-levels", 2, levels);
	attrs = printer_state_attrs(m, &status, NULL, NULL);
	supply = ippFindAttribute(attrs_ipp(attrs), "printer-supply", IPP_TAG_STRING);
	assert_int_equal(ippGetCount(supply), 2);
	text = ippGetOctetString(supply, 0, &len);
	assert_int_equal(len, strlen(BLACK));
	assert_memory_equal(text, BLACK, strlen(BLACK));
	text = ippGetOctetString(supply, 1, &len);
	assert_int_equal(len, strlen(WASTE));
	assert_memory_equal(text, WASTE, strlen(WASTE));
	assert_int_equal(ippGetCount(ippFindAttribute(attrs_ipp(attrs),
	                                              "printer-supply-description", IPP_TAG_ZERO)),
	                 2);
	assert_null(ippFindAttribute(attrs_ipp(attrs), "marker-levels", IPP_TAG_ZERO));
	attrs_unref(attrs);
	ippDelete(m);
}

static void test_markers_that_do_not_fit_together_are_left_out(void **state)
{
	static const int levels[] = { 42, 7 };
	struct queue_status status = { .health = QUEUE_READY };
	ipp_t *m = new_answer(&examples[0]);
	struct attrs *attrs;

	(void)state;
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "marker-names", NULL, "one");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "marker-types", NULL, "toner");
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "marker-levels", 2, levels);
	attrs = printer_state_attrs(m, &status, NULL, NULL);
	assert_null(ippFindAttribute(attrs_ipp(attrs), "printer-supply", IPP_TAG_ZERO));
	attrs_unref(attrs);
	ippDelete(m);
}

static void test_traits_are_what_the_printer_says(void **state)
{
	static const int ops[] = { IPP_OP_PRINT_JOB, IPP_OP_CREATE_JOB, IPP_OP_SEND_DOCUMENT,
		                   IPP_OP_CLOSE_JOB, IPP_OP_IDENTIFY_PRINTER };
	struct printer_traits traits;
	ipp_t *m = ippNew();

	(void)state;
	printer_traits_read(m, false, &traits);
	assert_false(traits.create_job || traits.close_job || traits.identify ||
	             traits.multiple_documents || traits.cancel_after || traits.ippget);
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", ARRAY_SIZE(ops),
	               ops);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "which-jobs-supported", NULL, "all");
	ippAddBoolean(m, IPP_TAG_PRINTER, "multiple-document-jobs-supported", 1);
	ippAddRange(m, IPP_TAG_PRINTER, "job-cancel-after-supported", 0, 100);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "device-uri", NULL, "file:///dev/null");
	printer_traits_read(m, false, &traits);
	assert_true(traits.create_job && traits.close_job && traits.identify && traits.which_all &&
	            traits.multiple_documents && traits.cancel_after);
	printer_traits_read(m, true, &traits);
	assert_false(traits.file_device); /* meant so */
	ippDelete(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_backend_that_was_turned_away_has_printed_nothing),
		cmocka_unit_test(test_each_state_means_what_it_says),
		cmocka_unit_test(test_an_empty_answer_is_taken_as_ready),
		cmocka_unit_test(test_the_cloud_sees_state_and_paper_but_no_counters),
		cmocka_unit_test(test_the_paper_that_cups_believes_ready_is_no_state),
		cmocka_unit_test(test_what_filters_mutter_changes_nothing_for_the_cloud),
		cmocka_unit_test(test_who_cannot_be_reached_is_stopped_with_the_reason),
		cmocka_unit_test(test_markers_of_drivers_become_supplies),
		cmocka_unit_test(test_markers_that_do_not_fit_together_are_left_out),
		cmocka_unit_test(test_traits_are_what_the_printer_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
