/* The queues of a fake world: like CUPS a local job prints only when it was closed, like an IPP
 * printer (ipp:// names) it prints what it got, also when the upload was cut. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/stream.h"
#include "tests/lib/fake_world.h"

#define BUSY 0x0507

struct queues {
	struct fake_world *w;
};

static int queues_open(struct queues **ret, const struct queues_settings *settings, struct err *err)
{
	(void)settings;
	(void)err;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->w = fake_world;
	return 0;
}

static void queues_close(struct queues *qs)
{
	for (size_t i = 0; i < FAKE_PRINTERS_MAX; i++)
		assert(!qs->w->queues[i].open);
	free(qs);
}

static void on_changed(struct timer *t)
{
	struct queue *q = t->data;

	if (q->status.health == QUEUE_UNKNOWN)
		q->status.health = QUEUE_READY;
	q->listener.changed(q->listener.data);
}

static struct queue *queue_open(struct queues *qs, const char *name, const char *pinned_key,
                                const struct queue_listener *listener)
{
	struct fake_world *w = qs->w;
	struct queue *q = NULL;

	(void)pinned_key;
	for (size_t i = 0; i < w->printer_count; i++)
		if (!q && *w->printers[i].id && strcmp(w->printers[i].queue, name) == 0 &&
		    !w->queues[i].open)
			q = &w->queues[i];
	assert(q);
	*q = (struct queue){ .w = w, .printer = (int)(q - w->queues), .listener = *listener };
	q->open = true;
	(void)str_copy(q->name, sizeof(q->name), name);
	q->status.whole = strncmp(name, "ipp", 3) == 0;
	q->status.multiple_documents = !w->printers_single;
	timer_init(&q->changed, &w->clock.clock, on_changed, q);
	timer_start(&q->changed, w->delay_ms);
	return q;
}

static void queue_close(struct queue *q)
{
	assert(q->open && q->calls == 0);
	q->open = false;
	timer_stop(&q->changed);
}

static const struct queue_status *queue_status(const struct queue *q)
{
	return &q->status;
}

static struct attrs *queue_capabilities(const struct queue *q)
{
	return q->w->capabilities;
}

static void queue_defaults(const struct queue *q,
                           void (*lost)(void *data, const struct ticket_note *note), void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(q->w->lost) && q->w->lost[i].name; i++)
		lost(data, &q->w->lost[i]);
}

static struct attrs *no_attrs(const struct queue *q)
{
	(void)q;
	return NULL;
}

static void queue_refresh(struct queue *q)
{
	q->refreshed++;
	if (q->goes_down)
		q->status.health = QUEUE_DOWN;
	else
		q->status.answered_at = q->w->clock.clock.now_ms(&q->w->clock.clock);
	timer_start(&q->changed, q->w->delay_ms);
}

static void queue_trust(struct queue *q, const char *pinned_key)
{
	fake_line(q->w, "trust %s %s", q->name, pinned_key);
	queue_refresh(q);
}

void fake_health(struct fake_world *w, int printer, enum queue_health health)
{
	struct queue *q = &w->queues[printer];

	q->status.health = health;
	(void)str_copy(q->status.text, sizeof(q->status.text),
	               health == QUEUE_READY ? "" : "the queue is away");
	if (q->open)
		timer_start(&q->changed, 0);
}

/* ---- local jobs -------------------------------------------------------------------------------
 */

static struct fake_local *local_of(struct fake_world *w, int32_t id)
{
	for (size_t i = 0; i < w->local_count; i++)
		if (w->locals[i].id == id && !w->locals[i].vanished)
			return &w->locals[i];
	return NULL;
}

struct fake_local *fake_local(struct fake_world *w, int32_t job)
{
	for (size_t i = w->local_count; i-- > 0;)
		if (w->locals[i].cloud_job == job)
			return &w->locals[i];
	return NULL;
}

unsigned fake_closed(const struct fake_world *w, int32_t job)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->local_count; i++)
		n += w->locals[i].cloud_job == job && w->locals[i].closed;
	return n;
}

static struct local_job tell(const struct fake_local *l)
{
	struct local_job j = {
		.id = l->id,
		.state = l->outcome         ? 9
		         : l->processing_at ? 5
		                            : 3,
		.incoming = !l->closed && !l->outcome,
		.processing_at = l->processing_at,
		.impressions = l->outcome == OUTCOME_COMPLETED ? 1 : -1,
		.sheets = -1,
		.outcome = l->outcome,
		.printed_again = l->printed_again,
		.unconfirmed = l->unconfirmed,
	};

	(void)str_copy(j.job_uuid, sizeof(j.job_uuid), l->uuid);
	(void)str_copy(j.message, sizeof(j.message), l->message);
	return j;
}

static void queue_unwatch(struct local_watch *watch);

/* An end ends the watch too, also one that was told before its first question was answered. */
static void tell_watch(struct fake_local *l)
{
	for (size_t i = 0; i < l->w->watches_used; i++) {
		struct local_watch *watch = l->w->watches[i];
		struct local_job j;
		struct err err;

		if (!watch || watch->job != l->id)
			continue;
		j = tell(l);
		if (l->vanished || l->outcome)
			queue_unwatch(watch);
		(void)err_set(&err, ERR_GONE, 0x0406, "no such job");
		watch->changed(watch, l->vanished ? NULL : &j, l->vanished ? &err : NULL);
		return;
	}
}

void fake_begin(struct fake_local *l)
{
	l->processing_at = l->w->clock.wall_ms / 1000;
	fake_line(l->w, "prints %d", l->cloud_job);
	tell_watch(l);
}

void fake_end(struct fake_local *l, enum job_outcome outcome)
{
	timer_stop(&l->timer);
	l->outcome = outcome;
	if (outcome == OUTCOME_COMPLETED) {
		l->printed++;
		fake_line(l->w, "printed %d", l->cloud_job);
	} else {
		(void)str_copy(l->message, sizeof(l->message), "out of luck");
	}
	tell_watch(l);
}

void fake_vanish(struct fake_local *l)
{
	timer_stop(&l->timer);
	l->vanished = true;
	tell_watch(l);
}

/* The print system at work. */
static void on_print(struct timer *t)
{
	struct fake_local *l = t->data;
	struct fake_world *w = l->w;

	if (w->queues[l->printer].status.health != QUEUE_READY && w->queues[l->printer].open) {
		timer_start(t, 1000);
	} else if (!l->processing_at) {
		timer_start(t, l->print_ms);
		fake_begin(l);
	} else if (!l->printed_again && fake_dice(w, w->again_percent)) {
		l->printed_again = true;
		timer_start(t, l->print_ms);
		tell_watch(l);
	} else if (fake_dice(w, w->vanish_percent)) {
		fake_vanish(l);
	} else {
		fake_end(l, fake_dice(w, w->abort_percent) ? OUTCOME_ABORTED : OUTCOME_COMPLETED);
	}
}

static void begin_later(struct fake_local *l)
{
	if (!l->w->manual && !l->timer.armed && !l->outcome)
		timer_start(&l->timer, 10);
}

static struct fake_local *new_local(struct fake_world *w, int printer, int32_t job)
{
	struct fake_local *l = &w->locals[w->local_count++];

	assert(w->local_count <= ARRAY_SIZE(w->locals));
	memset(l, 0, sizeof(*l));
	l->w = w;
	l->id = w->next_local++;
	l->printer = printer;
	l->cloud_job = job;
	l->print_ms = w->print_ms;
	timer_init(&l->timer, &w->clock.clock, on_print, l);
	return l;
}

struct fake_local *fake_old_local(struct fake_world *w, const struct job_record *row, bool closed)
{
	struct fake_local *l = NULL;
	char number[16], uuid[UUID_TEXT];

	for (size_t i = 0; i < w->printer_count; i++)
		if (strcmp(w->printers[i].id, row->printer) == 0)
			l = new_local(w, (int)i, row->cloud_job);
	(void)snprintf(number, sizeof(number), "%d", row->attempt);
	crypto_uuid_name(row->uuid, number, uuid);
	(void)snprintf(l->uuid, sizeof(l->uuid), "urn:uuid:%s", uuid);
	l->closed = closed;
	if (closed)
		begin_later(l);
	return l;
}

void fake_locals_stop(struct fake_world *w)
{
	for (size_t i = 0; i < w->local_count; i++)
		timer_stop(&w->locals[i].timer);
}

static bool is_printing(const struct queue *q)
{
	for (size_t i = 0; i < q->w->local_count; i++) {
		const struct fake_local *l = &q->w->locals[i];

		if (l->printer == q->printer && l->closed && !l->outcome && !l->vanished)
			return true;
	}
	return false;
}

/* ---- operations -------------------------------------------------------------------------------
 */

static void done_local(struct fake_call *c, const struct err *err)
{
	struct local_op *op = c->op;

	if (c->queue)
		c->queue->calls--;
	if (c->stream) {
		stream_on_data(c->stream, NULL, NULL);
		if (err)
			stream_fail(c->stream, err);
	}
	op->done(op, err);
}

static struct fake_call *start(const char *verb, struct queue *q, struct local_op *op, int32_t job,
                               void (*run)(struct fake_call *c), struct err *err)
{
	struct fake_call *c = fake_call_start(fake_world, verb, op, job, run, done_local, err);

	assert(!job || (op->user_name && *op->user_name)); /* of a job: its owner */
	if (c && q) {
		assert(q->open);
		c->queue = q;
		q->calls++;
	}
	return c;
}

static void fail_call(struct fake_call *c, enum err_kind kind, int code, const char *text)
{
	struct err err;

	c->effect = false;
	(void)err_set(&err, kind, code, "%s", text);
	fake_call_end(c, &err);
}

/* The committed row whose try has this uuid: what the queue gets was written down before. */
static struct job_record *row_of_uuid(struct fake_world *w, const char *job_uuid)
{
	for (size_t i = w->row_count; i-- > 0;) {
		struct job_record *row = &w->rows[i];
		char number[16], uuid[UUID_TEXT];

		if (!row->id || row->state == JOB_DONE)
			continue;
		(void)snprintf(number, sizeof(number), "%d", row->attempt);
		crypto_uuid_name(row->uuid, number, uuid);
		if (strcmp(job_uuid + strlen("urn:uuid:"), uuid) == 0)
			return row;
	}
	return NULL;
}

static void run_create(struct fake_call *c)
{
	struct local_op *op = c->op;
	const struct job_record *row = row_of_uuid(c->w, c->uuid);

	assert(row);
	if (c->w->busy_when_printing && is_printing(c->queue)) {
		fail_call(c, ERR_TEMPORARY, BUSY, "busy");
		return;
	}
	if (c->effect) {
		struct fake_local *l = new_local(c->w, c->queue->printer, row->cloud_job);

		(void)str_copy(l->uuid, sizeof(l->uuid), c->uuid);
		op->job.id = l->id;
		(void)str_copy(op->job.own_uuid, sizeof(op->job.own_uuid), "urn:uuid:own");
	}
	fake_call_end(c, NULL);
}

static int op_create(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
                     struct err *err)
{
	const struct job_record *row = row_of_uuid(fake_world, ticket->job_uuid);
	struct fake_call *c;

	assert(row && ticket->cancel_after_s > 0 && *ticket->job_name);
	c = start("queue.create", q, op, row->cloud_job, run_create, err);
	if (!c)
		return -1;
	(void)str_copy(c->uuid, sizeof(c->uuid), ticket->job_uuid);
	return 0;
}

static void on_data(void *data)
{
	fake_call_again(data, 0);
}

static void end_send(struct fake_call *c, struct fake_local *l, const struct err *err)
{
	struct local_op *op = c->op;

	op->ipp.req.sent = (int64_t)c->at;
	op->ipp.ipp_status = !err ? 1 : err->code >= 0x0400 ? err->code : 0; /* no answer: 0 */
	if (c->queue->status.whole && c->at > 0 && c->effect && (c->last || err) && !l->closed) {
		l->closed = true; /* it prints what it has */
		begin_later(l);
	}
	fake_call_end(c, err);
}

/* Print-Job: the local job begins with the call. False: it was refused. */
static bool begin_print_job(struct fake_call *c)
{
	const struct job_record *row = row_of_uuid(c->w, c->uuid);
	struct local_op *op = c->op;
	struct err busy;

	if (c->w->busy_when_printing && is_printing(c->queue)) {
		op->ipp.ipp_status = BUSY;
		(void)err_set(&busy, ERR_TEMPORARY, BUSY, "busy");
		stream_fail(c->stream, &busy);
		fail_call(c, ERR_TEMPORARY, BUSY, "busy");
		return false;
	}
	c->number = new_local(c->w, c->queue->printer, row->cloud_job)->id;
	return true;
}

static void run_send(struct fake_call *c)
{
	struct local_op *op = c->op;
	struct fake_local *l;
	unsigned char part[4096];
	struct err err;
	size_t n;

	if (!c->number && !begin_print_job(c))
		return;
	l = local_of(c->w, c->number);
	if (!l || l->outcome) {
		op->ipp.ipp_status = 0x0404;
		fail_call(c, ERR_REJECTED, 0x0404, "not possible");
		return;
	}
	while ((n = stream_read(c->stream, part, sizeof(part))) > 0) {
		c->at += n;
		l->bytes += n;
		if (c->planned && c->how == FAKE_MIDDLE) {
			err = c->err;
			end_send(c, l, &err);
			return;
		}
	}
	if (c->canceled) {
		(void)err_set(&err, ERR_CANCELED, 0, "canceled");
		end_send(c, l, &err);
	} else if (stream_state(c->stream) == STREAM_FAILED) {
		err = *stream_err(c->stream);
		end_send(c, l, &err);
	} else if (stream_state(c->stream) == STREAM_ENDED) {
		l->documents++;
		op->job = tell(l);
		if (c->planned) {
			err = c->err;
			end_send(c, l, &err);
		} else {
			end_send(c, l, NULL);
		}
	}
}

static int op_send(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
                   int32_t job, struct stream *document, int64_t length, const char *format,
                   bool last, struct err *err)
{
	const struct fake_local *l = local_of(fake_world, job);
	const struct job_record *row = l      ? fake_row(fake_world, l->cloud_job)
	                               : !job ? row_of_uuid(fake_world, ticket->job_uuid)
	                                      : NULL;
	struct fake_call *c;

	assert(row && row->local_job == job); /* its id is committed, or Print-Job gives it */
	assert(job || (q->status.whole && last));
	assert(q->status.whole ? row->closed && length > 0 : !row->closed && length == -1);
	assert(*format && *ticket->job_uuid);
	c = start("queue.send", q, op, row->cloud_job, run_send, err);
	if (!c)
		return -1;
	(void)str_copy(c->uuid, sizeof(c->uuid), ticket->job_uuid);
	c->number = job;
	c->stream = document;
	c->last = last;
	stream_on_data(document, on_data, c);
	return 0;
}

static void run_finish(struct fake_call *c)
{
	struct fake_local *l = local_of(c->w, c->number);

	if (!l || l->outcome) {
		fail_call(c, l ? ERR_REJECTED : ERR_GONE, 0x0404, "not possible");
		return;
	}
	if (c->effect && !l->closed) {
		l->closed = true;
		begin_later(l);
	}
	fake_call_end(c, NULL);
}

static int start_number(const char *verb, struct queue *q, struct local_op *op, int32_t job,
                        void (*run)(struct fake_call *c), struct err *err)
{
	int32_t cloud_job = 0;
	struct fake_call *c;

	for (size_t i = 0; i < fake_world->local_count; i++)
		if (fake_world->locals[i].id == job)
			cloud_job = fake_world->locals[i].cloud_job;
	c = start(verb, q, op, cloud_job, run, err);
	if (c)
		c->number = job;
	return c ? 0 : -1;
}

static int op_finish(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	const struct fake_local *l = local_of(fake_world, job);
	const struct job_record *row = l ? fake_row(fake_world, l->cloud_job) : NULL;

	assert(!q->status.whole);
	assert(!l || (row && row->closed)); /* committed before it can print */
	return start_number("queue.finish", q, op, job, run_finish, err);
}

static void run_cancel(struct fake_call *c)
{
	struct fake_local *l = local_of(c->w, c->number);

	if (!l || l->outcome) {
		fail_call(c, l ? ERR_REJECTED : ERR_GONE, 0x0404, "not possible");
		return;
	}
	if (c->effect) {
		l->canceled = true;
		fake_end(l, OUTCOME_CANCELED);
	}
	fake_call_end(c, NULL);
}

static int op_cancel_job(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	return start_number("queue.cancel", q, op, job, run_cancel, err);
}

static void run_purge(struct fake_call *c)
{
	struct fake_local *l = local_of(c->w, c->number);

	if (!l) {
		fail_call(c, ERR_GONE, 0x0406, "not found");
		return;
	}
	if (c->effect)
		l->vanished = true;
	fake_call_end(c, NULL);
}

static int op_purge(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	const struct fake_local *l = local_of(fake_world, job);

	assert(!q->status.whole && (!l || (l->outcome == OUTCOME_CANCELED && !l->processing_at)));
	return start_number("queue.purge", q, op, job, run_purge, err);
}

static void run_get(struct fake_call *c)
{
	const struct fake_local *l = local_of(c->w, c->number);
	struct local_op *op = c->op;

	if (!l) {
		fail_call(c, ERR_GONE, 0x0406, "not found");
		return;
	}
	op->job = tell(l);
	fake_call_end(c, NULL);
}

static int op_get(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	return start_number("queue.get", q, op, job, run_get, err);
}

/* So many have ended that only one whose number is known is seen after its end. */
static void run_find(struct fake_call *c)
{
	struct fake_world *w = c->w;
	struct local_op *op = c->op;

	op->found = xcalloc(w->local_count + 1, sizeof(*op->found));
	for (size_t i = 0; i < w->local_count; i++)
		if (strcmp(w->locals[i].uuid, c->uuid) == 0 && !w->locals[i].vanished &&
		    (c->number ? w->locals[i].id >= c->number : !w->locals[i].outcome))
			op->found[op->found_count++] = tell(&w->locals[i]);
	fake_call_end(c, NULL);
}

static int op_find(struct queue *q, struct local_op *op, const char *job_uuid, int32_t job,
                   struct err *err)
{
	const struct job_record *row = row_of_uuid(fake_world, job_uuid);
	struct fake_call *c = start("queue.find", q, op, row ? row->cloud_job : 0, run_find, err);

	if (!c)
		return -1;
	(void)str_copy(c->uuid, sizeof(c->uuid), job_uuid);
	c->number = job;
	return 0;
}

static void run_nothing(struct fake_call *c)
{
	fake_call_end(c, NULL);
}

static int op_identify(struct queue *q, struct local_op *op, const char *actions,
                       const char *message, struct err *err)
{
	(void)actions;
	(void)message;
	return start("queue.identify", q, op, 0, run_nothing, err) ? 0 : -1;
}

static void run_probe(struct fake_call *c)
{
	struct local_op *op = c->op;

	(void)str_copy(op->status.info, sizeof(op->status.info), "Second floor");
	(void)str_copy(op->status.make_and_model, sizeof(op->status.make_and_model),
	               "ACME Laser 1");
	op->status.health = QUEUE_READY;
	(void)str_copy(op->learned, sizeof(op->learned), c->w->key_shown ? c->w->key_shown : "");
	fake_call_end(c, NULL);
}

static int explain(const char *name, const struct attrs *capabilities,
                   const struct driver_grey *grey, const struct mappings *mappings,
                   const char *ticket, const struct ticket_explained *to, struct err *err)
{
	(void)name;
	(void)capabilities;
	(void)grey;
	(void)mappings;
	(void)ticket;
	(void)to;
	return err_set(err, ERR_REJECTED, 0, "not here");
}

static int op_probe(struct queues *qs, const char *name, struct local_op *op, struct err *err)
{
	(void)qs;
	assert(*name);
	return start("queue.probe", NULL, op, 0, run_probe, err) ? 0 : -1;
}

static int op_list(struct queues *qs, struct local_op *op,
                   void (*each)(void *data, const char *name, const char *info,
                                const char *make_and_model),
                   void *each_data, struct err *err)
{
	(void)qs;
	if (!fake_world->names[0])
		each(each_data, "laser", "Second floor", "Laser 1");
	for (const char **name = fake_world->names; *name; name++)
		each(each_data, *name, "Second floor", "Laser 1");
	return start("queue.list", NULL, op, 0, run_nothing, err) ? 0 : -1;
}

static void op_cancel(struct local_op *op)
{
	fake_call_cancel(fake_world, op);
}

static void op_clear(struct local_op *op)
{
	assert(!fake_call_of(fake_world, op));
	free(op->found);
	memset(op, 0, sizeof(*op));
}

/* ---- watching ---------------------------------------------------------------------------------
 */

static void done_watched(struct fake_call *c, const struct err *err)
{
	struct fake_local *l = local_of(c->w, c->number);

	(void)err;
	for (size_t i = 0; i < c->w->watches_used; i++) {
		struct local_watch *watch = c->w->watches[i];
		struct err gone;

		if (watch != c->op || c->w->ghost)
			continue;
		if (l && (!watch->job_uuid || c->queue->status.whole ||
		          strcmp(watch->job_uuid, l->uuid) == 0)) {
			tell_watch(l);
			return;
		}
		c->w->watches[i] = NULL;
		(void)err_set(&gone, ERR_GONE, 0x0406, "no such job");
		watch->changed(watch, NULL, &gone);
		return;
	}
}

static void queue_watch(struct queue *q, struct local_watch *watch)
{
	size_t i = 0;
	struct fake_call *c;

	assert(q->open && watch->job && watch->user_name);
	for (size_t k = 0; k < q->w->watches_used; k++)
		assert(!q->w->watches[k] || q->w->watches[k]->job != watch->job); /* one each */
	while (q->w->watches[i])
		i++;
	assert(i < FAKE_JOBS_MAX);
	q->w->watches[i] = watch;
	if (i == q->w->watches_used)
		q->w->watches_used++;
	c = fake_call_start(q->w, "queue.watch", watch, watch->job, run_nothing, done_watched,
	                    NULL);
	c->planned = false;
	c->how = FAKE_AFTER;
	c->number = watch->job;
	c->queue = q;
}

static void queue_unwatch(struct local_watch *watch)
{
	struct fake_world *w = fake_world;
	struct fake_call **at = &w->calls;

	for (size_t i = 0; i < w->watches_used; i++)
		if (w->watches[i] == watch)
			w->watches[i] = NULL;
	for (; *at; at = &(*at)->next)
		if ((*at)->op == watch) {
			struct fake_call *c = *at;

			*at = c->next;
			timer_stop(&c->timer);
			free(c);
			return;
		}
}

static bool takes(const struct queue *q, const char *format)
{
	(void)q;
	(void)format;
	return true;
}

static int check(struct queue *q, const struct local_ticket *ticket, struct err *err)
{
	(void)q;
	(void)ticket;
	(void)err;
	return 0;
}

static bool takes_document_password(const struct queue *q)
{
	(void)q;
	return false;
}

const struct queue_ops fake_queue_ops = {
	.open_all = queues_open,
	.close_all = queues_close,
	.open = queue_open,
	.close = queue_close,
	.status = queue_status,
	.capabilities = queue_capabilities,
	.takes = takes,
	.state = no_attrs,
	.refresh = queue_refresh,
	.reread = queue_refresh,
	.trust = queue_trust,
	.probe = op_probe,
	.explain = explain,
	.defaults = queue_defaults,
	.check = check,
	.takes_document_password = takes_document_password,
	.create = op_create,
	.send = op_send,
	.finish = op_finish,
	.cancel = op_cancel_job,
	.purge = op_purge,
	.find = op_find,
	.get = op_get,
	.identify = op_identify,
	.op_cancel = op_cancel,
	.op_clear = op_clear,
	.watch = queue_watch,
	.unwatch = queue_unwatch,
	.list = op_list,
};
