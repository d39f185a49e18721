/* retry.h - how long to wait before asking again: exponential with full jitter, the other side's
 * Retry-After as floor. Pure. */
#ifndef CONNECTOR_CORE_RETRY_H
#define CONNECTOR_CORE_RETRY_H

#include <stdint.h>

#define RETRY_AFTER_MAX_S 3600 /* more of a server's Retry-After is not obeyed */

struct retry {
	int64_t base_ms, cap_ms;
};

/* tries: failures so far, from 1; random: any 64 bits; retry_after_s: 0 when there was none.
 * With a floor the jitter lies above it, so that clients told the same time still spread. */
int64_t retry_delay_ms(const struct retry *r, unsigned tries, int retry_after_s, uint64_t random);
/* How long no cloud is asked after so many crashes in a row: nothing after the first two, 10 s
 * after the third and twice as long after each further one, up to the cap. */
int64_t retry_crash_pause_ms(unsigned crashes, int64_t cap_ms);

#endif
