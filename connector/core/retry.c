#include "connector/core/retry.h"

#define CRASHES_FORGIVEN 3 /* fewer in a row may have been somebody with kill */
#define CRASH_PAUSE_MS   10000

int64_t retry_delay_ms(const struct retry *r, unsigned tries, int retry_after_s, uint64_t random)
{
	int64_t span = r->base_ms, floor = 0;

	while (tries-- > 1 && span < r->cap_ms)
		span *= 2;
	if (span > r->cap_ms)
		span = r->cap_ms;
	if (retry_after_s > 0)
		floor = (int64_t)(retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s
		                                                    : RETRY_AFTER_MAX_S) *
		        1000;
	return floor + (int64_t)(random % (uint64_t)(span + 1));
}

int64_t retry_crash_pause_ms(unsigned crashes, int64_t cap_ms)
{
	int64_t pause_ms = CRASH_PAUSE_MS;

	if (crashes < CRASHES_FORGIVEN)
		return 0;
	while (crashes-- > CRASHES_FORGIVEN && pause_ms < cap_ms)
		pause_ms *= 2;
	return pause_ms < cap_ms ? pause_ms : cap_ms;
}
