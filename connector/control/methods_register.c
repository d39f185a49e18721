/* methods_register.c - Register and Unregister.
 *
 * What can fail: the peer goes away (what was begun is canceled), one queue (the others go on), the
 * sign-in (all that is left fails, told once). The code to sign in with goes to the peer and
 * nowhere else: no copy of it stays in memory. */
#include "connector/control/control_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

#define CLOUD_MAX    63
#define QUEUES_MAX   4000 /* of one call */
#define NAME_MAX_LEN (NAME_SIZE - 1)
#define PATH_MAX_LEN (URI_SIZE - 1)

/* What no name has in it. */
#define CONTROLS                                                                                   \
	"\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\020\021\022\023\024\025\026" \
	"\027\030\031\032\033"                                                                     \
	"\034\035\036\037\177"

static void free_names(const char ***names)
{
	free(*names);
}

/* ---- events ---- */

static cJSON *event_new(const char *event, const char *queue, const char *text)
{
	static const char *const none[] = { "user_code",  "verification_uri", "expires_at",
		                            "registered", "failed",           "key" };
	cJSON *ret = cJSON_CreateObject();

	json_add_text(ret, "event", event);
	json_add_text(ret, "queue", queue);
	json_add_text(ret, "printer", NULL);
	json_add_text(ret, "text", text);
	json_add_text(ret, "remedy", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		json_add_text(ret, none[i], NULL);
	return ret;
}

static void replace(cJSON *event, const char *name, cJSON *value)
{
	(void)cJSON_ReplaceItemInObjectCaseSensitive(event, name, value);
}

static void send_event(struct call *call, cJSON *event)
{
	if (call->message.more && call->conn)
		call_continue(call, event);
	else
		cJSON_Delete(event);
}

static cJSON *failed_new(const char *queue, const struct err *err)
{
	char what[TEXT_SIZE], remedy[TEXT_SIZE];
	cJSON *event;

	call_split(err, what, remedy);
	event = event_new("failed", queue, what);
	if (*remedy)
		replace(event, "remedy", cJSON_CreateString(remedy));
	return event;
}

static void on_code(struct core_register *op, const struct core_code *code)
{
	struct call *call = op->data;
	cJSON *event;
	char shown[sizeof(((struct cloud_op *)0)->user_code)], time[STR_TIME_SIZE];

	if (!call->conn)
		return;
	event = event_new("code", NULL, "sign in as an administrator to register printers");
	replace(event, "verification_uri", cJSON_CreateString(code->verification_uri));
	str_time_format(code->expires, time);
	replace(event, "expires_at", cJSON_CreateString(time));
	str_clean(code->user_code, shown, sizeof(shown));
	replace(event, "user_code", cJSON_CreateStringReference(shown)); /* no copy */
	call_continue(call, event);
	wipe(shown, sizeof(shown));
}

static void on_progress(struct core_register *op, const char *queue, const char *text)
{
	send_event(op->data, event_new("waiting", queue, text));
}

static void on_ended(struct core_register *op, const struct core_enrolled *queue)
{
	struct call *call = op->data;
	cJSON *event;

	if (queue->err) {
		call->err = *queue->err;
		send_event(call, failed_new(queue->queue, queue->err));
		return;
	}
	event = event_new("registered", queue->queue, *queue->warning ? queue->warning : NULL);
	if (!op->dry_run)
		replace(event, "printer", cJSON_CreateString(queue->record->id));
	if (!op->renew && *queue->record->pinned_key)
		replace(event, "key", cJSON_CreateString(queue->record->pinned_key));
	if (call->message.more)
		send_event(call, event);
	else
		call->list = event; /* the only answer */
}

static void end(struct call *call, const struct err *err, unsigned registered, unsigned failed)
{
	cJSON *event;

	if (!call->message.more) {
		if (call->list)
			call_reply(call, TAKE(call->list));
		else
			call_fail(call, call->queue, err ? err : &call->err);
		return;
	}
	if (err)
		send_event(call, failed_new(call->queue, err));
	event = event_new("done", NULL,
	                  registered || failed ? NULL : "there is nothing to register");
	replace(event, "registered", cJSON_CreateNumber(registered));
	replace(event, "failed", cJSON_CreateNumber(failed));
	call_reply(call, event);
}

static void on_done(struct core_register *op, const struct err *err)
{
	struct call *call = op->data;

	call->abandon = NULL;
	end(call, err, op->registered, op->failed);
}

static void register_abandon(struct call *call)
{
	core_register_cancel(&call->op.enroll);
}

struct twins { /* printers of a queue, in several clouds */
	const char *queue;
	bool unfinished; /* only those whose registration is */
	cJSON *clouds;
};

static void on_twin(void *data, const struct core_printer *printer)
{
	struct twins *twins = data;

	if (strcmp(printer->record->queue, twins->queue) == 0 &&
	    (!twins->unfinished || printer->record->registering))
		(void)cJSON_AddItemToArray(twins->clouds,
		                           cJSON_CreateString(printer->record->cloud));
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

static int check_secret(struct call *call, const char *field, const char *path)
{
	return path && fs_is_secret_path(path) ? 0 : check_path(call, field, path);
}

static int check_uri(struct call *call, const char *text)
{
	struct uri uri;

	if (!text)
		return 0;
	if (uri_parse(text, &uri) < 0 || uri.userinfo ||
	    (strcmp(uri.scheme, "ipp") != 0 && strcmp(uri.scheme, "ipps") != 0)) {
		call_invalid(call, "cloud_uri",
		             "a printer's URI in a cloud begins with ipps:// or ipp://",
		             "copy it from the cloud; a name and password go into --username and "
		             "--password-file");
		return -1;
	}
	return 0;
}

/* queue, or queues, or all: one of them. *ret is to be freed, its texts are the message's. */
static int read_queues(struct call *call, const char ***ret, struct core_register *op)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(call->message.parameters, "queues");
	const cJSON *item;
	const char *problem = NULL;
	size_t n = 0;

	if (cJSON_IsNull(list))
		list = NULL;
	if (!call->queue + !list + !op->all != 2)
		problem = call->queue || list || op->all ? "name queues or say all, not both"
		                                         : "no queue is named";
	else if (list && (!cJSON_IsArray(list) || !cJSON_GetArraySize(list) ||
	                  cJSON_GetArraySize(list) > QUEUES_MAX))
		problem = "queues must be a list of 1 to 4000 names";
	cJSON_ArrayForEach(item, list)
	{
		if (!problem && (!cJSON_IsString(item) || !*item->valuestring ||
		                 strlen(item->valuestring) > URI_SIZE - 1 ||
		                 item->valuestring[strcspn(item->valuestring, CONTROLS)]))
			problem = "queues has something in it that is no name of a queue";
	}
	if (problem) {
		call_invalid(call, "queues", problem, "name them, or all");
		return -1;
	}
	*ret = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(**ret));
	if (call->queue)
		(*ret)[n++] = call->queue;
	cJSON_ArrayForEach(item, list)
	{
		(*ret)[n++] = item->valuestring;
	}
	op->queues = *ret;
	op->count = n;
	if (n == 1)
		call->queue = **ret;
	return 0;
}

static int register_read(struct call *call, struct core_register *op, const char ***queues)
{
	if (call_text(call, "queue", URI_SIZE - 1, &call->queue) < 0 ||
	    call_bool(call, "all", &op->all) < 0 ||
	    call_text(call, "cloud", CLOUD_MAX, &op->cloud) < 0 ||
	    call_text(call, "name", NAME_MAX_LEN, &op->name) < 0 ||
	    call_text(call, "cloud_uri", URI_SIZE - 1, &op->cloud_uri) < 0 ||
	    call_text(call, "certificate_file", PATH_MAX_LEN, &op->certificate_file) < 0 ||
	    call_text(call, "key_file", PATH_MAX_LEN, &op->key_file) < 0 ||
	    call_text(call, "username", NAME_MAX_LEN, &op->username) < 0 ||
	    call_text(call, "password_file", PATH_MAX_LEN, &op->password_file) < 0 ||
	    call_bool(call, "renew", &op->renew) < 0 ||
	    call_bool(call, "dry_run", &op->dry_run) < 0 ||
	    check_path(call, "certificate_file", op->certificate_file) < 0 ||
	    check_secret(call, "key_file", op->key_file) < 0 ||
	    check_secret(call, "password_file", op->password_file) < 0 ||
	    check_uri(call, op->cloud_uri) < 0 || read_queues(call, queues, op) < 0)
		return -1;
	if (!call->message.more && op->count != 1) {
		call_invalid(call, "queues", "several queues need several answers",
		             "call Register with more");
		return -1;
	}
	return 0;
}

static void log_register(const struct call *call, const struct core_register *op)
{
	struct log_about about = { .queue = op->count == 1 ? op->queues[0] : NULL,
		                   .cloud = op->cloud };
	const char *verb = op->dry_run ? "tries to register"
	                   : op->renew ? "renews the certificate of"
	                               : "registers";

	if (op->count == 1)
		call_log(call, &about, "%s queue %s", verb, op->queues[0]);
	else if (op->all)
		call_log(call, &about, "%s all queues", verb);
	else
		call_log(call, &about, "%s %s", verb, COUNTED(op->count, "queue", "queues"));
}

/* Where the one printer of the queue is that is to be renewed, or finished; NULL: nobody knows. */
static const char *its_cloud(const struct call *call, const struct core_register *op)
{
	const struct config *config = core_config(call->control->core);
	struct twins twins = { .unfinished = !op->renew, .clouds = cJSON_CreateArray() };
	const struct config_cloud *ret = NULL;

	if (op->count == 1) {
		twins.queue = op->queues[0];
		core_printers(call->control->core, on_twin, &twins);
	}
	if (cJSON_GetArraySize(twins.clouds) == 1)
		ret = config_cloud(config, cJSON_GetArrayItem(twins.clouds, 0)->valuestring);
	cJSON_Delete(twins.clouds);
	return ret ? ret->name : NULL;
}

void method_register(struct call *call)
{
	const struct config *config = core_config(call->control->core);
	struct core_register *op = &call->op.enroll;
	AUTO(free_names) const char **queues = NULL;
	struct err err;

	if (register_read(call, op, &queues) < 0)
		return;
	if (!op->cloud && config->n_clouds > 1)
		op->cloud = its_cloud(call, op);
	if (!op->cloud && config->n_clouds > 1) {
		cJSON *names = cJSON_CreateArray();

		for (size_t i = 0; i < config->n_clouds; i++)
			(void)cJSON_AddItemToArray(names,
			                           cJSON_CreateString(config->clouds[i].name));
		ambiguous(call, "there are several clouds", names);
		return;
	}
	op->data = call;
	op->code = call->message.more ? on_code : NULL;
	op->progress = on_progress;
	op->ended = on_ended;
	op->done = on_done;
	log_register(call, op);
	if (core_register(call->control->core, op, &err) < 0)
		end(call, &err, 0, (unsigned)op->count);
	else
		call->abandon = register_abandon;
}

/* ---- Unregister ---- */

/* The cloud is not told: another host may have taken the printer over. */
static char *what_is_left(const struct config *config, const struct printer_record *r)
{
	char again[3 * URI_SIZE];
	bool fits;

	if (*r->identity.device)
		return xasprintf("users still see printer %s in cloud %s until it is removed "
		                 "there: Azure portal, Universal Print, Printers, %s, Delete",
		                 r->name, r->cloud, r->identity.device);
	if (r->registering)
		return xasprintf("its registration with cloud %s was not finished; if the cloud "
		                 "shows printer %s, remove it there",
		                 r->cloud, r->name);
	fits = core_again(config, r, false, again, sizeof(again));
	return xasprintf("printer %s is still known to cloud %s: remove it there if it is not "
	                 "needed any more%s%s",
	                 r->name, r->cloud, fits ? "; or register it again: " : "",
	                 fits ? again : "");
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
	text = what_is_left(core_config(call->control->core), &op->record);
	reply = cJSON_CreateObject();
	json_add_text(reply, "text", text);
	free(text);
	call_reply(call, reply);
}

int call_printer(struct call *call, const char **ret_queue, const char **ret_cloud)
{
	struct twins twins = { 0 };

	if (call_text(call, "queue", URI_SIZE - 1, &twins.queue) < 0 ||
	    call_text(call, "cloud", CLOUD_MAX, ret_cloud) < 0)
		return -1;
	if (!twins.queue) {
		call_invalid(call, "queue", "no queue is named", "name one");
		return -1;
	}
	twins.clouds = cJSON_CreateArray();
	core_printers(call->control->core, on_twin, &twins);
	if (!*ret_cloud && cJSON_GetArraySize(twins.clouds) > 1) {
		ambiguous(call, "the queue is registered with several clouds", twins.clouds);
		return -1;
	}
	cJSON_Delete(twins.clouds);
	*ret_queue = twins.queue;
	return 0;
}

void method_unregister(struct call *call)
{
	struct core_unregister *op = &call->op.forget;
	struct log_about about = { 0 };
	struct err err;

	if (call_printer(call, &about.queue, &about.cloud) < 0)
		return;
	call_log(call, &about, "unregisters %s", about.queue);
	op->data = call;
	op->done = on_unregistered;
	if (core_unregister(call->control->core, op, about.queue, about.cloud, &err) < 0)
		call_fail(call, about.queue, &err);
}
