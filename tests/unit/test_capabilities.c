/* What of a printer's answer reaches the cloud, and what must not. */
#include "connector/printer/capabilities.h"
#include "connector/printer/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"

static const struct example {
	const char *name;
	ipp_tag_t tag;
	bool forwarded;
} examples[] = {
	/* tables 7 and 8 of PWG 5100.18 */
	{ "charset-configured", IPP_TAG_CHARSET, true },
	{ "charset-supported", IPP_TAG_CHARSET, true },
	{ "color-supported", IPP_TAG_BOOLEAN, true },
	{ "compression-supported", IPP_TAG_KEYWORD, true },
	{ "copies-default", IPP_TAG_INTEGER, true },
	{ "copies-supported", IPP_TAG_RANGE, true },
	{ "document-password-supported", IPP_TAG_INTEGER, true },
	{ "feed-orientation-default", IPP_TAG_KEYWORD, true },
	{ "feed-orientation-supported", IPP_TAG_KEYWORD, true },
	{ "finishings-default", IPP_TAG_ENUM, true },
	{ "finishings-ready", IPP_TAG_ENUM, true },
	{ "finishings-supported", IPP_TAG_ENUM, true },
	{ "finishings-col-database", IPP_TAG_BEGIN_COLLECTION, true },
	{ "finishings-col-ready", IPP_TAG_BEGIN_COLLECTION, true },
	{ "ipp-features-supported", IPP_TAG_KEYWORD, true },
	{ "ipp-versions-supported", IPP_TAG_KEYWORD, true },
	{ "job-constraints-supported", IPP_TAG_BEGIN_COLLECTION, true },
	{ "job-creation-attributes-supported", IPP_TAG_KEYWORD, true },
	{ "job-resolvers-supported", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-bottom-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-col-database", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-col-default", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-col-ready", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-col-supported", IPP_TAG_KEYWORD, true },
	{ "media-default", IPP_TAG_KEYWORD, true },
	{ "media-left-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-ready", IPP_TAG_KEYWORD, true },
	{ "media-right-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-size-supported", IPP_TAG_BEGIN_COLLECTION, true },
	{ "media-source-supported", IPP_TAG_KEYWORD, true },
	{ "media-supported", IPP_TAG_KEYWORD, true },
	{ "media-top-margin-supported", IPP_TAG_INTEGER, true },
	{ "media-type-supported", IPP_TAG_KEYWORD, true },
	{ "multiple-document-handling-default", IPP_TAG_KEYWORD, true },
	{ "multiple-document-handling-supported", IPP_TAG_KEYWORD, true },
	{ "natural-language-configured", IPP_TAG_LANGUAGE, true },
	{ "orientation-requested-default", IPP_TAG_ENUM, true },
	{ "output-bin-supported", IPP_TAG_KEYWORD, true },
	{ "overrides-supported", IPP_TAG_KEYWORD, true },
	{ "page-ranges-supported", IPP_TAG_BOOLEAN, true },
	{ "pages-per-minute", IPP_TAG_INTEGER, true },
	{ "pages-per-minute-color", IPP_TAG_INTEGER, true },
	{ "print-color-mode-default", IPP_TAG_KEYWORD, true },
	{ "print-content-optimize-supported", IPP_TAG_KEYWORD, true },
	{ "print-quality-supported", IPP_TAG_ENUM, true },
	{ "print-rendering-intent-supported", IPP_TAG_KEYWORD, true },
	{ "printer-device-id", IPP_TAG_TEXT, true },
	{ "printer-geo-location", IPP_TAG_URI, true },
	{ "printer-info", IPP_TAG_TEXT, true },
	{ "printer-location", IPP_TAG_TEXT, true },
	{ "printer-make-and-model", IPP_TAG_TEXT, true },
	{ "printer-name", IPP_TAG_NAME, true },
	{ "printer-organization", IPP_TAG_TEXT, true },
	{ "printer-organizational-unit", IPP_TAG_TEXT, true },
	{ "printer-resolution-supported", IPP_TAG_RESOLUTION, true },
	{ "printer-config-change-time", IPP_TAG_INTEGER, true },
	{ "pwg-raster-document-resolution-supported", IPP_TAG_RESOLUTION, true },
	{ "pwg-raster-document-sheet-back", IPP_TAG_KEYWORD, true },
	{ "pwg-raster-document-type-supported", IPP_TAG_KEYWORD, true },
	{ "sides-default", IPP_TAG_KEYWORD, true },
	{ "sides-supported", IPP_TAG_KEYWORD, true },
	/* SHOULD, and what clients look for */
	{ "client-info-supported", IPP_TAG_KEYWORD, true },
	{ "identify-actions-supported", IPP_TAG_KEYWORD, true },
	{ "job-password-supported", IPP_TAG_INTEGER, true },
	{ "job-release-action-supported", IPP_TAG_KEYWORD, true },
	{ "proof-copies-supported", IPP_TAG_RANGE, true },
	{ "urf-supported", IPP_TAG_KEYWORD, true },
	/* MUST NOT */
	{ "ippget-event-life", IPP_TAG_INTEGER, false },
	{ "job-ids-supported", IPP_TAG_BOOLEAN, false },
	{ "multiple-document-jobs-supported", IPP_TAG_BOOLEAN, false },
	{ "multiple-operation-time-out", IPP_TAG_INTEGER, false },
	{ "multiple-operation-time-out-action", IPP_TAG_KEYWORD, false },
	{ "notify-events-default", IPP_TAG_KEYWORD, false },
	{ "notify-events-supported", IPP_TAG_KEYWORD, false },
	{ "oauth-authorization-server-uri", IPP_TAG_URI, false },
	{ "output-device-uuid-supported", IPP_TAG_URI, false },
	{ "printer-get-attributes-supported", IPP_TAG_KEYWORD, false },
	{ "printer-mode-configured", IPP_TAG_KEYWORD, false },
	{ "printer-mode-supported", IPP_TAG_KEYWORD, false },
	{ "printer-more-info", IPP_TAG_URI, false },
	{ "printer-supply-info-uri", IPP_TAG_URI, false },
	{ "printer-uri-supported", IPP_TAG_URI, false },
	{ "printer-uuid", IPP_TAG_URI, false },
	{ "printer-xri-supported", IPP_TAG_KEYWORD, false },
	{ "uri-authentication-supported", IPP_TAG_KEYWORD, false },
	{ "uri-security-supported", IPP_TAG_KEYWORD, false },
	{ "which-jobs-supported", IPP_TAG_KEYWORD, false },
	/* of this network or host only, or what changes by itself */
	{ "printer-icons", IPP_TAG_URI, false },
	{ "printer-strings-uri", IPP_TAG_URI, false },
	{ "device-uri", IPP_TAG_URI, false },
	{ "printer-dns-sd-name", IPP_TAG_NAME, false },
	{ "printer-type", IPP_TAG_ENUM, false },
	{ "printer-op-policy", IPP_TAG_NAME, false },
	{ "operations-supported", IPP_TAG_ENUM, false },
	{ "printer-state", IPP_TAG_ENUM, false },
	{ "printer-state-reasons", IPP_TAG_KEYWORD, false },
	{ "queued-job-count", IPP_TAG_INTEGER, false },
	{ "acme-supported", IPP_TAG_KEYWORD, false },
};

/* A collection that is of use wherever one belongs. */
static void add_media(ipp_t *m, const char *name)
{
	ipp_t *size = ippNew(), *media = ippNew();

	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", 21000);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", 29700);
	ippAddCollection(media, IPP_TAG_ZERO, "media-size", size);
	ippAddCollection(m, IPP_TAG_PRINTER, name,
	                 strcmp(name, "media-size-supported") == 0 ? size : media);
	ippDelete(size);
	ippDelete(media);
}

static void add(ipp_t *m, const char *name, ipp_tag_t tag)
{
	if (tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM)
		ippAddInteger(m, IPP_TAG_PRINTER, tag, name, 1);
	else if (tag == IPP_TAG_BOOLEAN)
		ippAddBoolean(m, IPP_TAG_PRINTER, name, 1);
	else if (tag == IPP_TAG_RANGE)
		ippAddRange(m, IPP_TAG_PRINTER, name, 1, 2);
	else if (tag == IPP_TAG_RESOLUTION)
		ippAddResolution(m, IPP_TAG_PRINTER, name, IPP_RES_PER_INCH, 600, 600);
	else if (tag == IPP_TAG_BEGIN_COLLECTION)
		add_media(m, name);
	else
		ippAddString(m, IPP_TAG_PRINTER, tag, name, NULL,
		             tag == IPP_TAG_URI ? "geo:1,2" : "x");
}

static bool tells_actions(int operation, bool cups)
{
	ipp_t *m = ippNew();
	struct attrs *attrs;
	bool there;

	add(m, "identify-actions-supported", IPP_TAG_KEYWORD);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", operation);
	attrs = capabilities_new(m, cups, NULL);
	there = ippFindAttribute(attrs_ipp(attrs), "identify-actions-supported", IPP_TAG_ZERO);
	attrs_unref(attrs);
	ippDelete(m);
	return there;
}

static void test_only_who_can_identify_itself_says_how(void **state)
{
	(void)state;
	assert_true(tells_actions(IPP_OP_IDENTIFY_PRINTER, false));
	assert_false(tells_actions(IPP_OP_PRINT_JOB, false));
	assert_false(tells_actions(IPP_OP_IDENTIFY_PRINTER, true)); /* CUPS has it from elsewhere */
}

static void test_each_attribute_is_forwarded_or_kept_as_the_standard_says(void **state)
{
	struct attrs *attrs;
	ipp_t *m = ippNew();
	size_t i;

	(void)state;
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported",
	              IPP_OP_IDENTIFY_PRINTER);
	for (i = 0; i < ARRAY_SIZE(examples); i++)
		add(m, examples[i].name, examples[i].tag);
	attrs = capabilities_new(m, false, NULL);
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		bool there =
			ippFindAttribute(attrs_ipp(attrs), examples[i].name, IPP_TAG_ZERO) != NULL;

		if (there != examples[i].forwarded)
			fail_msg("%s is%s forwarded", examples[i].name, there ? "" : " not");
	}
	attrs_unref(attrs);
	ippDelete(m);
}

static const struct formats {
	const char *model;
	const char *offered[6];
	const char *wish; /* the printer's default */
	const char *expected, *expected_default;
} formats[] = {
	{ "Laser",
	  { "application/octet-stream", "application/pdf", "application/postscript",
	    "application/vnd.cups-raw", "image/urf", "text/plain" },
	  "application/octet-stream",
	  "application/pdf,image/urf",
	  "application/pdf" },
	{ "Photo",
	  { "image/jpeg", "image/pwg-raster" },
	  "image/jpeg",
	  "image/pwg-raster,image/jpeg",
	  "image/jpeg" },
	{ "Local Raw Printer",
	  { "application/octet-stream", "application/pdf", "image/jpeg", "image/urf" },
	  "application/octet-stream",
	  "application/pdf",
	  "application/pdf" },
	{ "Only PostScript", { "application/postscript" }, "application/postscript", "", "" },
};

static ipp_t *new_answer(const struct formats *f)
{
	ipp_t *m = ippNew();
	int n;

	for (n = 0; n < 6 && f->offered[n] != NULL; n++)
		;
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL, f->model);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-default", NULL,
	             f->wish);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported", n, NULL,
	              f->offered);
	return m;
}

static void test_only_formats_that_may_come_from_a_cloud_are_offered(void **state)
{
	char list[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		ipp_t *m = new_answer(&formats[i]);
		struct attrs *attrs = capabilities_new(m, true, NULL);

		ipp_join_text(attrs_ipp(attrs), IPP_TAG_ZERO, "document-format-supported", list,
		              sizeof(list));
		assert_string_equal(list, formats[i].expected);
		ipp_join_text(attrs_ipp(attrs), IPP_TAG_ZERO, "document-format-default", list,
		              sizeof(list));
		assert_string_equal(list, formats[i].expected_default);
		attrs_unref(attrs);
		ippDelete(m);
	}
}

static void test_a_class_of_printers_is_not_raw(void **state)
{
	ipp_t *m = new_answer(&formats[2]);

	(void)state;
	assert_true(capabilities_is_raw(m));
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-type", CUPS_PRINTER_CLASS);
	assert_false(capabilities_is_raw(m));
	ippDelete(m);
}

static void test_other_groups_and_repetitions_are_left_out(void **state)
{
	ipp_t *m = ippNew();
	struct attrs *attrs;

	(void)state;
	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "sides-supported", NULL, "no");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-default", NULL, "first");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-default", NULL, "second");
	attrs = capabilities_new(m, false, NULL);
	assert_null(ippFindAttribute(attrs_ipp(attrs), "sides-supported", IPP_TAG_ZERO));
	assert_string_equal(ipp_get_text(attrs_ipp(attrs), IPP_TAG_ZERO, "media-default", ""),
	                    "first");
	assert_non_null(ippFindAttribute(attrs_ipp(attrs), "media-default", IPP_TAG_ZERO));
	assert_null(ippFindNextAttribute(attrs_ipp(attrs), "media-default", IPP_TAG_ZERO));
	attrs_unref(attrs);
	ippDelete(m);
}

/* RFC 8010, 3.9: a boolean is 0x00 or 0x01. */
static void test_a_boolean_is_one_of_two(void **state)
{
	ipp_t *m = ippNew();
	struct attrs *attrs;

	(void)state;
	ippAddBoolean(m, IPP_TAG_PRINTER, "color-supported", 2);
	attrs = capabilities_new(m, false, NULL);
	assert_int_equal(
		ippGetBoolean(
			ippFindAttribute(attrs_ipp(attrs), "color-supported", IPP_TAG_BOOLEAN), 0),
		1);
	attrs_unref(attrs);
	ippDelete(m);
}

static ipp_attribute_t *sheets(const char *before, const char *after, struct attrs **ret)
{
	const char *both[] = { before, after };
	ipp_t *m = ippNew();

	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "job-sheets-default", 2, NULL, both);
	*ret = capabilities_new(m, true, NULL);
	ippDelete(m);
	return ippFindAttribute(attrs_ipp(*ret), "job-sheets-default", IPP_TAG_ZERO);
}

static void test_the_two_banners_of_cups_are_one_or_none(void **state)
{
	struct attrs *attrs;
	ipp_attribute_t *attr = sheets("none", "none", &attrs);

	(void)state;
	assert_non_null(attr);
	assert_int_equal(ippGetCount(attr), 1);
	assert_string_equal(ippGetString(attr, 0, NULL), "none");
	attrs_unref(attrs);
	assert_null(sheets("standard", "none", &attrs));
	attrs_unref(attrs);
}

static void test_the_same_answer_has_the_same_hash(void **state)
{
	ipp_t *m = new_answer(&formats[0]);
	struct attrs *a = capabilities_new(m, true, NULL), *b = capabilities_new(m, true, NULL), *c;

	(void)state;
	assert_true(attrs_equal(a, b));
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-up-time", 77);
	c = capabilities_new(m, true, NULL);
	assert_true(attrs_equal(a, c));
	attrs_unref(c);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "pages-per-minute", 7);
	c = capabilities_new(m, true, NULL);
	assert_false(attrs_equal(a, c));
	attrs_unref(a);
	attrs_unref(b);
	attrs_unref(c);
	ippDelete(m);
}

static bool allows_postscript(void *data, const char *format)
{
	(void)data;
	return strcmp(format, "application/postscript") == 0;
}

static void test_what_the_administrator_allows_is_told_behind_the_safe_formats(void **state)
{
	static const char *const all[] = { "application/octet-stream", "application/postscript",
		                           "application/pdf", "text/plain" };
	const struct queue_listener listener = { .allows = allows_postscript };
	ipp_t *m = ippNew();
	struct attrs *attrs;
	char text[256];

	(void)state;
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported", 4, NULL,
	              all);
	attrs = capabilities_new(m, true, &listener);
	ipp_join_text(attrs_ipp(attrs), IPP_TAG_ZERO, "document-format-supported", text,
	              sizeof(text));
	assert_string_equal(text, "application/pdf,application/postscript");
	attrs_unref(attrs);
	ippDelete(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_who_can_identify_itself_says_how),
		cmocka_unit_test(test_each_attribute_is_forwarded_or_kept_as_the_standard_says),
		cmocka_unit_test(test_only_formats_that_may_come_from_a_cloud_are_offered),
		cmocka_unit_test(test_a_class_of_printers_is_not_raw),
		cmocka_unit_test(test_other_groups_and_repetitions_are_left_out),
		cmocka_unit_test(test_a_boolean_is_one_of_two),
		cmocka_unit_test(
			test_what_the_administrator_allows_is_told_behind_the_safe_formats),
		cmocka_unit_test(test_the_two_banners_of_cups_are_one_or_none),
		cmocka_unit_test(test_the_same_answer_has_the_same_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
