/* The clock of the other tests is itself one that can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/lib/fake_clock.h"

static struct fake_clock fake;
static char fired[64];
static int64_t seen_at;

static void on_fire(struct timer *t)
{
	(void)strncat(fired, t->data, sizeof(fired) - strlen(fired) - 1);
	seen_at = fake.clock.now_ms(&fake.clock);
}

static void on_again(struct timer *t)
{
	on_fire(t);
	if (strlen(fired) < 5)
		timer_start(t, 10);
}

static int setup(void **state)
{
	(void)state;
	fake_clock_init(&fake, 7);
	fired[0] = '\0';
	return 0;
}

static void make(struct timer *t, const char *name)
{
	timer_init(t, &fake.clock, on_fire, (void *)(uintptr_t)name);
}

static void test_timers_fire_by_deadline_and_then_in_order(void **state)
{
	struct timer a, b, c, d;

	(void)state;
	make(&a, "a");
	make(&b, "b");
	make(&c, "c");
	make(&d, "d");
	timer_start(&c, 20);
	timer_start(&a, 10);
	timer_start(&b, 10);
	timer_start(&d, 21);
	assert_int_equal(fake_clock_next(&fake), 10);
	assert_int_equal(fake_clock_advance(&fake, 20), 3);
	assert_string_equal(fired, "abc");
	assert_int_equal(fake_clock_armed(&fake), 1);
	assert_int_equal(fake_clock_step(&fake), 1);
	assert_int_equal(fake_clock_step(&fake), 0);
	assert_int_equal(fake_clock_next(&fake), -1);
}

static void test_a_timer_sees_its_own_deadline_as_the_time(void **state)
{
	int64_t start = fake.now_ms, wall = fake.wall_ms;
	struct timer a;

	(void)state;
	make(&a, "a");
	timer_start(&a, 30);
	(void)fake_clock_advance(&fake, 100);
	assert_int_equal(seen_at, start + 30);
	assert_int_equal(fake.now_ms, start + 100);
	assert_int_equal(fake.clock.wall_ms(&fake.clock), wall + 100);
}

static void test_a_timer_may_start_itself_again(void **state)
{
	struct timer a;

	(void)state;
	timer_init(&a, &fake.clock, on_again, (void *)(uintptr_t) "x");
	timer_start(&a, 0);
	assert_int_equal(fake_clock_settle(&fake), 1);
	assert_int_equal(fake_clock_advance(&fake, 25), 2);
	assert_int_equal(fake_clock_advance(&fake, 1000), 2);
	assert_string_equal(fired, "xxxxx");
}

static void test_starting_again_replaces_and_stopping_stops(void **state)
{
	struct timer a, b;

	(void)state;
	make(&a, "a");
	make(&b, "b");
	timer_start(&a, 10);
	timer_start(&a, 50);
	timer_start(&b, 20);
	timer_stop(&b);
	timer_stop(&b);
	assert_int_equal(fake_clock_advance(&fake, 49), 0);
	assert_int_equal(fake_clock_clear(&fake), 1);
	assert_int_equal(fake_clock_advance(&fake, 49), 0);
}

static void test_the_same_seed_gives_the_same_numbers(void **state)
{
	uint64_t first = fake.clock.random(&fake.clock);
	uint64_t second = fake.clock.random(&fake.clock);

	(void)state;
	assert_int_not_equal(first, second);
	fake_clock_init(&fake, 7);
	assert_int_equal(fake.clock.random(&fake.clock), first);
	fake_clock_init(&fake, 8);
	assert_int_not_equal(fake.clock.random(&fake.clock), first);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_timers_fire_by_deadline_and_then_in_order, setup),
		cmocka_unit_test_setup(test_a_timer_sees_its_own_deadline_as_the_time, setup),
		cmocka_unit_test_setup(test_a_timer_may_start_itself_again, setup),
		cmocka_unit_test_setup(test_starting_again_replaces_and_stopping_stops, setup),
		cmocka_unit_test_setup(test_the_same_seed_gives_the_same_numbers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
