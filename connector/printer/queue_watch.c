/* Following a job to its end: Get-Job-Attributes at once, then after pauses of a quarter of the
 * time that nothing has changed for, from 1 ms to two seconds: so what takes milliseconds is known
 * in milliseconds. An event for the job, and each change, asks soon again.
 *
 * Printers print one job after the other, so of a queue's jobs only the oldest, and those that are
 * printing, are asked so often; the others every two seconds, until it is their turn.
 *
 * What a job of CUPS that has begun says is believed when it is known whether cupsd was restarted
 * meanwhile; until then it is asked again.
 *
 * A queue may run a backend again without a pause, seventy times a second (error policy
 * retry-current-job, or a backend that asks for it): the job starts again whenever it is looked at.
 * Such a job is called stuck, and asked for every two seconds whatever events say.
 *
 * What can fail: no answer (asked again with jitter up to ten seconds, nobody is told); no such
 * job, or another one under its number (GONE: CUPS gives numbers out again). */
#include "connector/printer/printer_state.h"
#include "connector/printer/queue_impl.h"

#include <string.h>

#include "common/util.h"
#include "connector/printer/outcome.h"
#include "connector/printer/printer_text.h"

#define FIRST_MS    1
#define PART        4 /* of the time since the last change */
#define MOST_MS     2000
#define RETRY_MS    10000
#define STRANDED_MS 15000
#define LOOP_MS     60000 /* so many starts within this ... */
#define LOOP_MIN    5     /* ... are no retries that anybody set up */

struct local_follow {
	struct local_watch *watch; /* NULL: let go, ends with its exchange */
	struct queue *queue;
	struct local_follow *next; /* of queue->follows */
	struct ipp_op op;
	struct timer timer;
	struct local_job last;
	int64_t changed;    /* clock's milliseconds */
	int64_t loop_since; /* of the first of: */
	unsigned starts;    /* seen anew within LOOP_MS */
	unsigned failures;
	bool asking, again, seen, first; /* first: the oldest of its queue */
	bool unsure;                     /* waits for restarts_known() */
	int64_t stranded;                /* since then cupsd may have lost sight of it; 0: not */
};

static void on_asked(struct ipp_op *op, const struct err *err);

/* ---- when ----------------------------------------------------------------------------------- */

static void ask(struct local_follow *f)
{
	struct queue *q = f->queue;
	ipp_t *request;
	struct err err;

	timer_stop(&f->timer);
	request =
		queue_job_request(q, IPP_OP_GET_JOB_ATTRIBUTES, f->watch->job, f->watch->user_name);
	queue_ask_for(request, outcome_names, outcome_name_count);
	ipp_op_clear(&f->op);
	f->again = false;
	f->asking = queue_start(q, &f->op, request, on_asked, f, &err) == 0;
	if (!f->asking)
		timer_start(&f->timer, RETRY_MS);
}

static void on_timer(struct timer *t)
{
	ask(t->data);
}

static bool is_busy(const struct local_follow *f)
{
	return f->last.state == IPP_JSTATE_PROCESSING || f->first;
}

static int64_t now(const struct local_follow *f)
{
	return f->queue->qs->clock->now_ms(f->queue->qs->clock);
}

static int64_t next_delay(struct local_follow *f)
{
	int64_t delay = (now(f) - f->changed) / PART, most;

	if (f->failures > 0) {
		most = MOST_MS << (f->failures < 4 ? f->failures - 1 : 3);
		most = most < RETRY_MS ? most : RETRY_MS;
		return most / 2 + (int64_t)(f->queue->qs->clock->random(f->queue->qs->clock) %
		                            (uint64_t)(most / 2));
	}
	if (f->last.looping)
		return MOST_MS;
	if (f->again)
		return 0;
	if (f->seen && !is_busy(f))
		return MOST_MS;
	if (delay < FIRST_MS)
		return FIRST_MS;
	return delay < MOST_MS ? delay : MOST_MS;
}

static void hurry(struct local_follow *f)
{
	f->changed = now(f);
	f->again = true;
	if (!f->asking && !f->last.looping)
		timer_start(&f->timer, 0);
}

void queue_watch_ready(struct queue *q)
{
	for (struct local_follow *f = q->follows; f != NULL; f = f->next)
		if (f->unsure)
			hurry(f);
}

/* The oldest job is asked for often from now on. */
static void choose_first(struct queue *q)
{
	struct local_follow *f = q->follows;

	if (f == NULL || f->first)
		return;
	f->first = true;
	hurry(f);
}

void queue_watch_event(struct queue *q, int32_t job)
{
	struct local_follow *f;

	for (f = q->follows; f != NULL; f = f->next)
		if (job == 0 || f->watch->job == job)
			hurry(f);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void set_watched(struct queue *q)
{
	if (!q->cups)
		events_watched(q->events, q->follows != NULL);
}

static void free_follow(struct local_follow *f)
{
	struct queue *q = f->queue;

	ipp_op_clear(&f->op);
	free(f);
	queue_put(q);
}

/* The watch is over; the struct goes when nothing is under way. */
static void let_go(struct local_follow *f)
{
	struct queue *q = f->queue;
	struct local_follow **at;

	for (at = &q->follows; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	timer_stop(&f->timer);
	f->watch->private = NULL;
	f->watch = NULL;
	choose_first(q);
	set_watched(q);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_other_job(const struct local_follow *f, const struct local_job *job)
{
	const char *uuid = f->queue->cups ? job->job_uuid : job->own_uuid;

	return f->watch->job_uuid != NULL && f->watch->job_uuid[0] != '\0' && uuid[0] != '\0' &&
	       strcasecmp(uuid, f->watch->job_uuid) != 0;
}

static void end_gone(struct local_follow *f, const struct err *cause)
{
	struct local_watch *w = f->watch;
	struct err err = *cause;

	(void)err_wrap(&err, "queue %.60s", f->queue->name);
	let_go(f);
	free_follow(f);
	w->changed(w, NULL, &err);
}

/* cupsd that was stopped just when a backend ended keeps the job as pending, and neither lists,
 * prints nor ends it: its queue is idle, and it had begun before the restart. */
static bool is_stranded(struct local_follow *f, const struct local_job *job)
{
	const struct queue *q = f->queue;
	bool waits = q->cups && job->state == IPP_JSTATE_PENDING && job->processing_at != 0 &&
	             q->printer_state == IPP_PSTATE_IDLE &&
	             restarts_since(q->qs->restarts, job->processing_at);

	if (!waits)
		f->stranded = 0;
	else if (f->stranded == 0)
		f->stranded = now(f);
	return waits && now(f) - f->stranded >= STRANDED_MS;
}

/* CUPS tells whole seconds, so that it takes LOOP_MIN of them to see it. */
static void count_starts(struct local_follow *f, struct local_job *job, bool started)
{
	bool looping = f->last.looping;

	if (f->starts == 0 && !looping)
		f->loop_since = now(f);
	if (now(f) - f->loop_since > LOOP_MS) {
		/* it is over when nothing was started for so long */
		looping = looping && f->starts > 0;
		f->loop_since = now(f);
		f->starts = 0;
	}
	f->starts += started;
	job->looping = looping || f->starts >= LOOP_MIN;
	if (!job->looping || job->outcome != OUTCOME_NONE)
		return;
	job->stuck = true;
	printer_text_set(job->message, sizeof(job->message),
	                 "queue %.60s starts it again and again without end: see to the device and "
	                 "to printer-error-policy",
	                 f->queue->name);
}

/* Of the jobs that were open at the newest restart of cupsd only the first in line had begun. */
static void note_front(struct local_follow *f, const struct local_job *job)
{
	struct queue_front *front = &f->queue->front;
	int64_t restart = restarts_latest(f->queue->qs->restarts);
	bool was_open = job->created_at <= restart &&
	                (job->processing_at > restart ||
	                 (job->processing_at == restart && job->outcome == OUTCOME_NONE));

	if (was_open &&
	    (front->job == 0 || front->restart != restart || f->watch->job < front->job))
		*front = (struct queue_front){
			.restart = restart,
			.job = f->watch->job,
			.processing_at = job->processing_at,
		};
}

/* Whether it waited behind that one when cupsd was restarted. */
static bool was_in_line(const struct local_follow *f, const struct local_job *job)
{
	const struct queue_front *front = &f->queue->front;

	return front->job != 0 && front->job < f->watch->job &&
	       front->restart == restarts_latest(f->queue->qs->restarts) &&
	       front->processing_at <= job->processing_at;
}

static void take_job(struct local_follow *f, struct local_job *job)
{
	struct local_watch *w = f->watch;
	bool changed, started = f->seen && f->last.processing_at != 0 && job->processing_at != 0 &&
	                        job->processing_at != f->last.processing_at;

	if (is_stranded(f, job))
		job->incoming = true;
	note_front(f, job);
	/* a backend that was turned away and is run again has printed nothing yet */
	job->printed_again =
		f->last.printed_again ||
		(started && !printer_state_says_untouched(f->last.message)) ||
		(f->queue->cups && !was_in_line(f, job) &&
	         restarts_between(f->queue->qs->restarts, job->created_at, job->processing_at));
	count_starts(f, job, started);
	changed = !f->seen || !outcome_equal(job, &f->last);
	if (f->seen && job->state != f->last.state)
		f->changed = now(f);
	f->last = *job;
	f->seen = true;
	if (job->outcome != OUTCOME_NONE) {
		let_go(f);
		free_follow(f);
	} else {
		timer_start(&f->timer, next_delay(f));
	}
	if (changed)
		w->changed(w, job, NULL);
}

static void on_asked(struct ipp_op *op, const struct err *err)
{
	struct local_follow *f = op->data;
	struct local_job job = { .state = 0 };
	struct err other;

	f->asking = false;
	if (f->watch == NULL) {
		free_follow(f);
		return;
	}
	if (err != NULL && err->kind == ERR_CANCELED)
		return; /* the transport is closing */
	if (err != NULL && err->kind == ERR_GONE) {
		end_gone(f, err);
		return;
	}
	if (err != NULL || !outcome_read(op->response, f->queue->cups, &job)) {
		f->failures++;
		timer_start(&f->timer, next_delay(f));
		return;
	}
	f->failures = 0;
	if (f->queue->traits.raw && job.impressions == 1)
		job.impressions = job.sheets = -1; /* CUPS calls what nobody counted one */
	if (is_other_job(f, &job)) {
		(void)err_set(&other, ERR_GONE, 0, "job %d is another one now", f->watch->job);
		end_gone(f, &other);
		return;
	}
	f->unsure =
		f->queue->cups && job.processing_at != 0 && !restarts_known(f->queue->qs->restarts);
	if (f->unsure)
		timer_start(&f->timer, MOST_MS);
	else
		take_job(f, &job);
}

/* ---- from outside --------------------------------------------------------------------------- */

void queue_watch(struct queue *q, struct local_watch *w)
{
	struct local_follow *f = xcalloc(1, sizeof(*f)), **at;

	f->watch = w;
	f->queue = q;
	f->changed = now(f);
	q->pins++;
	w->private = f;
	timer_init(&f->timer, q->qs->clock, on_timer, f);
	timer_start(&f->timer, 0);
	for (at = &q->follows; *at != NULL; at = &(*at)->next)
		;
	*at = f;
	f->first = q->follows == f;
	set_watched(q);
	if (!q->cups && f->first)
		queue_watched(q);
}

void queue_unwatch(struct local_watch *w)
{
	struct local_follow *f = w->private;

	if (f == NULL)
		return;
	let_go(f);
	if (f->asking)
		ipp_op_cancel(&f->op);
	else
		free_follow(f);
}
