/* job_print.c - states printing, waiting and held.
 *
 * Printing: the queue has all of it; it is followed to its end. What can fail: the queue does not
 * answer (asked again), the job vanished or its end is in doubt (it may have printed: unknown),
 * somebody cancels (on either side), nothing happens until give-up-after (canceled at the queue,
 * told as aborted). */
#include "connector/core/core_private.h"

#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/core/retry.h"

#define TELL_FIRST_MS   250  /* a job that ends sooner needs no word in between */
#define TELL_AGAIN_MS   1000 /* progress: at most one report a second */
#define CANCEL_AGAIN_MS 15000
#define TELL_REPEAT_MS  (4 * 60 * 1000 - 15000) /* the cloud hears of open jobs every 4 minutes */

static const struct retry again_retry = { .base_ms = 1000, .cap_ms = 60000 };

static int64_t give_up_in(const struct job *j)
{
	int64_t left = j->core->set.config->give_up_after_ms - job_age_ms(j);

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

	job_talked(j);
	if (err)
		job_log(j, LOG_LEVEL_DEBUG, "status not taken: %s", err->text);
	j->untaken = err && err->kind == ERR_TEMPORARY ? j->untaken + 1 : 0;
	if (j->untaken) {
		struct clock *clock = j->core->set.clock;

		j->tell_at =
			job_now_ms(j) + retry_delay_ms(&again_retry, j->untaken, err->retry_after_s,
		                                       clock->random(clock));
	}
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

	if (j->tell || j->another_there || !j->rec.acknowledged || !j->printer->channel ||
	    j->printer->channel_state != CHANNEL_ONLINE || !job_may_talk(j))
		return;
	j->told = job_now_ms(j);
	j->news = false;
	job_begin_cloud(j, &j->tell, on_told);
	if (j->core->set.cloud_ops->report(j->printer->channel, j->tell, &report, &err) < 0) {
		job_drop_cloud(&j->tell);
		job_talked(j);
	}
}

/* 0: now. */
static int64_t tell_due(const struct job *j)
{
	int64_t due = j->told + (j->news ? TELL_AGAIN_MS : TELL_REPEAT_MS);

	if (j->untaken)
		due = j->tell_at;
	if (!j->told)
		due = j->entered + (j->rec.state == JOB_PRINTING ? TELL_FIRST_MS : 0);
	return due > job_now_ms(j) ? due - job_now_ms(j) : 0;
}

int64_t job_tell_in_time(struct job *j, enum cloud_job_state state, const char *reasons,
                         const char *message)
{
	if (tell_due(j) == 0)
		job_tell(j, state, reasons, message);
	/* 0: it cannot be told now; the channel or the answer to the last word runs the job */
	return tell_due(j) ? tell_due(j) : TELL_REPEAT_MS;
}

void job_tell_alive(struct job *j)
{
	int64_t since = j->told ? j->told : j->entered;

	if (job_now_ms(j) - since >= TELL_REPEAT_MS)
		job_tell(j, CLOUD_JOB_STOPPED, "resources-are-not-ready",
		         "the connector cannot write down what became of it");
}

/* ---- printing ---- */

/* A printer may say that it cancels a job, and print on: ippeveprinter does when it has just begun.
 */
static void on_canceled(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	/* not found, or ended already: the watch tells what became of it */
	if (!err) {
		j->cancel_at = job_now_ms(j) + CANCEL_AGAIN_MS;
	} else if (err->kind == ERR_TEMPORARY) {
		struct clock *clock = j->core->set.clock;

		j->cancel_sent = false;
		j->cancel_at = job_now_ms(j) + retry_delay_ms(&again_retry, ++j->cancel_tries, 0,
		                                              clock->random(clock));
	}
	job_run(j);
}

static void cancel_at_queue(struct job *j)
{
	struct err err;

	if (j->cancel || job_now_ms(j) < j->cancel_at)
		return;
	j->cancel_sent = true;
	j->cancel_at = INT64_MAX;
	if (job_cancel_local(j, &j->cancel, on_canceled, &err) < 0) {
		j->cancel_sent = false;
		j->cancel_at = job_now_ms(j) + TELL_AGAIN_MS;
	}
}

/* What the queue says of a job that still may print, for the cloud. CUPS calls it processing also
 * while its device is off or out of paper. */
static int64_t tell_progress(struct job *j)
{
	const struct queue_status *queue = j->core->set.queue_ops->status(j->printer->queue);
	bool halted = queue->health == QUEUE_STOPPED || queue->health == QUEUE_HALTED ||
	              queue->health == QUEUE_UNREACHABLE;
	bool stuck = j->seen && (j->seen->stuck || j->seen->state == IPP_JSTATE_STOPPED);
	bool stands = halted || stuck;
	const char *said = j->seen ? j->seen->message : "";

	j->news = j->news || stands != j->stands;
	j->stands = stands;
	return job_tell_in_time(j, stands ? CLOUD_JOB_STOPPED : CLOUD_JOB_PROCESSING,
	                        stands ? "printer-stopped" : "job-printing",
	                        halted && !stuck ? queue->text : said);
}

/* Without a job-uuid the number alone would name it at whatever printer answers there now. */
static bool is_other_printer(const struct job *j)
{
	const char *its = j->core->set.queue_ops->status(j->printer->queue)->printer_uuid;

	return job_is_whole(j) && *j->rec.local_printer_uuid && *its &&
	       strcasecmp(its, j->rec.local_printer_uuid) != 0;
}

static void settle_gone(struct job *j, int code)
{
	struct err lost;

	(void)err_set(&lost, ERR_GONE, code,
	              "unknown whether it printed: local job %d is gone from the queue",
	              j->rec.local_job);
	job_settle(j, POLICY_UNKNOWN, &lost, OUTCOME_NONE);
}

static void on_watch(struct local_watch *w, const struct local_job *local, const struct err *err)
{
	struct job *j = w->data;
	struct err lost;

	if (err) {
		j->watching = false;
		settle_gone(j, err->code);
		return;
	}
	if (local->printed_again && !(j->seen && j->seen->printed_again)) {
		job_event(j, "queue",
		          "started again, or there while the print system was restarted");
		job_log(j, LOG_LEVEL_WARNING,
		        "the print system started it again or was restarted: paper may have come "
		        "out twice");
		(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message),
		               "the print system started it again or was restarted: paper may have "
		               "come out twice");
	}
	if (local->looping && !(j->seen && j->seen->looping)) {
		job_event(j, "queue", "%s", local->message);
		job_log(j, LOG_LEVEL_WARNING, "%s", local->message);
	}
	if (!j->seen)
		j->seen = xcalloc(1, sizeof(*j->seen));
	*j->seen = *local;
	j->rec.impressions = local->impressions;
	j->rec.sheets = local->sheets;
	if (local->outcome == OUTCOME_NONE) {
		j->news = true;
		timer_start(&j->timer, 0);
		return;
	}
	j->watching = false;
	/* a failed filter leaves it there for ever, and CUPS opens what was canceled before it had
	 * the document; canceled before this outcome is durable it would be taken for one that
	 * somebody canceled */
	j->take_back = local->state != 0 && local->state < IPP_JSTATE_CANCELED;
	if (local->unconfirmed) {
		(void)err_set(&lost, ERR_GONE, 0, "%s", local->message);
		job_settle(j, POLICY_UNKNOWN, &lost, OUTCOME_NONE);
		return;
	}
	if (local->outcome == OUTCOME_ABORTED) {
		struct err why;

		(void)err_set(&why, ERR_REJECTED, 0, "%s",
		              *local->message ? local->message : "the queue aborted it");
		job_settle(j, POLICY_PRINTED, &why, OUTCOME_ABORTED);
		return;
	}
	if (local->outcome == OUTCOME_CANCELED && !j->rec.cancel_requested && j->rec.taken_back) {
		(void)err_set(&lost, j->rec.error_kind, j->rec.error_code, "%s", j->rec.error_text);
		job_settle(j, lost.kind == ERR_GONE ? POLICY_UNKNOWN : POLICY_PRINTED, &lost,
		           OUTCOME_ABORTED);
		return;
	}
	if (local->outcome == OUTCOME_CANCELED && !j->rec.cancel_requested && give_up_in(j) == 0) {
		/* by job-cancel-after */
		(void)err_set(&lost, ERR_REJECTED, 0, JOB_GAVE_UP);
		job_settle(j, POLICY_PRINTED, &lost, OUTCOME_CANCELED);
		return;
	}
	job_settle(j, POLICY_PRINTED, NULL, local->outcome);
}

static void start_watch(struct job *j)
{
	j->watching = true;
	j->step = STEP_WATCH;
	j->cancel_sent = false;
	j->cancel_at = 0;
	free(TAKE(j->seen));
	j->watch = (struct local_watch){
		.changed = on_watch,
		.data = j,
		.user_name = j->owner,
		.job = j->rec.local_job,
		.job_uuid = job_uuid_at_queue(j),
	};
	j->core->set.queue_ops->watch(j->printer->queue, &j->watch);
}

/* CUPS was killed before it had written down that the job was closed: it waits for its last
 * document again, and may have printed before. */
static bool is_reopened(const struct job *j)
{
	return j->seen && j->seen->incoming && !job_is_whole(j);
}

/* Cancels it at the queue although nobody asked. That is durable first: whoever finds it canceled
 * must know that it was us, and why. */
static void begin_take_back(struct job *j)
{
	struct err why;

	if (is_reopened(j))
		(void)err_set(&why, ERR_GONE, 0,
		              "unknown whether it printed: the print system has lost its state of "
		              "local job %d",
		              j->rec.local_job);
	else
		(void)err_set(&why, ERR_REJECTED, 0, JOB_GAVE_UP);
	j->rec.taken_back = true;
	j->rec.error_kind = why.kind;
	j->rec.error_code = 0;
	(void)str_copy(j->rec.error_text, sizeof(j->rec.error_text), why.text);
	job_save_lazily(j); /* also behind a commit in flight, which does not say so yet */
}

void job_printing_run(struct job *j)
{
	int64_t next, left = give_up_in(j);

	if (!j->watching) {
		/* a queue not asked yet is not known to be CUPS or a printer */
		if (j->core->set.queue_ops->status(j->printer->queue)->health == QUEUE_UNKNOWN)
			return;
		if (is_other_printer(j)) {
			settle_gone(j, 0);
			return;
		}
		start_watch(j);
	}
	next = tell_progress(j);
	if (!j->rec.cancel_requested && !j->rec.taken_back && left > 0 && !is_reopened(j)) {
		timer_start(&j->timer, min64(next, left));
		return;
	}
	if (!j->rec.cancel_requested && !j->rec.taken_back)
		begin_take_back(j);
	if (j->rec.cancel_requested || j->took_back)
		cancel_at_queue(j);
	else if (!j->lazy)
		job_save_lazily(j);
	next = min64(next,
	             j->cancel_at > job_now_ms(j) ? j->cancel_at - job_now_ms(j) : TELL_AGAIN_MS);
	timer_start(&j->timer, next);
}

/* ---- waiting, held ---- */

void job_waiting_run(struct job *j)
{
	int64_t wait = j->try_at - job_now_ms(j);

	if (j->rec.cancel_requested) {
		job_settle(j, POLICY_NOTHING_SENT, NULL, OUTCOME_NONE);
	} else if (give_up_in(j) == 0) {
		job_settle(j, POLICY_TOO_LATE, NULL, OUTCOME_NONE);
	} else if ((wait <= 0 || j->order == ORDER_AGAIN) && printer_can_print(j->printer) &&
	           !core_holds_back(j->core)) {
		if (j->order == ORDER_AGAIN)
			job_event(j, "connector", "tried again by the administrator");
		j->order = ORDER_NONE;
		job_settle(j, POLICY_NOTHING_SENT, NULL, OUTCOME_NONE);
	} else {
		/* a queue that cannot print is waited for: printer.c runs its jobs when it can */
		int64_t next = job_tell_in_time(j, CLOUD_JOB_STOPPED, "resources-are-not-ready",
		                                j->rec.error_text);

		next = min64(next, give_up_in(j));
		timer_start(&j->timer, wait > 0 ? min64(next, wait) : next);
	}
}

static void obey_unclaimed(struct job *j, enum job_order order)
{
	j->rec.crashes = 0;
	if (order == ORDER_AGAIN) {
		job_event(j, "connector", "resolved by the administrator: claim it again");
		job_move(j, JOB_CLAIMING);
		return;
	}
	j->rec.refused = true;
	j->rec.outcome = OUTCOME_ABORTED;
	j->rec.error_code = IPP_STATUS_ERROR_INTERNAL;
	j->rec.finished = job_wall_ms(j);
	(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message), j->rec.error_text);
	(void)str_copy(j->rec.report_reasons, sizeof(j->rec.report_reasons), "aborted-by-system");
	job_event(j, "connector", "refused by the administrator");
	job_move(j, JOB_REPORTING);
}

/* The cloud has ended it by itself, or does not know it any more: nobody waits for its end. */
static void end_as_there(struct job *j, const char *what)
{
	struct err unknown;

	j->ended_there = true;
	(void)err_set(&unknown, ERR_REJECTED, 0, "%s: unknown whether printed", what);
	job_event(j, "cloud", "%s", what);
	job_settle(j, POLICY_PRINTED, &unknown, OUTCOME_ABORTED);
}

static void on_looked(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	job_talked(j);
	if (j->dead || j->rec.state != JOB_HELD || j->saving)
		; /* something else has begun */
	else if (err && err->kind == ERR_GONE && job_is_unknown_there(j, err))
		end_as_there(j, "the cloud does not know the job any more");
	else if (!err && job_is_another(j, op->job.cloud_uuid))
		end_as_there(j, "the cloud has another job under its number");
	else if (!err && op->canceled)
		job_request_cancel(j, "cloud");
	else if (!err && op->final)
		end_as_there(j, "the cloud has ended the job");
	else
		job_tell(j, CLOUD_JOB_STOPPED, "resources-are-not-ready", j->rec.error_text);
	job_run(j);
}

/* Its end there may have been told while nobody listened: after it nothing more is said. */
static void look_there(struct job *j)
{
	struct err err;

	if (j->cloud || !j->rec.acknowledged || !j->printer->channel ||
	    j->printer->channel_state != CHANNEL_ONLINE || !job_may_talk(j))
		return;
	job_begin_cloud(j, &j->cloud, on_looked);
	if (j->core->set.cloud_ops->check(j->printer->channel, j->cloud, j->rec.cloud_job, &err) <
	    0) {
		job_drop_cloud(&j->cloud);
		job_talked(j);
	}
}

/* The administrator's word is the truth about a job that nobody else can know of. */
static void obey(struct job *j)
{
	enum job_order order = j->order;
	struct err why;

	j->order = ORDER_NONE;
	if (!j->rec.acknowledged && order != ORDER_PRINTED) {
		/* quarantined while it was claimed: it may not be ours yet */
		obey_unclaimed(j, order);
		return;
	}
	switch (order) {
	case ORDER_AGAIN:
		j->rec.crashes = 0;
		job_event(j, "connector", "resolved by the administrator: print again");
		job_settle(j, POLICY_NOTHING_SENT, NULL, OUTCOME_NONE);
		return;
	case ORDER_PRINTED:
		(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message),
		               "printed, says the administrator");
		job_settle(j, POLICY_PRINTED, NULL, OUTCOME_COMPLETED);
		return;
	case ORDER_ABORT:
		(void)err_set(&why, ERR_REJECTED, 0, "aborted by the administrator: %s",
		              j->rec.error_text);
		job_settle(j, POLICY_PRINTED, &why, OUTCOME_ABORTED);
		return;
	case ORDER_NONE:
		return;
	}
}

/* Of a quarantined job the queue may have one that was never closed, which CUPS would print by
 * itself once it has waited long enough for the rest; of one whose filter failed, one that never
 * ends. */
void job_take_back(struct job *j)
{
	if (j->core->set.queue_ops->status(j->printer->queue)->health == QUEUE_UNKNOWN)
		return;
	cancel_at_queue(j);
	j->take_back = !j->cancel_sent;
}

void job_held_run(struct job *j)
{
	struct err unknown;

	if (j->take_back)
		job_take_back(j);
	if (!j->rec.acknowledged && (j->rec.cancel_requested || give_up_in(j) == 0)) {
		obey_unclaimed(j, ORDER_ABORT);
	} else if (j->rec.cancel_requested) {
		job_settle(j, POLICY_UNKNOWN, NULL, OUTCOME_NONE);
	} else if (j->order != ORDER_NONE) {
		obey(j);
	} else if (give_up_in(j) == 0) {
		(void)err_set(&unknown, ERR_REJECTED, 0, "unknown whether printed");
		job_settle(j, POLICY_UNKNOWN, &unknown, OUTCOME_NONE);
	} else {
		int64_t next = tell_due(j);

		if (next == 0)
			look_there(j); /* and tells */
		next = next ? next : TELL_REPEAT_MS;
		timer_start(&j->timer, min64(give_up_in(j), next));
	}
}
