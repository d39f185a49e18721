#include "connector/cloud/allowance.h"

int64_t allowance_wait(const struct allowance *a, int64_t now_ms)
{
	int64_t most = (int64_t)(ALLOWANCE_AT_ONCE - 1) * a->step_ms;
	int64_t used = a->used_until - now_ms;

	return used > most ? used - most : 0;
}

void allowance_use(struct allowance *a, int64_t now_ms)
{
	if (a->used_until < now_ms)
		a->used_until = now_ms;
	a->used_until += a->step_ms;
}
