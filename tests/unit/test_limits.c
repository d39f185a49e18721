#include "connector/base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

/* What it says when the process has no more than it has now and so much. */
static const char *under(int resource, rlim_t value)
{
	struct rlimit old, low;
	const char *what;

	assert_int_equal(getrlimit((__rlimit_resource_t)resource, &old), 0);
	low = old;
	low.rlim_cur = value;
	assert_int_equal(setrlimit((__rlimit_resource_t)resource, &low), 0);
	what = limits_short_of();
	assert_int_equal(setrlimit((__rlimit_resource_t)resource, &old), 0);
	return what;
}

static void test_with_enough_it_says_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) /* nothing is kept */
		assert_null(limits_short_of());
}

static void test_descriptors_are_missed_before_the_last_is_gone(void **state)
{
	(void)state;
	assert_null(under(RLIMIT_NOFILE, 64));
	assert_string_equal(under(RLIMIT_NOFILE, 18), "file descriptors");
	assert_string_equal(under(RLIMIT_NOFILE, 3), "file descriptors");
	assert_null(limits_short_of());
}

static void test_memory_is_missed(void **state)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(under(RLIMIT_AS, pages * 4096 + (1 << 20)), "memory");
	assert_null(limits_short_of());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_enough_it_says_nothing),
		cmocka_unit_test(test_descriptors_are_missed_before_the_last_is_gone),
		cmocka_unit_test(test_memory_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
