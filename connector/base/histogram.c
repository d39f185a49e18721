#include "connector/base/histogram.h"

#define MS INT64_C(1000)
#define S  (1000 * MS)

const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS] = {
	MS / 2,   MS,       5 * MS / 2, 5 * MS,   10 * MS,   25 * MS,   50 * MS,
	100 * MS, 250 * MS, 500 * MS,   S,        5 * S / 2, 5 * S,     10 * S,
	30 * S,   60 * S,   300 * S,    1800 * S, 10800 * S, INT64_MAX,
};

void histogram_add(struct histogram *h, int64_t us)
{
	int i = 0;

	if (us < 0)
		us = 0;
	while (us > histogram_bounds_us[i])
		i++;
	h->count[i]++;
	h->sum_us = us > INT64_MAX - h->sum_us ? INT64_MAX : h->sum_us + us;
}
