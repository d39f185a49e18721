/* histogram.h - how long something took, counted in buckets that serve commits of a millisecond and
 * jobs of hours alike. Pure; whoever shares one between threads locks it. */
#ifndef CONNECTOR_BASE_HISTOGRAM_H
#define CONNECTOR_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 20
extern const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS]; /* upper bounds; the last has none */

struct histogram { /* zeroed at first */
	uint64_t count[HISTOGRAM_BUCKETS];
	int64_t sum_us; /* stays at its end */
};

/* us below 0, of a clock that was set back, counts as 0. */
void histogram_add(struct histogram *h, int64_t us);

#endif
