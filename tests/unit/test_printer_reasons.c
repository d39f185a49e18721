/* printer-state-reasons as data: what was said, and what a cloud is told. */
#include "connector/printer/printer_reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"

static ipp_t *said(ipp_pstate_t state, const char *reasons, const char *message)
{
	ipp_attribute_t *attr = NULL;
	ipp_t *m = ippNew();
	char word[256];
	int n = 0;

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", (int)state);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, message);
	while (*reasons != '\0') {
		size_t len = strcspn(reasons, ",");

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, reasons);
		reasons += len + (reasons[len] == ',');
		if (n++ == 0)
			attr = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD,
			                    "printer-state-reasons", NULL, word);
		else
			ippSetString(m, &attr, n - 1, word);
	}
	return m;
}

static void assert_told(const struct printer_reasons *r, const char *expected)
{
	ipp_t *out = ippNew();
	char text[1024];

	printer_reasons_add(r, out);
	ipp_join_text(out, IPP_TAG_PRINTER, "printer-state-reasons", text, sizeof(text));
	assert_string_equal(text, expected);
	ippDelete(out);
}

static const struct example {
	const char *name;
	bool cups;
	ipp_pstate_t state;
	const char *reasons, *message;
	const char *told;
	bool has_error;
} examples[] = {
	{ "nothing", true, IPP_PSTATE_IDLE, "none", "", "none", false },
	{ "nothing at all", true, IPP_PSTATE_IDLE, "", "", "none", false },
	{ "CUPS to itself", true, IPP_PSTATE_PROCESSING,
	  "cups-waiting-for-job-completed,cups-remote-pending,cups-ipp-conformance-failure-report",
	  "", "none", false },
	{ "a filter is missing", true, IPP_PSTATE_STOPPED, "paused,cups-missing-filter-warning", "",
	  "paused,cups-missing-filter-warning", false },
	{ "severity dropped", true, IPP_PSTATE_IDLE, "toner-low,media-empty", "",
	  "toner-low-warning,media-empty-error", true },
	{ "a jam is never a warning to who prints", true, IPP_PSTATE_PROCESSING,
	  "media-jam-warning,toner-low-warning", "Printing.", "media-jam-error,toner-low-warning",
	  true },
	{ "the same from the last job", true, IPP_PSTATE_IDLE, "media-jam-warning", "",
	  "media-jam-warning", false },
	{ "an empty tray may not matter", true, IPP_PSTATE_PROCESSING, "media-empty-warning",
	  "Printing.", "media-empty-warning", false },
	{ "unless the words say so", true, IPP_PSTATE_PROCESSING, "media-empty-warning",
	  "Printer is out of paper!", "media-empty-error", true },
	{ "words alone", true, IPP_PSTATE_PROCESSING, "none", "Paper JAM in unit 2",
	  "media-jam-error", true },
	{ "words of yesterday", true, IPP_PSTATE_IDLE, "none", "Paper jam", "none", false },
	{ "an IPP printer is believed", false, IPP_PSTATE_PROCESSING, "media-jam-warning",
	  "out of paper", "media-jam-warning", false },
	{ "an IPP printer's error", false, IPP_PSTATE_IDLE, "media-empty-error", "",
	  "media-empty-error", true },
	{ "one reason twice is the worse", false, IPP_PSTATE_IDLE,
	  "media-low-report,media-low-warning,media-low,media-low-error,media-low-report", "",
	  "media-low-error", true },
	{ "of a vendor", false, IPP_PSTATE_IDLE, "com.example-hot-warning,vendor-word", "",
	  "com.example-hot-warning,vendor-word", false },
	{ "no keywords", false, IPP_PSTATE_IDLE, "media jam,\"x\",a;b,\xc3\xa4,none", "", "none",
	  false },
};

static void test_each_reason_is_told_with_the_severity_that_is_true(void **state)
{
	struct printer_reasons r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		ipp_t *m = said(e->state, e->reasons, e->message);

		print_message("%s\n", e->name);
		printer_reasons_read(m, e->cups, &r);
		assert_told(&r, e->told);
		assert_int_equal(printer_reasons_have_error(&r), e->has_error);
		ippDelete(m);
	}
}

static void test_too_many_and_too_long_reasons_are_left_out(void **state)
{
	ipp_attribute_t *attr;
	struct printer_reasons r;
	ipp_t *m = ippNew();
	char word[256];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	attr = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL,
	                    word);
	for (int i = 1; i < 2000; i++) {
		(void)snprintf(word, sizeof(word), "word-%d", i);
		ippSetString(m, &attr, i, word);
	}
	printer_reasons_read(m, true, &r);
	assert_int_equal(r.count, PRINTER_REASONS_MAX);
	assert_string_equal(r.words[0], "word-1");
	ippDelete(m);
}

static void test_the_printer_itself_knows_better_than_cups(void **state)
{
	ipp_t *queue = said(IPP_PSTATE_PROCESSING,
	                    "connecting-to-device,media-empty-warning,toner-low-warning,paused,"
	                    "cups-missing-filter-warning",
	                    "");
	ipp_t *device = said(IPP_PSTATE_STOPPED, "media-empty-error,cups-waiting-for-x", "");
	ipp_t *well = said(IPP_PSTATE_IDLE, "none", "");
	struct printer_reasons r;

	(void)state;
	printer_reasons_read(queue, true, &r);
	printer_reasons_of_device(&r, device);
	assert_told(&r, "connecting-to-device,paused,cups-missing-filter-warning,"
	                "media-empty-error");
	printer_reasons_of_device(&r, well);
	assert_told(&r, "connecting-to-device,paused,cups-missing-filter-warning");
	ippDelete(queue);
	ippDelete(device);
	ippDelete(well);
}

static const char *alert(ipp_t *m, int i, char text[static 256])
{
	int len = 0;
	const void *bytes =
		ippGetOctetString(ippFindAttribute(m, "printer-alert", IPP_TAG_STRING), i, &len);

	(void)snprintf(text, 256, "%.*s", len, bytes != NULL ? (const char *)bytes : "");
	return text;
}

static void test_reasons_raise_alerts_and_clear_them(void **state)
{
	ipp_t *bad = said(IPP_PSTATE_STOPPED, "paused,media-jam-error,toner-low-warning", "");
	ipp_t *out = ippNew(), *none = ippNew();
	struct printer_reasons r;
	char text[256];

	(void)state;
	printer_reasons_read(bad, true, &r);
	printer_reasons_add_alerts(&r, out);
	assert_int_equal(ippGetCount(ippFindAttribute(out, "printer-alert", IPP_TAG_ZERO)), 2);
	assert_string_equal(alert(out, 0, text), "code=jam;severity=critical;group=mediaPath;");
	assert_string_equal(alert(out, 1, text),
	                    "code=markerTonerAlmostEmpty;severity=warning;group=markerSupplies;");
	ipp_join_text(out, IPP_TAG_PRINTER, "printer-alert-description", text, sizeof(text));
	assert_string_equal(text, "Paper is jammed.,The toner is low.");
	r.count = 0;
	printer_reasons_add_alerts(&r, none);
	assert_int_equal(ippGetCount(ippFindAttribute(none, "printer-alert", IPP_TAG_ZERO)), 1);
	assert_string_equal(alert(none, 0, text), "");
	ippDelete(bad);
	ippDelete(out);
	ippDelete(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_reason_is_told_with_the_severity_that_is_true),
		cmocka_unit_test(test_too_many_and_too_long_reasons_are_left_out),
		cmocka_unit_test(test_the_printer_itself_knows_better_than_cups),
		cmocka_unit_test(test_reasons_raise_alerts_and_clear_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
