/* methods_rebind.c - Rebind and Reset. */
#include "connector/control/control_private.h"

#include "common/config.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

#define CLOUD_MAX 63

static void on_rebound(struct core_rebind *op, const struct err *err)
{
	struct call *call = op->data;
	cJSON *reply;

	if (err) {
		call_fail(call, op->record.queue, err);
		return;
	}
	reply = cJSON_CreateObject();
	json_add_text(reply, "text", *op->warning ? op->warning : NULL);
	call_reply(call, reply);
}

/* On -1 the call has been answered. */
static int need(struct call *call, const char *field, const char **ret)
{
	if (call_text(call, field, URI_SIZE - 1, ret) < 0)
		return -1;
	if (*ret)
		return 0;
	call_invalid(call, field, "no queue or printer is named", "name one");
	return -1;
}

void method_rebind(struct call *call)
{
	struct core_rebind *op = &call->op.rebind;
	struct log_about about = { 0 };
	const char *printer, *queue, *cloud;
	struct err err;

	if (need(call, "printer", &printer) < 0 || need(call, "queue", &queue) < 0 ||
	    call_text(call, "cloud", CLOUD_MAX, &cloud) < 0)
		return;
	about.queue = queue;
	call_log(call, &about, "moves printer %s to queue %s", printer, queue);
	op->data = call;
	op->done = on_rebound;
	if (core_rebind(call->control->core, op, printer, cloud, queue, &err) < 0)
		call_fail(call, printer, &err);
}

static void reset_answer(struct call *call, const char *key)
{
	cJSON *reply = cJSON_CreateObject();

	json_add_text(reply, "key", key && *key ? key : NULL);
	call_reply(call, reply);
}

static void on_trusted(struct core_trust *op, const struct err *err)
{
	if (err)
		call_fail(op->data, op->record.queue, err);
	else
		reset_answer(op->data, op->record.pinned_key);
}

void method_reset(struct call *call)
{
	struct core_trust *op = &call->op.trust;
	struct log_about about = { 0 };
	const char *queue, *cloud;
	struct err err;
	bool trust;
	int rc;

	if (need(call, "queue", &queue) < 0 || call_text(call, "cloud", CLOUD_MAX, &cloud) < 0 ||
	    call_bool(call, "trust_new_key", &trust) < 0)
		return;
	about.queue = queue;
	about.cloud = cloud;
	call_log(call, &about, "resets %s%s", queue, trust ? " and trusts its key" : "");
	op->data = call;
	op->done = on_trusted;
	rc = trust ? core_trust(call->control->core, op, queue, cloud, &err)
	           : core_reset(call->control->core, queue, cloud, &err);
	if (rc < 0)
		call_fail(call, queue, &err);
	else if (!trust)
		reset_answer(call, NULL);
}
