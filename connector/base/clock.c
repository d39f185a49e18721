#include "connector/base/clock.h"

#include <string.h>

void timer_init(struct timer *t, struct clock *c, void (*fire)(struct timer *t), void *data)
{
	memset(t, 0, sizeof(*t));
	t->fire = fire;
	t->data = data;
	t->clock = c;
}

void timer_start(struct timer *t, int64_t delay_ms)
{
	if (t->armed)
		t->clock->stop(t);
	t->clock->start(t, delay_ms < 0 ? 0 : delay_ms);
}

void timer_stop(struct timer *t)
{
	if (t->armed)
		t->clock->stop(t);
}
