#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "connector/cloud/outage.h"

static const struct err down = { .kind = ERR_TEMPORARY, .code = 7 };
static const struct err forgotten = { .kind = ERR_GONE, .code = 0x0406 };

static void test_what_is_a_refusal(void **state)
{
	static const struct {
		struct err err;
		bool refusal;
	} cases[] = {
		{ { .kind = ERR_DENIED, .code = 401 }, true },
		{ { .kind = ERR_DENIED, .code = 403 }, true },
		{ { .kind = ERR_DENIED, .code = 0x0401 }, true },
		{ { .kind = ERR_DENIED, .code = 0x0403 }, true },
		{ { .kind = ERR_DENIED, .code = 407 }, false }, /* a proxy */
		{ { .kind = ERR_DENIED, .code = 60 }, false },  /* the cloud's certificate */
		{ { .kind = ERR_GONE, .code = 404 }, true },
		{ { .kind = ERR_GONE, .code = 410 }, true },
		{ { .kind = ERR_GONE, .code = 0x0406 }, false },
		{ { .kind = ERR_TEMPORARY, .code = 503 }, false },
		{ { .kind = ERR_REJECTED, .code = 0x0400 }, false },
		{ { .kind = ERR_CANCELED }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (outage_is_refusal(&cases[i].err) != cases[i].refusal)
			fail_msg("case %zu", i);
}

static void test_the_first_retry_is_quick_and_later_ones_back_off_to_five_minutes(void **state)
{
	struct outage o = { 0 };
	int64_t most = 1000;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct outage_plan plan = outage_after(&o, &down, 0, (uint64_t)most);

		assert_int_equal(plan.state, CHANNEL_OFFLINE);
		assert_int_equal(plan.delay_ms, most);
		most = most * 2 > 300000 ? 300000 : most * 2;
	}
}

static void test_only_a_good_minute_forgets_failures(void **state)
{
	struct outage o = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		(void)outage_after(&o, &down, 59999, 0);
	assert_true(outage_after(&o, &down, 59999, 299999).delay_ms > 1000);
	assert_true(outage_after(&o, &down, 60000, 299999).delay_ms <= 1000);
}

static void test_retry_after_is_the_least(void **state)
{
	struct outage o = { 0 };
	struct err busy = { .kind = ERR_TEMPORARY, .code = 503, .retry_after_s = 120 };

	(void)state;
	for (uint64_t r = 1; r < 100; r++) {
		int64_t delay = outage_after(&o, &busy, 0, r * 7919).delay_ms;

		assert_in_range(delay, 120000, 300000);
	}
}

static void test_refused_after_the_second_time_in_a_row(void **state)
{
	struct outage o = { 0 };
	struct err denied = { .kind = ERR_DENIED, .code = 401 };
	struct outage_plan plan;

	(void)state;
	assert_int_equal(outage_after(&o, &denied, 0, 5).state, CHANNEL_OFFLINE);
	assert_int_equal(outage_after(&o, &down, 0, 5).state, CHANNEL_OFFLINE);
	assert_int_equal(outage_after(&o, &denied, 0, 5).state, CHANNEL_OFFLINE);
	plan = outage_after(&o, &denied, 0, UINT64_MAX);
	assert_int_equal(plan.state, CHANNEL_REFUSED);
	assert_in_range(plan.delay_ms, 900000, 1800000);
	assert_int_equal(outage_after(&o, &denied, 0, 0).delay_ms, 900000);
}

static void test_a_forgetful_server_is_told_again_at_once_but_only_once(void **state)
{
	struct outage o = { 0 };
	struct outage_plan plan = outage_after(&o, &forgotten, 100, 777);

	(void)state;
	assert_int_equal(plan.state, CHANNEL_CONNECTING);
	assert_int_equal(plan.delay_ms, 0);
	plan = outage_after(&o, &forgotten, 100, 777);
	assert_int_equal(plan.state, CHANNEL_OFFLINE);
	assert_int_equal(plan.delay_ms, 777);
}

static void test_refusals_say_what_to_do(void **state)
{
	struct err denied = { .kind = ERR_DENIED, .code = 401, .text = "HTTP 401" };
	struct err gone = { .kind = ERR_GONE, .code = 404 };
	struct err told;

	(void)state;
	outage_explain(&denied, &told);
	assert_int_equal(told.kind, ERR_DENIED);
	assert_non_null(strstr(told.text, "password"));
	outage_explain(&gone, &told);
	assert_int_equal(told.kind, ERR_GONE);
	assert_non_null(strstr(told.text, "no such printer at this cloud"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_refusal),
		cmocka_unit_test(
			test_the_first_retry_is_quick_and_later_ones_back_off_to_five_minutes),
		cmocka_unit_test(test_only_a_good_minute_forgets_failures),
		cmocka_unit_test(test_retry_after_is_the_least),
		cmocka_unit_test(test_refused_after_the_second_time_in_a_row),
		cmocka_unit_test(test_a_forgetful_server_is_told_again_at_once_but_only_once),
		cmocka_unit_test(test_refusals_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
