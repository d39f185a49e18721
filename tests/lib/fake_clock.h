/* fake_clock.h - a clock that stands still until a test moves it: timers fire in the order of their
 * deadlines (those of one deadline in the order in which they were started), each seeing its own
 * deadline as the time. Random numbers come from a seed which the test prints. */
#ifndef TESTS_LIB_FAKE_CLOCK_H
#define TESTS_LIB_FAKE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "connector/base/clock.h"

struct fake_timer;

struct fake_clock {
	struct clock clock; /* what is handed to the code under test */
	int64_t now_ms;
	int64_t wall_ms; /* Unix time at now_ms; may be set at will */
	uint64_t seed;
	struct fake_timer *first; /* private from here on */
	uint64_t state;
};

/* seed 0: FAKE_CLOCK_SEED of the environment, or else the time. Prints the seed. */
void fake_clock_init(struct fake_clock *c, uint64_t seed);
/* Stops what is still armed; how many that were. */
size_t fake_clock_clear(struct fake_clock *c);
/* Moves on by ms and fires what becomes due, also what that starts; how many fired. */
size_t fake_clock_advance(struct fake_clock *c, int64_t ms);
/* Fires what is due now: what was started with 0 ms, and what that starts with 0 ms. */
size_t fake_clock_settle(struct fake_clock *c);
/* Moves to the next deadline and fires one timer; 0: none is armed. */
size_t fake_clock_step(struct fake_clock *c);
/* Milliseconds to the next deadline; -1: none. */
int64_t fake_clock_next(const struct fake_clock *c);
size_t fake_clock_armed(const struct fake_clock *c);

#endif
