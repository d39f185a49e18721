#include "connector/core/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connector/core/core.h"

static uint64_t samples(const struct histogram *h)
{
	uint64_t n = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += h->count[i];
	return n;
}

static void test_each_stage_counts_from_the_end_of_the_one_before(void **state)
{
	const struct job_record r = {
		.cloud_created = 1700000000, /* s */
		.received = 1700000002000,
		.acked = 1700000002010,
		.handed = 1700000002110,
		.finished = 1700000005110,
		.reported = 1700000005115,
		.outcome = OUTCOME_COMPLETED,
	};
	const int64_t expected_ms[CORE_STAGE_COUNT] = { 2000, 10, 100, 3000, 5 };
	struct core_tally t = { 0 };

	(void)state;
	tally_job(&t, &r);
	for (int i = 0; i < CORE_STAGE_COUNT; i++) {
		assert_int_equal(samples(&t.stages[i]), 1);
		assert_int_equal(t.stages[i].sum_us, expected_ms[i] * 1000);
	}
	assert_int_equal(t.finished[OUTCOME_COMPLETED], 1);
}

static void test_stages_that_a_job_never_reached_are_left_out(void **state)
{
	const struct job_record refused = { .received = 1700000002000,
		                            .finished = 1700000002010,
		                            .reported = 1700000002020,
		                            .outcome = OUTCOME_ABORTED };
	struct core_tally t = { 0 };

	(void)state;
	tally_job(&t, &refused);
	for (int i = 0; i < CORE_STAGE_REPORT; i++)
		assert_int_equal(samples(&t.stages[i]), 0);
	assert_int_equal(samples(&t.stages[CORE_STAGE_REPORT]), 1);
	assert_int_equal(t.finished[OUTCOME_ABORTED], 1);
	assert_int_equal(t.finished[OUTCOME_COMPLETED], 0);
}

static void test_a_clock_set_back_counts_as_no_time(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, -1);
	assert_int_equal(h.count[0], 1);
	assert_int_equal(h.sum_us, 0);
}

static void test_a_value_on_a_bound_is_below_it(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, histogram_bounds_us[3]);
	histogram_add(&h, histogram_bounds_us[3] + 1);
	assert_int_equal(h.count[3], 1);
	assert_int_equal(h.count[4], 1);
}

static void test_the_longest_time_neither_overflows_nor_is_lost(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, INT64_MAX);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.count[HISTOGRAM_BUCKETS - 1], 2);
	assert_true(h.sum_us == INT64_MAX);
}

static void test_bounds_rise_and_the_last_takes_all(void **state)
{
	(void)state;
	for (int i = 1; i < HISTOGRAM_BUCKETS; i++)
		assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
	assert_true(histogram_bounds_us[HISTOGRAM_BUCKETS - 1] == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_stage_counts_from_the_end_of_the_one_before),
		cmocka_unit_test(test_stages_that_a_job_never_reached_are_left_out),
		cmocka_unit_test(test_a_clock_set_back_counts_as_no_time),
		cmocka_unit_test(test_a_value_on_a_bound_is_below_it),
		cmocka_unit_test(test_the_longest_time_neither_overflows_nor_is_lost),
		cmocka_unit_test(test_bounds_rise_and_the_last_takes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
