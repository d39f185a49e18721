/* How the PPD of a driver for colour says that it prints in grey, and what is said of the queue. */
#include "connector/printer/driver_grey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

#define RASTER "*cupsFilter: \"application/vnd.cups-raster 0 hpcups\"\n"

static struct driver_grey read_ppd(const char *ppd, size_t piece)
{
	struct driver_grey_reader reader = { .len = 0 };
	size_t len = strlen(ppd);

	for (size_t at = 0; at < len; at += piece)
		driver_grey_feed(&reader, ppd + at, piece < len - at ? piece : len - at);
	return driver_grey_end(&reader);
}

static void test_the_drivers_own_word_is_found(void **state)
{
	static const struct {
		const char *ppd, *option, *choice;
		bool able;
	} rows[] = {
		/* CUPS does it */
		{ RASTER "*ColorModel RGB/Color: \"x\"\n*ColorModel Gray/Grey: \"x\"\n", NULL, NULL,
		  true },
		{ RASTER "*JCLColorModel x\n*ColorModel KGray/Black: \"x\"\n"
		         "*ColorModel Gray/Grey: \"x\"\n",
		  NULL, NULL, true },
		{ RASTER "*HPColorAsGray True: \"x\"\n", NULL, NULL, true },
		/* it does not */
		{ RASTER "*ColorModel RGB/Color: \"x\"\n*ColorModel CMYGray/High: \"x\"\n"
		         "*ColorModel KGray/Black only: \"x\"\n",
		  "ColorModel", "KGray", true },
		{ RASTER "*OutputMode Normal/Normal: \"x\"\n*OutputMode NormalGray/Normal: \"x\"\n",
		  "OutputMode", "NormalGray", true },
		{ "*PrintoutMode Normal.Gray/Normal Grayscale: \"x\"\n", "PrintoutMode",
		  "Normal.Gray", true },
		{ "*ColorMode\tMonochrome :\"x\"\r\n", "ColorMode", "Monochrome", true },
		{ RASTER "*Ink mono: \"x\"", "Ink", "MONO", true }, /* no end of line */
		/* its filters do */
		{ "*ColorDevice: True\n", NULL, NULL, true },
		{ "*cupsFilter: \"application/vnd.cups-postscript 0 hpps\"\n", NULL, NULL, true },
		/* nothing does */
		{ RASTER "*ColorModel RGB/Color: \"x\"\n", NULL, NULL, false },
		{ "*cupsFilter: \"application/vnd.cups-postscript 100 foomatic-rip\"\n", NULL, NULL,
		  false },
		{ "*cupsFilter2: \"application/vnd.cups-pdf application/pdf 0 -\"\n", NULL, NULL,
		  false },
		/* what only looks like it */
		{ RASTER
		  "*DefaultColorModel: KGray\n*ColorModelX KGray/x: \"x\"\n"
		  "*ColorModel KGrayer/x: \"x\"\n%*ColorModel KGray: \"x\"\n*\n\n*ColorModel\n",
		  NULL, NULL, false },
	};

	const struct driver_word *word;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t piece = 1; piece < 200; piece += 33) {
			struct driver_grey grey = read_ppd(rows[i].ppd, piece);

			assert_true(grey.known);
			if (grey.able != rows[i].able)
				fail_msg("row %zu", i);
			word = driver_grey_word(&grey, 0);
			assert_null(driver_grey_word(&grey, 1));
			if (!rows[i].option) {
				assert_null(word);
				continue;
			}
			assert_string_equal(word->option, rows[i].option);
			assert_string_equal(word->choice, rows[i].choice);
		}
}

static void test_a_line_without_end_is_cut(void **state)
{
	char *ppd = xcalloc(1, 100001);
	struct driver_grey grey;

	(void)state;
	memset(ppd, 'x', 100000);
	memcpy(ppd, "*Ink MONO/", 10);
	grey = read_ppd(ppd, 4096);
	assert_string_equal(driver_grey_word(&grey, 0)->option, "Ink");
	ppd[0] = 'y';
	grey = read_ppd(ppd, 4096);
	assert_null(driver_grey_word(&grey, 0));
	free(ppd);
}

#define KGRAY RASTER "*ColorModel KGray/x: \"x\"\n"
#define GRAY  RASTER "*ColorModel Gray/x: \"x\"\n"
#define INK   RASTER "*Ink MONO/x: \"x\"\n"

static void test_a_class_is_sent_the_words_of_all_its_drivers(void **state)
{
	static const struct {
		const char *ppds[3]; /* "": cannot be read */
		const char *words;   /* NULL: no grey */
	} rows[] = {
		{ { "" }, "" },
		{ { KGRAY, KGRAY }, "ColorModel=KGray " },
		{ { KGRAY, INK, KGRAY }, "ColorModel=KGray Ink=MONO " },
		{ { GRAY, INK }, "Ink=MONO " }, /* CUPS does the first */
		{ { GRAY, GRAY }, "" },
		{ { "", INK, "" }, "Ink=MONO " },
		{ { INK, "*ColorDevice: True\n" }, "Ink=MONO " },
		{ { KGRAY, GRAY }, NULL }, /* one option, of which each wants another choice */
		{ { KGRAY, GRAY, INK }, NULL },
		{ { INK, RASTER }, NULL }, /* one cannot */
		{ { RASTER, INK }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct driver_grey all = { .known = false };
		const struct driver_word *word;
		char words[100] = "";

		for (size_t k = 0; k < ARRAY_SIZE(rows[i].ppds) && rows[i].ppds[k]; k++)
			driver_grey_meet(&all, *rows[i].ppds[k]
			                               ? read_ppd(rows[i].ppds[k], 4096)
			                               : (struct driver_grey){ .known = false });
		for (size_t k = 0; (word = driver_grey_word(&all, k)); k++) {
			size_t len = strlen(words);

			(void)snprintf(words + len, sizeof(words) - len, "%s=%s ", word->option,
			               word->choice);
		}
		assert_string_equal(words, rows[i].words ? rows[i].words : "");
		assert_int_equal(all.known && !all.able, !rows[i].words);
	}
}

static int count_after(struct driver_grey grey, int modes)
{
	static const char *const words[] = { "auto", "monochrome", "color" };
	ipp_t *answer = ippNew();
	ipp_attribute_t *attr =
		ippAddStrings(answer, IPP_TAG_PRINTER, IPP_TAG_KEYWORD,
	                      "print-color-mode-supported", modes, NULL, words + 3 - modes);
	int count;

	driver_grey_withdraw(&grey, answer);
	attr = ippFindAttribute(answer, "print-color-mode-supported", IPP_TAG_KEYWORD);
	count = ippGetCount(attr) * 10 + ippContainsString(attr, "monochrome");
	ippDelete(answer);
	return count;
}

static void test_grey_is_offered_unless_it_is_known_that_nothing_makes_it(void **state)
{
	ipp_t *none = ippNew();

	(void)state;
	assert_int_equal(count_after((struct driver_grey){ .known = false }, 3), 31);
	assert_int_equal(count_after((struct driver_grey){ .known = true, .able = true }, 3), 31);
	assert_int_equal(count_after((struct driver_grey){ .known = true }, 3), 20);
	assert_int_equal(count_after((struct driver_grey){ .known = true }, 2), 10);
	driver_grey_withdraw(&(struct driver_grey){ .known = true }, none);
	ippDelete(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_drivers_own_word_is_found),
		cmocka_unit_test(test_a_line_without_end_is_cut),
		cmocka_unit_test(test_a_class_is_sent_the_words_of_all_its_drivers),
		cmocka_unit_test(test_grey_is_offered_unless_it_is_known_that_nothing_makes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
