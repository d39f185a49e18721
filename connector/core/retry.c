#include "connector/core/retry.h"

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
