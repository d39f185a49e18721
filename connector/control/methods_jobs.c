/* methods_jobs.c - ListJobs, GetJob, Cancel. What core has of an open job is newer than what the
 * store has of it. */
#include "connector/control/control_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

#define DONE_MAX 1000 /* jobs of one answer */

/* ---- which queue a printer's id means, looked up once for each answer ---- */

struct place {
	char id[ID_SIZE];
	char *queue, *cloud;
};

struct places {
	struct place *items;
	size_t n, room;
};

static void on_place(void *data, const struct core_printer *printer)
{
	struct places *p = data;
	struct place *at;

	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		p->items = xrealloc(p->items, p->room * sizeof(*p->items));
	}
	at = &p->items[p->n++];
	(void)str_copy(at->id, sizeof(at->id), printer->record->id);
	at->queue = xstrdup(printer->record->queue);
	at->cloud = xstrdup(printer->record->cloud);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static void places_get(struct core *core, struct places *ret)
{
	*ret = (struct places){ 0 };
	core_printers(core, on_place, ret);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_id);
}

static void places_clear(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].queue);
		free(p->items[i].cloud);
	}
	free(p->items);
}

static cJSON *job_new(const struct core *core, const struct places *p, const struct job_record *job)
{
	struct place key, *at = NULL;

	(void)str_copy(key.id, sizeof(key.id), job->printer);
	if (p->n)
		at = bsearch(&key, p->items, p->n, sizeof(*p->items), by_id);
	return json_job(job, at ? at->queue : NULL, at ? at->cloud : NULL,
	                core_config(core)->names);
}

/* ---- ListJobs ---- */

struct listing {
	struct call *call;
	const struct places *places;
	const char *printer; /* id; NULL: all */
	cJSON *list;
};

static void on_open_job(void *data, const struct job_record *job)
{
	struct listing *l = data;

	if (!l->printer || strcmp(l->printer, job->printer) == 0)
		(void)cJSON_AddItemToArray(l->list,
		                           job_new(l->call->control->core, l->places, job));
}

static void list_done_jobs(struct listing *l, const struct store_op *store)
{
	for (size_t i = 0; i < store->job_count; i++) {
		const struct job_record *job = &store->jobs[i];

		if (!core_job(l->call->control->core, job->id))
			(void)cJSON_AddItemToArray(l->list,
			                           job_new(l->call->control->core, l->places, job));
	}
}

static int newest_first(const void *a, const void *b)
{
	const double x = cJSON_GetObjectItemCaseSensitive(*(cJSON *const *)a, "id")->valuedouble;
	const double y = cJSON_GetObjectItemCaseSensitive(*(cJSON *const *)b, "id")->valuedouble;

	return (x < y) - (x > y);
}

/* Consumes list. */
static cJSON *sorted(cJSON *list)
{
	size_t n = (size_t)cJSON_GetArraySize(list);
	cJSON **items = xcalloc(n, sizeof(cJSON *)), *ret = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		items[i] = cJSON_DetachItemFromArray(list, 0);
	cJSON_Delete(list);
	if (n)
		qsort(items, n, sizeof(cJSON *), newest_first);
	for (size_t i = 0; i < n; i++)
		(void)cJSON_AddItemToArray(ret, items[i]);
	free(items);
	return ret;
}

/* store NULL: open jobs only. */
static void list_jobs(struct call *call, const char *printer, const struct store_op *store)
{
	struct places places;
	struct listing l = {
		.call = call,
		.places = &places,
		.printer = printer,
		.list = cJSON_CreateArray(),
	};
	cJSON *reply = cJSON_CreateObject();

	places_get(call->control->core, &places);
	core_jobs(call->control->core, on_open_job, &l);
	if (store)
		list_done_jobs(&l, store);
	places_clear(&places);
	(void)cJSON_AddItemToObject(reply, "jobs", sorted(l.list));
	call_reply(call, reply);
}

cJSON *jobs_open_new(struct control *c, int max)
{
	struct call call = { .control = c };
	struct places places;
	struct listing l = { .call = &call, .places = &places, .list = cJSON_CreateArray() };

	places_get(c->core, &places);
	core_jobs(c->core, on_open_job, &l);
	places_clear(&places);
	l.list = sorted(l.list);
	while (cJSON_GetArraySize(l.list) > max)
		cJSON_DeleteItemFromArray(l.list, max);
	return l.list;
}

struct choice {
	const char *name; /* as given: queue or id */
	char id[ID_SIZE];
	unsigned n;
	cJSON *ids;
};

static void on_choice(void *data, const struct core_printer *printer)
{
	struct choice *choice = data;
	const struct printer_record *r = printer->record;

	if (strcmp(r->queue, choice->name) != 0 && strcmp(r->id, choice->name) != 0)
		return;
	(void)str_copy(choice->id, sizeof(choice->id), r->id);
	(void)cJSON_AddItemToArray(choice->ids, cJSON_CreateString(r->id));
	choice->n++;
}

/* The id of the printer that name means. On -1 the call has been answered. */
static int choose_printer(struct call *call, const char *name, char ret[ID_SIZE])
{
	struct choice choice = { .name = name, .ids = cJSON_CreateArray() };
	cJSON *parameters;
	struct err err;

	core_printers(call->control->core, on_choice, &choice);
	if (choice.n > 1) {
		parameters = cJSON_CreateObject();
		json_add_text(parameters, "text", "the queue is registered with several clouds");
		json_add_text(parameters, "remedy",
		              "give a printer's id instead; print-connector printers shows them");
		(void)cJSON_AddItemToObject(parameters, "candidates", choice.ids);
		call_error(call, "Ambiguous", parameters);
		return -1;
	}
	cJSON_Delete(choice.ids);
	if (choice.n) {
		(void)str_copy(ret, ID_SIZE, choice.id);
		return 0;
	}
	if (str_uuid_find(name)) { /* its jobs outlive a printer */
		(void)str_copy(ret, ID_SIZE, str_uuid_find(name));
		return 0;
	}
	(void)err_set(&err, ERR_GONE, 0,
	              "%.80s is not registered; print-connector printers shows what is", name);
	call_fail(call, name, &err);
	return -1;
}

static void on_jobs_listed(struct store_op *op, const struct err *err)
{
	struct call *call = op->data;
	char id[ID_SIZE];
	const char *name = NULL;
	struct err ignored;
	struct store_op result = *op;

	/* the call goes with its last answer, and op with it */
	memset(op, 0, sizeof(*op));
	(void)varlink_text(call->message.parameters, "printer", &name, &ignored);
	if (!call->conn || err)
		call_fail(call, "jobs", err ? err : &(struct err){ .kind = ERR_CANCELED });
	else if (!name || choose_printer(call, name, id) == 0)
		list_jobs(call, name ? id : NULL, &result);
	store_op_clear(&result);
}

void method_list_jobs(struct call *call)
{
	struct store_op *op = &call->op.store;
	char id[ID_SIZE];
	const char *name;
	bool all;

	if (call_text(call, "printer", URI_SIZE - 1, &name) < 0 || call_bool(call, "all", &all) < 0)
		return;
	if (name && choose_printer(call, name, id) < 0)
		return;
	if (!all) {
		list_jobs(call, name ? id : NULL, NULL);
		return;
	}
	op->data = call;
	op->done = on_jobs_listed;
	store_jobs_list(core_store(call->control->core), op, name ? id : NULL, false, DONE_MAX);
}

/* ---- GetJob ---- */

static void job_answer(struct call *call, const struct job_record *job,
                       const struct job_event *events, size_t n)
{
	cJSON *list = cJSON_CreateArray(), *reply = cJSON_CreateObject();
	struct places places;

	places_get(call->control->core, &places);
	for (size_t i = 0; i < n; i++)
		(void)cJSON_AddItemToArray(list, json_event(&events[i]));
	(void)cJSON_AddItemToObject(reply, "job", job_new(call->control->core, &places, job));
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
