/* view.c - core as control/ shows it: printers, clouds, jobs, health. Everything is derived from
 * the objects at the moment of asking, so that it cannot be stale. */
#include "connector/core/core_private.h"

#include <search.h>
#include <stdio.h>
#include <string.h>

/* where wrong settings must be when there were none at the start */
#define SETTINGS_PATH "/etc/print-connector/print-connector.conf"

void core_printers(struct core *c, void (*each)(void *data, const struct core_printer *p),
                   void *data)
{
	for (struct printer *p = c->printers; p; p = p->next) {
		struct core_printer view = {
			.record = &p->record,
			.state = printer_state_name(p),
			.since = p->since,
			.not_after = p->not_after,
			.certificate_sha256 = p->certificate_sha256,
		};

		char why[TEXT_SIZE];

		if (!printer_can_print(p))
			view.reasons[0] = printer_why_not(p, why);
		for (const struct job *j = p->jobs; j; j = j->next)
			view.jobs += !j->reclaimed && !j->dead;
		each(data, &view);
	}
}

void core_clouds(struct core *c, void (*each)(void *data, const struct core_cloud *cl), void *data)
{
	for (const struct service *s = c->services; s; s = s->next) {
		const struct core_cloud view = {
			.name = s->name,
			.type = s->type,
			.reachable = s->answering > 0,
			.since = s->since,
			.error = !s->answering && *s->err.text ? s->err.text : NULL,
			.stats = c->set.cloud_ops->stats(s->cloud),
		};

		each(data, &view);
	}
}

void core_jobs(struct core *c, void (*each)(void *data, const struct job_record *job), void *data)
{
	for (struct printer *p = c->printers; p; p = p->next)
		for (struct job *j = p->jobs; j; j = j->next)
			if (!j->reclaimed && !j->dead && j->rec.id)
				each(data, &j->rec);
}

const struct core_tally *core_tally(const struct core *c)
{
	return &c->tally;
}

struct core_counts core_counts(const struct core *c)
{
	struct core_counts n = {
		.transfers = c->transfers,
		.started = c->started,
		.draining = c->draining,
		.resting = c->resting,
	};

	for (const struct printer *p = c->printers; p; p = p->next) {
		const char *state = printer_state_name(p);

		n.printers_online += strcmp(state, "online") == 0;
		n.printers_offline += strcmp(state, "offline") == 0;
		n.printers_refused += strcmp(state, "refused") == 0;
		n.printers_registering += strcmp(state, "registering") == 0;
		n.printers_paused += strcmp(state, "paused") == 0;
		for (const struct job *j = p->jobs; j; j = j->next)
			if (!j->reclaimed && !j->dead) {
				n.jobs[j->rec.state]++;
				n.handing_over += job_is_handing_over(j);
			}
	}
	return n;
}

static bool is_cups(const struct printer *p)
{
	return !strstr(p->record.queue, "://");
}

/* false: nothing is wrong. */
static bool queue_health_code(enum queue_health health, bool cups, enum health_code *ret)
{
	switch (health) {
	case QUEUE_UNKNOWN:
	case QUEUE_READY:
		return false;
	case QUEUE_STOPPED:
		*ret = HEALTH_QUEUE_STOPPED;
		return true;
	case QUEUE_HALTED:
		*ret = HEALTH_PRINTER_STOPPED;
		return true;
	case QUEUE_UNREACHABLE:
		*ret = HEALTH_QUEUE_UNREACHABLE;
		return true;
	case QUEUE_MISSING:
		*ret = HEALTH_QUEUE_MISSING;
		return true;
	case QUEUE_UNTRUSTED:
		*ret = HEALTH_QUEUE_UNTRUSTED;
		return true;
	case QUEUE_DOWN:
		*ret = cups ? HEALTH_CUPS_DOWN : HEALTH_QUEUE_UNREACHABLE;
		return true;
	}
	return false;
}

/* CUPS that does not answer is one entry, not one for each of its queues. */
static void cups_health(struct core *c, void (*each)(void *data, const struct core_health *h),
                        void *data)
{
	for (struct printer *p = c->printers; p; p = p->next) {
		const struct queue_status *status = c->set.queue_ops->status(p->queue);

		if (!is_cups(p) || status->health != QUEUE_DOWN)
			continue;
		each(data, &(struct core_health){ .code = HEALTH_CUPS_DOWN,
		                                  .subject = c->set.config->cups_server,
		                                  .text = status->text });
		return;
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *text)
{
	(void)text;
}

/* What several printers have in common is one entry: a certificate, the cloud's, a queue that is
 * registered with several clouds, a cloud that the settings do not have, a state that is another
 * machine's. Trees of tsearch(). */
struct seen {
	void *certificates, *queues, *clouds;
	bool another_machine;
};

static bool is_first(const char *text, void **seen)
{
	const char *const *node = tsearch(text, seen, by_text);

	return !node || *node == text;
}

static bool has_looping_job(const struct printer *p)
{
	for (const struct job *j = p->jobs; j; j = j->next)
		if (j->rec.state == JOB_PRINTING && j->seen && j->seen->looping)
			return true;
	return false;
}

/* One that waits because CUPS had no room: its spool, or its limit of jobs. */
static const struct job *find_crowded_out(const struct printer *p)
{
	for (const struct job *j = is_cups(p) ? p->jobs : NULL; j; j = j->next)
		if ((j->rec.state == JOB_WAITING || j->rec.state == JOB_HANDING) &&
		    j->rec.error_kind == ERR_TEMPORARY && queue_code_is_full(j->rec.error_code))
			return j;
	return NULL;
}

/* A cloud that does not answer is one entry, not one for each of its printers. */
static void printer_health(struct printer *p, struct seen *seen,
                           void (*each)(void *data, const struct core_health *h), void *data)
{
	const struct queue_status *status = p->core->set.queue_ops->status(p->queue);
	struct core_health h = { .subject = p->record.queue };
	const enum health_code *expiry;
	const struct job *crowded_out;
	char text[TEXT_SIZE], again[3 * URI_SIZE];

	expiry = certificate_health(p->record.queue, p->not_after, p->core->set.clock, text);
	if (expiry && is_first(p->certificate_sha256, &seen->certificates)) {
		h.code = *expiry;
		h.text = text;
		each(data, &h);
	}
	if (queue_health_code(status->health, is_cups(p), &h.code) && h.code != HEALTH_CUPS_DOWN &&
	    is_first(p->record.queue, &seen->queues)) {
		h.text = status->text;
		each(data, &h);
	}
	h.text = NULL;
	if (has_looping_job(p)) {
		h.code = HEALTH_QUEUE_LOOPING;
		each(data, &h);
	}
	crowded_out = find_crowded_out(p);
	if (crowded_out) {
		h.code = HEALTH_QUEUE_FULL;
		h.text = crowded_out->rec.error_text;
		each(data, &h);
		h.text = NULL;
	}
	if (p->record.paused) {
		h.code = HEALTH_PRINTER_PAUSED;
		each(data, &h);
	}
	if (!printer_is_mine(p)) {
		if (!seen->another_machine)
			each(data,
			     &(struct core_health){ .code = HEALTH_STATE_READ_ONLY,
			                            .subject = p->core->set.state_directory });
		seen->another_machine = true;
		return;
	}
	if (!p->service) {
		if (is_first(p->record.cloud, &seen->clouds))
			each(data, &(struct core_health){ .code = HEALTH_CLOUD_NOT_CONFIGURED,
			                                  .subject = p->record.cloud });
		return;
	}
	h.text = WHY_NOT(p);
	if (p->record.registering && core_is_registering(p->core, p->record.id))
		return;
	else if (p->record.registering)
		h.code = HEALTH_REGISTRATION_UNFINISHED;
	else if (p->channel_state == CHANNEL_REFUSED) {
		h.code = HEALTH_PRINTER_REFUSED;
		if (core_again(p->core->set.config, &p->record, true, again, sizeof(again)))
			h.remedy = again;
	} else if (p->channel_state == CHANNEL_OFFLINE && p->service->answering)
		h.code = HEALTH_PRINTER_OFFLINE;
	else
		return;
	each(data, &h);
}

/* Until an administrator has taken the damaged file away. */
static void damage_health(struct core *c, void (*each)(void *data, const struct core_health *h),
                          void *data)
{
	const char *name = c->set.store_ops->damage(c->set.store);
	char path[URI_SIZE];

	if (!name)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", c->set.state_directory, name);
	each(data, &(struct core_health){ .code = HEALTH_STATE_DAMAGED, .subject = path });
}

void core_health(struct core *c, void (*each)(void *data, const struct core_health *h), void *data)
{
	const char *path = c->set.config->path;
	struct seen seen = { 0 };
	const char *short_of = c->set.short_of ? c->set.short_of() : NULL;

	damage_health(c, each, data);
	if (c->resting)
		each(data, &(struct core_health){ .code = HEALTH_DRAINED, .subject = "connector" });
	if (c->settings_wrong)
		each(data, &(struct core_health){ .code = HEALTH_SETTINGS_WRONG,
		                                  .subject = *path ? path : SETTINGS_PATH });
	if (short_of)
		each(data,
		     &(struct core_health){ .code = HEALTH_LIMIT_REACHED, .subject = short_of });
	if (c->store_failing)
		each(data,
		     &(struct core_health){ .code = HEALTH_STORE_FAILING, .subject = "state.db" });
	for (const struct service *s = c->services; s; s = s->next)
		if (!s->answering && *s->err.text)
			each(data, &(struct core_health){ .code = HEALTH_CLOUD_UNREACHABLE,
			                                  .subject = s->name,
			                                  .text = s->err.text });
	cups_health(c, each, data);
	for (struct printer *p = c->printers; p; p = p->next) {
		printer_health(p, &seen, each, data);
		for (const struct job *j = p->jobs; j; j = j->next) {
			char id[24], text[TEXT_SIZE], remedy[TEXT_SIZE];
			bool crashed = job_is_quarantined(j);
			struct core_health h;

			if ((j->rec.state != JOB_HELD && !crashed) || j->reclaimed)
				continue;
			(void)snprintf(id, sizeof(id), "%lld", (long long)j->rec.id);
			(void)snprintf(text, sizeof(text), "job %s is held: %.150s", id,
			               j->rec.error_text);
			h = (struct core_health){ .code = crashed ? HEALTH_JOB_QUARANTINED
				                                  : HEALTH_JOB_HELD,
				                  .subject = id,
				                  .text = *j->rec.error_text ? text : NULL };
			if (j->rec.state == JOB_REPORTING) {
				(void)snprintf(text, sizeof(text),
				               "job %s is %s, but the connector crashed again and "
				               "again while it told the cloud",
				               id, job_outcome_name(j->rec.outcome));
				(void)snprintf(remedy, sizeof(remedy),
				               "tell it again: print-connector retry %s; and "
				               "report the crash (coredumpctl list)",
				               id);
				h.text = text;
				h.remedy = remedy;
			}
			each(data, &h);
		}
	}
	tdestroy(seen.certificates, keep);
	tdestroy(seen.queues, keep);
	tdestroy(seen.clouds, keep);
}
