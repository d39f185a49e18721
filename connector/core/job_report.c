/* job_report.c - state reporting: the outcome is committed; the cloud is told until it has taken
 * it.
 *
 * Happy path: CHECK (a job canceled there meanwhile is not called completed; asked while the
 * outcome is being committed), REPORT, done. What can fail: the cloud does not answer or refuses us
 * (tried for as long as it takes, with back-off); it knows no such job any more (nothing is said:
 * it may give the number to another one any moment), or will not take the word (nothing more to
 * say). */
#include "connector/core/core_private.h"

#include <strings.h>

#include "common/str.h"
#include "connector/base/journal.h"

#define NOT_POSSIBLE_CODE 0x0404 /* client-error-not-possible, RFC 8011 B.1.4.5 */

static void start_report(struct job *j, bool canceled);

static void finish(struct job *j)
{
	j->rec.reported = job_wall_ms(j);
	job_move(j, JOB_DONE);
}

/* A cloud that has lost its devices between two of our words knows nobody who could end the job,
 * until it is told of ours again. */
static bool is_to_be_said_again(struct job *j, const struct err *err)
{
	if (err->kind == ERR_REJECTED && err->code == NOT_POSSIBLE_CODE && !j->rec.refused)
		return ++j->not_found < JOB_NOT_FOUND_TIMES;
	return err->kind == ERR_GONE && !job_is_unknown_there(j, err);
}

static void not_taken(struct job *j, const struct err *err)
{
	job_event(j, "cloud", "did not take it: %s", err->text);
	job_log(j, LOG_LEVEL_WARNING, "the cloud did not take the outcome: %s", err->text);
	finish(j);
}

static void on_reported(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	job_talked(j);
	if (j->dead) {
		job_run(j);
		return;
	}
	if (!err) {
		job_event(j, "cloud", "told: %s", job_outcome_name(j->rec.outcome));
		finish(j);
		return;
	}
	if (is_to_be_said_again(j, err)) {
		j->step = STEP_IDLE;
		job_retry(j, err);
		return;
	}
	switch (err->kind) {
	case ERR_GONE:
	case ERR_REJECTED:
	case ERR_CORRUPT:
		if (j->rec.refused && !j->not_refusable) {
			/* it was ours already when it was quarantined */
			j->not_refusable = true;
			start_report(j, false);
			return;
		}
		not_taken(j, err);
		return;
	case ERR_NONE:
	case ERR_TEMPORARY:
	case ERR_DENIED:
	case ERR_CANCELED:
		j->step = STEP_IDLE;
		j->checked = false; /* of so long ago */
		job_retry(j, err);
		return;
	}
}

bool job_is_another(const struct job *j, const char *uuid)
{
	return *j->rec.cloud_uuid && *uuid && strcasecmp(j->rec.cloud_uuid, uuid) != 0;
}

bool job_is_replaced(const struct job *j, struct err *err)
{
	if (j->another_there)
		(void)err_set(err, ERR_GONE, 0,
		              "the cloud has another job under number %d and does not know this "
		              "one any more",
		              j->rec.cloud_job);
	return j->another_there;
}

static void lost(struct job *j)
{
	job_event(j, "cloud", "has another job under this number and does not know this one");
	job_log(j, LOG_LEVEL_WARNING, "the cloud has another job under number %d; not told: %s",
	        j->rec.cloud_job, job_outcome_name(j->rec.outcome));
	finish(j);
}

/* While it was held. */
static void ended(struct job *j)
{
	job_event(j, "cloud", "had ended it: not told %s", job_outcome_name(j->rec.outcome));
	finish(j);
}

static void on_checked(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	job_talked(j);
	j->checked = !err || err->kind == ERR_REJECTED || err->kind == ERR_CORRUPT;
	j->canceled_there = !err && op->canceled && j->rec.outcome == OUTCOME_COMPLETED;
	j->another_there = j->another_there || (!err && job_is_another(j, op->job.cloud_uuid));
	if (j->checked || j->dead || j->saving)
		job_run(j);
	else if (err->kind == ERR_GONE && job_is_unknown_there(j, err))
		not_taken(j, err);
	else
		job_retry(j, err);
}

static void start_check(struct job *j)
{
	struct err err;

	j->step = STEP_CHECK;
	job_begin_cloud(j, &j->cloud, on_checked);
	if (j->core->set.cloud_ops->check(j->printer->channel, j->cloud, j->rec.cloud_job, &err) <
	    0) {
		job_drop_cloud(&j->cloud);
		job_talked(j);
		if (!j->saving)
			job_retry(j, &err);
	}
}

void job_report_look(struct job *j)
{
	if (j->rec.outcome == OUTCOME_COMPLETED && !j->cloud && j->printer->channel &&
	    j->printer->channel_state == CHANNEL_ONLINE)
		start_check(j);
}

/* 0: one of both is unknown, or they are the same second. */
static int32_t seconds(int64_t from, int64_t to)
{
	return from && to > from ? (int32_t)((to - from) / 1000) : 0;
}

static int report(struct job *j, bool canceled, struct err *err)
{
	static const enum cloud_job_state words[] = {
		[OUTCOME_NONE] = CLOUD_JOB_ABORTED,
		[OUTCOME_COMPLETED] = CLOUD_JOB_COMPLETED,
		[OUTCOME_ABORTED] = CLOUD_JOB_ABORTED,
		[OUTCOME_CANCELED] = CLOUD_JOB_CANCELED,
	};
	struct cloud_report r = {
		.job = j->rec.cloud_job,
		.state = words[j->rec.outcome],
		.reasons = j->rec.report_reasons,
		.message = j->rec.report_message,
		.impressions = j->rec.impressions,
		.sheets = j->rec.sheets,
		/* what was not here whole is not acknowledged */
		.documents = j->rec.closed ? j->rec.documents : 0,
		.printed = j->rec.outcome == OUTCOME_COMPLETED,
		.fetched_s = seconds(j->rec.acked, j->rec.handed),
		.queued_s = seconds(j->rec.handed, j->rec.finished),
	};

	if (j->rec.outcome == OUTCOME_COMPLETED && !*j->rec.report_message)
		r.message = "printed"; /* not what was said last while it printed */
	if (j->rec.refused && !j->not_refusable)
		return j->core->set.cloud_ops->refuse(j->printer->channel, j->cloud,
		                                      j->rec.cloud_job, j->rec.error_code,
		                                      j->rec.report_message, err);
	if (canceled) {
		r.state = CLOUD_JOB_CANCELED;
		r.reasons = "job-canceled-by-user";
		if (!*j->rec.report_message)
			r.message = "printed before the cancel arrived";
		job_event(j, "cloud", "canceled there, too late: it had printed");
	}
	return j->core->set.cloud_ops->report(j->printer->channel, j->cloud, &r, err);
}

static void start_report(struct job *j, bool canceled)
{
	struct err err;

	j->step = STEP_REPORT;
	job_begin_cloud(j, &j->cloud, on_reported);
	if (report(j, canceled, &err) < 0) {
		job_drop_cloud(&j->cloud);
		job_talked(j);
		job_retry(j, &err);
	}
}

/* It was offered again while it printed. */
static bool is_being_accepted(const struct job *j)
{
	for (const struct job *o = j->printer->reclaimed ? j->printer->jobs : NULL; o; o = o->next)
		if (o != j && o->reclaimed && o->step == STEP_ACCEPT && o->cloud &&
		    o->rec.cloud_job == j->rec.cloud_job)
			return true;
	return false;
}

void job_reporting_run(struct job *j)
{
	if (j->take_back && !j->reclaimed)
		job_take_back(j);
	if (job_is_quarantined(j) && !j->reclaimed)
		return; /* until retry */

	/* neither a word in between nor an Acknowledge-Job may arrive after the last word */
	if (j->cloud || j->tell || job_is_in_line(j) || !j->printer->channel ||
	    j->printer->channel_state != CHANNEL_ONLINE || is_being_accepted(j) || !job_may_talk(j))
		return;
	if (j->ended_there)
		ended(j);
	else if (!j->rec.refused && !j->reclaimed && !j->checked)
		start_check(j);
	else if (j->another_there && !j->reclaimed)
		lost(j);
	else
		start_report(j, j->canceled_there);
}
