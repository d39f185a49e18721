#include "tests/lib/fake_clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/util.h"

#define SETTLE_MAX 1000000 /* timers fired by one call: more is a loop that never waits */

struct fake_timer {
	struct fake_timer *next; /* by deadline */
	struct timer *timer;
	int64_t due_ms;
};

static struct fake_clock *of(struct clock *c)
{
	return CONTAINER_OF(c, struct fake_clock, clock);
}

static int64_t fake_now(struct clock *c)
{
	return of(c)->now_ms;
}

static int64_t fake_wall(struct clock *c)
{
	return of(c)->wall_ms;
}

static uint64_t fake_random(struct clock *c)
{
	uint64_t z = of(c)->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void fake_start(struct timer *t, int64_t delay_ms)
{
	struct fake_clock *c = of(t->clock);
	struct fake_timer *f = xcalloc(1, sizeof(*f)), **at = &c->first;

	assert(!t->armed && delay_ms >= 0);
	f->timer = t;
	f->due_ms = c->now_ms + delay_ms;
	while (*at && (*at)->due_ms <= f->due_ms)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	t->impl = f;
	t->armed = true;
}

static void fake_stop(struct timer *t)
{
	struct fake_timer *f = t->impl, **at = &of(t->clock)->first;

	assert(t->armed);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f);
	t->impl = NULL;
	t->armed = false;
}

static uint64_t seed_pick(void)
{
	const char *text = getenv("FAKE_CLOCK_SEED");

	return text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
}

void fake_clock_init(struct fake_clock *c, uint64_t seed)
{
	*c = (struct fake_clock){
		.clock = { fake_now, fake_wall, fake_random, fake_start, fake_stop },
		.now_ms = 1000,
		.wall_ms = 1750000000000,
		.seed = seed ? seed : seed_pick(),
	};
	c->state = c->seed;
	(void)printf("FAKE_CLOCK_SEED=%" PRIu64 "\n", c->seed);
}

size_t fake_clock_clear(struct fake_clock *c)
{
	size_t n = 0;

	for (; c->first; n++)
		timer_stop(c->first->timer);
	return n;
}

static void fire_first(struct fake_clock *c)
{
	struct timer *t = c->first->timer;

	if (c->first->due_ms > c->now_ms) {
		c->wall_ms += c->first->due_ms - c->now_ms;
		c->now_ms = c->first->due_ms;
	}
	fake_stop(t);
	t->fire(t);
}

size_t fake_clock_advance(struct fake_clock *c, int64_t ms)
{
	int64_t end = c->now_ms + ms;
	size_t n = 0;

	for (; c->first && c->first->due_ms <= end; n++) {
		assert(n < SETTLE_MAX);
		fire_first(c);
	}
	c->wall_ms += end - c->now_ms;
	c->now_ms = end;
	return n;
}

size_t fake_clock_settle(struct fake_clock *c)
{
	return fake_clock_advance(c, 0);
}

size_t fake_clock_step(struct fake_clock *c)
{
	if (!c->first)
		return 0;
	fire_first(c);
	return 1;
}

int64_t fake_clock_next(const struct fake_clock *c)
{
	return c->first ? c->first->due_ms - c->now_ms : -1;
}

size_t fake_clock_armed(const struct fake_clock *c)
{
	size_t n = 0;

	for (const struct fake_timer *f = c->first; f; f = f->next)
		n++;
	return n;
}
