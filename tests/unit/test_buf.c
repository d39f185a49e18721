#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_an_empty_buffer_is_empty_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_text(&b), "");
	buf_consume(&b, 0);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
	buf_wipe(&b);
}

static void test_bytes_are_appended_and_ended(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_append(&b, "a\0b", 3), 0);
	assert_int_equal(buf_append(&b, "cd", 2), 0);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "a\0bcd", 6);
	buf_clear(&b);
	assert_int_equal(b.limit, 100);
	assert_int_equal(b.len, 0);
}

static void test_the_limit_holds_and_the_content_stays(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_append(&b, "abc", 3), 0);
	assert_int_equal(buf_append(&b, "def", 3), -1);
	assert_int_equal(buf_printf(&b, "%d", 123), -1);
	assert_string_equal(buf_text(&b), "abc");
	assert_int_equal(buf_append(&b, "de", 2), 0);
	assert_int_equal(buf_append(&b, "x", SIZE_MAX), -1);
	assert_int_equal(buf_append(&b, "x", 1), -1);
	assert_string_equal(buf_text(&b), "abcde");
	buf_clear(&b);
}

static void test_a_buffer_grows_to_exactly_its_limit(void **state)
{
	struct buf b;

	(void)state;
	for (size_t limit = 250; limit < 260; limit++) {
		buf_init(&b, limit);
		for (size_t i = 0; i < limit; i++)
			assert_int_equal(buf_append(&b, "x", 1), 0);
		assert_int_equal(buf_append(&b, "x", 1), -1);
		assert_int_equal(strlen(buf_text(&b)), limit);
		buf_clear(&b);
	}
}

static void test_text_is_formatted_behind_the_rest(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_printf(&b, "job %d", 7), 0);
	assert_int_equal(buf_printf(&b, ", %s", "held"), 0);
	assert_string_equal(buf_text(&b), "job 7, held");
	buf_wipe(&b);
	assert_string_equal(buf_text(&b), "");
}

static void test_consumed_bytes_are_gone(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	assert_int_equal(buf_append(&b, "abcdef", 6), 0);
	buf_consume(&b, 4);
	assert_string_equal(buf_text(&b), "ef");
	assert_int_equal(buf_append(&b, "ghij", 4), 0);
	assert_string_equal(buf_text(&b), "efghij");
	buf_consume(&b, 6);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_buffer_is_empty_text),
		cmocka_unit_test(test_bytes_are_appended_and_ended),
		cmocka_unit_test(test_the_limit_holds_and_the_content_stays),
		cmocka_unit_test(test_a_buffer_grows_to_exactly_its_limit),
		cmocka_unit_test(test_text_is_formatted_behind_the_rest),
		cmocka_unit_test(test_consumed_bytes_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
