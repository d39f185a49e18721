/* methods_job.c - GetJob, Cancel. What core has of an open job is newer than what the store has of
 * it. */
#include "connector/control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "connector/base/journal.h"
#include "connector/control/json.h"
#include "connector/control/places.h"

static void job_answer(struct call *call, const struct job_record *job,
                       const struct job_event *events, size_t n)
{
	cJSON *list = cJSON_CreateArray(), *reply = cJSON_CreateObject();
	struct places places;

	places_init(&places, call->control->core);
	for (size_t i = 0; i < n; i++)
		(void)cJSON_AddItemToArray(list, json_event(&events[i]));
	(void)cJSON_AddItemToObject(reply, "job", places_job(&places, job));
	(void)cJSON_AddItemToObject(reply, "events", list);
	places_clear(&places);
	call_reply(call, reply);
}

static void job_unknown(struct call *call, int64_t id, const struct err *err)
{
	char subject[32];
	struct err why = *err;

	(void)snprintf(subject, sizeof(subject), "job %lld", (long long)id);
	if (err->kind == ERR_GONE)
		(void)err_set(&why, ERR_GONE, 0,
		              "there is no job %lld; print-connector jobs --all lists all",
		              (long long)id);
	call_fail(call, subject, &why);
}

static void on_job_got(struct store_op *op, const struct err *err)
{
	struct call *call = op->data;
	const struct job_record *live;
	struct store_op result = *op;
	struct err ignored;
	int64_t id = 0;

	memset(op, 0, sizeof(*op));
	(void)varlink_int(call->message.parameters, "id", 0, &id, &ignored);
	if (!call->conn) {
		call_fail(call, "", &(struct err){ .kind = ERR_CANCELED });
		store_op_clear(&result);
		return;
	}
	live = core_job(call->control->core, id);
	if (err && !live)
		job_unknown(call, id, err);
	else
		job_answer(call, live ? live : &result.job, result.events, result.event_count);
	store_op_clear(&result);
}

void method_get_job(struct call *call)
{
	struct store_op *op = &call->op.store;
	int64_t id;

	if (call_id(call, &id) < 0)
		return;
	op->data = call;
	op->done = on_job_got;
	store_job_get(core_store(call->control->core), op, id);
}

/* ---- Cancel ---- */

void method_cancel(struct call *call)
{
	struct log_about about = { 0 };
	char text[32], subject[40];
	struct err err;
	int64_t id;

	if (call_id(call, &id) < 0)
		return;
	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	(void)snprintf(subject, sizeof(subject), "job %s", text);
	about.job = text;
	call_log(call, &about, "cancels job %s", text);
	if (core_cancel(call->control->core, id, &err) < 0)
		call_fail(call, subject, &err);
	else
		call_reply(call, NULL);
}
