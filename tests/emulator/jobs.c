/* jobs.c - the way of a job:
 *
 *   Create-Job -> pending, job-incoming -> (last document) -> processing-stopped, job-fetchable
 *              -> Acknowledge-Job -> processing-stopped, assigned -> Update-Job-Status -> 5, 6
 *              -> 7, 8, 9: final, nothing changes it any more
 *
 * Hold, Pause-Printer: job-fetchable goes and comes back. Cancel: final at once while nobody has
 * the job, else processing-stopped with job-canceled-by-user until the device says the end. */
#include "tests/emulator/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/events.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/uuid.h"

struct job *job_new(struct printer *p, const char *name, const char *user)
{
	struct job *j = xcalloc(1, sizeof(*j));

	if (p->job_count == p->job_cap) {
		p->job_cap = p->job_cap ? p->job_cap * 2 : 16;
		p->jobs = xrealloc(p->jobs, (size_t)p->job_cap * sizeof(*p->jobs));
	}
	if (p->job_count == 0)
		p->first_id = p->next_id;
	j->id = p->next_id++;
	j->printer = p;
	uuid_make(j->uuid);
	j->name = xstrdup(name);
	j->user = xstrdup(user);
	j->priority = 50;
	j->state = IPP_JSTATE_PENDING;
	j->reasons = REASON(INCOMING);
	j->attrs = ippNew();
	j->impressions = j->sheets = j->pages = j->k_octets = -1;
	j->created_us = clock_us();
	p->jobs[p->job_count++] = j;
	TAILQ_INSERT_TAIL(&p->active, j, active);
	record_job(j, "created");
	events_job(j, EVENT_JOB_CREATED);
	return j;
}

static void free_list(char **list, int count)
{
	while (count > 0)
		free(list[--count]);
	free(list);
}

void job_free(struct job *j)
{
	int i;

	for (i = 0; i < j->document_count; i++)
		document_free(j->documents[i]);
	for (i = 0; i < j->told_count; i++) {
		free(j->told[i].reasons);
		free(j->told[i].message);
	}
	free(j->documents);
	free(j->told);
	free_list(j->device_reasons, j->device_reason_count);
	free_list(j->refused, j->refused_count);
	ippDelete(j->attrs);
	ippDelete(j->microsoft);
	free(j->name);
	free(j->user);
	free(j->message);
	free(j->password);
	free(j->password_encryption);
	free(j->device);
	free(j);
}

struct job *job_find(struct printer *p, int id)
{
	struct job *j;

	if (p->job_count == 0 || id < p->first_id || id >= p->first_id + p->job_count)
		return NULL;
	j = p->jobs[id - p->first_id];
	if (printer_quirk(p, QUIRK_IPPSERVER_16) && job_is_final(j) &&
	    clock_us() - j->final_us > 60000000)
		return NULL;
	return j;
}

bool job_is_final(const struct job *j)
{
	return j->state >= IPP_JSTATE_CANCELED;
}

bool job_is_fetchable(const struct job *j)
{
	return (j->reasons & REASON(FETCHABLE)) != 0;
}

bool job_refused_by(const struct job *j, const char *uuid)
{
	int i;

	for (i = 0; i < j->refused_count; i++) {
		if (strcmp(j->refused[i], uuid) == 0)
			return true;
	}
	return false;
}

void job_set_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static void job_finish(struct job *j)
{
	int i;

	j->final_us = clock_us();
	TAILQ_REMOVE(&j->printer->active, j, active);
	for (i = 0; i < j->document_count; i++)
		document_finish(j->documents[i]);
	if (j->device != NULL)
		j->printer->last_finished = j;
}

void job_set_state(struct job *j, int state, unsigned int reasons)
{
	bool was_final = job_is_final(j), was_fetchable = job_is_fetchable(j);

	if (j->state == state && j->reasons == reasons)
		return;
	j->state = state;
	j->reasons = reasons;
	if (job_is_fetchable(j)) {
		j->ever_fetchable = true;
		if (j->fetchable_us == 0)
			j->fetchable_us = clock_us();
	}
	if (state == IPP_JSTATE_PROCESSING && j->processing_us == 0)
		j->processing_us = clock_us();
	if (was_final && !job_is_final(j))
		TAILQ_INSERT_TAIL(&j->printer->active, j, active);
	else if (!was_final && job_is_final(j))
		job_finish(j);
	record_job(j, "state");
	if (job_is_final(j))
		events_job(j, EVENT_JOB_COMPLETED);
	else if (job_is_fetchable(j) && !was_fetchable)
		events_job(j, EVENT_JOB_FETCHABLE);
	else if (state == IPP_JSTATE_STOPPED)
		events_job(j, EVENT_JOB_STOPPED);
	else
		events_job(j, EVENT_JOB_STATE);
}

void job_schedule(struct job *j)
{
	int ready = IPP_JSTATE_STOPPED;

	if (job_is_final(j) || !j->closed || j->device != NULL)
		return;
	if (printer_quirk(j->printer, QUIRK_PAPPL_1))
		ready = IPP_JSTATE_PENDING;
	if (j->hold)
		job_set_state(j, IPP_JSTATE_HELD, REASON(HELD));
	else if (j->printer->paused)
		job_set_state(j, ready, REASON(PRINTER_STOPPED));
	else
		job_set_state(j, ready, REASON(FETCHABLE));
}

void jobs_scheduler_race(struct printer *p)
{
	struct job *j, *last = p->last_finished;

	if (printer_quirk(p, QUIRK_IPPSERVER_3)) {
		TAILQ_FOREACH(j, &p->active, active)
		{
			if (j->device != NULL && j->closed && !j->cancel)
				job_set_state(j, IPP_JSTATE_STOPPED, REASON(FETCHABLE));
		}
	}
	if (printer_quirk(p, QUIRK_IPPSERVER_4) && last != NULL && !last->zombie &&
	    job_is_final(last)) {
		last->zombie = true;
		job_set_state(last, IPP_JSTATE_STOPPED, REASON(FETCHABLE));
	}
}

void job_close(struct job *j)
{
	if (j->closed)
		return;
	j->closed = true;
	j->submitted_us = clock_us();
	jobs_scheduler_race(j->printer);
	job_schedule(j);
}

void job_cancel(struct job *j)
{
	if (job_is_final(j))
		return;
	j->canceled_us = clock_us();
	if (j->device == NULL) {
		job_set_state(j, IPP_JSTATE_CANCELED, REASON(CANCELED_BY_USER));
		return;
	}
	j->cancel = true;
	job_set_state(j, IPP_JSTATE_STOPPED, REASON(CANCELED_BY_USER) | REASON(STOP_POINT));
}

void job_acknowledge(struct job *j, struct device *d)
{
	if (j->acknowledged_us == 0)
		j->acknowledged_us = clock_us();
	job_set_text(&j->device, d->uuid);
	job_set_state(j, j->state, j->reasons & ~REASON(FETCHABLE));
}

void job_refuse(struct job *j, struct device *d, int status, const char *message)
{
	struct device *other;

	if (!job_refused_by(j, d->uuid)) {
		j->refused =
			xrealloc(j->refused, (size_t)(j->refused_count + 1) * sizeof(*j->refused));
		j->refused[j->refused_count++] = xstrdup(d->uuid);
	}
	if (j->refusal == 0)
		j->refusal = status;
	TAILQ_FOREACH(other, &j->printer->devices, entry)
	{
		if (!job_refused_by(j, other->uuid))
			return; /* another device may still take it */
	}
	free(j->message);
	j->message = xprintf("refused: %s%s%s", ippErrorString((ipp_status_t)status),
	                     message ? ", " : "", message ? message : "");
	job_set_state(j, IPP_JSTATE_ABORTED, REASON(ABORTED));
}

void job_set_device_reasons(struct job *j, ipp_attribute_t *reasons)
{
	int i, count = ippGetCount(reasons);

	free_list(j->device_reasons, j->device_reason_count);
	j->device_reasons = xcalloc((size_t)count + 1, sizeof(*j->device_reasons));
	j->device_reason_count = 0;
	for (i = 0; i < count; i++) {
		const char *reason = ippGetString(reasons, i, NULL);

		if (reason != NULL && strcmp(reason, "none") != 0)
			j->device_reasons[j->device_reason_count++] = xstrdup(reason);
	}
}

void job_tell(struct job *j, const struct told *t)
{
	if ((j->told_count & (j->told_count - 1)) == 0)
		j->told = xrealloc(j->told, (size_t)(j->told_count ? j->told_count * 2 : 1) *
		                                    sizeof(*j->told));
	j->told[j->told_count++] = *t;
	record_told(j, t);
}
