/* job_print.c - states printing, waiting and held.
 *
 * Printing: the queue has all of it; it is followed to its end. What can fail: the queue does not
 * answer (asked again), the job vanished (it may have printed: unknown), somebody cancels (on
 * either side), nothing happens until give-up-after (canceled at the queue, told as aborted). */
#include "connector/core/core_private.h"

#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"

#define TELL_FIRST_MS  250                     /* a job that ends sooner needs no word in between */
#define TELL_AGAIN_MS  1000                    /* progress: at most one report a second */
#define TELL_REPEAT_MS (4 * 60 * 1000 - 15000) /* the cloud hears of open jobs every 4 minutes */

static int64_t now(const struct job *j)
{
	return j->core->set.clock->now_ms(j->core->set.clock);
}

static int64_t age(const struct job *j)
{
	return j->core->set.clock->wall_ms(j->core->set.clock) - j->rec.received;
}

static int64_t give_up_in(const struct job *j)
{
	int64_t left = j->core->set.config->give_up_after_ms - age(j);

	return left < 0 ? 0 : left;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- words in between ---- */

static void on_told(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	j->tell_busy = false;
	if (err)
		job_log(j, LOG_LEVEL_DEBUG, "status not taken: %s", err->text);
	job_run(j);
}

void job_tell(struct job *j, enum cloud_job_state state, const char *reasons, const char *message)
{
	const struct cloud_report report = {
		.job = j->rec.cloud_job,
		.state = state,
		.reasons = reasons,
		.message = message,
		.impressions = j->rec.impressions,
		.sheets = j->rec.sheets,
		.documents = j->rec.documents,
	};
	struct err err;

	if (j->tell_busy || !j->printer->channel || j->printer->channel_state != CHANNEL_ONLINE)
		return;
	j->told = now(j);
	j->core->set.cloud_ops->op_clear(&j->tell);
	j->tell.data = j;
	j->tell.done = on_told;
	j->tell_busy = true;
	if (j->core->set.cloud_ops->report(j->printer->channel, &j->tell, &report, &err) < 0)
		j->tell_busy = false;
}

/* Tells when it is time, and sets the timer for the next time or `due`, whichever comes first. */
static void tell_in_time(struct job *j, enum cloud_job_state state, const char *reasons,
                         const char *message, int64_t due)
{
	if (!j->told || now(j) - j->told >= TELL_REPEAT_MS)
		job_tell(j, state, reasons, message);
	timer_start(&j->timer, min64(due, TELL_REPEAT_MS));
}

/* ---- printing ---- */

static void on_canceled(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	j->cancel_busy = false;
	/* not found, or ended already: the watch tells what became of it */
	if (err && err->kind == ERR_TEMPORARY)
		j->cancel_sent = false;
	job_run(j);
}

static void cancel_at_queue(struct job *j)
{
	struct err err;

	if (j->cancel_sent || j->cancel_busy)
		return;
	j->core->set.queue_ops->op_clear(&j->cancel);
	j->cancel.data = j;
	j->cancel.done = on_canceled;
	j->cancel.user_name = j->owner;
	j->cancel_sent = j->cancel_busy = true;
	if (j->core->set.queue_ops->cancel(j->printer->queue, &j->cancel, j->rec.local_job, &err) <
	    0)
		j->cancel_sent = j->cancel_busy = false;
}

/* What the queue says of a job that still may print, for the cloud. */
static void tell_progress(struct job *j)
{
	bool trouble = j->seen.stuck || j->seen.state == IPP_JSTATE_STOPPED;

	job_tell(j, trouble ? CLOUD_JOB_STOPPED : CLOUD_JOB_PROCESSING,
	         trouble ? "printer-stopped" : "job-printing", j->seen.message);
}

static void on_watch(struct local_watch *w, const struct local_job *local, const struct err *err)
{
	struct job *j = w->data;
	struct err lost;

	if (err) {
		j->watching = false;
		(void)err_set(&lost, ERR_GONE, err->code,
		              "unknown whether it printed: local job %d is gone from the queue",
		              j->rec.local_job);
		job_settle(j, POLICY_UNKNOWN, &lost, OUTCOME_NONE);
		return;
	}
	if (local->printed_again && !j->seen.printed_again) {
		job_event(j, "queue", "started again by the print system");
		job_log(j, LOG_LEVEL_WARNING, "the print system started it again");
		(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message),
		               "the print system started it again: paper may have come out twice");
	}
	j->seen = *local;
	j->rec.impressions = local->impressions;
	j->rec.sheets = local->sheets;
	if (local->outcome == OUTCOME_NONE) {
		if (!j->told || now(j) - j->told >= TELL_AGAIN_MS)
			timer_start(&j->timer, j->told ? 0 : TELL_FIRST_MS);
		return;
	}
	j->watching = false;
	if (local->outcome == OUTCOME_ABORTED) {
		struct err why;

		/* after a failed filter it would stay at the queue for ever */
		if (local->state == IPP_JSTATE_STOPPED)
			cancel_at_queue(j);
		(void)err_set(&why, ERR_REJECTED, 0, "%s",
		              *local->message ? local->message : "the queue aborted it");
		job_settle(j, POLICY_PRINTED, &why, OUTCOME_ABORTED);
		return;
	}
	job_settle(j, POLICY_PRINTED, NULL, local->outcome);
}

/* CUPS keeps ours, an IPP printer gives its own. */
static const char *uuid_at_queue(const struct job *j)
{
	if (!j->core->set.queue_ops->status(j->printer->queue)->whole)
		return j->local_uuid;
	return *j->rec.local_job_uuid ? j->rec.local_job_uuid : NULL;
}

void job_printing_run(struct job *j)
{
	if (!j->watching) {
		/* a queue not asked yet is not known to be CUPS or a printer */
		if (j->core->set.queue_ops->status(j->printer->queue)->health == QUEUE_UNKNOWN)
			return;
		j->watching = true;
		j->step = STEP_WATCH;
		j->watch = (struct local_watch){
			.changed = on_watch,
			.data = j,
			.user_name = j->owner,
			.job = j->rec.local_job,
			.job_uuid = uuid_at_queue(j),
		};
		j->core->set.queue_ops->watch(j->printer->queue, &j->watch);
		timer_start(&j->timer, TELL_FIRST_MS);
		return;
	}
	if (j->rec.cancel_requested || give_up_in(j) == 0)
		cancel_at_queue(j);
	if (!j->tell_busy && (!j->told || now(j) - j->told >= TELL_AGAIN_MS))
		tell_progress(j);
	timer_start(&j->timer,
	            j->rec.cancel_requested ? TELL_AGAIN_MS : min64(give_up_in(j), TELL_REPEAT_MS));
}

/* ---- waiting, held ---- */

void job_waiting_run(struct job *j)
{
	int64_t wait = j->rec.next_try - j->core->set.clock->wall_ms(j->core->set.clock);

	if (j->rec.cancel_requested) {
		job_settle(j, POLICY_NOTHING_SENT, NULL, OUTCOME_NONE);
	} else if (give_up_in(j) == 0) {
		job_settle(j, POLICY_TOO_LATE, NULL, OUTCOME_NONE);
	} else if (wait <= 0 && printer_can_print(j->printer)) {
		job_settle(j, POLICY_NOTHING_SENT, NULL, OUTCOME_NONE);
	} else {
		/* a queue that cannot print is waited for: printer.c runs its jobs when it can */
		tell_in_time(j, CLOUD_JOB_STOPPED, "resources-are-not-ready", j->rec.error_text,
		             min64(give_up_in(j), wait > 0 ? wait : TELL_REPEAT_MS));
	}
}

void job_held_run(struct job *j)
{
	struct err unknown;

	if (j->rec.cancel_requested) {
		job_settle(j, POLICY_UNKNOWN, NULL, OUTCOME_NONE);
	} else if (give_up_in(j) == 0) {
		(void)err_set(&unknown, ERR_REJECTED, 0, "unknown whether printed");
		job_settle(j, POLICY_UNKNOWN, &unknown, OUTCOME_NONE);
	} else {
		tell_in_time(j, CLOUD_JOB_STOPPED, "resources-are-not-ready", j->rec.error_text,
		             give_up_in(j));
	}
}
