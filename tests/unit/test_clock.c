#include "connector/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/util.h"

/* A clock as a test would give it. */
struct counting {
	struct clock clock;
	int starts, stops;
	int64_t delay;
};

static void count_start(struct timer *t, int64_t delay_ms)
{
	struct counting *c = CONTAINER_OF(t->clock, struct counting, clock);

	c->starts++;
	c->delay = delay_ms;
	t->armed = true;
}

static void count_stop(struct timer *t)
{
	CONTAINER_OF(t->clock, struct counting, clock)->stops++;
	t->armed = false;
}

static void on_fire(struct timer *t)
{
	(void)t;
}

static void test_a_timer_never_started_may_be_stopped(void **state)
{
	struct counting c = { .clock = { .start = count_start, .stop = count_stop } };
	struct timer t;

	(void)state;
	timer_init(&t, &c.clock, on_fire, &c);
	timer_stop(&t);
	assert_int_equal(c.stops, 0);
	assert_ptr_equal(t.data, &c);
	assert_false(t.armed);
}

static void test_starting_again_replaces(void **state)
{
	struct counting c = { .clock = { .start = count_start, .stop = count_stop } };
	struct timer t;

	(void)state;
	timer_init(&t, &c.clock, on_fire, NULL);
	timer_start(&t, 10);
	timer_start(&t, 20);
	assert_int_equal(c.starts, 2);
	assert_int_equal(c.stops, 1);
	assert_int_equal(c.delay, 20);
	timer_stop(&t);
	timer_stop(&t);
	assert_int_equal(c.stops, 2);
}

static void test_a_delay_in_the_past_is_none(void **state)
{
	struct counting c = { .clock = { .start = count_start, .stop = count_stop } };
	struct timer t;

	(void)state;
	timer_init(&t, &c.clock, on_fire, NULL);
	timer_start(&t, -5);
	assert_int_equal(c.delay, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_timer_never_started_may_be_stopped),
		cmocka_unit_test(test_starting_again_replaces),
		cmocka_unit_test(test_a_delay_in_the_past_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
