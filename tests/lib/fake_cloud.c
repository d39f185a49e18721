/* The cloud of a fake world: jobs are fetchable, ours, somebody else's or final. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cups/cups.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/stream.h"
#include "tests/lib/fake_world.h"

#define NOT_FETCHABLE 0x0420

struct cloud {
	struct fake_world *w;
};

static int cloud_open(struct cloud **ret, const struct cloud_settings *settings, struct err *err)
{
	(void)settings;
	(void)err;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->w = fake_world;
	return 0;
}

static void cloud_close(struct cloud *c)
{
	for (size_t i = 0; i < FAKE_PRINTERS_MAX; i++)
		assert(!c->w->channels[i].open);
	free(c);
}

/* ---- channels ---------------------------------------------------------------------------------
 */

static void send_offers(struct timer *t)
{
	struct channel *ch = t->data;
	struct fake_world *w = ch->w;
	struct cloud_offer offers[FAKE_JOBS_MAX];
	size_t n = 0;

	if (ch->state != CHANNEL_ONLINE || !ch->open)
		return;
	for (size_t i = 0; i < w->job_count; i++) {
		struct fake_cloud_job *j = &w->jobs[i];

		if (j->printer != ch->printer || j->hidden || j->hold > FAKE_OURS ||
		    (j->hold == FAKE_OURS && !w->offers_ours))
			continue;
		offers[n] = (struct cloud_offer){ .job = j->job, .priority = 50 };
		(void)str_copy(offers[n++].uuid, sizeof(offers[0].uuid), j->uuid);
	}
	ch->listener.offers(ch->listener.data, offers, n);
}

void fake_offer_later(struct channel *ch)
{
	if (ch->open && !ch->w->ghost)
		timer_start(&ch->offers, ch->w->delay_ms);
}

void fake_offer(struct fake_world *w, int printer)
{
	fake_offer_later(&w->channels[printer]);
}

/* What Update-Active-Jobs brings to light. */
static void compare_active(struct channel *ch)
{
	struct fake_world *w = ch->w;
	struct cloud_active active[FAKE_JOBS_MAX];
	size_t n = ch->listener.active(ch->listener.data, active, ARRAY_SIZE(active));

	for (size_t i = 0; i < w->job_count; i++) {
		struct fake_cloud_job *j = &w->jobs[i];
		bool known = false;

		if (j->printer != ch->printer || j->hold != FAKE_OURS)
			continue;
		for (size_t k = 0; k < n; k++)
			known = known || active[k].job == j->job;
		if (!known)
			ch->listener.assigned(ch->listener.data, j->job);
		else if (j->canceled)
			ch->listener.canceled(ch->listener.data, j->job);
	}
}

static void on_connect(struct timer *t)
{
	struct channel *ch = t->data;

	if (!ch->open)
		return;
	if (ch->w->cloud_down) {
		timer_start(t, 5000);
		return;
	}
	ch->state = CHANNEL_ONLINE;
	ch->listener.state(ch->listener.data, CHANNEL_ONLINE, NULL);
	compare_active(ch);
	fake_offer_later(ch);
}

void fake_channel(struct fake_world *w, int printer, enum channel_state state)
{
	struct channel *ch = &w->channels[printer];
	struct err err;

	(void)err_set(&err, state == CHANNEL_REFUSED ? ERR_DENIED : ERR_TEMPORARY, 0,
	              "the cloud is away");
	if (state == CHANNEL_ONLINE) {
		timer_start(&ch->connect, 0);
		return;
	}
	ch->state = state;
	timer_stop(&ch->connect);
	timer_stop(&ch->offers);
	ch->listener.state(ch->listener.data, state, state == CHANNEL_CONNECTING ? NULL : &err);
}

static int channel_open(struct channel **ret, struct cloud *c,
                        const struct channel_settings *settings,
                        const struct channel_listener *listener, struct err *err)
{
	struct fake_world *w = c->w;
	int at = -1;

	(void)err;
	for (size_t i = 0; i < w->printer_count; i++)
		if (strcmp(w->printers[i].id, settings->device_uuid) == 0)
			at = (int)i;
	assert(at >= 0 && !w->channels[at].open);
	fake_line(w, "channel.open %d %s as %s with %s", at, settings->uri,
	          settings->identity ? settings->identity->device : "nobody",
	          settings->key_file ? strrchr(settings->key_file, '/') + 1 : "nothing");
	*ret = &w->channels[at];
	**ret = (struct channel){ .w = w, .printer = at, .listener = *listener, .open = true };
	timer_init(&(*ret)->connect, &w->clock.clock, on_connect, *ret);
	timer_init(&(*ret)->offers, &w->clock.clock, send_offers, *ret);
	return 0;
}

static void channel_close(struct channel *ch)
{
	assert(ch->open && ch->calls == 0);
	ch->open = false;
	timer_stop(&ch->connect);
	timer_stop(&ch->offers);
}

static void channel_update(struct channel *ch, struct attrs *capabilities, struct attrs *state)
{
	(void)capabilities;
	(void)state;
	assert(ch->open);
	if (ch->updates++ == 0)
		timer_start(&ch->connect, ch->w->delay_ms);
}

static void channel_list(struct channel *ch)
{
	fake_line(ch->w, "> cloud.list %d", ch->printer);
	fake_offer_later(ch);
}

/* ---- operations on jobs -----------------------------------------------------------------------
 */

static void done_cloud(struct fake_call *c, const struct err *err)
{
	struct cloud_op *op = c->op;

	if (c->channel)
		c->channel->calls--;
	if (c->stream) {
		stream_on_room(c->stream, NULL, NULL);
		if (err)
			stream_fail(c->stream, err);
	}
	op->done(op, err);
}

static struct fake_call *start(const char *verb, struct channel *ch, struct cloud_op *op,
                               int32_t job, void (*run)(struct fake_call *c), struct err *err)
{
	struct fake_call *c = fake_call_start(fake_world, verb, op, job, run, done_cloud, err);

	if (c && ch) {
		assert(ch->open);
		c->channel = ch;
		ch->calls++;
	}
	return c;
}

static void refuse_call(struct fake_call *c, enum err_kind kind, int code, const char *text)
{
	struct err err;

	c->effect = false;
	(void)err_set(&err, kind, code, "%s", text);
	fake_call_end(c, &err);
}

static void run_fetch(struct fake_call *c)
{
	struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);
	struct cloud_op *op = c->op;

	if (!j || j->hold > FAKE_OURS || (j->hold == FAKE_OURS && !c->w->offers_ours)) {
		refuse_call(c, ERR_GONE, NOT_FETCHABLE, "not fetchable");
		return;
	}
	(void)str_copy(op->job.cloud_uuid, sizeof(op->job.cloud_uuid), j->uuid);
	op->job.documents = j->documents;
	(void)str_copy(op->job.job_name, sizeof(op->job.job_name), "report");
	(void)str_copy(op->job.user_name, sizeof(op->job.user_name), "ada@example.com");
	(void)str_copy(op->job.format, sizeof(op->job.format), j->format);
	op->ticket = attrs_new(ippNew());
	fake_call_end(c, NULL);
}

static int op_fetch(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	return start("cloud.fetch", ch, op, job, run_fetch, err) ? 0 : -1;
}

static void run_accept(struct fake_call *c)
{
	struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);
	const struct job_record *row = fake_row(c->w, c->job);

	if (j &&
	    (j->hold == FAKE_FETCHABLE || (j->hold == FAKE_OURS && !c->w->accept_again_refused))) {
		assert(row); /* never before its row is committed */
		if (c->effect) {
			j->hold = FAKE_OURS;
			j->accepts++;
			if (!j->told_at)
				j->told_at = c->w->clock.now_ms;
		}
		fake_call_end(c, NULL);
		return;
	}
	refuse_call(c, ERR_GONE, NOT_FETCHABLE, "not fetchable");
}

static int op_accept(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	return start("cloud.accept", ch, op, job, run_accept, err) ? 0 : -1;
}

static void run_refuse(struct fake_call *c)
{
	struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);

	if (!j || j->hold != FAKE_FETCHABLE) {
		refuse_call(c, ERR_GONE, NOT_FETCHABLE, "not fetchable");
		return;
	}
	if (c->effect) {
		j->hold = FAKE_FINAL;
		j->never_acknowledged = true;
		j->told = CLOUD_JOB_ABORTED;
		(void)str_copy(j->message, sizeof(j->message), c->text);
	}
	fake_call_end(c, NULL);
}

static int op_refuse(struct channel *ch, struct cloud_op *op, int32_t job, int ipp_status,
                     const char *message, struct err *err)
{
	struct fake_call *c = start("cloud.refuse", ch, op, job, run_refuse, err);

	if (!c)
		return -1;
	assert(ipp_status);
	(void)str_copy(c->text, sizeof(c->text), message);
	return 0;
}

static bool is_final(enum cloud_job_state state)
{
	return state == CLOUD_JOB_COMPLETED || state == CLOUD_JOB_ABORTED ||
	       state == CLOUD_JOB_CANCELED;
}

static void run_report(struct fake_call *c)
{
	struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);
	int64_t silence;

	if (!j || (j->hold != FAKE_OURS && j->hold != FAKE_FINAL)) {
		refuse_call(c, ERR_GONE, 0x0406, "not found");
		return;
	}
	if (c->effect && j->hold == FAKE_OURS) {
		silence = c->w->clock.now_ms - j->told_at;
		j->worst_silence = silence > j->worst_silence ? silence : j->worst_silence;
		j->told_at = c->w->clock.now_ms;
		j->told = c->report.state;
		j->printed = c->report.printed;
		j->reports++;
		j->was_told = true;
		(void)str_copy(j->reasons, sizeof(j->reasons), c->reasons);
		(void)str_copy(j->message, sizeof(j->message), c->text);
		if (is_final(c->report.state)) {
			j->hold = FAKE_FINAL;
			j->finals++;
		}
	}
	fake_line(c->w, "told %d %d %s", c->job, (int)c->report.state, c->text);
	fake_call_end(c, NULL);
}

static int op_report(struct channel *ch, struct cloud_op *op, const struct cloud_report *report,
                     struct err *err)
{
	struct fake_call *c = start("cloud.report", ch, op, report->job, run_report, err);

	if (!c)
		return -1;
	c->report = *report;
	(void)str_copy(c->reasons, sizeof(c->reasons), report->reasons);
	(void)str_copy(c->text, sizeof(c->text), report->message);
	return 0;
}

static void run_check(struct fake_call *c)
{
	const struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);
	struct cloud_op *op = c->op;

	if (!j || j->hold == FAKE_FORGOTTEN) {
		refuse_call(c, ERR_GONE, 0x0406, "not found");
		return;
	}
	(void)str_copy(op->job.cloud_uuid, sizeof(op->job.cloud_uuid), j->uuid);
	op->canceled = j->canceled;
	op->final = j->hold == FAKE_FINAL;
	fake_call_end(c, NULL);
}

static int op_check(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	return start("cloud.check", ch, op, job, run_check, err) ? 0 : -1;
}

/* ---- documents --------------------------------------------------------------------------------
 */

static void on_room(void *data)
{
	fake_call_again(data, 0);
}

static void run_document(struct fake_call *c)
{
	const struct fake_cloud_job *j = fake_cloud_job(c->w, c->job);
	struct cloud_op *op = c->op;
	struct err err;

	if (c->canceled) {
		refuse_call(c, ERR_CANCELED, 0, "canceled");
		return;
	}
	if (stream_state(c->stream) == STREAM_FAILED) {
		err = *stream_err(c->stream);
		fake_call_end(c, &err);
		return;
	}
	if (!j || j->hold != FAKE_OURS || c->number > j->documents) {
		refuse_call(c, ERR_GONE, 0x0406, "no such document");
		return;
	}
	if (c->step++ == 0) {
		(void)str_copy(op->format, sizeof(op->format), j->format);
		if (op->begun)
			op->begun(op);
	}
	if ((int64_t)j->len > c->limit) {
		refuse_call(c, ERR_REJECTED, 0, "larger than max-document-size");
		return;
	}
	while (c->at < j->len) {
		size_t part = j->len - c->at;

		part = part > 4096 ? 4096 : part;
		if (c->planned && c->how == FAKE_MIDDLE && c->at + part > j->len / 2) {
			err = c->err;
			fake_call_end(c, &err);
			return;
		}
		if (stream_write(c->stream, j->bytes + c->at, part) < 0) {
			if (stream_state(c->stream) == STREAM_FAILED)
				fake_call_again(c, 0);
			return;
		}
		c->at += part;
	}
	if (c->planned) {
		err = c->err;
		fake_call_end(c, &err);
		return;
	}
	stream_end(c->stream);
	stream_on_room(c->stream, NULL, NULL);
	fake_call_end(c, NULL);
}

static int op_document(struct channel *ch, struct cloud_op *op, int32_t job, int32_t number,
                       struct stream *into, uint64_t limit, struct err *err)
{
	struct fake_call *c = start("cloud.document", ch, op, job, run_document, err);

	if (!c)
		return -1;
	c->number = number;
	c->stream = into;
	c->limit = (int64_t)limit;
	stream_on_room(into, on_room, c);
	return 0;
}

/* ---- registration -----------------------------------------------------------------------------
 */

static void run_probe(struct fake_call *c)
{
	struct cloud_op *op = c->op;

	(void)str_copy(op->printer_uuid, sizeof(op->printer_uuid), "urn:uuid:cloud-printer");
	fake_call_end(c, NULL);
}

static int op_probe(struct cloud *cl, struct cloud_op *op, const struct channel_settings *settings,
                    struct err *err)
{
	(void)cl;
	assert(settings->uri && settings->device_uuid);
	return start("cloud.probe", NULL, op, 0, run_probe, err) ? 0 : -1;
}

static void op_cancel(struct cloud_op *op)
{
	fake_call_cancel(fake_world, op);
}

static void op_clear(struct cloud_op *op)
{
	assert(!fake_call_of(fake_world, op));
	if (op->certificate.limit)
		buf_clear(&op->certificate);
	attrs_unref(op->ticket);
	memset(op, 0, sizeof(*op));
}

static const struct cloud_stats *cloud_stats(const struct cloud *c)
{
	static struct cloud_stats stats;
	struct fake_world *w = fake_world;

	(void)c;
	stats.server_time = w->timeless ? 0 : w->clock.wall_ms - w->clock_ahead_ms;
	stats.heard_at = w->clock.now_ms;
	return &stats;
}

const struct cloud_ops fake_cloud_ops = {
	.open = cloud_open,
	.close = cloud_close,
	.stats = cloud_stats,
	.channel_open = channel_open,
	.channel_close = channel_close,
	.update = channel_update,
	.list = channel_list,
	.fetch = op_fetch,
	.accept = op_accept,
	.refuse = op_refuse,
	.document = op_document,
	.report = op_report,
	.check = op_check,
	.probe = op_probe,
	.wants_sign_in = fake_wants_sign_in,
	.sign_in = fake_sign_in,
	.sign_out = fake_sign_out,
	.enroll = fake_enroll,
	.op_cancel = op_cancel,
	.op_clear = op_clear,
};

void fake_cloud_cancel(struct fake_world *w, int32_t job)
{
	struct fake_cloud_job *j = fake_cloud_job(w, job);
	struct channel *ch = &w->channels[j->printer];

	if (j->hold == FAKE_FETCHABLE)
		j->hold = FAKE_FINAL;
	if (j->hold >= FAKE_FINAL)
		return;
	j->canceled = true;
	if (ch->open && ch->state == CHANNEL_ONLINE)
		ch->listener.canceled(ch->listener.data, job);
}
