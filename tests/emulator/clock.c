#include "tests/emulator/clock.h"

#include <time.h>

#include <microhttpd.h>

static TAILQ_HEAD(, sleeper) sleepers = TAILQ_HEAD_INITIALIZER(sleepers);
static int64_t nearest_us = CLOCK_FOREVER; /* never later than the first deadline */
static bool woken;                         /* since the loop last asked */

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_steady_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void sleeper_start(struct sleeper *s, struct MHD_Connection *connection, int64_t deadline_us)
{
	s->connection = connection;
	s->deadline_us = deadline_us;
	s->asleep = true;
	s->expired = false;
	TAILQ_INSERT_TAIL(&sleepers, s, entry);
	if (deadline_us < nearest_us)
		nearest_us = deadline_us;
	MHD_suspend_connection(connection);
}

void sleeper_wake(struct sleeper *s)
{
	if (!s->asleep)
		return;
	s->asleep = false;
	TAILQ_REMOVE(&sleepers, s, entry);
	MHD_resume_connection(s->connection);
	woken = true;
}

void sleepers_expire(void)
{
	int64_t now = clock_steady_us(), next = CLOCK_FOREVER;
	struct sleeper *s, *after;

	if (now < nearest_us)
		return;
	for (s = TAILQ_FIRST(&sleepers); s != NULL; s = after) {
		after = TAILQ_NEXT(s, entry);
		if (s->deadline_us <= now) {
			s->expired = true;
			sleeper_wake(s);
		} else if (s->deadline_us < next) {
			next = s->deadline_us;
		}
	}
	nearest_us = next;
}

void sleepers_wake_all(void)
{
	while (!TAILQ_EMPTY(&sleepers))
		sleeper_wake(TAILQ_FIRST(&sleepers));
}

int64_t sleepers_next_us(void)
{
	return nearest_us;
}

bool sleepers_woken(void)
{
	bool was = woken;

	woken = false;
	return was;
}
