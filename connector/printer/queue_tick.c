/* When idle IPP printers are asked how they do: all on one tick, so that this process wakes up for
 * all of them together, each as often as ASKED_A_SECOND allows it: every second up to so many
 * printers, less often with more of them, every ten seconds at the latest.
 *
 * A printer whose answers take long is asked less often: three quarters of its time stay its own.
 */
#include "connector/printer/queue_impl.h"

#define ASKED_A_SECOND 40
#define SLOWEST_MS     10000
#define REST           3 /* of the time that an answer took, at least, between it and the next */

/* How many ticks make a round, in which each printer has its turn once. */
static int64_t ticks_of(int64_t tick_ms, unsigned printers)
{
	int64_t ticks = ((int64_t)printers * 1000 + ASKED_A_SECOND * tick_ms - 1) /
	                (ASKED_A_SECOND * tick_ms);
	int64_t most = SLOWEST_MS / tick_ms;

	ticks = ticks < most ? ticks : most;
	return ticks > 1 ? ticks : 1;
}

int64_t queue_tick_delay(const struct queue *q, int64_t took_ms)
{
	const struct queues *qs = q->qs;
	int64_t now = qs->clock->now_ms(qs->clock), tick_ms = qs->events_ms;
	int64_t ticks = ticks_of(tick_ms, qs->printers), mine = q->place % ticks;
	int64_t tick = (now + took_ms * REST) / tick_ms + 1;

	tick += (mine - tick % ticks + ticks) % ticks;
	return tick * tick_ms - now;
}
