/* methods_explain.c - Explain. */
#include "connector/control/control_private.h"

#include "common/buf.h"
#include "common/util.h"
#include "connector/control/json.h"
#include "connector/printer/ticket_note.h"

#define LINES_MAX  500
#define TICKET_MAX ((size_t)32 * 1024)

static const char *fate_name(enum ticket_fate fate)
{
	switch (fate) {
	case TICKET_SENT:
		return "sent";
	case TICKET_CHANGED:
		return "changed";
	case TICKET_DROPPED:
		return "dropped";
	}
	return "";
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static cJSON *list_of(cJSON *reply, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(reply, name);
}

static void on_option(void *reply, const struct ticket_note *note)
{
	cJSON *option = cJSON_CreateObject();

	json_add_text(option, "name", note->name);
	json_add_text(option, "asked", or_null(note->asked));
	json_add_text(option, "sent", or_null(note->sent));
	json_add_text(option, "fate", fate_name(note->fate));
	json_add_text(option, "why", or_null(note->why));
	(void)cJSON_AddBoolToObject(option, "site", note->site);
	json_add_text(option, "place", or_null(note->place));
	(void)cJSON_AddItemToArray(list_of(reply, "options"), option);
}

static void on_choice(void *reply, const char *name, const char *values, const char *usual)
{
	cJSON *choice = cJSON_CreateObject();

	json_add_text(choice, "name", name);
	json_add_text(choice, "values", values);
	json_add_text(choice, "usual", usual);
	(void)cJSON_AddItemToArray(list_of(reply, "choices"), choice);
}

static void on_attribute(void *reply, const char *text)
{
	(void)cJSON_AddItemToArray(list_of(reply, "attributes"), cJSON_CreateString(text));
}

static void on_refused(void *reply, const char *why)
{
	json_add_text(reply, "refused", why);
}

/* The lines of the parameter as one text; "" when there are none. -1: answered. */
static int read_ticket(struct call *call, struct buf *ret)
{
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(call->message.parameters, "ticket");
	const cJSON *line;

	if (!lines || cJSON_IsNull(lines))
		return 0;
	if (!cJSON_IsArray(lines) || cJSON_GetArraySize(lines) > LINES_MAX) {
		call_invalid(call, "ticket", "ticket must be a list of at most 500 lines",
		             "give a shorter one");
		return -1;
	}
	cJSON_ArrayForEach(line, lines)
	{
		if (cJSON_IsString(line) && buf_printf(ret, "%s\n", line->valuestring) == 0)
			continue;
		call_invalid(call, "ticket", "ticket has a line that is no text or too long",
		             "give lines NAME = VALUE");
		return -1;
	}
	return 0;
}

static cJSON *reply_new(struct call *call)
{
	cJSON *reply = cJSON_CreateObject();

	json_add_text(reply, "queue", call->queue);
	(void)cJSON_AddBoolToObject(reply, "registered",
	                            core_is_registered(call->control->core, call->queue));
	json_add_text(reply, "make_and_model", or_null(call->op.local.status.make_and_model));
	json_add_text(reply, "attention", or_null(call->op.local.warning));
	(void)cJSON_AddItemToObject(reply, "options", cJSON_CreateArray());
	(void)cJSON_AddItemToObject(reply, "choices", cJSON_CreateArray());
	(void)cJSON_AddItemToObject(reply, "attributes", cJSON_CreateArray());
	return reply;
}

static void on_probed(struct local_op *op, const struct err *why)
{
	struct call *call = op->data;
	struct core *core = call->control->core;
	cJSON *reply = reply_new(call);
	struct ticket_explained to = { .option = on_option,
		                       .choice = on_choice,
		                       .attribute = on_attribute,
		                       .refused = on_refused,
		                       .data = reply };
	struct buf ticket;
	struct err err = why ? *why : (struct err){ 0 };
	bool looked = op->capabilities != NULL;

	/* a queue that does not let ordinary users print can be looked at nevertheless */
	buf_init(&ticket, TICKET_MAX);
	if (looked && read_ticket(call, &ticket) < 0) {
		core_list_queues_clear(core, op);
		cJSON_Delete(reply);
		buf_clear(&ticket);
		return;
	}
	if (looked)
		err_clear(&err);
	if (looked)
		(void)core_explain(core, op, call->queue, ticket.len ? buf_text(&ticket) : NULL,
		                   &to, &err);
	buf_clear(&ticket);
	core_list_queues_clear(core, op);
	if (err.kind) {
		cJSON_Delete(reply);
		if (looked)
			call_invalid(call, "ticket", err.text, "mend the ticket");
		else
			call_fail(call, call->queue, &err);
		return;
	}
	if (!cJSON_HasObjectItem(reply, "refused"))
		json_add_text(reply, "refused", NULL);
	call_reply(call, reply);
}

void method_explain(struct call *call)
{
	struct local_op *op = &call->op.local;
	const char *name;
	struct err err;

	if (call_text(call, "queue", 1023, &name) < 0)
		return;
	if (!name) {
		call_invalid(call, "queue", "queue is needed", "name a queue");
		return;
	}
	call->queue = core_queue_of(call->control->core, name);
	op->data = call;
	op->done = on_probed;
	if (core_probe(call->control->core, op, call->queue, &err) < 0)
		call_fail(call, call->queue, &err);
}
