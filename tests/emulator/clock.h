/* clock.h - wall clock in microseconds (what is recorded) and the waits that end by it. */
#ifndef TESTS_EMULATOR_CLOCK_H
#define TESTS_EMULATOR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct MHD_Connection;

#define CLOCK_FOREVER INT64_MAX

int64_t clock_us(void);        /* since 1970 */
int64_t clock_steady_us(void); /* for deadlines */

/* One suspended HTTP request. libmicrohttpd calls its handler again once it is woken. */
struct sleeper {
	TAILQ_ENTRY(sleeper) entry;
	struct MHD_Connection *connection; /* borrowed */
	int64_t deadline_us;               /* steady; CLOCK_FOREVER: only by sleeper_wake() */
	bool asleep;
	bool expired; /* the last wake was by the deadline */
};

void sleeper_start(struct sleeper *s, struct MHD_Connection *connection, int64_t deadline_us);
void sleeper_wake(struct sleeper *s); /* nothing when it is not asleep */
void sleepers_expire(void);
void sleepers_wake_all(void);
int64_t sleepers_next_us(void); /* the nearest deadline */
/* Whether any woke since the last call. libmicrohttpd without a thread of its own has no way to
 * tell poll() of a resumed connection: the loop must not block then. */
bool sleepers_woken(void);

#endif
