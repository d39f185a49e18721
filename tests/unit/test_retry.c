#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connector/core/retry.h"

static const struct retry second = { .base_ms = 1000, .cap_ms = 300000 };

/* The longest delay: random ends on the span. */
static int64_t longest(const struct retry *r, unsigned tries, int floor_s)
{
	int64_t most = 0;

	for (uint64_t span = (uint64_t)r->base_ms; span <= (uint64_t)r->cap_ms * 2; span *= 2) {
		uint64_t at = span < (uint64_t)r->cap_ms ? span : (uint64_t)r->cap_ms;
		int64_t delay = retry_delay_ms(r, tries, floor_s, at);

		most = delay > most ? delay : most;
	}
	return most;
}

static void test_each_failure_doubles_the_span_up_to_the_cap(void **state)
{
	(void)state;
	assert_int_equal(longest(&second, 1, 0), 1000);
	assert_int_equal(longest(&second, 2, 0), 2000);
	assert_int_equal(longest(&second, 3, 0), 4000);
	assert_int_equal(longest(&second, 9, 0), 256000);
	assert_int_equal(longest(&second, 10, 0), 300000);
	assert_int_equal(longest(&second, 11, 0), 300000);
}

static void test_no_failure_yet_waits_like_the_first(void **state)
{
	(void)state;
	assert_int_equal(longest(&second, 0, 0), 1000);
}

static void test_huge_counts_neither_overflow_nor_take_long(void **state)
{
	static const struct retry wide = { .base_ms = 1, .cap_ms = INT64_MAX / 4 };

	(void)state;
	assert_int_equal(retry_delay_ms(&second, UINT_MAX, 0, 300000), 300000);
	for (unsigned tries = 0; tries < 200; tries++) {
		int64_t delay = retry_delay_ms(&wide, tries, INT_MAX, UINT64_MAX);

		assert_true(delay >= 0 && delay <= wide.cap_ms + 3600 * 1000);
	}
}

static void test_what_the_other_side_asks_for_is_the_floor(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(&second, 1, 30, 0), 30000);
	assert_int_equal(longest(&second, 1, 30), 31000);
	assert_int_equal(retry_delay_ms(&second, 1, -5, 0), 0);
}

static void test_an_absurd_wish_is_cut_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(&second, 1, INT_MAX, 0), 3600 * 1000);
}

static void test_the_whole_span_is_used_and_nothing_beyond(void **state)
{
	static const struct retry small = { .base_ms = 10, .cap_ms = 40 };
	unsigned seen[41] = { 0 };

	(void)state;
	for (uint64_t random = 0; random < 1000; random++) {
		int64_t delay = retry_delay_ms(&small, 5, 0, random);

		assert_true(delay >= 0 && delay <= 40);
		seen[delay]++;
	}
	for (int i = 0; i <= 40; i++)
		assert_true(seen[i] > 0);
	assert_true(retry_delay_ms(&small, 5, 0, UINT64_MAX) <= 40);
}

static void test_crashes_in_a_row_pause_longer_each_time_up_to_the_cap(void **state)
{
	static const int64_t pauses[] = { 0, 0, 0, 10000, 20000, 40000, 80000, 160000, 300000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(pauses) / sizeof(*pauses); i++)
		assert_int_equal(retry_crash_pause_ms(i, 300000), pauses[i]);
	assert_int_equal(retry_crash_pause_ms(UINT32_MAX, 3600000), 3600000);
	assert_int_equal(retry_crash_pause_ms(3, 1000), 1000);
	assert_int_equal(retry_crash_pause_ms(100, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_failure_doubles_the_span_up_to_the_cap),
		cmocka_unit_test(test_no_failure_yet_waits_like_the_first),
		cmocka_unit_test(test_huge_counts_neither_overflow_nor_take_long),
		cmocka_unit_test(test_what_the_other_side_asks_for_is_the_floor),
		cmocka_unit_test(test_an_absurd_wish_is_cut_to_an_hour),
		cmocka_unit_test(test_the_whole_span_is_used_and_nothing_beyond),
		cmocka_unit_test(test_crashes_in_a_row_pause_longer_each_time_up_to_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
