/* The store of a fake world: rows are what is committed, in the order of submission. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "tests/lib/fake_world.h"

static struct job_record *row_of_id(struct fake_world *w, int64_t id)
{
	for (size_t i = 0; i < w->row_count; i++)
		if (w->rows[i].id == id)
			return &w->rows[i];
	return NULL;
}

struct job_record *fake_row(struct fake_world *w, int32_t job)
{
	for (size_t i = w->row_count; i-- > 0;)
		if (w->rows[i].id && w->rows[i].cloud_job == job)
			return &w->rows[i];
	return NULL;
}

static struct job_record *new_row(struct fake_world *w)
{
	struct job_record *row = &w->rows[w->row_count++];

	assert(w->row_count <= FAKE_JOBS_MAX);
	memset(row, 0, sizeof(*row));
	row->id = w->next_id++;
	return row;
}

struct job_record *fake_old_row(struct fake_world *w, int printer, int32_t job,
                                enum job_state state)
{
	struct fake_cloud_job *cloud = fake_cloud_job(w, job);
	struct job_record *row = new_row(w);

	(void)snprintf(row->uuid, sizeof(row->uuid), "10000000-0000-4000-8000-%012d", job);
	(void)str_copy(row->printer, sizeof(row->printer), w->printers[printer].id);
	row->cloud_job = job;
	(void)str_copy(row->format, sizeof(row->format), "application/pdf");
	row->documents = 1;
	if (cloud) {
		(void)str_copy(row->cloud_uuid, sizeof(row->cloud_uuid), cloud->uuid);
		row->documents = cloud->documents;
		if (state != JOB_CLAIMING)
			cloud->hold = FAKE_OURS;
	}
	row->state = state;
	row->acknowledged = state != JOB_CLAIMING;
	row->attempt = state == JOB_CLAIMING ? 0 : 1;
	row->impressions = row->sheets = -1;
	row->received = w->clock.wall_ms - 60000;
	return row;
}

static void done_store(struct fake_call *c, const struct err *err)
{
	static const struct job_record none;
	const struct job_record *row = c->row ? c->row : &none;
	struct store_op *op = c->op;

	if (!c->w->ghost)
		fake_line(c->w, "%s %d %s try=%d local=%d %s%s %s", c->verb, c->job,
		          job_state_name(row->state), row->attempt, row->local_job,
		          row->closed ? "closed" : "open", row->acknowledged ? " acknowledged" : "",
		          err ? "failed" : "ok");
	attrs_unref(c->ticket);
	op->done(op, err);
}

static struct fake_call *start(const char *verb, struct store_op *op, const struct job_record *row,
                               void (*run)(struct fake_call *c))
{
	struct fake_call *c = fake_call_start(fake_world, verb, op, row ? row->cloud_job : 0, run,
	                                      done_store, NULL);

	if (row) {
		c->row = xmalloc(sizeof(*row));
		*c->row = *row;
	}
	return c;
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

static void run_add(struct fake_call *c)
{
	struct fake_world *w = c->w;
	struct store_op *op = c->op;

	op->existed = false;
	for (size_t i = 0; i < w->row_count; i++) {
		struct job_record *row = &w->rows[i];

		if (row->id && strcmp(row->printer, c->row->printer) == 0 &&
		    (*c->row->cloud_uuid ? strcmp(row->cloud_uuid, c->row->cloud_uuid) == 0
		                         : row->cloud_job == c->row->cloud_job)) {
			op->existed = true;
			op->job = *row;
			fake_call_end(c, NULL);
			return;
		}
	}
	c->row->id = new_row(w)->id;
	*row_of_id(w, c->row->id) = *c->row;
	w->tickets[w->row_count - 1] = TAKE(c->ticket);

	w->commits++;
	op->job = *c->row;
	fake_moment(w);
	fake_call_end(c, NULL);
}

static void store_add(struct store *s, struct store_op *op, const struct job_record *job,
                      const struct attrs *ticket)
{
	struct fake_call *c;

	(void)s;
	assert(job->id == 0 && job->cloud_job && *job->uuid && *job->printer && ticket);
	c = start("store.add", op, job, run_add);
	c->ticket = attrs_ref((struct attrs *)ticket);
}

static void run_save(struct fake_call *c)
{
	struct job_record *row = row_of_id(c->w, c->row->id);

	assert(row); /* only what was added is saved */
	assert(row->state != JOB_DONE || c->row->state == JOB_DONE);
	*row = *c->row;
	c->w->commits++;
	fake_moment(c->w);
	fake_call_end(c, NULL);
}

static void save(const char *verb, struct store_op *op, const struct job_record *job,
                 const struct job_event *events, size_t event_count)
{
	struct fake_call *c;

	assert(job->id);
	c = start(verb, op, job, run_save);
	c->w->events += (unsigned)event_count;
	for (size_t i = 0; i < event_count; i++)
		fake_line(c->w, "event %d %s", job->cloud_job, events[i].text);
}

static void store_save(struct store *s, struct store_op *op, const struct job_record *job,
                       const struct job_event *events, size_t event_count)
{
	(void)s;
	save("store.save", op, job, events, event_count);
}

static void store_save_lazy(struct store *s, struct store_op *op, const struct job_record *job,
                            const struct job_event *events, size_t event_count)
{
	(void)s;
	save("store.lazy", op, job, events, event_count);
}

static void run_drop(struct fake_call *c)
{
	struct job_record *row = row_of_id(c->w, c->row->id);

	if (row)
		row->id = 0;
	fake_call_end(c, NULL);
}

static void store_drop(struct store *s, struct store_op *op, int64_t id)
{
	const struct job_record *row = row_of_id(fake_world, id);

	(void)s;
	assert(row);
	(void)start("store.drop", op, row, run_drop);
}

static void run_find(struct fake_call *c)
{
	struct store_op *op = c->op;
	const struct job_record *row = fake_row(c->w, c->job);
	struct err err;

	if (row && strcmp(row->printer, c->row->printer) == 0) {
		op->job = *row;
		fake_call_end(c, NULL);
		return;
	}
	(void)err_set(&err, ERR_GONE, 0, "no such job");
	fake_call_end(c, &err);
}

static void store_find(struct store *s, struct store_op *op, const char *printer, int32_t cloud_job)
{
	struct job_record row = { .cloud_job = cloud_job };

	(void)s;
	(void)str_copy(row.printer, sizeof(row.printer), printer);
	(void)start("store.find", op, &row, run_find);
}

static void run_nothing(struct fake_call *c)
{
	fake_call_end(c, NULL);
}

static void store_get(struct store *s, struct store_op *op, int64_t id)
{
	(void)s;
	(void)start("store.get", op, row_of_id(fake_world, id), run_nothing);
}

static void store_trim(struct store *s, struct store_op *op, int64_t history, int64_t identity)
{
	(void)s;
	assert(identity <= fake_world->clock.wall_ms && history <= fake_world->clock.wall_ms);
	fake_world->identities_before = identity;
	(void)start("store.trim", op, NULL, run_nothing);
}

/* ---- printers ---------------------------------------------------------------------------------
 */

static void run_printer_save(struct fake_call *c)
{
	struct fake_world *w = c->w;

	size_t at = 0;

	while (at < w->printer_count && strcmp(w->printers[at].id, c->printer->id) != 0)
		at++;
	assert(at < FAKE_PRINTERS_MAX);
	if (at == w->printer_count)
		w->printer_count++;
	w->printers[at] = *c->printer;
	fake_call_end(c, NULL);
}

static void save_printer(struct store *s, struct store_op *op, const struct printer_record *p)
{
	struct fake_call *c = start("store.printer", op, NULL, run_printer_save);

	(void)s;
	c->printer = xmalloc(sizeof(*p));
	*c->printer = *p;
}

static void run_printer_drop(struct fake_call *c)
{
	struct fake_world *w = c->w;

	for (size_t i = 0; i < w->printer_count; i++)
		if (strcmp(w->printers[i].id, c->uuid) == 0)
			w->printers[i].id[0] = '\0';
	fake_call_end(c, NULL);
}

static void drop_printer(struct store *s, struct store_op *op, const char *id)
{
	struct fake_call *c = start("store.unprinter", op, NULL, run_printer_drop);

	(void)s;
	(void)str_copy(c->uuid, sizeof(c->uuid), id);
}

static void op_clear(struct store_op *op)
{
	assert(!fake_call_of(fake_world, op));
	memset(op, 0, sizeof(*op));
}

static const char *damage(struct store *s)
{
	(void)s;
	return fake_world->damage;
}

static struct store_stats stats(const struct store *s)
{
	(void)s;
	return (struct store_stats){ 0 };
}

const struct store_ops fake_store_ops = {
	.job_add = store_add,
	.job_save = store_save,
	.job_save_lazy = store_save_lazy,
	.job_drop = store_drop,
	.job_find = store_find,
	.job_get = store_get,
	.jobs_trim = store_trim,
	.printer_save = save_printer,
	.printer_drop = drop_printer,
	.op_clear = op_clear,
	.stats = stats,
	.damage = damage,
};

int fake_load_printers(struct printer_record **ret, size_t *ret_count)
{
	struct fake_world *w = fake_world;

	*ret = xcalloc(w->printer_count + 1, sizeof(**ret));
	*ret_count = 0;
	for (size_t i = 0; i < w->printer_count; i++)
		if (*w->printers[i].id)
			(*ret)[(*ret_count)++] = w->printers[i];
	return 0;
}

int fake_load_open_jobs(struct stored_job **ret, size_t *ret_count)
{
	struct fake_world *w = fake_world;

	*ret = xcalloc(w->row_count + 1, sizeof(**ret));
	*ret_count = 0;
	for (size_t i = 0; i < w->row_count; i++)
		if (w->rows[i].id && w->rows[i].state != JOB_DONE)
			(*ret)[(*ret_count)++] = (struct stored_job){
				w->rows[i], w->tickets[i] ? attrs_ref(w->tickets[i]) : NULL
			};
	return 0;
}
