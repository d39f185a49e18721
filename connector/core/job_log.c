/* job_log.c - what the journal and the time-line of a job say about it. */
#include "connector/core/core_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"

/* What lines about a job say it is about; id and cloud_job are room. */
static struct log_about about_job(const struct job *j, char id[24], char cloud_job[24])
{
	struct log_about about = {
		.queue = j->printer->record.queue,
		.cloud = j->printer->record.cloud,
		.job = j->rec.id ? id : NULL, /* not stored yet */
		.cloud_job = cloud_job,
		.state = job_state_name(j->rec.state),
		.error = j->rec.error_kind ? err_kind_name(j->rec.error_kind) : NULL,
	};

	(void)snprintf(id, 24, "%lld", (long long)j->rec.id);
	(void)snprintf(cloud_job, 24, "%d", j->rec.cloud_job);
	return about;
}

void job_log(const struct job *j, int level, const char *fmt, ...)
{
	char id[24], cloud_job[24], text[512];
	struct log_about about = about_job(j, id, cloud_job);
	va_list ap;

	if (level > LOG_LEVEL_WARNING)
		about.message_id = NULL;
	else if (job_is_quarantined(j))
		about.message_id = message_id(MESSAGE_JOB_QUARANTINED);
	else if (j->rec.state == JOB_HELD)
		about.message_id = message_id(MESSAGE_JOB_HELD);
	else if (j->rec.outcome == OUTCOME_ABORTED)
		about.message_id = message_id(MESSAGE_JOB_FAILED);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event((enum log_level)level, &about, "job %s: %s", id, text);
}

void job_event(struct job *j, const char *source, const char *fmt, ...)
{
	struct job_event *e;
	va_list ap;

	if (!j->events)
		j->events = xcalloc(JOB_EVENTS_MAX, sizeof(*j->events));
	if (j->event_count == JOB_EVENTS_MAX) {
		memmove(j->events, j->events + 1, sizeof(*e) * (JOB_EVENTS_MAX - 1));
		j->event_count--;
		j->events_sent -= j->events_sent > 0;
	}
	e = &j->events[j->event_count++];
	e->time = job_wall_ms(j);
	(void)str_copy(e->source, sizeof(e->source), source);
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	job_log(j, LOG_LEVEL_DEBUG, "%s: %s", source, e->text);
}

static void say_details(const struct job *j)
{
	char id[24], cloud_job[24];
	struct log_about about = about_job(j, id, cloud_job);

	log_details_of(&about);
}

static void forget_details(const struct job *j)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)j->rec.id);
	log_details_over(id);
}

/* The one line of a job that went well; one that did not brings its details along. */
static void say_end(const struct job *j)
{
	char impressions[32];

	if (j->rec.outcome == OUTCOME_COMPLETED) {
		(void)snprintf(impressions, sizeof(impressions), "%s",
		               j->rec.impressions < 0
		                       ? "impressions unknown"
		                       : COUNTED(j->rec.impressions, "impression", "impressions"));
		job_log(j, LOG_LEVEL_INFO, "completed on %s, %s, %lld bytes, %.1f s",
		        j->printer->record.queue, impressions, (long long)j->rec.bytes,
		        (double)(j->rec.finished - j->rec.received) / 1000);
		return;
	}
	if (j->rec.outcome == OUTCOME_ABORTED)
		say_details(j);
	job_log(j, j->rec.outcome == OUTCOME_ABORTED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	        "%s on %s%s%s", job_outcome_name(j->rec.outcome), j->printer->record.queue,
	        *j->rec.report_message ? ": " : "", j->rec.report_message);
}

void job_log_move(const struct job *j)
{
	job_log(j, LOG_LEVEL_DEBUG, "%s -> %s", job_state_name(j->before),
	        job_state_name(j->rec.state));
	if (j->rec.state == JOB_REPORTING)
		say_end(j);
	if (j->rec.state == JOB_DONE)
		forget_details(j);
	if (j->rec.state == JOB_HELD)
		say_details(j);
	if (j->rec.state == JOB_WAITING || j->rec.state == JOB_HELD)
		job_log(j, LOG_LEVEL_WARNING, "%s on %s: %s", job_state_name(j->rec.state),
		        j->printer->record.queue, j->rec.error_text);
}
