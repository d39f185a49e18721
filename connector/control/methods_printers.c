/* methods_printers.c - ListPrinters, ListQueues, Register, Unregister. */
#include "connector/control/control_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

#define CLOUD_MAX    63
#define QUEUES_MAX   10000 /* entries of one answer */
#define NAME_MAX_LEN (NAME_SIZE - 1)
#define PATH_MAX_LEN (URI_SIZE - 1)

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
	op->user_name = "print-connector";
	if (core_list_queues(call->control->core, op, on_queue, call, &err) < 0)
		call_fail(call, "CUPS", &err);
}

/* ---- Register ---- */

static cJSON *event_new(const struct call *call, const char *event, const char *text)
{
	cJSON *ret = cJSON_CreateObject();

	json_add_text(ret, "event", event);
	json_add_text(ret, "queue", call->op.enroll.queue);
	json_add_text(ret, "printer", NULL);
	json_add_text(ret, "text", text);
	json_add_text(ret, "remedy", NULL);
	return ret;
}

static void on_register_progress(struct core_register *op, const char *text)
{
	struct call *call = op->data;

	if (call->message.more && call->conn)
		call_continue(call, event_new(call, "waiting", text));
}

/* With more a failure is an event, so that what goes on with the next queue reads one stream. */
static void register_failed(struct call *call, const struct err *err)
{
	char what[TEXT_SIZE], remedy[TEXT_SIZE];
	cJSON *event;

	if (!call->message.more) {
		call_fail(call, call->op.enroll.queue, err);
		return;
	}
	call_split(err->text, what, remedy);
	event = event_new(call, "failed", what);
	if (*remedy)
		(void)cJSON_ReplaceItemInObject(event, "remedy", cJSON_CreateString(remedy));
	call_continue(call, event);
	call_reply(call, event_new(call, "done", NULL));
}

static void on_registered(struct core_register *op, const struct err *err)
{
	struct call *call = op->data;
	cJSON *event;

	call->abandon = NULL;
	if (err) {
		register_failed(call, err);
		return;
	}
	event = event_new(call, "registered", *op->warning ? op->warning : NULL);
	if (!op->dry_run)
		(void)cJSON_ReplaceItemInObject(event, "printer",
		                                cJSON_CreateString(op->record.id));
	if (!call->message.more) {
		call_reply(call, event);
		return;
	}
	call_continue(call, event);
	call_reply(call, event_new(call, "done", NULL));
}

static void register_abandon(struct call *call)
{
	core_register_cancel(&call->op.enroll);
}

static void ambiguous(struct call *call, const char *text, cJSON *candidates)
{
	cJSON *parameters = cJSON_CreateObject();

	json_add_text(parameters, "text", text);
	json_add_text(parameters, "remedy", "name one with --cloud");
	(void)cJSON_AddItemToObject(parameters, "candidates", candidates);
	call_error(call, "Ambiguous", parameters);
}

/* The daemon runs elsewhere: only absolute paths mean the same to both sides. */
static int check_path(struct call *call, const char *field, const char *path)
{
	char text[TEXT_SIZE];

	if (!path || *path == '/')
		return 0;
	(void)snprintf(text, sizeof(text), "%s must be an absolute path", field);
	call_invalid(call, field, text, "begin it with /");
	return -1;
}

static int check_uri(struct call *call, const char *text)
{
	struct uri uri;

	if (!text)
		return 0;
	if (uri_parse(text, &uri) < 0 || uri.userinfo ||
	    (strcmp(uri.scheme, "ipp") != 0 && strcmp(uri.scheme, "ipps") != 0)) {
		call_invalid(call, "cloud_uri", "cloud_uri must be an ipps:// or ipp:// URI",
		             "copy it from the cloud; a name and password go into --username and "
		             "--password-file");
		return -1;
	}
	return 0;
}

static int register_read(struct call *call, struct core_register *op)
{
	if (call_text(call, "queue", URI_SIZE - 1, &op->queue) < 0 ||
	    call_text(call, "cloud", CLOUD_MAX, &op->cloud) < 0 ||
	    call_text(call, "name", NAME_MAX_LEN, &op->name) < 0 ||
	    call_text(call, "cloud_uri", URI_SIZE - 1, &op->cloud_uri) < 0 ||
	    call_text(call, "certificate_file", PATH_MAX_LEN, &op->certificate_file) < 0 ||
	    call_text(call, "key_file", PATH_MAX_LEN, &op->key_file) < 0 ||
	    call_text(call, "username", NAME_MAX_LEN, &op->username) < 0 ||
	    call_text(call, "password_file", PATH_MAX_LEN, &op->password_file) < 0 ||
	    call_bool(call, "dry_run", &op->dry_run) < 0)
		return -1;
	if (!op->queue) {
		call_invalid(call, "queue", "no queue is named", "name one");
		return -1;
	}
	if (check_path(call, "certificate_file", op->certificate_file) < 0 ||
	    check_path(call, "key_file", op->key_file) < 0 ||
	    check_path(call, "password_file", op->password_file) < 0)
		return -1;
	return check_uri(call, op->cloud_uri);
}

void method_register(struct call *call)
{
	const struct config *config = core_config(call->control->core);
	struct core_register *op = &call->op.enroll;
	struct log_about about = { 0 };
	struct err err;

	if (register_read(call, op) < 0)
		return;
	if (!op->cloud && config->n_clouds > 1) {
		cJSON *names = cJSON_CreateArray();

		for (size_t i = 0; i < config->n_clouds; i++)
			(void)cJSON_AddItemToArray(names,
			                           cJSON_CreateString(config->clouds[i].name));
		ambiguous(call, "there are several clouds", names);
		return;
	}
	op->data = call;
	op->progress = on_register_progress;
	op->done = on_registered;
	about.queue = op->queue;
	about.cloud = op->cloud;
	call_log(call, &about, "%s queue %s", op->dry_run ? "tries to register" : "registers",
	         op->queue);
	if (core_register(call->control->core, op, &err) < 0)
		register_failed(call, &err);
	else
		call->abandon = register_abandon;
}

/* ---- Unregister ---- */

struct twins { /* printers of a queue, in several clouds */
	const char *queue;
	cJSON *clouds;
};

static void on_twin(void *data, const struct core_printer *printer)
{
	struct twins *twins = data;

	if (strcmp(printer->record->queue, twins->queue) == 0)
		(void)cJSON_AddItemToArray(twins->clouds,
		                           cJSON_CreateString(printer->record->cloud));
}

static void on_unregistered(struct core_unregister *op, const struct err *err)
{
	struct call *call = op->data;
	cJSON *reply;
	char *text;

	if (err) {
		call_fail(call, op->record.queue, err);
		return;
	}
	text = xasprintf("printer %s is still known to cloud %s: remove it there if it is not "
	                 "needed any more",
	                 op->record.name, op->record.cloud);
	reply = cJSON_CreateObject();
	json_add_text(reply, "text", text);
	free(text);
	call_reply(call, reply);
}

void method_unregister(struct call *call)
{
	struct core *core = call->control->core;
	struct core_unregister *op = &call->op.forget;
	struct log_about about = { 0 };
	struct twins twins = { 0 };
	const char *cloud;
	struct err err;

	if (call_text(call, "queue", URI_SIZE - 1, &twins.queue) < 0 ||
	    call_text(call, "cloud", CLOUD_MAX, &cloud) < 0)
		return;
	if (!twins.queue) {
		call_invalid(call, "queue", "no queue is named", "name one");
		return;
	}
	twins.clouds = cJSON_CreateArray();
	core_printers(core, on_twin, &twins);
	if (!cloud && cJSON_GetArraySize(twins.clouds) > 1) {
		ambiguous(call, "the queue is registered with several clouds", twins.clouds);
		return;
	}
	cJSON_Delete(twins.clouds);
	about.queue = twins.queue;
	about.cloud = cloud;
	call_log(call, &about, "unregisters %s", twins.queue);
	op->data = call;
	op->done = on_unregistered;
	if (core_unregister(core, op, twins.queue, cloud, &err) < 0)
		call_fail(call, twins.queue, &err);
}
