/* allowance.h - how often something may be said: a few times at once, then slowly, so that what
 * flickers costs little and what changes now and then is told without delay. Pure. */
#ifndef CONNECTOR_CLOUD_ALLOWANCE_H
#define CONNECTOR_CLOUD_ALLOWANCE_H

#include <stdint.h>

#define ALLOWANCE_AT_ONCE 6

struct allowance {
	int64_t step_ms;    /* after so many at once: one in this time */
	int64_t used_until; /* loop ms: when nothing of it is used any more */
};

/* Milliseconds to wait; 0: now. */
int64_t allowance_wait(const struct allowance *a, int64_t now_ms);
void allowance_use(struct allowance *a, int64_t now_ms); /* it was said */

#endif
