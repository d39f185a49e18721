#include "common/str.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static void assert_clean(const char *in, const char *expected)
{
	char out[64];

	str_clean(in, out, sizeof(out));
	assert_string_equal(out, expected);
}

static void test_readable_text_stays_as_it_is(void **state)
{
	(void)state;
	assert_clean("", "");
	assert_clean("Laser 3, 2nd floor", "Laser 3, 2nd floor");
	assert_clean("Büro – 日本 \xf0\x9f\x96\xa8", "Büro – 日本 \xf0\x9f\x96\xa8");
}

static void test_control_characters_are_not_shown(void **state)
{
	(void)state;
	assert_clean("a\033[31mb", "a?[31mb");
	assert_clean("a\nb\tc\rd\x7f", "a?b?c?d?");
	assert_clean("a\xc2\x9b"
	             "31mb",
	             "a?31mb"); /* CSI as one character */
	assert_clean("a\xe2\x80\xae"
	             "txt",
	             "a?txt"); /* right to left override */
	assert_clean("a\xe2\x80\xa8"
	             "b",
	             "a?b"); /* line separator */
	assert_clean("\xef\xbb\xbf"
	             "x",
	             "?x");
}

static void test_invalid_utf8_is_not_shown(void **state)
{
	(void)state;
	assert_clean("a\xff"
	             "b",
	             "a?b");
	assert_clean("a\xc3", "a?");              /* cut */
	assert_clean("\xc0\x80", "??");           /* overlong NUL */
	assert_clean("\xe0\x80\xaf", "???");      /* overlong slash */
	assert_clean("\xed\xa0\x80", "???");      /* surrogate */
	assert_clean("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
	assert_clean("\xf0\x9f\x96", "???");      /* cut in the middle */
	assert_clean("\x80", "?");
}

static void test_cleaning_cuts_between_characters(void **state)
{
	char out[4];

	(void)state;
	str_clean("abé", out, sizeof(out));
	assert_string_equal(out, "ab");
	str_clean("aé", out, sizeof(out));
	assert_string_equal(out, "aé");
	str_clean("\033\033\033\033", out, sizeof(out));
	assert_string_equal(out, "???");
	str_clean("abc", out, 1);
	assert_string_equal(out, "");
	out[0] = 'x';
	str_clean("abc", out, 0);
	assert_int_equal(out[0], 'x');
}

static void test_cleaning_works_in_place(void **state)
{
	char text[] = "a\xc2\x9b\nbé";

	(void)state;
	str_clean(text, text, sizeof(text));
	assert_string_equal(text, "a??bé");
}

static void test_a_copy_says_when_it_was_cut(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(str_copy(out, sizeof(out), "abc"), 0);
	assert_string_equal(out, "abc");
	assert_int_equal(str_copy(out, sizeof(out), "abcd"), -1);
	assert_string_equal(out, "abc");
	assert_int_equal(str_copy(out, sizeof(out), "abéd"), -1);
	assert_string_equal(out, "ab");
	assert_int_equal(str_copy(out, 1, "é"), -1);
	assert_string_equal(out, "");
	assert_int_equal(str_copy(out, 0, ""), -1);
}

static void test_globs(void **state)
{
	char many[256], text[4096];

	(void)state;
	assert_true(str_glob("*", ""));
	assert_true(str_glob("*", "anything"));
	assert_true(str_glob("office-*", "office-1"));
	assert_true(str_glob("*-1", "office-1-1"));
	assert_true(str_glob("o?fice", "office"));
	assert_true(str_glob("a*b*c", "a--b--b--c"));
	assert_true(str_glob("**a**", "bab"));
	assert_false(str_glob("", "a"));
	assert_true(str_glob("", ""));
	assert_false(str_glob("?", ""));
	assert_false(str_glob("office", "Office"));
	assert_false(str_glob("a*b", "a--bc"));
	assert_true(str_glob("[a]", "[a]"));
	/* would take for ever if every star were tried again */
	for (size_t i = 0; i + 1 < sizeof(many); i += 2)
		memcpy(many + i, "a*", 2);
	many[sizeof(many) - 2] = 'b';
	many[sizeof(many) - 1] = '\0';
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_false(str_glob(many, text));
}

static void test_the_nearest_word_is_found(void **state)
{
	static const char *const words[] = { "max-transfers", "give-up-after", "keep-history",
		                             "uri" };
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_string_equal(str_nearest("max-transfer", words, 4), "max-transfers");
	assert_string_equal(str_nearest("max-tranfsers", words, 4), "max-transfers");
	assert_string_equal(str_nearest("give_up_after", words, 4), "give-up-after");
	assert_string_equal(str_nearest("url", words, 4), "uri");
	assert_string_equal(str_nearest("uri", words, 4), "uri");
	assert_string_equal(str_nearest("keep-hist", words, 4), "keep-history");
	assert_null(str_nearest("kee", words, 4));
	assert_null(str_nearest("something", words, 4));
	assert_null(str_nearest("giveupafte", words, 4)); /* three */
	assert_null(str_nearest("x", words, 4));
	assert_null(str_nearest("", words, 4));
	assert_null(str_nearest(longest, words, 4));
	assert_null(str_nearest("uri", words, 0));
}

static void test_numbers(void **state)
{
	int64_t n = 7;

	(void)state;
	assert_int_equal(str_number_parse("42", 0, 100, &n), 0);
	assert_int_equal(n, 42);
	assert_int_equal(str_number_parse("-5", -10, 100, &n), 0);
	assert_int_equal(n, -5);
	assert_int_equal(str_number_parse("9223372036854775807", 0, INT64_MAX, &n), 0);
	assert_true(n == INT64_MAX);
	n = 7;
	assert_int_equal(str_number_parse("101", 0, 100, &n), -1);
	assert_int_equal(str_number_parse("-1", 0, 100, &n), -1);
	assert_int_equal(str_number_parse("9223372036854775808", 0, INT64_MAX, &n), -1);
	assert_int_equal(str_number_parse("", 0, 100, &n), -1);
	assert_int_equal(str_number_parse("-", -1, 100, &n), -1);
	assert_int_equal(str_number_parse("+4", 0, 100, &n), -1);
	assert_int_equal(str_number_parse("4 ", 0, 100, &n), -1);
	assert_int_equal(str_number_parse("0x4", 0, 100, &n), -1);
	assert_int_equal(n, 7);
}

static void test_durations_and_back(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *back;
	} rows[] = {
		{ "0", 0, "0" },
		{ "0s", 0, "0" },
		{ "500ms", 500, "500ms" },
		{ "1500ms", 1500, "1500ms" },
		{ "90s", 90000, "90s" },
		{ "120s", 120000, "2min" },
		{ "15min", 900000, "15min" },
		{ "15 min", 900000, "15min" },
		{ "2h", 7200000, "2h" },
		{ "3d", 259200000, "3d" },
		{ "2w", 1209600000, "14d" },
		{ "10y", 315360000000, "3650d" },
	};
	static const char *const wrong[] = { "",
		                             "5",
		                             "s",
		                             "5 minutes",
		                             "-5s",
		                             "5m",
		                             "5S",
		                             "1.5h",
		                             "5  s",
		                             "5s ",
		                             " 5s",
		                             "9223372036854775807s",
		                             "99999999999999999999s" };
	char text[STR_DURATION_SIZE];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(str_duration_parse(rows[i].text, &ms), 0);
		assert_true(ms == rows[i].ms);
		str_duration_format(ms, text);
		assert_string_equal(text, rows[i].back);
	}
	ms = 7;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(str_duration_parse(wrong[i], &ms), -1);
	assert_int_equal(ms, 7);
}

static void test_sizes_and_back(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
		const char *back;
	} rows[] = {
		{ "0", 0, "0" },
		{ "1000", 1000, "1000" },
		{ "1024", 1024, "1K" },
		{ "512M", 536870912, "512M" },
		{ "2G", 2147483648, "2G" },
		{ "2048M", 2147483648, "2G" },
		{ "1T", 1099511627776, "1T" },
	};
	static const char *const wrong[] = { "", "G", "2g", "2GB", "-1", "2.5G", "9000000000T" };
	char text[STR_SIZE_SIZE];
	int64_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(str_size_parse(rows[i].text, &bytes), 0);
		assert_true(bytes == rows[i].bytes);
		str_size_format(bytes, text);
		assert_string_equal(text, rows[i].back);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(str_size_parse(wrong[i], &bytes), -1);
}

static void test_booleans(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES" };
	static const char *const no[] = { "no", "false", "off", "0", "No" };
	bool b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(str_bool_parse(yes[i], &b), 0);
		assert_true(b);
		assert_int_equal(str_bool_parse(no[i], &b), 0);
		assert_false(b);
	}
	assert_int_equal(str_bool_parse("maybe", &b), -1);
	assert_int_equal(str_bool_parse("", &b), -1);
}

static void assert_time(const char *text, int64_t expected)
{
	int64_t ms;

	assert_int_equal(str_time_parse(text, &ms), 0);
	assert_true(ms == expected);
}

static void test_times_and_back(void **state)
{
	char text[STR_TIME_SIZE];

	(void)state;
	str_time_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	str_time_format(1709210096789, text);
	assert_string_equal(text, "2024-02-29T12:34:56.789Z");
	assert_time(text, 1709210096789);
	str_time_format(-5, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	str_time_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	assert_time(text, 253402300799999);
	assert_time("2024-02-29t12:34:56z", 1709210096000);
	assert_time("2024-02-29 12:34:56.5Z", 1709210096500);
	assert_time("2024-02-29T12:34:56.789123456Z", 1709210096789);
	assert_time("2024-02-29T13:34:56.789+01:00", 1709210096789);
	assert_time("2024-02-29T04:04:56.789-08:30", 1709210096789);
	assert_time("2016-12-31T23:59:60Z", 1483228800000); /* a leap second */
}

static void test_what_is_no_time(void **state)
{
	static const char *const wrong[] = {
		"",
		"2024",
		"2024-02-30T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-13-01T00:00:00Z",
		"2024-01-00T00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z",
		"2024-01-01T00:00:61Z",
		"2024-01-01T00:00:00",
		"2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00Zx",
		"2024-01-01T00:00:00+1:00",
		"2024-01-01T00:00:00+01:00x",
		"2024-01-01T00:00:00+24:00",
		"1969-12-31T23:59:59Z",
		"2024-01-01",
		"2024/01/01T00:00:00Z",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(str_time_parse(wrong[i], &ms), -1);
	assert_int_equal(ms, 7);
}

static void test_uuids(void **state)
{
	static const char uuid[] = "01234567-89ab-cdef-ABCD-ef0123456789";
	static const char urn[] = "urn:uuid:01234567-89ab-cdef-ABCD-ef0123456789";

	(void)state;
	assert_ptr_equal(str_uuid_find(uuid), uuid);
	assert_ptr_equal(str_uuid_find(urn), urn + 9);
	assert_non_null(str_uuid_find("URN:UUID:01234567-89ab-cdef-abcd-ef0123456789"));
	assert_null(str_uuid_find(""));
	assert_null(str_uuid_find("urn:uuid:"));
	assert_null(str_uuid_find("01234567-89ab-cdef-abcd-ef012345678"));
	assert_null(str_uuid_find("01234567-89ab-cdef-abcd-ef01234567890"));
	assert_null(str_uuid_find("01234567-89ab-cdef-abcd-ef012345678g"));
	assert_null(str_uuid_find("01234567 89ab-cdef-abcd-ef0123456789"));
	assert_null(str_uuid_find("../../../../../../../../../../../etc"));
}

static void test_what_is_utf8(void **state)
{
	(void)state;
	assert_true(str_is_utf8(""));
	assert_true(str_is_utf8("ä\n"));
	assert_false(str_is_utf8("\xe4"));
}

static void test_things_are_counted_in_words_that_fit(void **state)
{
	(void)state;
	assert_string_equal(COUNTED(0, "job is", "jobs are"), "no jobs are");
	assert_string_equal(COUNTED(1, "job is", "jobs are"), "1 job is");
	assert_string_equal(COUNTED(2, "job is", "jobs are"), "2 jobs are");
	assert_string_equal(COUNTED(-1, "day", "days"), "-1 days");
	assert_string_equal(COUNTED(INT64_MAX, "day", "days"), "9223372036854775807 days");
}

static void test_a_word_is_listed_when_one_is_the_same_to_the_letter(void **state)
{
	static const char *const words[] = { "pdf", "xps" };

	(void)state;
	assert_true(str_is_listed("xps", words, 2));
	assert_false(str_is_listed("xps", words, 1));
	assert_false(str_is_listed("XPS", words, 2));
	assert_false(str_is_listed("xp", words, 2));
	assert_false(str_is_listed("", words, 2));
	assert_false(str_is_listed("pdf", NULL, 0));
}

static void test_words_of_a_command_line_are_quoted_where_a_shell_needs_it(void **state)
{
	static const struct {
		const char *word, *shown;
	} cases[] = {
		{ "laser-2", "laser-2" },
		{ "ipps://printer.example:631/ipp/print", "ipps://printer.example:631/ipp/print" },
		{ "", "''" },
		{ "two words", "'two words'" },
		{ "it's", "'it'\\''s'" },
		{ "$(reboot);`x`&", "'$(reboot);`x`&'" },
	};
	char ret[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(str_shell_word(cases[i].word, ret, sizeof(ret)));
		assert_string_equal(ret, cases[i].shown);
		assert_true(str_shell_word(cases[i].word, ret, strlen(cases[i].shown) + 1));
		for (size_t size = 1; size <= strlen(cases[i].shown); size++) {
			assert_false(str_shell_word(cases[i].word, ret, size));
			assert_string_equal(ret, "");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_a_command_line_are_quoted_where_a_shell_needs_it),
		cmocka_unit_test(test_a_word_is_listed_when_one_is_the_same_to_the_letter),
		cmocka_unit_test(test_readable_text_stays_as_it_is),
		cmocka_unit_test(test_control_characters_are_not_shown),
		cmocka_unit_test(test_invalid_utf8_is_not_shown),
		cmocka_unit_test(test_cleaning_cuts_between_characters),
		cmocka_unit_test(test_cleaning_works_in_place),
		cmocka_unit_test(test_a_copy_says_when_it_was_cut),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_the_nearest_word_is_found),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations_and_back),
		cmocka_unit_test(test_sizes_and_back),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_times_and_back),
		cmocka_unit_test(test_what_is_no_time),
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_what_is_utf8),
		cmocka_unit_test(test_things_are_counted_in_words_that_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
