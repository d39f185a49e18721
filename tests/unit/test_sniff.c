#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/core/sniff.h"
#include "tests/lib/says.h"

static const struct config_queue settings;
static const struct sniff_queue plain = { .settings = &settings };

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

#define ALLOWING(name, ...)                                                                        \
	char *name##_items[] = { __VA_ARGS__ };                                                    \
	const struct config_queue name##_settings = {                                              \
		.allow_formats = { name##_items, ARRAY_SIZE(name##_items) }                        \
	};                                                                                         \
	const struct sniff_queue name = { .settings = &name##_settings }

/* Whether it may go, and as what it was recognized. */
static int check(const char *bytes, size_t len, const char *declared,
                 const struct sniff_queue *queue, char format[NAME_SIZE], struct err *err)
{
	struct sniffed found = { .format = "" };
	int rc;

	err_clear(err);
	rc = sniff_check(bytes, len, declared, queue, &found, err);
	(void)snprintf(format, NAME_SIZE, "%.200s%s", found.format,
	               found.convert ? " converted" : "");
	return rc;
}

static void assert_refused(const char *bytes, size_t len, const char *declared,
                           const struct sniff_queue *queue, int code, const char *says)
{
	char format[NAME_SIZE];
	struct err err;

	assert_int_equal(check(bytes, len, declared, queue, format, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, code);
	assert_string_equal(format, "");
	assert_says(&err, says);
}

static void assert_goes(const char *bytes, size_t len, const char *declared,
                        const struct sniff_queue *queue, const char *as)
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
	assert_refused(pjl, sizeof(pjl) - 1, "application/pdf", &plain, IPP_FORMAT_ERROR,
	               "application/vnd.cups-raw");
	assert_refused(pjl, sizeof(pjl) - 1, "", &plain, IPP_FORMAT_NOT_SUPPORTED,
	               "application/vnd.cups-raw");
	assert_refused("\n%PDF-1.7", 9, "application/pdf", &plain, IPP_FORMAT_ERROR, "");
}

static void test_postscript_and_raw_need_the_administrator(void **state)
{
	ALLOWING(more, "application/postscript", "application/vnd.cups-raw");

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
	ALLOWING(more, "application/vnd.example");

	(void)state;
	assert_goes("anything", 8, "application/vnd.example", &more, "application/vnd.example");
	assert_refused("%PDF-1.7", 8, "application/vnd.example", &more, IPP_FORMAT_ERROR,
	               "application/pdf");
	assert_refused("anything", 8, "", &more, IPP_FORMAT_NOT_SUPPORTED, "octet-stream");
}

static void test_unknown_bytes_go_only_where_the_administrator_takes_anything(void **state)
{
	ALLOWING(more, "application/octet-stream");

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
	ALLOWING(more, "text/plain");
	struct err err;

	(void)state;
	assert_int_equal(sniff_check_declared("", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("application/octet-stream", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("application/pdf", &plain, &err), 0);
	assert_int_equal(sniff_check_declared("text/plain", &more, &err), 0);
	assert_int_equal(sniff_check_declared("text/plain", &plain, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, IPP_FORMAT_NOT_SUPPORTED);
	assert_non_null(strstr(err.text, "allow-formats"));
}

/* ---- what is in a ZIP ---- */

/* Local headers with these names, and as much between them as programs leave. */
static size_t make_zip(unsigned char *out, size_t size, const char *const *names, size_t gap)
{
	size_t len = 0;

	for (; *names; names++) {
		size_t name = strlen(*names);

		assert_true(len + 30 + name + gap <= size);
		memset(out + len, 0, 30 + name + gap);
		memcpy(out + len, "PK\3\4", 4);
		out[len + 26] = (unsigned char)name;
		memcpy(out + len + 30, *names, name);
		len += 30 + name + gap;
	}
	return len;
}

static void test_documents_in_a_zip_are_told_apart_by_their_parts(void **state)
{
#define NAMES(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
	static const struct {
		const char *format;
		const char *names[6];
	} zips[] = {
		{ "application/oxps",
		  NAMES("[Content_Types].xml", "_rels/.rels", "FixedDocumentSequence.fdseq") },
		{ "application/oxps", NAMES("Documents/1/Pages/1.fpage", "[Content_Types].xml") },
		{ "application/oxps", NAMES("FixedDocSeq.fdseq/[0].piece") },
		{ "application/oxps", NAMES("[Content_Types].xml") },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		  NAMES("[Content_Types].xml", "_rels/.rels", "word/document.xml") },
		{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		  NAMES("xl/workbook.xml", "[Content_Types].xml") },
		{ "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		  NAMES("_rels/.rels", "ppt/presentation.xml") },
		{ "application/vnd.oasis.opendocument", NAMES("mimetype", "content.xml") },
		{ "application/java-archive", NAMES("META-INF/MANIFEST.MF") },
		{ "application/zip", NAMES("photo.jpg", "notes.txt") },
		{ "application/zip", NAMES("x", "my Documents/1") },
	};
	unsigned char bytes[SNIFF_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zips); i++)
		for (size_t gap = 0; gap <= 700; gap += 350) {
			size_t len = make_zip(bytes, sizeof(bytes), zips[i].names, gap);

			assert_string_equal(sniff(bytes, len), zips[i].format);
		}
}

static void test_a_damaged_zip_is_never_read_past_its_end(void **state)
{
	static const char *const names[] = NAMES("[Content_Types].xml", "word/document.xml");
	unsigned char bytes[256];
	size_t whole = make_zip(bytes, sizeof(bytes), names, 0);

	(void)state;
	for (size_t len = 0; len <= whole; len++) {
		unsigned char *copy = malloc(len ? len : 1); /* for the address sanitizer */

		assert_non_null(copy);
		memcpy(copy, bytes, len);
		copy[len > 27 ? 27 : 0] = 0xff; /* a name of 65 thousand bytes */
		(void)sniff(copy, len);
		free(copy);
	}
	assert_int_equal(sniff_wants("PK\3\4", 4), SNIFF_BYTES);
	assert_true(sniff_wants("%PDF-1.7", 8) < 64);
	assert_true(sniff_wants("", 0) < 64);
}

/* ---- queues and formats ---- */

static bool takes_pdf(const struct queue *queue, const char *format)
{
	(void)queue;
	return strcasecmp(format, "application/pdf") == 0;
}

static bool takes_postscript(const struct queue *queue, const char *format)
{
	(void)queue;
	return strcasecmp(format, "application/postscript") == 0;
}

#define ZIP(name) "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" name

static const char xps[] = ZIP("\x0b\0\0\0Fixed.fdseq");
static const char docx[] = ZIP("\x08\0\0\0word/doc");
static const char zip[] = ZIP("\x05\0\0\0a.txt");

static void test_what_a_queue_can_take_decides_as_well(void **state)
{
	ALLOWING(more, "application/postscript", "application/oxps");
	const struct sniff_queue pdf = { .settings = &settings, .takes = takes_pdf };
	const struct sniff_queue converting = { .settings = &settings,
		                                .takes = takes_pdf,
		                                .converts = true };
	const struct sniff_queue raw = { .settings = more.settings, .takes = takes_postscript };
	const struct sniff_queue both = { .settings = more.settings, .converts = true };
	const struct {
		const struct sniff_queue *to;
		const char *declared, *bytes;
		size_t len;
		const char *as; /* NULL: refused */
		int code;
		const char *says;
	} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
#define OXPS        "application/oxps"
#define MS_XPS      "application/vnd.ms-xpsdocument"
		/* the queue knows PDF and no more */
		{ &pdf, "application/pdf", BYTES("%PDF-1.7"), "application/pdf", 0, NULL },
		{ &pdf, "", BYTES("%PDF-1.7"), "application/pdf", 0, NULL },
		{ &pdf, "image/jpeg", BYTES("\xff\xd8\xff\xe0"), NULL, IPP_FORMAT_NOT_SUPPORTED,
		  "image/jpeg is not understood by this queue; print it as PDF" },
		{ &pdf, "application/octet-stream", BYTES("RaS2PwgRaster"), NULL,
		  IPP_FORMAT_NOT_SUPPORTED, "image/pwg-raster is not understood" },
		{ &pdf, "", BYTES("UNIRAST\0\0\0\0\1"), NULL, IPP_FORMAT_NOT_SUPPORTED,
		  "image/urf is not understood" },
		{ &pdf, "", BYTES("%!PS"), NULL, IPP_FORMAT_NOT_SUPPORTED, "allow-formats" },
		/* a queue without a driver knows what the administrator names */
		{ &raw, "application/postscript", BYTES("%!PS"), "application/postscript", 0,
		  NULL },
		{ &raw, "application/pdf", BYTES("%PDF-1.7"), NULL, IPP_FORMAT_NOT_SUPPORTED,
		  "application/pdf is not what this queue understands; the administrator can add "
		  "it to its allow-formats" },
		{ &raw, "", BYTES("%PDF-1.7"), NULL, IPP_FORMAT_NOT_SUPPORTED, "application/pdf" },
		{ &raw, OXPS, BYTES(xps), NULL, IPP_FORMAT_NOT_SUPPORTED, OXPS },
		/* XPS */
		{ &converting, OXPS, BYTES(xps), "application/pdf converted", 0, NULL },
		{ &converting, MS_XPS, BYTES(xps), "application/pdf converted", 0, NULL },
		{ &converting, "", BYTES(xps), "application/pdf converted", 0, NULL },
		{ &converting, "Application/OXPS", BYTES(xps), "application/pdf converted", 0,
		  NULL },
		{ &pdf, OXPS, BYTES(xps), NULL, IPP_FORMAT_NOT_SUPPORTED, "libgxps-utils" },
		{ &pdf, "", BYTES(xps), NULL, IPP_FORMAT_NOT_SUPPORTED, "print it as PDF" },
		{ &both, OXPS, BYTES(xps), OXPS, 0, NULL },
		{ &both, MS_XPS, BYTES(xps), "application/pdf converted", 0, NULL },
		{ &converting, OXPS, BYTES(docx), NULL, IPP_FORMAT_ERROR, "wordprocessingml" },
		{ &converting, OXPS, BYTES(zip), NULL, IPP_FORMAT_ERROR, "application/zip" },
		{ &converting, OXPS, BYTES("%PDF-1.7"), NULL, IPP_FORMAT_ERROR,
		  "but is application/pdf" },
		{ &converting, OXPS, BYTES("hello"), NULL, IPP_FORMAT_ERROR, "something else" },
		{ &converting, "", BYTES(docx), NULL, IPP_FORMAT_NOT_SUPPORTED,
		  "wordprocessingml" },
		{ &converting, "application/pdf", BYTES(xps), NULL, IPP_FORMAT_ERROR,
		  "but is " OXPS },
		/* compressed content is a format of its own */
		{ &pdf, "application/pdf", BYTES("\x1f\x8b\x08\0"), NULL, IPP_FORMAT_ERROR,
		  "but is application/gzip" },
		{ &pdf, "", BYTES("\x1f\x8b\x08\0"), NULL, IPP_FORMAT_NOT_SUPPORTED,
		  "application/gzip" },
		{ &pdf, OXPS, "", 0, NULL, IPP_FORMAT_ERROR, "empty" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].as)
			assert_goes(cases[i].bytes, cases[i].len, cases[i].declared, cases[i].to,
			            cases[i].as);
		else
			assert_refused(cases[i].bytes, cases[i].len, cases[i].declared, cases[i].to,
			               cases[i].code, cases[i].says);
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
		cmocka_unit_test(test_documents_in_a_zip_are_told_apart_by_their_parts),
		cmocka_unit_test(test_a_damaged_zip_is_never_read_past_its_end),
		cmocka_unit_test(test_what_a_queue_can_take_decides_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
