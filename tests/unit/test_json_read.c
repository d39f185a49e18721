#include "connector/base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"

static cJSON *decode(const char *text)
{
	struct err err;
	cJSON *json = NULL;

	assert_int_equal(json_decode(text, strlen(text), &json, &err), 0);
	return json;
}

static void assert_refused(const char *text, size_t len)
{
	cJSON *json = NULL;
	struct err err;

	assert_int_equal(json_decode(text, len, &json, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_null(json);
}

static void test_only_a_whole_object_is_taken(void **state)
{
	static const char *const bad[] = { "",     "{",        "[]",           "7",
		                           "null", "\"a\"",    "{} {}",        "{}x",
		                           "{a}",  "{\"a\":}", "<html></html>" };

	(void)state;
	json_wipe(decode("{}"));
	json_wipe(decode(" {\"a\": 1} \r\n"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_refused(bad[i], strlen(bad[i]));
	json_wipe(NULL);
}

static void test_depth_and_size_are_limited(void **state)
{
	char deep[256] = "";
	char *large = calloc(1, JSON_ANSWER_MAX + 2);
	size_t n = 0;

	(void)state;
	assert_non_null(large);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		n += (size_t)snprintf(deep + n, sizeof(deep) - n, "{\"a\":");
	n += (size_t)snprintf(deep + n, sizeof(deep) - n, "\"[[[[\\\"{{{\"");
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		n += (size_t)snprintf(deep + n, sizeof(deep) - n, "}");
	json_wipe(decode(deep));
	memmove(deep + 5, deep, n + 1);
	memcpy(deep, "{\"a\":", 5);
	deep[n + 5] = '}';
	assert_refused(deep, n + 6);
	memset(large, ' ', JSON_ANSWER_MAX + 1);
	memcpy(large, "{}", 2);
	json_wipe(decode("{}"));
	assert_refused(large, JSON_ANSWER_MAX + 1);
	free(large);
}

static void test_texts_are_read_strictly(void **state)
{
	cJSON *o = decode("{\"a\":\"abc\",\"n\":7,\"e\":\"\",\"c\":\"\\u0007\",\"l\":\"x\\ny\","
	                  "\"o\":{},\"z\":null}");

	(void)state;
	assert_string_equal(json_text(o, "a", 3), "abc");
	assert_null(json_text(o, "a", 2));
	assert_null(json_text(o, "A", 9));
	assert_null(json_text(o, "n", 9));
	assert_null(json_text(o, "e", 9));
	assert_null(json_text(o, "c", 9));
	assert_null(json_text(o, "o", 9));
	assert_null(json_text(o, "z", 9));
	assert_null(json_text(o, "missing", 9));
	assert_null(json_text(NULL, "a", 9));
	assert_string_equal(json_text(o, "l", 9), "x\ny");
	json_wipe(o);
}

static void test_numbers_may_be_texts_and_stay_within_bounds(void **state)
{
	cJSON *o = decode("{\"n\":7,\"t\":\"3599\",\"big\":1e99,\"low\":-4,\"x\":\"a\",\"b\":true,"
	                  "\"f\":2.9}");

	(void)state;
	assert_int_equal(json_number(o, "n", 1, 10, 3), 7);
	assert_int_equal(json_number(o, "t", 1, 86400, 3), 3599);
	assert_int_equal(json_number(o, "t", 1, 60, 3), 60);
	assert_int_equal(json_number(o, "big", 1, 60, 3), 60);
	assert_int_equal(json_number(o, "low", 1, 60, 3), 1);
	assert_int_equal(json_number(o, "f", 1, 60, 3), 2);
	assert_int_equal(json_number(o, "x", 1, 60, 3), 3);
	assert_int_equal(json_number(o, "b", 1, 60, 3), 3);
	assert_int_equal(json_number(o, "missing", 1, 60, 3), 3);
	assert_int_equal(json_number(NULL, "n", 1, 60, 3), 3);
	json_wipe(o);
}

static void assert_error(const char *text, const char *code, const char *words)
{
	char got_code[16], got_words[32];
	cJSON *o = decode(text);

	json_error(o, got_code, sizeof(got_code), got_words, sizeof(got_words));
	assert_string_equal(got_code, code);
	assert_string_equal(got_words, words);
	json_wipe(o);
}

static void test_errors_are_read_in_each_form_and_made_safe(void **state)
{
	(void)state;
	assert_error("{\"error\":\"slow_down\",\"error_description\":\"AADSTS1: why?\\r\\nTrace\"}",
	             "slow_down", "AADSTS1: why?");
	assert_error("{\"error\":{\"code\":\"Forbidden\",\"message\":\"no role\"}}", "Forbidden",
	             "no role");
	assert_error("{\"code\":\"X\",\"message\":\"y\"}", "X", "y");
	assert_error("{\"error\":\"a_code_that_is_very_long\",\"error_description\":\"\\u202e"
	             "evil\"}",
	             "a_code_that_is_", "?evil");
	assert_error("{}", "", "");
	assert_error("{\"error\":7}", "", "");
}

static void test_forms_are_coded(void **state)
{
	struct buf form;

	(void)state;
	buf_init(&form, 64);
	assert_int_equal(form_add(&form, "a", "b c&d=e/\xc3\xa9~"), 0);
	assert_int_equal(form_add(&form, "x", ""), 0);
	assert_string_equal(buf_text(&form), "a=b%20c%26d%3De%2F%C3%A9~&x=");
	assert_int_equal(
		form_add(&form, "y", "a text that has no room in this small form any more"), -1);
	buf_clear(&form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_whole_object_is_taken),
		cmocka_unit_test(test_depth_and_size_are_limited),
		cmocka_unit_test(test_texts_are_read_strictly),
		cmocka_unit_test(test_numbers_may_be_texts_and_stay_within_bounds),
		cmocka_unit_test(test_errors_are_read_in_each_form_and_made_safe),
		cmocka_unit_test(test_forms_are_coded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
