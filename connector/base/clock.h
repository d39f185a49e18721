/* clock.h - time, timers and randomness as something that is passed in: the daemon gives the
 * loop's (base/loop.h), a test gives its own and moves it by hand. Loop thread only. */
#ifndef CONNECTOR_BASE_CLOCK_H
#define CONNECTOR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

struct timer {
	void (*fire)(
		struct timer *t); /* from the loop; may start the timer again or free its owner */
	void *data;               /* the caller's */
	struct clock *clock;      /* borrowed */
	bool armed;               /* private from here on */
	void *impl;
};

struct clock {
	int64_t (*now_ms)(struct clock *c);  /* monotonic; for delays and deadlines */
	int64_t (*wall_ms)(struct clock *c); /* Unix time; for people, certificates and the store */
	uint64_t (*random)(struct clock *c);
	void (*start)(struct timer *t, int64_t delay_ms);
	void (*stop)(struct timer *t);
};

void timer_init(struct timer *t, struct clock *c, void (*fire)(struct timer *t), void *data);
/* Fires once after delay_ms (0: in the next turn of the loop). Starting again replaces. */
void timer_start(struct timer *t, int64_t delay_ms);
/* After this it does not fire, and its storage may be freed. Fine on one never started. */
void timer_stop(struct timer *t);

#endif
