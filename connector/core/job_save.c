/* job_save.c - commits of a job's row and of its time-line.
 *
 * Happy path: at most one commit in flight that something waits for, and one that nothing waits
 * for, which joins others within a second. Events go with whichever is next.
 *
 * What can fail: the store. What should follow a commit does not happen; it is tried again with the
 * row as it is then. One that nothing waits for is not: the next commit has what it had. */
#include "connector/core/core_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/core/retry.h"

static const struct retry commit_retry = { .base_ms = 500, .cap_ms = 10000 };

/* The first of them are durable. */
static void drop_events(struct job *j, unsigned count)
{
	j->event_count -= count;
	j->events_sent = 0;
	if (j->event_count)
		memmove(j->events, j->events + count, sizeof(*j->events) * j->event_count);
	else
		free(TAKE(j->events));
}

static void on_committed(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;
	void (*saved)(struct job *, const struct err *) = j->saved;
	bool again;

	core_store_result(j->core, err);
	if (err && !j->dead) {
		j->tries++;
		timer_start(&j->timer,
		            retry_delay_ms(&commit_retry, j->tries, 0,
		                           j->core->set.clock->random(j->core->set.clock)));
		return;
	}
	again = j->again;
	j->saving = j->again = false;
	j->tries = 0;
	drop_events(j, j->events_sent);
	if (!j->dead)
		saved(j, NULL);
	if (again || j->dead)
		job_run(j);
}

static void submit(struct job *j)
{
	j->events_sent = j->event_count;
	j->core->set.store_ops->job_save(j->core->set.store,
	                                 job_begin_store(j, &j->store, on_committed), &j->rec,
	                                 j->events, j->event_count);
}

void job_save(struct job *j, void (*saved)(struct job *j, const struct err *err))
{
	timer_stop(&j->timer);
	j->saving = true;
	j->again = false;
	j->backing_off = false;
	j->tries = 0;
	j->saved = saved;
	submit(j);
}

bool job_save_again(struct job *j)
{
	if (!j->saving || j->store)
		return false;
	submit(j);
	if (j->rec.state != JOB_DONE && !j->reclaimed)
		job_tell_alive(j);
	return true;
}

/* ---- what nothing waits for ---- */

static void on_lazy(struct store_op *op, const struct err *err);

void job_save_lazily(struct job *j)
{
	if (j->lazy) {
		j->lazy_again = true;
		return;
	}
	/* events of a commit in flight go with that */
	j->core->set.store_ops->job_save_lazy(
		j->core->set.store, job_begin_store(j, &j->lazy, on_lazy), &j->rec,
		j->saving ? NULL : j->events, j->saving ? 0 : j->event_count);
	if (!j->saving)
		drop_events(j, j->event_count);
}

static void on_lazy(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;
	bool again = j->lazy_again && !j->dead && j->rec.state != JOB_DONE;

	core_store_result(j->core, err);
	j->lazy_again = false;
	j->took_back = j->rec.taken_back && !err && !again;
	if (again)
		job_save_lazily(j);
	if (j->dead || j->took_back)
		job_run(j);
}

/* ---- the last ones ---- */

static void forget(struct job *j, const struct err *err)
{
	(void)err;
	job_free(j);
}

/* A crash before it is durable means that it is reported once more, which is harmless. */
static void on_done(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (err) {
		j->saved = forget;
		on_committed(op, err);
		return;
	}
	core_store_result(j->core, NULL);
	j->saving = false;
	job_free(j);
}

void job_save_end(struct job *j)
{
	j->saving = true;
	j->core->set.store_ops->job_save_lazy(j->core->set.store,
	                                      job_begin_store(j, &j->store, on_done), &j->rec,
	                                      j->events, j->event_count);
	drop_events(j, j->event_count);
}

static void on_dropped(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;

	core_store_result(j->core, err);
	j->saving = false;
	job_free(j);
}

void job_drop(struct job *j)
{
	timer_stop(&j->timer);
	if (!j->rec.id || j->reclaimed) {
		job_free(j);
		return;
	}
	j->step = STEP_DROP;
	j->saving = true;
	j->core->set.store_ops->job_drop(j->core->set.store,
	                                 job_begin_store(j, &j->store, on_dropped), j->rec.id);
}
