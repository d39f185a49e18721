/* methods_printers.c - ListPrinters, ListQueues. */
#include "connector/control/control_private.h"

#include "common/util.h"
#include "connector/control/json.h"

#define QUEUES_MAX 10000 /* entries of one answer */

static void on_printer(void *list, const struct core_printer *printer)
{
	(void)cJSON_AddItemToArray(list, json_printer(printer));
}

void method_list_printers(struct call *call)
{
	cJSON *list = cJSON_CreateArray(), *reply = cJSON_CreateObject();

	core_printers(call->control->core, on_printer, list);
	(void)cJSON_AddItemToObject(reply, "printers", list);
	call_reply(call, reply);
}

/* ---- ListQueues ---- */

static void on_queue(void *data, const char *name, const char *info, const char *make_and_model)
{
	struct call *call = data;
	cJSON *queue;

	if (!call->conn || cJSON_GetArraySize(call->list) >= QUEUES_MAX)
		return;
	queue = cJSON_CreateObject();
	json_add_text(queue, "name", name);
	json_add_text(queue, "info", info && *info ? info : NULL);
	json_add_text(queue, "make_and_model",
	              make_and_model && *make_and_model ? make_and_model : NULL);
	json_add_text(queue, "kind", "cups");
	(void)cJSON_AddBoolToObject(queue, "registered",
	                            core_is_registered(call->control->core, name));
	(void)cJSON_AddItemToArray(call->list, queue);
}

static void on_queues_listed(struct local_op *op, const struct err *err)
{
	struct call *call = op->data;
	cJSON *reply;

	struct err failed = err ? *err : (struct err){ 0 };

	core_list_queues_clear(call->control->core, op);
	if (failed.kind) {
		call_fail(call, "CUPS", &failed);
		return;
	}
	reply = cJSON_CreateObject();
	(void)cJSON_AddItemToObject(reply, "queues", TAKE(call->list));
	call_reply(call, reply);
}

void method_list_queues(struct call *call)
{
	struct local_op *op = &call->op.local;
	struct err err;

	call->list = cJSON_CreateArray();
	op->data = call;
	op->done = on_queues_listed;
	if (core_list_queues(call->control->core, op, on_queue, call, &err) < 0)
		call_fail(call, "CUPS", &err);
}
