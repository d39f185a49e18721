/* What Universal Print is told of a queue: syntaxes, what is left out, and each rule of Microsoft's
 * test for a registered printer. */
#include "connector/cloud/up_attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/up_table.h"

static const struct up_host host = { "1.2", "Linux 6.1", "lab host" };

static ipp_t *in, *out;

static int setup(void **state)
{
	(void)state;
	in = ippNew();
	out = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ippDelete(in);
	ippDelete(out);
	return 0;
}

/* What `in` becomes. */
static void convert(void)
{
	ipp_t *copy = ippNew();
	struct attrs *capabilities;

	ippCopyAttributes(copy, in, 0, NULL, NULL);
	capabilities = attrs_new(copy);
	ippDelete(out);
	out = up_attributes_new(capabilities, NULL, &host);
	attrs_unref(capabilities);
}

static void add(ipp_tag_t tag, const char *name, const char *values)
{
	char text[512], *save = NULL;
	const char *list[32];
	int n = 0;

	(void)snprintf(text, sizeof(text), "%s", values);
	for (char *v = strtok_r(text, ",", &save); v; v = strtok_r(NULL, ",", &save))
		list[n++] = v;
	ippAddStrings(in, IPP_TAG_PRINTER, tag, name, n, NULL, list);
}

static void keywords(const char *name, const char *values)
{
	add(IPP_TAG_KEYWORD, name, values);
}

static void enums(const char *name, int count, const int *values)
{
	ippAddIntegers(in, IPP_TAG_PRINTER, IPP_TAG_ENUM, name, count, values);
}

#define ENUMS(name, ...)                                                                           \
	enums(name, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (int[]){ __VA_ARGS__ })

static void assert_strings(const char *name, const char *values)
{
	char got[1024];

	ipp_join_text(out, IPP_TAG_PRINTER, name, got, sizeof(got));
	assert_string_equal(got, values);
}

static void assert_numbers(const char *name, const char *values)
{
	ipp_attribute_t *a = ippFindAttribute(out, name, IPP_TAG_ZERO);
	char got[256] = "";
	size_t n = 0;

	for (int i = 0; a && i < ippGetCount(a); i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%d", i ? "," : "",
		                      ippGetInteger(a, i));
	assert_string_equal(got, values);
}

static bool holds(const char *name)
{
	const char *broken[64];
	size_t n = up_attributes_check(out, broken, ARRAY_SIZE(broken));

	for (size_t i = 0; i < n; i++)
		if (strcmp(broken[i], name) == 0)
			return false;
	return true;
}

/* The rule does not hold for what the queue says by itself, and does for what is told. */
static void assert_fits(const char *name)
{
	ipp_t *told = out;

	out = in;
	assert_false(holds(name));
	out = told;
	convert();
	assert_true(holds(name));
}

static void assert_absent(const char *name)
{
	assert_null(ippFindAttribute(out, name, IPP_TAG_ZERO));
}

/* ---- what is taken ---- */

static void test_the_table_is_sorted_and_whole(void **state)
{
	(void)state;
	assert_int_equal(up_table_find("printer-state")->syntaxes, UP_ENUM);
	assert_true(up_table_find("document-format-supported")->many);
	assert_false(up_table_find("document-format-default")->many);
	assert_non_null(up_table_find("charset-configured"));
	assert_non_null(up_table_find("which-jobs-supported"));
	assert_int_equal(up_table_find("media-default")->syntaxes,
	                 UP_KEYWORD | UP_NAME | UP_NO_VALUE);
	assert_null(up_table_find("jpeg-k-octets-supported"));
	assert_null(up_table_find("printer-finisher"));
	assert_null(up_table_find(""));
}

static void test_what_the_service_does_not_take_is_left_out(void **state)
{
	(void)state;
	keywords("jpeg-features-supported", "none");
	keywords("identify-actions-supported", "flash");
	keywords("ipp-versions-supported", "1.0");
	add(IPP_TAG_URI, "printer-uuid", "urn:uuid:x");
	add(IPP_TAG_NAME, "printer-name", "lab");
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-config-change-time", 5);
	convert();
	assert_absent("jpeg-features-supported");
	assert_absent("identify-actions-supported");
	assert_absent("ipp-versions-supported");
	assert_absent("printer-uuid");
	assert_absent("printer-name");
	assert_numbers("printer-config-change-time", "5");
}

static void test_wrong_syntaxes_are_put_right_or_left_out(void **state)
{
	(void)state;
	add(IPP_TAG_NAME, "printer-info", "Lab");
	add(IPP_TAG_NAME, "output-bin-supported", "face-down,My Tray");
	add(IPP_TAG_KEYWORD, "marker-names", "black");
	add(IPP_TAG_NAME, "media-type-supported", "Our Paper");
	add(IPP_TAG_TEXT, "document-format-preferred", "application/pdf");
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "pdf-k-octets-supported", 1000);
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "finishings-default", 3);
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "color-supported", NULL, "yes");
	ippAddOutOfBand(in, IPP_TAG_PRINTER, IPP_TAG_NOVALUE, "media-default");
	ippAddOutOfBand(in, IPP_TAG_PRINTER, IPP_TAG_UNKNOWN, "pages-per-minute");
	convert();
	assert_int_equal(ippGetValueTag(ippFindAttribute(out, "printer-info", IPP_TAG_ZERO)),
	                 IPP_TAG_TEXT);
	assert_strings("output-bin-supported", "face-down");
	assert_int_equal(ippGetValueTag(ippFindAttribute(out, "marker-names", IPP_TAG_ZERO)),
	                 IPP_TAG_NAME);
	assert_strings("media-type-supported", "Our Paper");
	assert_absent("document-format-preferred");
	assert_non_null(ippFindAttribute(out, "pdf-k-octets-supported", IPP_TAG_RANGE));
	assert_non_null(ippFindAttribute(out, "finishings-default", IPP_TAG_ENUM));
	assert_absent("color-supported");
	assert_non_null(ippFindAttribute(out, "media-default", IPP_TAG_NOVALUE));
	assert_absent("pages-per-minute");
}

static void test_single_attributes_get_one_value(void **state)
{
	(void)state;
	keywords("pwg-raster-document-sheet-back", "rotated,flipped");
	add(IPP_TAG_TEXT, "printer-location", "here,there");
	keywords("printer-kind", "document,photo");
	convert();
	assert_strings("pwg-raster-document-sheet-back", "rotated");
	assert_strings("printer-location", "here");
	assert_strings("printer-kind", "document,photo");
}

static void test_values_that_are_too_long_are_left_out(void **state)
{
	char text[1200];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-info", NULL, text);
	text[300] = '\0';
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-kind", NULL, text);
	convert();
	assert_absent("printer-info");
	assert_absent("printer-kind");
}

static void test_the_state_goes_before_and_alone_brings_nothing_else(void **state)
{
	ipp_t *now = ippNew(), *was = ippNew();
	struct attrs *s, *c;

	(void)state;
	ippAddInteger(now, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", 4);
	ippAddString(now, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL,
	             "media-low-warning");
	ippAddInteger(was, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", 3);
	s = attrs_new(now);
	c = attrs_new(was);
	out = up_attributes_new(NULL, s, &host);
	assert_numbers("printer-state", "4");
	assert_strings("printer-state-reasons", "media-low-warning");
	assert_absent("copies-default");
	assert_absent("microsoft-universal-print-connector-id");
	ippDelete(out);
	out = up_attributes_new(c, s, &host);
	assert_numbers("printer-state", "4");
	assert_true(holds("printer-state-reasons"));
	attrs_unref(s);
	attrs_unref(c);
}

static void test_the_connector_says_who_it_is(void **state)
{
	(void)state;
	add(IPP_TAG_TEXT, "printer-make-and-model", "Acme 1");
	convert();
	assert_strings("microsoft-universal-print-connector-app-version", "1.2");
	assert_strings("microsoft-universal-print-connector-operating-system", "Linux 6.1");
	assert_strings("microsoft-universal-print-connector-id", "lab host");
	assert_strings("microsoft-universal-printer-driver-name", "Acme 1");
}

/* ---- the rules ---- */

static void test_rule_copies_default(void **state)
{
	(void)state;
	assert_fits("copies-default");
	assert_numbers("copies-default", "1");
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "copies-default", -3);
	convert();
	assert_numbers("copies-default", "1");
}

static void test_rule_copies_supported(void **state)
{
	int upper = 0;

	(void)state;
	assert_fits("copies-supported");
	assert_int_equal(
		ippGetRange(ippFindAttribute(out, "copies-supported", IPP_TAG_RANGE), 0, &upper),
		1);
	assert_int_equal(upper, 1); /* no more than any printer can */
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "copies-supported", 99);
	convert();
	assert_int_equal(
		ippGetRange(ippFindAttribute(out, "copies-supported", IPP_TAG_RANGE), 0, &upper),
		1);
	assert_int_equal(upper, 99);
}

static void test_rule_document_format_default(void **state)
{
	(void)state;
	add(IPP_TAG_MIMETYPE, "document-format-supported", "image/jpeg,application/pdf");
	assert_fits("document-format-default");
	assert_strings("document-format-default", "image/jpeg");
	add(IPP_TAG_MIMETYPE, "document-format-default", "application/pdf");
	convert();
	assert_strings("document-format-default", "application/pdf");
}

static void test_rule_document_format_supported(void **state)
{
	(void)state;
	convert();
	assert_false(holds("document-format-supported")); /* nothing is invented */
	assert_absent("document-format-default");
}

static void test_rule_finishings_default(void **state)
{
	(void)state;
	ENUMS("finishings-supported", 4, 3);
	ENUMS("finishings-default", 7);
	assert_fits("finishings-default");
	assert_numbers("finishings-default", "3");
}

static void test_rule_finishings_supported(void **state)
{
	(void)state;
	ENUMS("finishings-supported", 4);
	assert_fits("finishings-supported");
	assert_numbers("finishings-supported", "4,3");
}

static ipp_t *size_of(int x, int y)
{
	ipp_t *size = ippNew();

	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", x);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", y);
	return size;
}

static ipp_t *entry_of(bool sized, const char *type)
{
	ipp_t *entry = ippNew(), *size = size_of(21000, 29700);

	if (sized)
		ippAddCollection(entry, IPP_TAG_ZERO, "media-size", size);
	ippAddInteger(entry, IPP_TAG_ZERO, IPP_TAG_INTEGER, "media-top-margin", 300);
	if (type)
		ippAddString(entry, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "media-type", NULL, type);
	ippDelete(size);
	return entry;
}

static void database(const char *type)
{
	ipp_t *whole = entry_of(true, type), *without = entry_of(false, type);
	const ipp_t *list[] = { whole, without };

	ippAddCollections(in, IPP_TAG_PRINTER, "media-col-database", 2, list);
	ippDelete(whole);
	ippDelete(without);
}

static void test_rule_media_col_database(void **state)
{
	ipp_attribute_t *a;
	ipp_t *entry, *feed;

	(void)state;
	database("stationery");
	keywords("feed-orientation-default", "long-edge-first");
	assert_fits("media-col-database");
	a = ippFindAttribute(out, "media-col-database", IPP_TAG_BEGIN_COLLECTION);
	assert_int_equal(ippGetCount(a), 1); /* one without a size is none */
	entry = ippGetCollection(a, 0);
	assert_int_equal(ipp_get_int(entry, IPP_TAG_ZERO, "media-top-margin", 0), 300);
	feed = ippGetCollection(ippFindAttribute(entry, "media-source-properties", IPP_TAG_ZERO),
	                        0);
	assert_string_equal(ipp_get_text(feed, IPP_TAG_ZERO, "media-source-feed-direction", ""),
	                    "long-edge-first");
}

static void test_rule_media_col_database_of_names(void **state)
{
	ipp_attribute_t *a;
	ipp_t *entry, *size;

	(void)state;
	keywords("media-supported", "iso_a4_210x297mm,na_letter_8.5x11in,custom_max_300x500mm,x");
	keywords("media-type-supported", "stationery");
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "media-left-margin-supported", 423);
	assert_fits("media-col-database");
	a = ippFindAttribute(out, "media-col-database", IPP_TAG_BEGIN_COLLECTION);
	assert_int_equal(ippGetCount(a), 2);
	entry = ippGetCollection(a, 0);
	size = ippGetCollection(ippFindAttribute(entry, "media-size", IPP_TAG_ZERO), 0);
	assert_int_equal(ipp_get_int(size, IPP_TAG_ZERO, "x-dimension", 0), 21000);
	assert_int_equal(ipp_get_int(entry, IPP_TAG_ZERO, "media-left-margin", 0), 423);
	assert_int_equal(ipp_get_int(entry, IPP_TAG_ZERO, "media-top-margin", -1), -1);
}

static void test_rule_media_col_default(void **state)
{
	ipp_t *entry = entry_of(true, "gold"), *size;

	(void)state;
	keywords("media-supported", "na_letter_8.5x11in,iso_a4_210x297mm");
	keywords("media-default", "iso_a4_210x297mm");
	keywords("media-type-supported", "stationery");
	ippAddCollection(in, IPP_TAG_PRINTER, "media-col-default", entry);
	ippDelete(entry);
	assert_fits("media-col-default");
	entry = ippGetCollection(ippFindAttribute(out, "media-col-default", IPP_TAG_ZERO), 0);
	size = ippGetCollection(ippFindAttribute(entry, "media-size", IPP_TAG_ZERO), 0);
	assert_int_equal(ipp_get_int(size, IPP_TAG_ZERO, "y-dimension", 0), 29700);
}

static void test_rule_media_col_supported(void **state)
{
	(void)state;
	database("stationery");
	assert_fits("media-col-supported");
	assert_strings("media-col-supported",
	               "media-size,media-top-margin,media-type,media-source-properties");
}

static void test_rule_media_supported(void **state)
{
	(void)state;
	convert();
	assert_false(holds("media-supported"));
	assert_absent("media-col-database");
	keywords("media-supported", "iso_a4_210x297mm");
	convert();
	assert_true(holds("media-supported"));
}

static void test_rule_media_type_supported(void **state)
{
	(void)state;
	database("stationery-coated");
	assert_fits("media-type-supported");
	assert_strings("media-type-supported", "stationery-coated");
}

static void test_rule_number_up(void **state)
{
	(void)state;
	ippAddIntegers(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "number-up-supported", 3,
	               (int[]){ 0, 1, 2 });
	ippAddInteger(in, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "number-up-default", 0);
	assert_fits("number-up-default");
	assert_numbers("number-up-supported", "1,2");
	assert_absent("number-up-default");
}

static void test_rule_orientation_default(void **state)
{
	(void)state;
	ENUMS("orientation-requested-supported", 4, 3);
	ippAddOutOfBand(in, IPP_TAG_PRINTER, IPP_TAG_NOVALUE, "orientation-requested-default");
	assert_fits("orientation-requested-default");
	assert_numbers("orientation-requested-default", "4");
}

static void test_rule_orientation_supported(void **state)
{
	(void)state;
	ENUMS("orientation-requested-supported", 3, 7, 5);
	assert_fits("orientation-requested-supported");
	assert_numbers("orientation-requested-supported", "3,5");
}

static void test_rule_output_bin(void **state)
{
	(void)state;
	keywords("output-bin-supported", "face-up,tray-1");
	keywords("output-bin-default", "mailbox-9");
	assert_fits("output-bin-default");
	assert_strings("output-bin-default", "face-up");
	assert_true(holds("output-bin-supported"));
}

static void test_rule_output_bin_is_not_invented(void **state)
{
	(void)state;
	convert();
	assert_false(holds("output-bin-supported"));
	assert_absent("output-bin-supported");
}

static void test_rule_print_color_mode_default(void **state)
{
	(void)state;
	keywords("print-color-mode-supported", "color,monochrome");
	keywords("print-color-mode-default", "auto");
	assert_fits("print-color-mode-default");
	assert_strings("print-color-mode-default", "color");
}

static void test_rule_print_color_mode_supported(void **state)
{
	(void)state;
	keywords("print-color-mode-supported", "auto-monochrome,photo");
	assert_fits("print-color-mode-supported");
	assert_strings("print-color-mode-supported", "auto-monochrome,monochrome");
	ippDelete(in);
	in = ippNew();
	ippAddBoolean(in, IPP_TAG_PRINTER, "color-supported", 0);
	assert_fits("print-color-mode-supported");
	assert_strings("print-color-mode-supported", "monochrome");
	ippDelete(in);
	in = ippNew();
	keywords("print-color-mode-supported", "color");
	convert();
	/* the service insists; a job that asks for it says that it was lost */
	assert_strings("print-color-mode-supported", "color,monochrome");
}

static void test_rule_print_quality(void **state)
{
	(void)state;
	ENUMS("print-quality-supported", 3, 4, 9);
	assert_fits("print-quality-supported");
	assert_numbers("print-quality-supported", "3,4");
	assert_true(holds("print-quality-default"));
	ippDelete(in);
	in = ippNew();
	assert_fits("print-quality-default");
	assert_numbers("print-quality-supported", "4");
}

static void test_rule_printer_make_and_model(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'm', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL, text);
	assert_fits("printer-make-and-model");
	assert_int_equal(strlen(ipp_get_text(out, IPP_TAG_PRINTER, "printer-make-and-model", "")),
	                 127);
	ippDelete(in);
	in = ippNew();
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL, "");
	convert();
	assert_absent("printer-make-and-model"); /* an empty one would be refused */
}

static void test_rule_printer_location(void **state)
{
	char text[400] = "";

	(void)state;
	for (int i = 0; i < 99; i++)
		memcpy(text + 3 * i, "\xe2\x82\xac", 3);
	ippAddString(in, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-location", NULL, text);
	assert_fits("printer-location");
	assert_int_equal(strlen(ipp_get_text(out, IPP_TAG_PRINTER, "printer-location", "")), 126);
}

static void test_rule_printer_resolution(void **state)
{
	ipp_res_t units;
	int y;

	(void)state;
	ippAddResolution(in, IPP_TAG_PRINTER, "printer-resolution-supported", IPP_RES_PER_INCH, 600,
	                 300);
	assert_fits("printer-resolution-supported");
	assert_int_equal(
		ippGetResolution(ippFindAttribute(out, "printer-resolution-default", IPP_TAG_ZERO),
	                         0, &y, &units),
		600);
	assert_int_equal(y, 300);
}

static void test_rule_printer_state(void **state)
{
	(void)state;
	ENUMS("printer-state", 3);
	ippAddBoolean(in, IPP_TAG_PRINTER, "printer-is-accepting-jobs", 1);
	assert_fits("printer-state-reasons");
	assert_strings("printer-state-reasons", "none");
	assert_true(holds("printer-state"));
	assert_true(holds("printer-is-accepting-jobs"));
	ippDelete(in);
	in = ippNew();
	ENUMS("printer-state", 9);
	convert();
	assert_absent("printer-state");
	assert_false(holds("printer-is-accepting-jobs"));
}

static void test_rule_sides(void **state)
{
	(void)state;
	keywords("sides-supported", "two-sided-long-edge,tumble,one-sided");
	keywords("sides-default", "tumble");
	assert_fits("sides-supported");
	assert_strings("sides-supported", "two-sided-long-edge,one-sided");
	assert_strings("sides-default", "two-sided-long-edge");
	assert_true(holds("sides-default"));
	ippDelete(in);
	in = ippNew();
	assert_fits("sides-default");
	assert_strings("sides-supported", "one-sided");
}

static void test_rule_charset(void **state)
{
	(void)state;
	add(IPP_TAG_CHARSET, "charset-configured", "us-ascii");
	add(IPP_TAG_CHARSET, "charset-supported", "us-ascii,utf-8");
	assert_fits("charset-configured");
	assert_strings("charset-supported", "utf-8");
}

static void test_rule_natural_language(void **state)
{
	(void)state;
	add(IPP_TAG_LANGUAGE, "natural-language-configured", "fr");
	assert_fits("natural-language-configured");
	assert_strings("natural-language-configured", "fr");
	assert_strings("generated-natural-language-supported", "en");
}

static void test_rule_pdf(void **state)
{
	(void)state;
	add(IPP_TAG_MIMETYPE, "document-format-supported", "application/pdf");
	assert_fits("pdf-versions-supported");
	assert_strings("print-scaling-default", "auto");
	assert_non_null(ippFindAttribute(out, "pdf-k-octets-supported", IPP_TAG_RANGE));
}

static void test_rule_pwg_raster(void **state)
{
	static const char rule[] = "pwg-raster-document-resolution-supported";

	(void)state;
	add(IPP_TAG_MIMETYPE, "document-format-supported", "application/pdf,image/pwg-raster");
	add(IPP_TAG_MIMETYPE, "document-format-default", "image/pwg-raster");
	assert_fits(rule);
	assert_strings("document-format-supported", "application/pdf");
	assert_strings("document-format-default", "application/pdf");
	ippAddResolution(in, IPP_TAG_PRINTER, rule, IPP_RES_PER_INCH, 300, 300);
	keywords("pwg-raster-document-type-supported", "sgray_8");
	assert_fits(rule);
	assert_strings("document-format-default", "image/pwg-raster");
	assert_strings("pwg-raster-document-sheet-back", "normal");
}

static void test_rule_pclm(void **state)
{
	(void)state;
	add(IPP_TAG_MIMETYPE, "document-format-supported", "application/PCLm,application/pdf");
	assert_fits("pclm-raster-back-side");
	assert_strings("document-format-supported", "application/pdf");
	ippDelete(in);
	in = ippNew();
	add(IPP_TAG_MIMETYPE, "document-format-supported", "application/PCLm");
	convert();
	assert_absent("document-format-supported");
}

static void test_an_empty_queue_breaks_only_what_would_be_invented(void **state)
{
	static const char *const expected[] = {
		"document-format-default",
		"document-format-supported",
		"media-col-database",
		"media-col-default",
		"media-col-supported",
		"media-supported",
		"media-type-supported",
		"output-bin-default",
		"output-bin-supported",
		"print-color-mode-default",
		"print-color-mode-supported",
		"printer-is-accepting-jobs",
		"printer-make-and-model",
		"printer-resolution-supported",
		"printer-state",
		"printer-state-reasons",
	};
	const char *broken[64];
	size_t n;

	(void)state;
	convert();
	n = up_attributes_check(out, broken, ARRAY_SIZE(broken));
	assert_int_equal(n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(broken[i], expected[i]);
	assert_int_equal(up_attributes_check(out, broken, 2), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_table_is_sorted_and_whole),
		TEST(test_what_the_service_does_not_take_is_left_out),
		TEST(test_wrong_syntaxes_are_put_right_or_left_out),
		TEST(test_single_attributes_get_one_value),
		TEST(test_values_that_are_too_long_are_left_out),
		TEST(test_the_state_goes_before_and_alone_brings_nothing_else),
		TEST(test_the_connector_says_who_it_is),
		TEST(test_rule_copies_default),
		TEST(test_rule_copies_supported),
		TEST(test_rule_document_format_default),
		TEST(test_rule_document_format_supported),
		TEST(test_rule_finishings_default),
		TEST(test_rule_finishings_supported),
		TEST(test_rule_media_col_database),
		TEST(test_rule_media_col_database_of_names),
		TEST(test_rule_media_col_default),
		TEST(test_rule_media_col_supported),
		TEST(test_rule_media_supported),
		TEST(test_rule_media_type_supported),
		TEST(test_rule_number_up),
		TEST(test_rule_orientation_default),
		TEST(test_rule_orientation_supported),
		TEST(test_rule_output_bin),
		TEST(test_rule_output_bin_is_not_invented),
		TEST(test_rule_print_color_mode_default),
		TEST(test_rule_print_color_mode_supported),
		TEST(test_rule_print_quality),
		TEST(test_rule_printer_make_and_model),
		TEST(test_rule_printer_location),
		TEST(test_rule_printer_resolution),
		TEST(test_rule_printer_state),
		TEST(test_rule_sides),
		TEST(test_rule_charset),
		TEST(test_rule_natural_language),
		TEST(test_rule_pdf),
		TEST(test_rule_pwg_raster),
		TEST(test_rule_pclm),
		TEST(test_an_empty_queue_breaks_only_what_would_be_invented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
