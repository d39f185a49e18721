#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/core/sniff.h"

static const struct config_queue plain;

static const struct {
	const char *format;
	const char *bytes;
	size_t len;
} documents[] = {
	{ "application/pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", 15 },
	{ "image/pwg-raster", "RaS2PwgRaster\0\0\0", 16 },
	{ "image/urf", "UNIRAST\0\0\0\0\1", 12 },
	{ "image/jpeg", "\xff\xd8\xff\xe0\0\x10JFIF", 10 },
	{ "image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16 },
};

static struct config_queue allowing(char **items, size_t n)
{
	return (struct config_queue){ .allow_formats = { items, n } };
}

/* Whether it may go, and as what it was recognized. */
static int check(const char *bytes, size_t len, const char *declared,
                 const struct config_queue *queue, char format[NAME_SIZE], struct err *err)
{
	format[0] = '\0';
	err_clear(err);
	return sniff_check(bytes, len, declared, queue, format, err);
}

static void assert_refused(const char *bytes, size_t len, const char *declared,
                           const struct config_queue *queue, int code, const char *says)
{
	char format[NAME_SIZE];
	struct err err;

	assert_int_equal(check(bytes, len, declared, queue, format, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, code);
	assert_string_equal(format, "");
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void assert_goes(const char *bytes, size_t len, const char *declared,
                        const struct config_queue *queue, const char *as)
{
	char format[NAME_SIZE];
	struct err err;

	if (check(bytes, len, declared, queue, format, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(format, as);
}

static void test_each_format_is_known_by_its_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		assert_string_equal(sniff(documents[i].bytes, documents[i].len),
		                    documents[i].format);
}

static void test_a_document_cut_in_its_signature_is_of_no_format(void **state)
{
	(void)state;
	assert_null(sniff("%PDF", 4));
	assert_null(sniff("RaS", 3));
	assert_null(sniff("UNIRAST", 7));
	assert_null(sniff("\xff\xd8", 2));
	assert_null(sniff("\x89PNG\r\n\x1a", 7));
	assert_null(sniff("", 0));
}

static void test_a_document_that_is_what_it_says_goes_as_that(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		assert_goes(documents[i].bytes, documents[i].len, documents[i].format, &plain,
		            documents[i].format);
}

static void test_a_document_of_unsaid_type_goes_under_its_real_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		assert_goes(documents[i].bytes, documents[i].len, "", &plain, documents[i].format);
		assert_goes(documents[i].bytes, documents[i].len, "application/octet-stream",
		            &plain, documents[i].format);
	}
}

static void test_a_document_that_is_another_type_is_refused(void **state)
{
	(void)state;
	for (size_t is = 0; is < ARRAY_SIZE(documents); is++)
		for (size_t says = 0; says < ARRAY_SIZE(documents); says++)
			if (is != says)
				assert_refused(documents[is].bytes, documents[is].len,
				               documents[says].format, &plain, IPP_FORMAT_ERROR,
				               documents[is].format);
}

static void test_a_document_that_is_nothing_known_is_refused(void **state)
{
	(void)state;
	assert_refused("hello, world", 12, "application/pdf", &plain, IPP_FORMAT_ERROR,
	               "something else");
	assert_refused("hello, world", 12, "", &plain, IPP_FORMAT_NOT_SUPPORTED, "allow-formats");
	assert_refused("hello, world", 12, "application/octet-stream", &plain,
	               IPP_FORMAT_NOT_SUPPORTED, "allow-formats");
}

static void test_an_empty_document_is_refused(void **state)
{
	(void)state;
	assert_refused("", 0, "application/pdf", &plain, IPP_FORMAT_ERROR, "empty");
	assert_refused("", 0, "", &plain, IPP_FORMAT_ERROR, "empty");
}

static void test_printer_commands_before_a_pdf_are_refused(void **state)
{
	static const char pjl[] = "\x1b%-12345X@PJL SET X\n%PDF-1.7";

	(void)state;
	assert_refused(pjl, SNIFF_BYTES, "application/pdf", &plain, IPP_FORMAT_ERROR,
	               "application/vnd.cups-raw");
	assert_refused(pjl, SNIFF_BYTES, "", &plain, IPP_FORMAT_NOT_SUPPORTED,
	               "application/vnd.cups-raw");
	assert_refused("\n%PDF-1.7", 9, "application/pdf", &plain, IPP_FORMAT_ERROR, "");
}

static void test_postscript_and_raw_need_the_administrator(void **state)
{
	char *added[] = { "application/postscript", "application/vnd.cups-raw" };
	const struct config_queue more = allowing(added, 2);

	(void)state;
	assert_refused("%!PS-Adobe-3.0", 14, "application/postscript", &plain,
	               IPP_FORMAT_NOT_SUPPORTED, "application/postscript");
	assert_refused("%!PS-Adobe-3.0", 14, "", &plain, IPP_FORMAT_NOT_SUPPORTED,
	               "application/postscript");
	assert_goes("%!PS-Adobe-3.0", 14, "application/postscript", &more,
	            "application/postscript");
	assert_goes("%!PS-Adobe-3.0", 14, "", &more, "application/postscript");
	assert_goes("\x1b%-12345X@PJL", 13, "application/vnd.cups-raw", &more,
	            "application/vnd.cups-raw");
}

static void test_an_added_format_without_signature_goes_as_it_is(void **state)
{
	char *added[] = { "application/vnd.example" };
	const struct config_queue more = allowing(added, 1);

	(void)state;
	assert_goes("anything", 8, "application/vnd.example", &more, "application/vnd.example");
	assert_refused("%PDF-1.7", 8, "application/vnd.example", &more, IPP_FORMAT_ERROR,
	               "application/pdf");
	assert_refused("anything", 8, "", &more, IPP_FORMAT_NOT_SUPPORTED, "octet-stream");
}

static void test_unknown_bytes_go_only_where_the_administrator_takes_anything(void **state)
{
	char *added[] = { "application/octet-stream" };
	const struct config_queue more = allowing(added, 1);

	(void)state;
	assert_goes("anything", 8, "application/octet-stream", &more, "application/octet-stream");
	assert_goes("anything", 8, "", &more, "application/octet-stream");
	assert_goes("%PDF-1.7", 8, "application/octet-stream", &more, "application/pdf");
	assert_refused("%!PS", 4, "", &more, IPP_FORMAT_NOT_SUPPORTED, "application/postscript");
}

static void test_names_of_formats_ignore_case(void **state)
{
	(void)state;
	assert_goes("%PDF-1.7", 8, "Application/PDF", &plain, "Application/PDF");
	assert_refused("%!PS", 4, "Application/PDF", &plain, IPP_FORMAT_ERROR,
	               "application/postscript");
}

static void test_a_declared_format_is_judged_before_the_document_is_here(void **state)
{
	char *added[] = { "application/oxps" };
	const struct config_queue more = allowing(added, 1);
	struct err err;

	(void)state;
	assert_int_equal(sniff_check_declared("", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("application/octet-stream", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("application/pdf", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("application/oxps", &more, &err), 0);
	assert_int_equal(sniff_check_declared("application/oxps", &plain, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, IPP_FORMAT_NOT_SUPPORTED);
	assert_non_null(strstr(err.text, "allow-formats"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_format_is_known_by_its_first_bytes),
		cmocka_unit_test(test_a_document_cut_in_its_signature_is_of_no_format),
		cmocka_unit_test(test_a_document_that_is_what_it_says_goes_as_that),
		cmocka_unit_test(test_a_document_of_unsaid_type_goes_under_its_real_name),
		cmocka_unit_test(test_a_document_that_is_another_type_is_refused),
		cmocka_unit_test(test_a_document_that_is_nothing_known_is_refused),
		cmocka_unit_test(test_an_empty_document_is_refused),
		cmocka_unit_test(test_printer_commands_before_a_pdf_are_refused),
		cmocka_unit_test(test_postscript_and_raw_need_the_administrator),
		cmocka_unit_test(test_an_added_format_without_signature_goes_as_it_is),
		cmocka_unit_test(test_unknown_bytes_go_only_where_the_administrator_takes_anything),
		cmocka_unit_test(test_names_of_formats_ignore_case),
		cmocka_unit_test(test_a_declared_format_is_judged_before_the_document_is_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
