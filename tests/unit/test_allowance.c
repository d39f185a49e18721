/* How often something may be said. */
#include "connector/cloud/allowance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEP_MS 10000

/* How often it is said within so many seconds when something is there to say every second. */
static int said_within(struct allowance *a, int64_t from_s, int seconds)
{
	int n = 0;

	for (int s = 0; s < seconds; s++) {
		int64_t now = (from_s + s) * 1000;

		if (allowance_wait(a, now) > 0)
			continue;
		allowance_use(a, now);
		n++;
	}
	return n;
}

static void test_a_few_changes_are_said_at_once(void **state)
{
	struct allowance a = { .step_ms = STEP_MS };

	(void)state;
	for (int i = 0; i < ALLOWANCE_AT_ONCE; i++) {
		assert_int_equal(allowance_wait(&a, 5000), 0);
		allowance_use(&a, 5000);
	}
	assert_int_equal(allowance_wait(&a, 5000), STEP_MS);
	assert_int_equal(allowance_wait(&a, 5000 + STEP_MS - 1), 1);
	assert_int_equal(allowance_wait(&a, 5000 + STEP_MS), 0);
}

static void
test_what_flickers_for_minutes_is_said_six_times_and_then_every_ten_seconds(void **state)
{
	struct allowance a = { .step_ms = STEP_MS };

	(void)state;
	assert_in_range(said_within(&a, 100, 60), 11, 12);
	assert_int_equal(said_within(&a, 160, 600), 60);
}

static void test_after_a_quiet_minute_all_of_it_is_there_again(void **state)
{
	struct allowance a = { .step_ms = STEP_MS };

	(void)state;
	(void)said_within(&a, 100, 600);
	assert_int_equal(said_within(&a, 760, 6), ALLOWANCE_AT_ONCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_few_changes_are_said_at_once),
		cmocka_unit_test(
			test_what_flickers_for_minutes_is_said_six_times_and_then_every_ten_seconds),
		cmocka_unit_test(test_after_a_quiet_minute_all_of_it_is_there_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
