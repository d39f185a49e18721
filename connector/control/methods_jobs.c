/* methods_jobs.c - ListJobs: newest first, in pages. What core has of an open job is newer than
 * what the store has of it. */
#include "connector/control/control_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/control/json.h"
#include "connector/control/places.h"

#define PAGE_MAX 1000 /* jobs of one answer */

/* ---- a page ---- */

struct page {
	struct control *control;
	const char *printer; /* id; NULL: all */
	int64_t before;      /* lower ids only; 0: all */
	size_t limit;
	const struct job_record **open; /* newest first; owned, each is core's */
	size_t n, room;
	cJSON *list;      /* result */
	int64_t last;     /* id of its last one */
	size_t left;      /* open ones that the limit left out */
	size_t rows_left; /* and of the store's */
};

static void on_open_job(void *data, const struct job_record *job)
{
	struct page *p = data;

	if ((p->printer && strcmp(p->printer, job->printer) != 0) ||
	    (p->before && job->id >= p->before))
		return;
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->open = xrealloc(p->open, p->room * sizeof(*p->open));
	}
	p->open[p->n++] = job;
}

static int newest_first(const void *a, const void *b)
{
	const struct job_record *x = *(struct job_record *const *)a;
	const struct job_record *y = *(struct job_record *const *)b;

	return (x->id < y->id) - (x->id > y->id);
}

/* Merges open jobs with the store's rows, of which some are of the same jobs. */
static void page_merge(struct page *p, const struct job_record *rows, size_t count)
{
	const bool cut = count == p->limit; /* below the last row there may be more */
	size_t i = 0, at = 0;
	struct places places;

	places_init(&places, p->control->core);
	for (size_t shown = 0; shown < p->limit && (i < count || (at < p->n && !cut)); shown++) {
		const struct job_record *row = i < count ? &rows[i] : NULL;
		const struct job_record *open = at < p->n ? p->open[at] : NULL;
		bool is_open = open && (!row || open->id >= row->id);
		const struct job_record *job = is_open ? open : row;

		i += row && row->id == job->id;
		at += is_open;
		(void)cJSON_AddItemToArray(p->list, places_job(&places, job));
		p->last = job->id;
	}
	p->left = p->n - at;
	p->rows_left = count - i;
	places_clear(&places);
}

static void page_fill(struct page *p, const struct job_record *rows, size_t count)
{
	p->list = cJSON_CreateArray();
	core_jobs(p->control->core, on_open_job, p);
	if (p->n)
		qsort(p->open, p->n, sizeof(struct job_record *), newest_first);
	page_merge(p, rows, count);
	free(TAKE(p->open));
}

cJSON *jobs_open_new(struct control *c, unsigned max)
{
	struct page p = { .control = c, .limit = max };

	page_fill(&p, NULL, 0);
	return p.list;
}

/* ---- which printer ---- */

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

/* ---- ListJobs ---- */

struct wanted {
	const char *name; /* of a printer, as given; NULL: all */
	char id[ID_SIZE];
	bool all;
	int64_t before, limit;
};

/* -1: the call has been answered. */
static int wanted_get(struct call *call, struct wanted *w)
{
	if (call_text(call, "printer", URI_SIZE - 1, &w->name) < 0 ||
	    call_bool(call, "all", &w->all) < 0 ||
	    call_int(call, "before", 0, INT64_MAX, 0, &w->before) < 0 ||
	    call_int(call, "limit", 1, PAGE_MAX, PAGE_MAX, &w->limit) < 0)
		return -1;
	return w->name ? choose_printer(call, w->name, w->id) : 0;
}

/* store NULL: open jobs only. */
static void jobs_answer(struct call *call, const struct wanted *w, const struct store_op *store)
{
	struct page p = {
		.control = call->control,
		.printer = w->name ? w->id : NULL,
		.before = w->before,
		.limit = (size_t)w->limit,
	};
	cJSON *reply = cJSON_CreateObject();
	bool more;

	page_fill(&p, store ? store->jobs : NULL, store ? store->job_count : 0);
	more = (store && store->job_count == p.limit) || p.left > 0;
	(void)cJSON_AddItemToObject(reply, "jobs", p.list);
	json_add_count(reply, "next", p.last, more);
	json_add_count(reply, "left", store ? store->older + (int64_t)p.rows_left : (int64_t)p.left,
	               !w->before);
	call_reply(call, reply);
}

static void on_jobs_listed(struct store_op *op, const struct err *err)
{
	struct call *call = op->data;
	struct store_op result = *op;
	struct wanted w;

	/* the call goes with its last answer, and op with it */
	memset(op, 0, sizeof(*op));
	if (!call->conn || err)
		call_fail(call, "jobs", err ? err : &(struct err){ .kind = ERR_CANCELED });
	else if (wanted_get(call, &w) == 0)
		jobs_answer(call, &w, &result);
	store_op_clear(&result);
}

void method_list_jobs(struct call *call)
{
	struct store_op *op = &call->op.store;
	struct wanted w;

	if (wanted_get(call, &w) < 0)
		return;
	if (!w.all) {
		jobs_answer(call, &w, NULL);
		return;
	}
	op->data = call;
	op->done = on_jobs_listed;
	store_jobs_list(core_store(call->control->core), op, w.name ? w.id : NULL, w.before,
	                (unsigned)w.limit);
}
