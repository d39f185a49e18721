/* methods_doctor.c - Diagnose. */
#include "connector/control/control_private.h"

#include "common/config.h"
#include "connector/control/json.h"

static void count(struct call *call, const struct doctor_result *r)
{
	call->marks[r->mark]++;
}

static void on_step(struct doctor *d, const struct doctor_result *r)
{
	struct call *call = d->data;

	count(call, r);
	if (call->message.more && call->conn)
		call_continue(call, json_doctor("step", r));
}

static void on_finding(struct doctor *d, const struct doctor_result *r)
{
	struct call *call = d->data;

	if (call->message.more && call->conn)
		call_continue(call, json_doctor("finding", r));
}

static void on_done(struct doctor *d, const struct err *err)
{
	struct call *call = d->data;

	call->abandon = NULL;
	if (err)
		call_fail(call, "", err);
	else
		call_reply(call, json_doctor_done(call->marks));
}

static void diagnose_abandon(struct call *call)
{
	doctor_cancel(&call->op.doctor);
}

void method_diagnose(struct call *call)
{
	struct doctor *d = &call->op.doctor;
	const char *queue;
	struct err err;

	if (call_text(call, "queue", URI_SIZE - 1, &queue) < 0)
		return;
	d->data = call;
	d->step = on_step;
	d->finding = on_finding;
	d->done = on_done;
	call->abandon = diagnose_abandon;
	if (core_doctor(call->control->core, d, queue, &err) < 0)
		call_fail(call, queue ? queue : "", &err);
}
