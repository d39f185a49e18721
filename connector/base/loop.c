/* How a turn goes: timers, "soon" (timers of 0 ms, from an idle handle), then the wait for events
 * and their callbacks. A 0 ms timer started in a turn fires in the next one, never in the same:
 * libuv 1.44 would fire it at once when it was started from another timer, and two such timers that
 * start each other would keep the loop from its sockets. */
#include "connector/base/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#include <uv.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/histogram.h"

#define SIGNALS    8
#define SPARE_MAX  64
#define CLOSE_WAIT 5000000000 /* ns in which everything that closes must have closed */

/* What stands behind an armed struct timer; the timer's storage may go while this one closes. */
struct alarm {
	uv_timer_t uv;
	struct timer *timer; /* borrowed while armed */
	struct loop *loop;
	uint64_t turn; /* of a soon one: the turn it was started in */
	bool soon;
	TAILQ_ENTRY(alarm) link; /* in soon or spare */
};

struct signal_watch {
	uv_signal_t uv;
	void (*on_signal)(void *data, int number);
	void *data;
};

struct loop {
	uv_loop_t uv;
	struct clock clock;
	uv_async_t keep; /* keeps uv_loop_run() from ending while there is nothing to do */
	uv_idle_t idle;
	uv_prepare_t prepare;
	TAILQ_HEAD(, alarm) soon;
	TAILQ_HEAD(, alarm) spare;
	unsigned spares, armed;
	uint64_t turn;
	bool stopped;
	struct signal_watch signals[SIGNALS];
	unsigned signal_count;
	struct histogram lag;
	uint64_t turn_began, turn_idle; /* ns */
};

static struct loop *loop_of(struct clock *c)
{
	return CONTAINER_OF(c, struct loop, clock);
}

static int64_t clock_now_ms(struct clock *c)
{
	struct loop *l = loop_of(c);

	uv_update_time(&l->uv);
	return (int64_t)uv_now(&l->uv);
}

static int64_t clock_wall_ms(struct clock *c)
{
	struct timespec ts;

	(void)c;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t clock_random(struct clock *c)
{
	uint64_t value;

	(void)c;
	if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
		abort();
	return value;
}

static void on_alarm_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Takes the alarm off its timer; kept for the next one, since closing costs a turn. */
static void alarm_release(struct alarm *a)
{
	struct loop *l = a->loop;

	a->timer->armed = false;
	a->timer->impl = NULL;
	a->timer = NULL;
	l->armed--;
	if (a->soon)
		TAILQ_REMOVE(&l->soon, a, link);
	else
		(void)uv_timer_stop(&a->uv);
	if (TAILQ_EMPTY(&l->soon))
		(void)uv_idle_stop(&l->idle);
	if (l->spares < SPARE_MAX) {
		TAILQ_INSERT_HEAD(&l->spare, a, link);
		l->spares++;
	} else {
		uv_close((uv_handle_t *)&a->uv, on_alarm_closed);
	}
}

static void alarm_fire(struct alarm *a)
{
	struct timer *t = a->timer;

	alarm_release(a);
	t->fire(t);
}

static void on_uv_timer(uv_timer_t *uv)
{
	alarm_fire(uv->data);
}

static void on_idle(uv_idle_t *idle)
{
	struct loop *l = idle->data;
	struct alarm *a;

	l->turn++;
	while ((a = TAILQ_FIRST(&l->soon)) && a->turn != l->turn)
		alarm_fire(a);
}

static struct alarm *alarm_get(struct loop *l)
{
	struct alarm *a = TAILQ_FIRST(&l->spare);

	if (a) {
		TAILQ_REMOVE(&l->spare, a, link);
		l->spares--;
		return a;
	}
	a = xcalloc(1, sizeof(*a));
	a->loop = l;
	(void)uv_timer_init(&l->uv, &a->uv);
	a->uv.data = a;
	return a;
}

static void clock_start(struct timer *t, int64_t delay_ms)
{
	struct loop *l = loop_of(t->clock);
	struct alarm *a = alarm_get(l);

	a->timer = t;
	a->soon = delay_ms == 0;
	t->impl = a;
	t->armed = true;
	l->armed++;
	if (a->soon) {
		a->turn = l->turn;
		TAILQ_INSERT_TAIL(&l->soon, a, link);
		(void)uv_idle_start(&l->idle, on_idle);
		return;
	}
	/* libuv counts from when the turn began, which may be a while ago */
	uv_update_time(&l->uv);
	(void)uv_timer_start(&a->uv, on_uv_timer, (uint64_t)delay_ms, 0);
}

static void clock_stop(struct timer *t)
{
	alarm_release(t->impl);
}

/* The turn's time less what was spent waiting for events. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct loop *l = prepare->data;
	uint64_t now = uv_hrtime();
	uint64_t idle = uv_metrics_idle_time(&l->uv);
	uint64_t turn = now - l->turn_began, waited = idle - l->turn_idle;

	if (l->turn_began)
		histogram_add(&l->lag, turn > waited ? (int64_t)((turn - waited) / 1000) : 0);
	l->turn_began = now;
	l->turn_idle = idle;
}

static void on_keep(uv_async_t *keep)
{
	(void)keep;
}

int loop_open(struct loop **ret, struct err *err)
{
	AUTO(free_str) char *memory = xcalloc(1, sizeof(struct loop));
	struct loop *l = (void *)memory;
	int rc = uv_loop_init(&l->uv);

	if (rc < 0)
		return err_set(err, ERR_TEMPORARY, -rc, "cannot open the event loop: %s",
		               uv_strerror(rc));
	rc = uv_async_init(&l->uv, &l->keep, on_keep);
	if (rc < 0) {
		(void)uv_loop_close(&l->uv);
		return err_set(err, ERR_TEMPORARY, -rc, "cannot open the event loop: %s",
		               uv_strerror(rc));
	}
	(void)uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
	(void)uv_idle_init(&l->uv, &l->idle);
	(void)uv_prepare_init(&l->uv, &l->prepare);
	(void)uv_prepare_start(&l->prepare, on_prepare);
	uv_unref((uv_handle_t *)&l->prepare);
	l->idle.data = l;
	l->prepare.data = l;
	TAILQ_INIT(&l->soon);
	TAILQ_INIT(&l->spare);
	l->clock = (struct clock){ .now_ms = clock_now_ms,
		                   .wall_ms = clock_wall_ms,
		                   .random = clock_random,
		                   .start = clock_start,
		                   .stop = clock_stop };
	/* a peer that went away is an error of write(), not the end of the process */
	(void)signal(SIGPIPE, SIG_IGN);
	*ret = (void *)TAKE(memory);
	return 0;
}

static void on_guard(uv_timer_t *guard)
{
	(void)guard;
}

void loop_close(struct loop *l)
{
	uint64_t end = uv_hrtime() + CLOSE_WAIT;
	struct alarm *a;
	uv_timer_t guard;

	if (!l)
		return;
	assert(l->armed == 0);
	while ((a = TAILQ_FIRST(&l->spare))) {
		TAILQ_REMOVE(&l->spare, a, link);
		uv_close((uv_handle_t *)&a->uv, on_alarm_closed);
	}
	for (unsigned i = 0; i < l->signal_count; i++)
		uv_close((uv_handle_t *)&l->signals[i].uv, NULL);
	uv_close((uv_handle_t *)&l->keep, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	/* a handle that somebody forgot must end in the assertion, not in waiting for ever */
	(void)uv_timer_init(&l->uv, &guard);
	(void)uv_timer_start(&guard, on_guard, CLOSE_WAIT / 1000000, 0);
	uv_unref((uv_handle_t *)&guard);
	while (uv_loop_alive(&l->uv) && uv_hrtime() < end)
		(void)uv_run(&l->uv, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&guard, NULL);
	(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	{
		int rc = uv_loop_close(&l->uv);

		assert(rc == 0);
		(void)rc;
	}
	free(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopped)
		(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	l->stopped = false;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
	uv_stop(&l->uv);
}

static void on_uv_signal(uv_signal_t *uv, int number)
{
	struct signal_watch *s = uv->data;

	s->on_signal(s->data, number);
}

int loop_on_signal(struct loop *l, int number, void (*on_signal)(void *data, int number),
                   void *data, struct err *err)
{
	struct signal_watch *s;
	int rc;

	assert(l->signal_count < SIGNALS);
	s = &l->signals[l->signal_count];
	(void)uv_signal_init(&l->uv, &s->uv);
	l->signal_count++;
	s->uv.data = s;
	s->on_signal = on_signal;
	s->data = data;
	rc = uv_signal_start(&s->uv, on_uv_signal, number);
	if (rc < 0)
		return err_set(err, ERR_TEMPORARY, -rc, "cannot catch signal %d: %s", number,
		               uv_strerror(rc));
	return 0;
}

struct clock *loop_clock(struct loop *l)
{
	return &l->clock;
}

struct uv_loop_s *loop_uv(struct loop *l)
{
	return &l->uv;
}

const struct histogram *loop_lag(const struct loop *l)
{
	return &l->lag;
}
