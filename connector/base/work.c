/* One batch is on the thread at a time. It is an object of its own: libuv reports its end in a
 * later turn, when work_close() may long have taken its result. */
#include "connector/base/work.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <uv.h>

#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/loop.h"

struct batch {
	uv_work_t req;
	uv_sem_t over;     /* run() has returned */
	struct work *work; /* NULL: its items were delivered by work_close() */
	struct work_frame frame;
	struct work_item *first;
};

struct work {
	struct loop *loop; /* borrowed */
	struct work_frame frame;
	unsigned max_batch;
	struct work_item *first, **end; /* those that wait */
	unsigned waiting;
	unsigned urgent;       /* so many of them, from the first on, must not wait for a delay */
	struct timer lazy;     /* until then the rest may wait */
	int64_t lazy_due;      /* clock's milliseconds; while lazy is armed */
	struct batch *running; /* or NULL */
	bool delivering;
};

static void run_items(struct batch *b)
{
	struct err whole;
	bool failed = b->frame.begin && b->frame.begin(b->frame.data, &whole) < 0;

	for (struct work_item *i = b->first; i && !failed; i = i->next)
		i->failed = i->run(i, &i->err) < 0;
	if (!failed)
		failed = b->frame.end && b->frame.end(b->frame.data, &whole) < 0;
	for (struct work_item *i = b->first; i && failed; i = i->next) {
		if (!i->failed)
			i->err = whole;
		i->failed = true;
	}
}

static void deliver(struct work *w, struct work_item *first)
{
	struct work_item *next;

	w->delivering = true;
	for (struct work_item *i = first; i; i = next) {
		next = i->next;
		i->next = NULL;
		if (i->failed) {
			struct err err = i->err;

			i->done(i, &err);
		} else {
			i->done(i, NULL);
		}
	}
	w->delivering = false;
}

/* The first of those that wait, as many as one batch takes. */
static struct work_item *take_items(struct work *w)
{
	struct work_item *first = w->first, **end = &first;
	unsigned count = 0;

	for (; *end && count < w->max_batch; count++)
		end = &(*end)->next;
	w->first = *end;
	*end = NULL;
	if (!w->first)
		w->end = &w->first;
	w->waiting -= count;
	w->urgent -= w->urgent < count ? w->urgent : count;
	if (!w->waiting)
		timer_stop(&w->lazy);
	return first;
}

static void start_batch(struct work *w);

static void on_run(uv_work_t *req)
{
	struct batch *b = req->data;

	run_items(b);
	uv_sem_post(&b->over);
}

static void on_over(uv_work_t *req, int status)
{
	struct batch *b = req->data;
	struct work *w = b->work;

	assert(status == 0);
	if (w) {
		deliver(w, b->first);
		w->running = NULL;
		start_batch(w);
	}
	uv_sem_destroy(&b->over);
	free(b);
}

static void start_batch(struct work *w)
{
	struct batch *b;
	int rc;

	if (w->running || w->delivering || !w->urgent)
		return;
	b = xcalloc(1, sizeof(*b));
	b->work = w;
	b->frame = w->frame;
	b->first = take_items(w);
	b->req.data = b;
	rc = uv_sem_init(&b->over, 0);
	assert(rc == 0);
	w->running = b;
	rc = uv_queue_work(loop_uv(w->loop), &b->req, on_run, on_over);
	assert(rc == 0);
	(void)rc;
}

static void on_lazy(struct timer *t)
{
	struct work *w = t->data;

	w->urgent = w->waiting;
	start_batch(w);
}

int work_open(struct work **ret, struct loop *loop, const struct work_frame *frame,
              unsigned max_batch, struct err *err)
{
	struct work *w = xcalloc(1, sizeof(*w));

	(void)err;
	w->loop = loop;
	w->max_batch = max_batch ? max_batch : 1;
	w->end = &w->first;
	if (frame)
		w->frame = *frame;
	timer_init(&w->lazy, loop_clock(loop), on_lazy, w);
	*ret = w;
	return 0;
}

void work_close(struct work *w)
{
	struct batch *b;

	if (!w)
		return;
	assert(!w->delivering);
	b = w->running;
	if (b) {
		uv_sem_wait(&b->over);
		b->work = NULL;
		w->running = NULL;
		deliver(w, b->first);
	}
	/* nothing of ours is on a thread any more, so this one may do the rest */
	while (w->first) {
		struct batch rest = { .frame = w->frame, .first = take_items(w) };

		run_items(&rest);
		deliver(w, rest.first);
	}
	timer_stop(&w->lazy);
	free(w);
}

static void append(struct work *w, struct work_item *item)
{
	item->next = NULL;
	item->failed = 0;
	err_clear(&item->err);
	*w->end = item;
	w->end = &item->next;
	w->waiting++;
}

void work_submit(struct work *w, struct work_item *item)
{
	append(w, item);
	w->urgent = w->waiting;
	start_batch(w);
}

void work_submit_lazy(struct work *w, struct work_item *item, int delay_ms)
{
	struct clock *clock = loop_clock(w->loop);
	int64_t due = clock->now_ms(clock) + delay_ms;

	append(w, item);
	if (w->lazy.armed && w->lazy_due <= due)
		return;
	w->lazy_due = due;
	timer_start(&w->lazy, delay_ms);
}
