#include "connector/base/attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/ipp_codec.h"

static ipp_t *make(int copies, const char *sides)
{
	ipp_t *msg = ippNew();

	ippAddInteger(msg, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "copies-default", copies);
	ippAddString(msg, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "sides-default", NULL, sides);
	return msg;
}

static void test_equal_sets_are_equal_whatever_message_carried_them(void **state)
{
	ipp_t *one = make(1, "one-sided"), *two = make(1, "one-sided");
	struct attrs *a, *b, *c;

	(void)state;
	ippSetRequestId(two, 77);
	ippSetStatusCode(two, IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED);
	a = attrs_new(one);
	b = attrs_new(two);
	c = attrs_new(make(2, "one-sided"));
	assert_true(attrs_equal(a, b));
	assert_false(attrs_equal(a, c));
	assert_false(attrs_equal(a, NULL));
	assert_false(attrs_equal(NULL, a));
	assert_true(attrs_equal(NULL, NULL));
	attrs_unref(a);
	attrs_unref(b);
	attrs_unref(c);
	attrs_unref(NULL);
}

static void test_the_last_reference_frees(void **state)
{
	struct attrs *a = attrs_new(make(3, "one-sided"));

	(void)state;
	assert_ptr_equal(attrs_ref(a), a);
	attrs_unref(a);
	assert_int_equal(ipp_get_int(attrs_ipp(a), IPP_TAG_ZERO, "copies-default", 0), 3);
	attrs_unref(a);
}

static void test_what_the_store_keeps_comes_back_equal(void **state)
{
	struct attrs *a = attrs_new(make(1, "two-sided-long-edge")), *b = NULL;
	struct buf bytes;
	struct err err;

	(void)state;
	buf_init(&bytes, IPP_MESSAGE_MAX);
	assert_int_equal(attrs_encode(a, &bytes, &err), 0);
	assert_int_equal(attrs_decode(bytes.data, bytes.len, &b, &err), 0);
	assert_true(attrs_equal(a, b));
	assert_string_equal(ipp_get_text(attrs_ipp(b), IPP_TAG_PRINTER, "sides-default", ""),
	                    "two-sided-long-edge");
	attrs_unref(a);
	attrs_unref(b);
	buf_clear(&bytes);
}

static void test_damaged_bytes_are_corrupt_and_leave_the_result_alone(void **state)
{
	struct attrs *a = attrs_new(make(1, "one-sided")), *b = a;
	unsigned char *huge = calloc(1, IPP_MESSAGE_MAX + 1);
	struct buf bytes;
	struct err err;

	(void)state;
	buf_init(&bytes, IPP_MESSAGE_MAX);
	assert_int_equal(attrs_encode(a, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++) {
		assert_int_equal(attrs_decode(bytes.data, len, &b, &err), -1);
		assert_int_equal(err.kind, ERR_CORRUPT);
		assert_ptr_equal(b, a);
	}
	assert_non_null(strstr(err.text, "stored attributes: "));
	assert_int_equal(attrs_decode(huge, IPP_MESSAGE_MAX + 1, &b, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	free(huge);
	attrs_unref(a);
	buf_clear(&bytes);
}

static void test_a_set_too_large_to_encode_equals_none(void **state)
{
	static char value[30000];
	struct attrs *sets[2];
	struct buf bytes;
	struct err err;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	for (int i = 0; i < 2; i++) {
		ipp_t *msg = ippNew();

		for (size_t n = 0; n <= IPP_MESSAGE_MAX / sizeof(value); n++)
			ippAddString(msg, IPP_TAG_JOB, IPP_TAG_TEXT, "a", NULL, value);
		sets[i] = attrs_new(msg);
	}
	assert_false(attrs_equal(sets[0], sets[1]));
	buf_init(&bytes, IPP_MESSAGE_MAX);
	assert_int_equal(attrs_encode(sets[0], &bytes, &err), -1);
	assert_int_equal(bytes.len, 0);
	attrs_unref(sets[0]);
	attrs_unref(sets[1]);
	buf_clear(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_sets_are_equal_whatever_message_carried_them),
		cmocka_unit_test(test_the_last_reference_frees),
		cmocka_unit_test(test_what_the_store_keeps_comes_back_equal),
		cmocka_unit_test(test_damaged_bytes_are_corrupt_and_leave_the_result_alone),
		cmocka_unit_test(test_a_set_too_large_to_encode_equals_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
