/* methods_orders.c - Resolve, Retry, Pause, Resume, Drain. */
#include "connector/control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

#define WORD_MAX 16  /* of a verdict */
#define LOOK_MS  100 /* how often Drain looks how far it is */

/* ---- jobs ---- */

struct order {
	char id[24], subject[32];
	struct log_about about;
};

static void order_fill(struct order *o, int64_t id)
{
	*o = (struct order){ .about = { .job = o->id } };
	(void)snprintf(o->id, sizeof(o->id), "%lld", (long long)id);
	(void)snprintf(o->subject, sizeof(o->subject), "job %s", o->id);
}

void method_resolve(struct call *call)
{
	static const char *const verdicts[] = {
		[CORE_PRINTED] = "printed",
		[CORE_PRINT_AGAIN] = "print-again",
		[CORE_ABORT] = "abort",
	};
	const char *word;
	struct order o;
	struct err err;
	size_t verdict = 0;
	int64_t id;

	if (call_id(call, &id) < 0 || call_text(call, "verdict", WORD_MAX, &word) < 0)
		return;
	while (verdict < ARRAY_SIZE(verdicts) && (!word || strcmp(word, verdicts[verdict]) != 0))
		verdict++;
	if (verdict == ARRAY_SIZE(verdicts)) {
		call_invalid(call, "verdict", "a job is resolved as printed, print-again or abort",
		             "give one of these");
		return;
	}
	order_fill(&o, id);
	call_log(call, &o.about, "resolves job %s: %s", o.id, word);
	if (core_resolve(call->control->core, id, (enum core_verdict)verdict, &err) < 0)
		call_fail(call, o.subject, &err);
	else
		call_reply(call, NULL);
}

void method_retry(struct call *call)
{
	struct order o;
	struct err err;
	int64_t id;

	if (call_id(call, &id) < 0)
		return;
	order_fill(&o, id);
	call_log(call, &o.about, "tries job %s again", o.id);
	if (core_retry(call->control->core, id, &err) < 0)
		call_fail(call, o.subject, &err);
	else
		call_reply(call, NULL);
}

/* ---- printers ---- */

static void on_paused(struct core_pause *op, const struct err *err)
{
	struct call *call = op->data;

	if (err)
		call_fail(call, op->record.queue, err);
	else
		call_reply(call, NULL);
}

static void pause_printer(struct call *call, bool paused)
{
	struct core_pause *op = &call->op.pause;
	struct log_about about = { 0 };
	struct err err;

	if (call_printer(call, &about.queue, &about.cloud) < 0)
		return;
	call_log(call, &about, "%s %s", paused ? "pauses" : "resumes", about.queue);
	op->data = call;
	op->done = on_paused;
	if (core_pause(call->control->core, op, about.queue, about.cloud, paused, &err) < 0)
		call_fail(call, about.queue, &err);
}

void method_pause(struct call *call)
{
	pause_printer(call, true);
}

void method_resume(struct call *call)
{
	const char *queue;

	if (call_text(call, "queue", URI_SIZE - 1, &queue) < 0)
		return;
	if (queue) {
		pause_printer(call, false);
		return;
	}
	call_log(call, NULL, "ends the drain");
	core_rest(call->control->core, false);
	call_reply(call, NULL);
}

/* ---- drain ---- */

static cJSON *drain_new(const struct core_counts *n)
{
	cJSON *ret = cJSON_CreateObject();

	(void)cJSON_AddNumberToObject(ret, "handing", n->handing_over);
	(void)cJSON_AddNumberToObject(ret, "printing", n->jobs[JOB_PRINTING]);
	return ret;
}

static void end_watch(struct call *call)
{
	timer_stop(&call->op.drain.timer);
	call_reply(call, NULL); /* nobody is there to read it */
}

static void on_look(struct timer *t)
{
	struct call *call = t->data;
	struct drain_watch *drain = &call->op.drain;
	struct core_counts n = core_counts(call->control->core);

	if (!n.handing_over || !n.resting) {
		call->abandon = NULL;
		call_reply(call, drain_new(&n));
		return;
	}
	timer_start(t, LOOK_MS);
	if (n.handing_over == drain->handing && n.jobs[JOB_PRINTING] == drain->printing)
		return;
	drain->handing = n.handing_over;
	drain->printing = n.jobs[JOB_PRINTING];
	call_continue(call, drain_new(&n));
}

void method_drain(struct call *call)
{
	struct drain_watch *drain = &call->op.drain;
	struct core_counts n;

	call_log(call, NULL, "drains the connector");
	core_rest(call->control->core, true);
	if (!call->message.more) {
		n = core_counts(call->control->core);
		call_reply(call, drain_new(&n));
		return;
	}
	drain->handing = drain->printing = UINT32_MAX; /* nothing was told */
	timer_init(&drain->timer, call->control->clock, on_look, call);
	call->abandon = end_watch;
	timer_start(&drain->timer, 0);
}
