/* test_intern.c - texts kept once. */
#include "common/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_equal_texts_are_one(void **state)
{
	char text[] = "/etc/print-connector/key.pem";
	const char *first = intern(text);

	(void)state;
	assert_ptr_not_equal(first, text);
	assert_string_equal(first, text);
	text[0] = '.';
	assert_ptr_not_equal(intern(text), first);
	text[0] = '/';
	assert_ptr_equal(intern(text), first);
}

static void test_none_is_none(void **state)
{
	(void)state;
	assert_null(intern(NULL));
	assert_null(intern(""));
}

static void test_many_texts_stay_what_they_are(void **state)
{
	const char *kept[3000];
	char text[16];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof(text), "text %d", i);
		kept[i] = intern(text);
	}
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof(text), "text %d", i);
		assert_string_equal(kept[i], text);
		assert_ptr_equal(intern(text), kept[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_texts_are_one),
		cmocka_unit_test(test_none_is_none),
		cmocka_unit_test(test_many_texts_stay_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
