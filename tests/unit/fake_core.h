/* fake_core.h - what control/ asks of core/ and store/, answered from variables that a test sets.
 * Included by one test file: its definitions stand before those of the archive. */
#ifndef TESTS_UNIT_FAKE_CORE_H
#define TESTS_UNIT_FAKE_CORE_H

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/core/core.h"
#include "connector/printer/ticket_note.h"
#include "connector/core/doctor.h"

struct core {
	struct clock *clock;
	struct config config;
	struct config_cloud clouds[2];
	struct printer_record printers[3];
	const char *states[3];
	size_t printer_count;
	struct job_record open[2], done[2]; /* newest last */
	size_t open_count, done_count;
	const char *error;        /* of what is asked next; NULL: it succeeds */
	enum err_kind error_kind; /* its kind */
	bool starts_badly;        /* it fails at once */
	bool hangs;               /* a registration does not end by itself */
	unsigned registrations, cancels, unregistrations, abandoned;
	int64_t canceled_job;
	struct timer timer; /* ends what is under way */
	struct core_register *enroll;
	char queues[4][64]; /* of it */
	size_t queue_count;
	const char *warning;
	bool asks_to_sign_in;
	bool stops_early;           /* it ends before its queues do */
	struct core_register asked; /* as it was given; pointers are the call's */
	struct core_unregister *forget;
	struct core_pause *pause;
	bool paused, resting;
	unsigned retries, handing_over;
	enum core_verdict verdict;
	struct store_op *store;
	struct local_op *local;
	void (*each)(void *data, const char *name, const char *info, const char *make_and_model);
	void *each_data;
	int64_t wanted; /* job of store_job_get(), or 0 */
	int64_t before; /* of store_jobs_list() */
	unsigned limit;
	char wanted_printer[ID_SIZE];
	unsigned health_count;
	char ordered[128]; /* what was asked for last */
};

static struct core fake;

static inline int fake_fail(struct err *err)
{
	return err_set(err, fake.error_kind, 0x0401, "%s", fake.error);
}

static inline void fake_end_store(struct store_op *op, const struct err *failed)
{
	struct err gone;

	if (failed || !fake.wanted) {
		for (size_t i = 0; !failed && i < fake.done_count; i++) {
			const struct job_record *job = &fake.done[fake.done_count - 1 - i];

			if ((*fake.wanted_printer &&
			     strcmp(fake.wanted_printer, job->printer) != 0) ||
			    job->id >= fake.before)
				continue;
			if (op->job_count == fake.limit) {
				op->older++;
				continue;
			}
			op->jobs = xrealloc(op->jobs, (op->job_count + 1) * sizeof(*op->jobs));
			op->jobs[op->job_count++] = *job;
		}
		op->done(op, failed);
		return;
	}
	for (size_t i = 0; i < fake.done_count; i++) {
		if (fake.done[i].id != fake.wanted)
			continue;
		op->job = fake.done[i];
		op->events = xcalloc(2, sizeof(*op->events));
		op->event_count = 2;
		op->events[0] = (struct job_event){ 1, "cloud", "received" };
		op->events[1] = (struct job_event){ 1500, "queue", "completed" };
		op->done(op, NULL);
		return;
	}
	(void)err_set(&gone, ERR_GONE, 0, "no row");
	op->done(op, &gone);
}

static inline void fake_end_register(struct core_register *op, const struct err *failed)
{
	const struct core_enrolled good = { .record = &fake.printers[0], .warning = fake.warning };

	for (size_t i = 0; i < fake.queue_count && !fake.stops_early; i++) {
		struct core_enrolled one = good;

		if (failed && (i || fake.queue_count == 1)) {
			one.record = NULL;
			one.err = failed;
		}
		one.queue = fake.queues[i];
		op->ended(op, &one);
		op->registered += !one.err;
		op->failed += one.err != NULL;
	}
	op->done(op, fake.stops_early ? failed : NULL);
}

static inline void fake_on_timer(struct timer *t)
{
	struct err err;
	const struct err *failed = NULL;

	(void)t;
	if (fake.error) {
		(void)fake_fail(&err);
		failed = &err;
	}
	if (fake.store) {
		fake_end_store(TAKE(fake.store), failed);
	} else if (fake.local) {
		if (!failed && fake.each) {
			fake.each(fake.each_data, "laser", "Second floor", "ACME 3000");
			fake.each(fake.each_data, "office", "", "");
		}
		struct local_op *op = TAKE(fake.local);
		op->done(op, failed);
	} else if (fake.forget) {
		struct core_unregister *op = TAKE(fake.forget);

		op->record = fake.printers[0];
		op->done(op, failed);
	} else if (fake.pause) {
		struct core_pause *op = TAKE(fake.pause);

		op->done(op, failed);
	} else if (fake.enroll) {
		fake_end_register(TAKE(fake.enroll), failed);
	}
}

static inline void fake_open(struct clock *clock)
{
	memset(&fake, 0, sizeof(fake));
	fake.clock = clock;
	timer_init(&fake.timer, clock, fake_on_timer, NULL);
	fake.warning = "";
	fake.config.names = CONFIG_NAMES_HIDDEN;
	fake.clouds[0].name = (char *)"one";
	fake.clouds[1].name = (char *)"two";
	fake.config.clouds = fake.clouds;
	fake.config.n_clouds = 1;
	for (size_t i = 0; i < 3; i++) {
		struct printer_record *r = &fake.printers[i];

		(void)snprintf(r->id, sizeof(r->id), "00000000-0000-4000-8000-00000000000%zu", i);
		(void)str_copy(r->queue, sizeof(r->queue), i == 0 ? "laser" : "office");
		(void)str_copy(r->cloud, sizeof(r->cloud), i == 2 ? "two" : "one");
		(void)str_copy(r->name, sizeof(r->name), "Printer");
		(void)str_copy(r->cloud_uri, sizeof(r->cloud_uri), "ipps://cloud.example/ipp/1");
		fake.states[i] = i == 0 ? "online" : "offline";
	}
	fake.printer_count = 3;
	for (size_t i = 0; i < 2; i++) {
		struct job_record *job = &fake.done[i];

		job->id = (int64_t)i + 1;
		(void)str_copy(job->printer, sizeof(job->printer), fake.printers[i].id);
		(void)str_copy(job->uuid, sizeof(job->uuid), "uuid");
		(void)str_copy(job->job_name, sizeof(job->job_name), "secret plan");
		(void)str_copy(job->user_name, sizeof(job->user_name), "anna");
		job->state = JOB_DONE;
		job->outcome = OUTCOME_COMPLETED;
		job->impressions = 3;
		job->received = 1700000000000;
		fake.open[i] = *job;
		fake.open[i].id = (int64_t)i + 11;
		fake.open[i].state = JOB_PRINTING;
		fake.open[i].outcome = OUTCOME_NONE;
		fake.open[i].impressions = -1;
	}
	fake.open_count = fake.done_count = 2;
}

void core_printers(struct core *c, void (*each)(void *data, const struct core_printer *p),
                   void *data)
{
	for (size_t i = 0; i < c->printer_count; i++)
		each(data,
		     &(struct core_printer){ .record = &c->printers[i],
		                             .state = c->states[i],
		                             .reasons = { i ? "the \"queue\" is stopped" : NULL },
		                             .since = 1700000000123,
		                             .not_after = i ? 0 : 1800000000,
		                             .certificate_sha256 = "abcd" });
}

void core_clouds(struct core *c, void (*each)(void *data, const struct core_cloud *cl), void *data)
{
	static const struct cloud_stats stats = { .requests = { [ERR_NONE] = 12, [ERR_GONE] = 2 } };

	(void)c;
	each(data, &(struct core_cloud){ .name = "one",
	                                 .stats = &stats,
	                                 .type = "ipp-infra",
	                                 .reachable = true,
	                                 .since = 1700000000000 });
	each(data, &(struct core_cloud){ .name = "two", .type = "ipp-infra", .stats = &stats });
}

void core_health(struct core *c, void (*each)(void *data, const struct core_health *h), void *data)
{
	for (unsigned i = 0; i < c->health_count; i++)
		each(data,
		     &(struct core_health){ .code = HEALTH_QUEUE_MISSING, .subject = "office" });
}

struct core_counts core_counts(const struct core *c)
{
	struct core_counts n = { .started = 1700000000001,
		                 .printers_online = 1,
		                 .printers_offline = 2,
		                 .transfers = 1,
		                 .resting = c->resting,
		                 .handing_over = c->handing_over };

	n.jobs[JOB_PRINTING] = (unsigned)c->open_count;
	return n;
}

const struct core_tally *core_tally(const struct core *c)
{
	static struct core_tally tally;

	(void)c;
	memset(&tally, 0, sizeof(tally));
	tally.finished[OUTCOME_COMPLETED] = 7;
	tally.retries = 3;
	histogram_add(&tally.stages[CORE_STAGE_QUEUE], 1500);
	histogram_add(&tally.stages[CORE_STAGE_QUEUE], 4000000);
	return &tally;
}

const struct job_record *core_job(struct core *c, int64_t id)
{
	for (size_t i = 0; i < c->open_count; i++)
		if (c->open[i].id == id)
			return &c->open[i];
	return NULL;
}

void core_jobs(struct core *c, void (*each)(void *data, const struct job_record *job), void *data)
{
	for (size_t i = 0; i < c->open_count; i++)
		each(data, &c->open[i]);
}

struct store *core_store(struct core *c)
{
	return (struct store *)(void *)c;
}

const struct config *core_config(const struct core *c)
{
	return &c->config;
}

int core_cancel(struct core *c, int64_t id, struct err *err)
{
	if (c->error)
		return fake_fail(err);
	c->cancels++;
	c->canceled_job = id;
	return 0;
}

int core_resolve(struct core *c, int64_t id, enum core_verdict verdict, struct err *err)
{
	if (c->error)
		return fake_fail(err);
	c->canceled_job = id;
	c->verdict = verdict;
	return 0;
}

int core_retry(struct core *c, int64_t id, struct err *err)
{
	if (c->error)
		return fake_fail(err);
	c->canceled_job = id;
	c->retries++;
	return 0;
}

int core_pause(struct core *c, struct core_pause *op, const char *queue, const char *cloud,
               bool paused, struct err *err)
{
	(void)queue;
	(void)cloud;
	if (c->starts_badly)
		return fake_fail(err);
	c->paused = paused;
	c->pause = op;
	timer_start(&c->timer, 0);
	return 0;
}

void core_rest(struct core *c, bool rest)
{
	c->resting = rest;
}

int core_register(struct core *c, struct core_register *op, struct err *err)
{
	if (c->starts_badly)
		return fake_fail(err);
	c->registrations++;
	c->enroll = op;
	c->asked = *op;
	c->queue_count = 0;
	for (size_t i = 0; i < op->count && i < 4; i++)
		(void)str_copy(c->queues[c->queue_count++], sizeof(c->queues[0]), op->queues[i]);
	if (op->all)
		(void)str_copy(c->queues[c->queue_count++], sizeof(c->queues[0]), "found");
	if (c->asks_to_sign_in && op->code)
		op->code(op, &(struct core_code){ .user_code = "ABCD-1234",
		                                  .verification_uri = "https://login.example/d",
		                                  .expires = 1700000900000 });
	op->progress(op, op->count ? op->queues[0] : NULL, "asking the cloud");
	if (!c->hangs)
		timer_start(&c->timer, 0);
	return 0;
}

void core_register_cancel(struct core_register *op)
{
	(void)op;
	fake.abandoned++;
	fake.error = "canceled";
	fake.error_kind = ERR_CANCELED;
	timer_start(&fake.timer, 0);
}

int core_unregister(struct core *c, struct core_unregister *op, const char *queue,
                    const char *cloud, struct err *err)
{
	(void)queue;
	(void)cloud;
	if (c->starts_badly)
		return fake_fail(err);
	c->unregistrations++;
	c->forget = op;
	timer_start(&c->timer, 0);
	return 0;
}

int core_rebind(struct core *c, struct core_rebind *op, const char *printer, const char *cloud,
                const char *queue, struct err *err)
{
	struct err why;

	(void)cloud;
	if (c->starts_badly)
		return fake_fail(err);
	(void)snprintf(c->ordered, sizeof(c->ordered), "rebind %s %s", printer, queue);
	(void)str_copy(op->warning, sizeof(op->warning), c->warning);
	if (c->error)
		(void)fake_fail(&why);
	op->done(op, c->error ? &why : NULL);
	return 0;
}

int core_doctor(struct core *c, struct doctor *d, const char *queue, struct err *err)
{
	struct doctor_result r = { .step = DOCTOR_CUPS, .mark = DOCTOR_FAIL, .text = "no answer" };

	if (c->error)
		return fake_fail(err);
	(void)snprintf(c->ordered, sizeof(c->ordered), "doctor %s", queue ? queue : "all");
	d->step(d, &(struct doctor_result){ .step = DOCTOR_DISK, .text = "room" });
	d->step(d, &r);
	(void)str_copy(r.remedy, sizeof(r.remedy), "start it");
	d->finding(d, &r);
	d->done(d, NULL);
	return 0;
}

void doctor_cancel(struct doctor *d)
{
	(void)d;
	fake.abandoned++;
}

int core_reset(struct core *c, const char *printer, const char *cloud, struct err *err)
{
	(void)cloud;
	if (c->error)
		return fake_fail(err);
	(void)snprintf(c->ordered, sizeof(c->ordered), "reset %s", printer);
	return 0;
}

int core_trust(struct core *c, struct core_trust *op, const char *printer, const char *cloud,
               struct err *err)
{
	(void)cloud;
	if (c->error)
		return fake_fail(err);
	(void)snprintf(c->ordered, sizeof(c->ordered), "trust %s", printer);
	(void)str_copy(op->record.pinned_key, sizeof(op->record.pinned_key), "sha256//abc=");
	op->done(op, NULL);
	return 0;
}

int core_list_queues(struct core *c, struct local_op *op,
                     void (*each)(void *data, const char *name, const char *info,
                                  const char *make_and_model),
                     void *each_data, struct err *err)
{
	if (c->starts_badly)
		return fake_fail(err);
	c->local = op;
	c->each = each;
	c->each_data = each_data;
	timer_start(&c->timer, 0);
	return 0;
}

void core_list_queues_clear(struct core *c, struct local_op *op)
{
	(void)c;
	(void)op;
}

int core_probe(struct core *c, struct local_op *op, const char *queue, struct err *err)
{
	(void)queue;
	if (!c->starts_badly && !c->error)
		op->capabilities = (struct attrs *)c; /* nobody looks inside */
	return core_list_queues(c, op, NULL, NULL, err);
}

int core_explain(struct core *c, const struct local_op *op, const char *queue, const char *ticket,
                 const struct ticket_explained *to, struct err *err)
{
	const struct ticket_note note = { .fate = TICKET_DROPPED,
		                          .name = "sides",
		                          .asked = ticket ? ticket : "",
		                          .sent = "",
		                          .why = queue,
		                          .place = "" };

	(void)c;
	(void)op;
	if (ticket && strcmp(ticket, "wrong\n") == 0)
		return err_set(err, ERR_REJECTED, 0, "line 1: \"wrong\" is not NAME = VALUE");
	to->option(to->data, &note);
	to->choice(to->data, "sides", NULL, NULL);
	to->attribute(to->data, "copies=2");
	if (ticket)
		to->refused(to->data, "the job insists");
	return 0;
}

const char *core_queue_of(struct core *c, const char *name)
{
	return c->printer_count > 0 && strcmp(c->printers[0].id, name) == 0 ? c->printers[0].queue
	                                                                    : name;
}

bool core_is_registered(struct core *c, const char *queue)
{
	for (size_t i = 0; i < c->printer_count; i++)
		if (strcmp(c->printers[i].queue, queue) == 0)
			return true;
	return false;
}

void store_jobs_list(struct store *s, struct store_op *op, const char *printer, int64_t before,
                     unsigned limit)
{
	(void)s;
	fake.wanted = 0;
	fake.before = before ? before : INT64_MAX;
	fake.limit = limit;
	(void)str_copy(fake.wanted_printer, sizeof(fake.wanted_printer), printer ? printer : "");
	fake.store = op;
	timer_start(&fake.timer, 0);
}

void store_job_get(struct store *s, struct store_op *op, int64_t id)
{
	(void)s;
	fake.wanted = id;
	fake.store = op;
	timer_start(&fake.timer, 0);
}

void store_op_clear(struct store_op *op)
{
	free(op->jobs);
	free(op->events);
	memset(op, 0, sizeof(*op));
}

struct store_stats store_stats(const struct store *s)
{
	(void)s;
	return (struct store_stats){ .commits = 42 };
}

#endif
