#include "connector/base/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/histogram.h"

struct shot {
	struct timer timer;
	struct loop *loop;
	int fired, order;
	int again; /* starts itself so often */
	struct shot *starts, *stops;
	bool ends;
};

static int orders;

static void on_fire(struct timer *t)
{
	struct shot *s = t->data;

	assert_false(t->armed);
	s->fired++;
	s->order = ++orders;
	if (s->starts)
		timer_start(&s->starts->timer, 0);
	if (s->stops)
		timer_stop(&s->stops->timer);
	if (s->again-- > 0)
		timer_start(t, 0);
	if (s->ends)
		loop_stop(s->loop);
}

static void shot_init(struct shot *s, struct loop *l)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	timer_init(&s->timer, loop_clock(l), on_fire, s);
}

static struct loop *open_loop(void)
{
	struct loop *l;
	struct err err;

	assert_int_equal(loop_open(&l, &err), 0);
	return l;
}

static void test_an_unused_loop_closes(void **state)
{
	(void)state;
	loop_close(open_loop());
	loop_close(NULL);
}

static void test_timers_fire_in_the_order_of_their_times(void **state)
{
	struct loop *l = open_loop();
	struct shot s[4];
	int64_t began = loop_clock(l)->now_ms(loop_clock(l));

	(void)state;
	for (int i = 0; i < 4; i++)
		shot_init(&s[i], l);
	s[0].ends = true;
	timer_start(&s[0].timer, 30);
	timer_start(&s[1].timer, 20);
	timer_start(&s[2].timer, 0);
	timer_start(&s[3].timer, 1);
	loop_run(l);
	assert_true(s[2].order < s[3].order && s[3].order < s[1].order && s[1].order < s[0].order);
	assert_true(loop_clock(l)->now_ms(loop_clock(l)) - began >= 30);
	loop_close(l);
}

static void test_a_stopped_timer_does_not_fire(void **state)
{
	struct loop *l = open_loop();
	struct shot a, b, c, end;

	(void)state;
	shot_init(&a, l);
	shot_init(&b, l);
	shot_init(&c, l);
	shot_init(&end, l);
	a.stops = &b; /* both due in the same turn */
	end.ends = true;
	timer_start(&a.timer, 0);
	timer_start(&b.timer, 0);
	timer_start(&c.timer, 5);
	timer_stop(&c.timer);
	timer_start(&end.timer, 20);
	loop_run(l);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	assert_int_equal(c.fired, 0);
	loop_close(l);
}

static void test_a_timer_started_from_a_timer_waits_for_the_next_turn(void **state)
{
	struct loop *l = open_loop();
	struct shot a, b, end;

	(void)state;
	shot_init(&a, l);
	shot_init(&b, l);
	shot_init(&end, l);
	a.starts = &b;
	a.again = 100;
	b.again = 100;
	end.ends = true;
	timer_start(&a.timer, 0);
	timer_start(&end.timer, 0); /* started after a, so due in a's first turn */
	loop_run(l);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	timer_stop(&a.timer);
	timer_stop(&b.timer);
	loop_close(l);
}

static void on_free_fire(struct timer *t)
{
	loop_stop(t->data);
	free(t);
}

static void test_a_firing_timer_may_free_its_owner(void **state)
{
	struct loop *l = open_loop();

	(void)state;
	for (int delay = 0; delay < 2; delay++) {
		struct timer *t = malloc(sizeof(*t));

		timer_init(t, loop_clock(l), on_free_fire, l);
		timer_start(t, delay);
		loop_run(l);
	}
	loop_close(l);
}

static void test_many_timers_leave_nothing_behind(void **state)
{
	struct loop *l = open_loop();
	static struct shot s[500];

	(void)state;
	for (int i = 0; i < 500; i++) {
		shot_init(&s[i], l);
		timer_start(&s[i].timer, i % 7);
	}
	s[6].ends = true;
	loop_run(l);
	for (int i = 0; i < 500; i++)
		timer_stop(&s[i].timer);
	loop_close(l);
}

static void test_stop_before_run_is_kept(void **state)
{
	struct loop *l = open_loop();

	(void)state;
	loop_stop(l);
	loop_run(l);
	loop_close(l);
}

struct caught {
	struct loop *loop;
	int number;
};

static void on_signal(void *data, int number)
{
	struct caught *c = data;

	c->number = number;
	loop_stop(c->loop);
}

static void test_signals_come_from_the_loop(void **state)
{
	struct caught c = { .loop = open_loop() };
	struct err err;

	(void)state;
	assert_int_equal(loop_on_signal(c.loop, SIGHUP, on_signal, &c, &err), 0);
	assert_int_equal(loop_on_signal(c.loop, SIGUSR1, on_signal, &c, &err), 0);
	(void)raise(SIGUSR1);
	assert_int_equal(c.number, 0);
	loop_run(c.loop);
	assert_int_equal(c.number, SIGUSR1);
	(void)raise(SIGHUP);
	loop_run(c.loop);
	assert_int_equal(c.number, SIGHUP);
	loop_close(c.loop);
}

static void test_a_signal_that_cannot_be_caught_is_an_error(void **state)
{
	struct loop *l = open_loop();
	struct err err;

	(void)state;
	assert_int_equal(loop_on_signal(l, SIGKILL, on_signal, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	loop_close(l);
}

static void test_a_write_to_nobody_is_an_error_only(void **state)
{
	struct loop *l = open_loop();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	(void)close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	(void)close(fds[1]);
	loop_close(l);
}

static void on_busy(struct timer *t)
{
	struct loop *l = t->data;
	struct timespec began, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	do
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - began.tv_sec) * 1000000000 + now.tv_nsec - began.tv_nsec < 30000000);
	(void)l;
}

static void test_lag_counts_work_and_not_waiting(void **state)
{
	struct loop *l = open_loop();
	const struct histogram *lag = loop_lag(l);
	struct shot end;
	struct timer busy;
	uint64_t turns = 0, slow = 0;
	int64_t idle_us;

	(void)state;
	shot_init(&end, l);
	end.ends = true;
	timer_start(&end.timer, 50);
	loop_run(l);
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		turns += lag->count[i];
	assert_true(turns <= 3);
	idle_us = lag->sum_us;
	assert_true(idle_us < 45000); /* it waited for 50 ms, and did nothing */
	timer_init(&busy, loop_clock(l), on_busy, l);
	timer_start(&busy, 0);
	timer_start(&end.timer, 1);
	loop_run(l);
	timer_start(&end.timer, 1);
	loop_run(l);
	assert_true(lag->sum_us - idle_us >= 30000);
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram_bounds_us[i] > 25000)
			slow += lag->count[i];
	assert_true(slow >= 1);
	loop_close(l);
}

static void test_the_clock_tells_time_and_chance(void **state)
{
	struct loop *l = open_loop();
	struct clock *c = loop_clock(l);
	int64_t wall = c->wall_ms(c), seconds = (int64_t)time(NULL);

	(void)state;
	assert_true(wall / 1000 >= seconds - 2 && wall / 1000 <= seconds + 2);
	assert_true(c->random(c) != c->random(c) || c->random(c) != c->random(c));
	loop_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_unused_loop_closes),
		cmocka_unit_test(test_timers_fire_in_the_order_of_their_times),
		cmocka_unit_test(test_a_stopped_timer_does_not_fire),
		cmocka_unit_test(test_a_timer_started_from_a_timer_waits_for_the_next_turn),
		cmocka_unit_test(test_a_firing_timer_may_free_its_owner),
		cmocka_unit_test(test_many_timers_leave_nothing_behind),
		cmocka_unit_test(test_stop_before_run_is_kept),
		cmocka_unit_test(test_signals_come_from_the_loop),
		cmocka_unit_test(test_a_signal_that_cannot_be_caught_is_an_error),
		cmocka_unit_test(test_a_write_to_nobody_is_an_error_only),
		cmocka_unit_test(test_lag_counts_work_and_not_waiting),
		cmocka_unit_test(test_the_clock_tells_time_and_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
