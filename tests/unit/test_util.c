#include "common/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int cleaned;

static void count(int *p)
{
	cleaned += *p;
}

static void test_a_local_cleans_itself_up(void **state)
{
	(void)state;
	cleaned = 0;
	{
		AUTO(count) int one = 1;
		AUTO(count) int two = 2;

		assert_int_equal(one + two + cleaned, 3);
	}
	assert_int_equal(cleaned, 3);
}

static void test_a_descriptor_is_closed_at_the_end_of_its_block(void **state)
{
	int copy;

	(void)state;
	{
		AUTO(close_fd) int none = -1;
		AUTO(close_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC, 0);

		assert_true(fd >= 0);
		assert_int_equal(none, -1);
		copy = fd;
	}
	assert_int_equal(fcntl(copy, F_GETFD), -1);
}

static void test_taking_leaves_nothing_behind(void **state)
{
	AUTO(free_str) char *from = xstrdup("text");
	char *to = TAKE(from);

	(void)state;
	assert_null(from);
	assert_string_equal(to, "text");
	wipe_str(&to);
}

struct inner {
	int x;
};

struct outer {
	char before[3];
	struct inner inner;
};

static void test_the_outer_struct_is_found(void **state)
{
	struct outer outer;

	(void)state;
	assert_ptr_equal(CONTAINER_OF(&outer.inner, struct outer, inner), &outer);
}

static void test_allocations_of_nothing_are_something(void **state)
{
	char *a = xmalloc(0), *b = xcalloc(0, 0), *c = xrealloc(NULL, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void test_copies_of_text(void **state)
{
	AUTO(free_str) char *whole = xstrdup("printer");
	AUTO(free_str) char *part = xstrndup("printer", 5);
	AUTO(free_str) char *made = xasprintf("%s %d", "job", 7);

	(void)state;
	assert_string_equal(whole, "printer");
	assert_string_equal(part, "print");
	assert_string_equal(made, "job 7");
}

static void test_wiped_bytes_are_zero(void **state)
{
	static const char zeros[8];
	char secret[8] = "secret";

	(void)state;
	wipe(secret, sizeof(secret));
	assert_memory_equal(secret, zeros, sizeof(secret));
	wipe_str(&(char *){ NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_local_cleans_itself_up),
		cmocka_unit_test(test_a_descriptor_is_closed_at_the_end_of_its_block),
		cmocka_unit_test(test_taking_leaves_nothing_behind),
		cmocka_unit_test(test_the_outer_struct_is_found),
		cmocka_unit_test(test_allocations_of_nothing_are_something),
		cmocka_unit_test(test_copies_of_text),
		cmocka_unit_test(test_wiped_bytes_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
