/* Memory of which nothing remains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connector/base/secret.h"

static void test_it_is_left_out_of_core_dumps(void **state)
{
	unsigned long first, last;
	char line[512];
	bool mine = false, left_out = false;
	char *p = secret_alloc(10000);
	FILE *maps = fopen("/proc/self/smaps", "r");

	(void)state;
	assert_non_null(maps);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(p[i], 0);
	memset(p, 'x', 10000);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			mine = first <= (uintptr_t)p && (uintptr_t)p + 10000 <= last;
		else if (mine && strncmp(line, "VmFlags:", 8) == 0)
			left_out = strstr(line, " dd") != NULL;
	}
	(void)fclose(maps);
	assert_true(left_out);
	secret_free(p);
	secret_free(NULL);
	p = secret_copy("text");
	assert_string_equal(p, "text");
	secret_free(p);
}

static void test_memory_that_grows_and_shrinks_keeps_its_content(void **state)
{
	char *p = secret_wiping_realloc(NULL, 10);

	(void)state;
	memcpy(p, "123456789", 10);
	p = secret_wiping_realloc(p, 100000);
	assert_string_equal(p, "123456789");
	p = secret_wiping_realloc(p, 10);
	assert_string_equal(p, "123456789");
	secret_wiping_free(p);
	secret_wiping_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_left_out_of_core_dumps),
		cmocka_unit_test(test_memory_that_grows_and_shrinks_keeps_its_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
