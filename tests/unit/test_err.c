#include "common/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_an_error_has_kind_code_and_text(void **state)
{
	struct err err = { .retry_after_s = 5 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_REJECTED, 404, "printer %d", 7), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, 404);
	assert_int_equal(err.retry_after_s, 0);
	assert_string_equal(err.text, "printer 7");
}

static void test_errno_decides_the_kind(void **state)
{
	static const struct {
		int number;
		enum err_kind kind;
	} rows[] = { { ENOSPC, ERR_TEMPORARY }, { EIO, ERR_TEMPORARY }, { EACCES, ERR_DENIED },
		     { EPERM, ERR_DENIED },     { ENOENT, ERR_GONE },   { ECANCELED, ERR_CANCELED },
		     { ELOOP, ERR_REJECTED } };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		errno = rows[i].number;
		assert_int_equal(err_errno(&err, "open %s", "/x"), -1);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(err.code, rows[i].number);
	}
	errno = ENOENT;
	(void)err_errno(&err, "open %s", "/x");
	assert_string_equal(err.text, "open /x: No such file or directory");
}

static void test_context_goes_before_the_text(void **state)
{
	struct err err;

	(void)state;
	(void)err_set(&err, ERR_GONE, 3, "no such file");
	assert_int_equal(err_wrap(&err, "job %d", 4), -1);
	assert_int_equal(err_wrap(&err, "printer %s", "p"), -1);
	assert_string_equal(err.text, "printer p: job 4: no such file");
	assert_int_equal(err.kind, ERR_GONE);
	assert_int_equal(err.code, 3);
}

static void test_a_text_that_is_too_long_is_cut(void **state)
{
	char text[400];
	struct err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_GONE, 0, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	errno = EIO;
	(void)err_errno(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(err.code, EIO);
}

static void test_every_kind_has_a_name_that_finds_it(void **state)
{
	static const enum err_kind kinds[] = {
#define X(name, text) ERR_##name,
		ERR_KINDS(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		assert_int_equal(err_kind_find(err_kind_name(kinds[i])), kinds[i]);
	assert_int_equal(err_kind_find("something else"), ERR_NONE);
	assert_int_equal(err_kind_find(""), ERR_NONE);
}

static void test_a_cleared_error_is_none(void **state)
{
	struct err err;

	(void)state;
	(void)err_set(&err, ERR_GONE, 3, "x");
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_has_kind_code_and_text),
		cmocka_unit_test(test_errno_decides_the_kind),
		cmocka_unit_test(test_context_goes_before_the_text),
		cmocka_unit_test(test_a_text_that_is_too_long_is_cut),
		cmocka_unit_test(test_every_kind_has_a_name_that_finds_it),
		cmocka_unit_test(test_a_cleared_error_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
