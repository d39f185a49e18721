#include "tests/lib/fake_world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/base/stream.h"
#include "tests/lib/tmpdir.h"

#define HOUR_MS (3600 * 1000)
#define MACHINE "machine"

static const char one_cloud[] = "[cloud c]\ntype = ipp-infra\nuri = ipp://127.0.0.1/ipp/print\n"
				"system-uri = ipp://127.0.0.1/ipp/system\n";
static const char pdf[] = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n";

struct fake_world *fake_world;
static bool tracing; /* FAKE_WORLD_TRACE */

/* ---- lines ------------------------------------------------------------------------------------
 */

void fake_line(struct fake_world *w, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (w->quiet)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->line_count == w->line_size) {
		w->line_size = w->line_size ? w->line_size * 2 : 256;
		w->lines = xrealloc(w->lines, w->line_size * sizeof(*w->lines));
	}
	w->lines[w->line_count++] = xstrdup(text);
	if (tracing)
		(void)fprintf(stderr, "%" PRId64 " %s\n", w->clock.now_ms, text);
}

long fake_find(const struct fake_world *w, const char *line, size_t from)
{
	size_t len = strlen(line);

	for (size_t i = from; i < w->line_count; i++)
		if (strncmp(w->lines[i], line, len) == 0 &&
		    (w->lines[i][len] == '\0' || w->lines[i][len] == ' '))
			return (long)i;
	return -1;
}

unsigned fake_count(const struct fake_world *w, const char *line)
{
	unsigned n = 0;

	for (long at = -1; (at = fake_find(w, line, (size_t)(at + 1))) >= 0;)
		n++;
	return n;
}

void fake_print_lines(const struct fake_world *w)
{
	for (size_t i = 0; i < w->line_count; i++)
		(void)printf("  %s\n", w->lines[i]);
}

static void log_line(void *data, enum log_level level, const struct log_about *about,
                     const char *text)
{
	(void)about;
	fake_line(data, "log %d %s", level, text);
}

/* ---- operations -------------------------------------------------------------------------------
 */

uint64_t fake_random(struct fake_world *w, uint64_t below)
{
	return w->clock.clock.random(&w->clock.clock) % below;
}

bool fake_dice(struct fake_world *w, unsigned percent)
{
	return percent && fake_random(w, 100) < percent;
}

struct fake_rule *fake_fail(struct fake_world *w, const char *verb, int32_t job, enum err_kind kind,
                            enum fake_how how)
{
	for (size_t i = 0; i < FAKE_RULES_MAX; i++)
		if (!w->rules[i].times) {
			w->rules[i] = (struct fake_rule){ verb, job, 1, 0, kind, 0, how };
			return &w->rules[i];
		}
	(void)fprintf(stderr, "too many rules\n");
	abort();
}

static bool is_store(const char *verb)
{
	return strncmp(verb, "store.", 6) == 0;
}

/* What is to become of it; only the store has nothing to refuse at the start. */
static void plan(struct fake_call *c)
{
	struct fake_world *w = c->w;
	bool cloud = strncmp(c->verb, "cloud.", 6) == 0, queue = strncmp(c->verb, "queue.", 6) == 0;

	c->effect = true;
	for (size_t i = 0; i < FAKE_RULES_MAX; i++) {
		struct fake_rule *r = &w->rules[i];

		if (!r->times || strcmp(r->verb, c->verb) != 0 || (r->job && r->job != c->job))
			continue;
		if (r->skip) {
			r->skip--;
			continue;
		}
		r->times--;
		c->planned = true;
		c->how = r->how;
		(void)err_set(&c->err, r->kind, r->code, "%s fails by script", c->verb);
		return;
	}
	if (w->ghost || (cloud && w->cloud_down) || (queue && w->queue_down) ||
	    (is_store(c->verb) && w->store_down)) {
		c->planned = true;
		c->how = FAKE_BEFORE;
		(void)err_set(&c->err, ERR_TEMPORARY, 0, "%s is down", c->verb);
	} else if (fake_dice(w, w->fault_percent)) {
		w->faults++;
		c->planned = true;
		c->how = (enum fake_how)fake_random(w, FAKE_AFTER + 1);
		if (is_store(c->verb))
			c->how = FAKE_BEFORE;
		(void)err_set(&c->err, ERR_TEMPORARY, 0, "%s fails at random", c->verb);
	}
}

static void on_call(struct timer *t)
{
	struct fake_call *c = t->data;

	if (c->w->ghost) {
		struct err err;

		/* what was on its way may still arrive, and nobody hears the answer */
		if (c->in_flight && !c->planned && !c->canceled && fake_dice(c->w, 50)) {
			c->run(c);
			return;
		}
		(void)err_set(&err, c->canceled ? ERR_CANCELED : ERR_TEMPORARY, 0, "killed");
		c->effect = false;
		fake_call_end(c, &err);
		return;
	}
	if (c->canceled && fake_dice(c->w, 50))
		c->effect = false; /* it had not gone out yet */
	if (c->planned && c->how == FAKE_NEVER && !c->canceled)
		return;
	if (c->planned && c->how == FAKE_LIE && !c->canceled) {
		c->planned = false;
		fake_call_end(c, NULL);
		return;
	}
	if (c->planned && (c->how == FAKE_BEFORE || c->how == FAKE_NEVER)) {
		struct err err = c->err;

		c->effect = false;
		if (c->canceled)
			(void)err_set(&err, ERR_CANCELED, 0, "canceled");
		fake_call_end(c, &err);
		return;
	}
	c->run(c);
}

struct fake_call *fake_call_of(struct fake_world *w, const void *op)
{
	for (struct fake_call *c = w->calls; c; c = c->next)
		if (c->op == op)
			return c;
	return NULL;
}

/* What was on its way when it died may still arrive. */
static void die(struct fake_world *w)
{
	w->ghost = true;
	for (struct fake_call *c = w->calls; c; c = c->next) {
		c->in_flight = !is_store(c->verb) && !c->stream && c->queue != NULL;
		c->in_flight = c->in_flight || (c->channel && !c->stream);
	}
}

void fake_moment(struct fake_world *w)
{
	if (w->dies_in && --w->dies_in == 0 && !w->ghost)
		die(w);
}

struct fake_call *fake_call_start(struct fake_world *w, const char *verb, void *op, int32_t job,
                                  void (*run)(struct fake_call *c),
                                  void (*done)(struct fake_call *c, const struct err *err),
                                  struct err *err)
{
	struct fake_call *c = xcalloc(1, sizeof(*c)), **at = &w->calls;
	int64_t delay;

	assert(!fake_call_of(w, op)); /* one at a time */
	c->w = w;
	c->verb = verb;
	c->op = op;
	c->job = job;
	c->run = run;
	c->done = done;
	fake_moment(w);
	fake_line(w, "> %s %d", verb, job);
	plan(c);
	if (err && c->planned && c->how == FAKE_START) {
		*err = c->err;
		fake_line(w, "%s %d not started", verb, job);
		free(c);
		return NULL;
	}
	if (c->how == FAKE_START)
		c->how = FAKE_BEFORE;
	while (*at)
		at = &(*at)->next;
	*at = c;
	timer_init(&c->timer, &w->clock.clock, on_call, c);
	delay = w->delay_ms + (w->jitter_ms ? (int64_t)fake_random(w, (uint64_t)w->jitter_ms) : 0);
	/* the store keeps the order of its writes */
	timer_start(&c->timer, w->ghost ? 0 : is_store(verb) ? w->delay_ms : delay);
	return c;
}

void fake_call_again(struct fake_call *c, int64_t ms)
{
	if (!c->timer.armed || ms == 0)
		timer_start(&c->timer, ms);
}

void fake_call_end(struct fake_call *c, const struct err *err)
{
	struct fake_call **at = &c->w->calls;
	struct err planned = err ? *err : c->err;
	bool failed = err || c->planned;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	timer_stop(&c->timer);
	if (!err && c->canceled && (c->planned || fake_dice(c->w, 50))) {
		(void)err_set(&planned, ERR_CANCELED, 0, "canceled");
		failed = true;
	}
	if (!c->w->ghost && !is_store(c->verb))
		fake_line(c->w, "%s %d %s%s%s", c->verb, c->job,
		          !failed ? "ok" : err_kind_name(planned.kind),
		          failed && c->effect ? " lost" : "", c->text[0] ? "" : "");
	c->done(c, failed ? &planned : NULL);
	free(c->row);
	free(c->printer);
	free(c);
}

void fake_call_cancel(struct fake_world *w, const void *op)
{
	struct fake_call *c = fake_call_of(w, op);

	if (!c)
		return;
	assert(!is_store(c->verb));
	if (!w->ghost)
		fake_line(w, "> cancel %s %d", c->verb, c->job);
	c->canceled = true;
	timer_start(&c->timer, 0);
}

/* ---- work queue -------------------------------------------------------------------------------
 */

static void run_work(struct fake_call *c)
{
	struct work_item *item = c->op;
	struct err err;

	if (item->run(item, &err) < 0)
		fake_call_end(c, &err);
	else
		fake_call_end(c, NULL);
}

static void done_work(struct fake_call *c, const struct err *err)
{
	struct work_item *item = c->op;

	item->done(item, err);
}

void fake_work_submit(struct work_item *item)
{
	(void)fake_call_start(fake_world, "work", item, 0, run_work, done_work, NULL);
}

/* ---- transit files ----------------------------------------------------------------------------
 */

struct transit_file {
	unsigned char *data;
	uint64_t len, limit;
	unsigned busy;
};

int fake_transit_create(uint64_t limit, struct transit_file **ret, struct err *err)
{
	struct fake_world *w = fake_world;
	struct transit_file *f;

	for (size_t i = 0; i < FAKE_RULES_MAX; i++)
		if (w->rules[i].times && strcmp(w->rules[i].verb, "transit.create") == 0) {
			w->rules[i].times--;
			return err_set(err, w->rules[i].kind, 0, "no room for documents");
		}
	f = xcalloc(1, sizeof(*f));
	f->limit = limit;
	w->transit_files++;
	*ret = f;
	return 0;
}

void fake_transit_free(struct transit_file *f)
{
	if (!f)
		return;
	assert(!f->busy);
	fake_world->transit_files--;
	free(f->data);
	free(f);
}

uint64_t fake_transit_size(const struct transit_file *f)
{
	return f->len;
}

static void wake(void *data)
{
	fake_call_again(data, 0);
}

static void end_transit(struct fake_call *c, const struct err *err)
{
	if (err)
		stream_fail(c->stream, err);
	fake_call_end(c, err);
}

static void run_fill(struct fake_call *c)
{
	unsigned char part[4096];
	struct err err;
	size_t n;

	if (c->canceled) {
		(void)err_set(&err, ERR_CANCELED, 0, "canceled");
		end_transit(c, &err);
		return;
	}
	while ((n = stream_read(c->stream, part, sizeof(part))) > 0) {
		c->file->data = xrealloc(c->file->data, c->file->len + n);
		memcpy(c->file->data + c->file->len, part, n);
		c->file->len += n;
	}
	if (stream_state(c->stream) == STREAM_FAILED) {
		err = *stream_err(c->stream);
		end_transit(c, &err);
	} else if (c->planned && c->file->len) {
		err = c->err;
		end_transit(c, &err);
	} else if (stream_state(c->stream) == STREAM_ENDED) {
		end_transit(c, NULL);
	}
}

static void run_drain(struct fake_call *c)
{
	struct err err;
	size_t n = c->file->len - c->at;

	if (stream_state(c->stream) == STREAM_FAILED) {
		err = *stream_err(c->stream);
		end_transit(c, &err);
		return;
	}
	if (c->canceled || c->planned) {
		err = c->err;
		if (c->canceled)
			(void)err_set(&err, ERR_CANCELED, 0, "canceled");
		end_transit(c, &err);
		return;
	}
	if (n > 4096)
		n = 4096;
	if (n && stream_write(c->stream, c->file->data + c->at, n) < 0)
		return;
	c->at += n;
	if (c->at < c->file->len) {
		fake_call_again(c, 0);
		return;
	}
	stream_end(c->stream);
	end_transit(c, NULL);
}

static void done_transit(struct fake_call *c, const struct err *err)
{
	struct transit_op *op = c->op;

	c->file->busy--;
	if (c->run == run_fill)
		stream_on_data(c->stream, NULL, NULL);
	else
		stream_on_room(c->stream, NULL, NULL);
	if (err)
		stream_fail(c->stream, err);
	op->done(op, err);
}

int fake_transit_move(struct transit_op *op, bool fill, struct err *err)
{
	struct fake_call *c =
		fake_call_start(fake_world, fill ? "transit.fill" : "transit.drain", op, 0,
	                        fill ? run_fill : run_drain, done_transit, err);

	if (!c)
		return -1;
	c->file = op->file;
	c->stream = op->stream;
	c->file->busy++;
	if (fill)
		stream_on_data(c->stream, wake, c);
	else
		stream_on_room(c->stream, wake, c);
	return 0;
}

void fake_transit_cancel(struct transit_op *op)
{
	fake_call_cancel(fake_world, op);
}

/* ---- the world --------------------------------------------------------------------------------
 */

void fake_world_open(struct fake_world *w, uint64_t seed, const char *settings)
{
	struct config *config;
	char *dir = tmpdir_new();
	char *path = tmpdir_put_text(dir, "settings", settings ? settings : one_cloud);
	struct err err;

	if (config_load(path, &config, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	free(path);
	fake_world_open_at(w, seed, dir, config);
	w->borrows = false;
}

void fake_world_open_at(struct fake_world *w, uint64_t seed, const char *dir, struct config *config)
{
	memset(w, 0, offsetof(struct fake_world, jobs));
	fake_world = w;
	fake_clock_init(&w->clock, seed);
	tracing = getenv("FAKE_WORLD_TRACE") != NULL;
	w->dir = (char *)dir;
	w->config = config;
	w->borrows = true;
	w->next_id = 1;
	w->next_local = 100;
	w->delay_ms = 1;
	w->print_ms = 2000;
	w->settings = (struct core_settings){
		.config = w->config,
		.clock = &w->clock.clock,
		.store_ops = &fake_store_ops,
		.cloud_ops = &fake_cloud_ops,
		.queue_ops = &fake_queue_ops,
		.state_directory = w->dir,
		.machine = MACHINE,
	};
	log_divert(log_line, w);
}

void fake_world_close(struct fake_world *w)
{
	if (w->core)
		fake_stop(w);
	fake_locals_stop(w);
	assert(!w->calls);
	assert(w->transit_files == 0);
	if (fake_clock_armed(&w->clock) != 0) {
		(void)fprintf(stderr, "timers are left\n");
		abort();
	}
	(void)fake_clock_clear(&w->clock);
	fake_registrations_clear(w);
	for (size_t i = 0; i < w->row_count; i++)
		attrs_unref(w->tickets[i]);
	for (size_t i = 0; i < w->line_count; i++)
		free(w->lines[i]);
	free(w->lines);
	if (!w->borrows) {
		config_free(w->config);
		tmpdir_free(w->dir);
	}
	log_divert(NULL, NULL);
	fake_world = NULL;
}

int fake_printer(struct fake_world *w, const char *queue)
{
	struct printer_record *p = &w->printers[w->printer_count];

	assert(w->printer_count < FAKE_PRINTERS_MAX);
	memset(p, 0, sizeof(*p));
	crypto_uuid_random(p->id);
	(void)str_copy(p->queue, sizeof(p->queue), queue);
	(void)str_copy(p->name, sizeof(p->name), queue);
	(void)str_copy(p->cloud, sizeof(p->cloud), "c");
	(void)snprintf(p->cloud_uri, sizeof(p->cloud_uri), "ipp://127.0.0.1/ipp/print/%zu",
	               w->printer_count + 1);
	(void)str_copy(p->owner, sizeof(p->owner), MACHINE);
	return (int)w->printer_count++;
}

void fake_start(struct fake_world *w)
{
	struct err err;

	w->drained = w->ghost = false;
	if (core_open(&w->core, &w->settings, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

static void on_drained(void *data)
{
	struct fake_world *w = data;

	assert(!w->drained);
	w->drained = true;
}

static void close_core(struct fake_world *w)
{
	core_close(w->core);
	w->core = NULL;
}

void fake_drain(struct fake_world *w, int64_t limit_ms)
{
	core_drain(w->core, limit_ms, on_drained, w);
}

void fake_stop(struct fake_world *w)
{
	if (!w->drained)
		fake_drain(w, 1000);
	for (int i = 0; i < 100000 && !w->drained; i++)
		(void)fake_clock_step(&w->clock);
	assert(w->drained);
	close_core(w);
}

void fake_kill(struct fake_world *w)
{
	w->dies_in = 0;
	if (!w->ghost)
		die(w);
	for (struct fake_call *c = w->calls; c; c = c->next)
		timer_start(&c->timer, 0);
	core_drain(w->core, 0, on_drained, w);
	(void)fake_clock_settle(&w->clock);
	assert(w->drained); /* the memory of a killed daemon is free */
	close_core(w);
	for (size_t i = 0; i < w->row_count; i++) /* as store_life.c does at the next start */
		w->rows[i].crashes += w->rows[i].state != JOB_WAITING &&
		                      w->rows[i].state != JOB_HELD && w->rows[i].state != JOB_DONE;
	assert(!w->calls);
	w->ghost = false;
}

void fake_run(struct fake_world *w, int64_t ms)
{
	(void)fake_clock_advance(&w->clock, ms);
}

void fake_until(struct fake_world *w, const char *line)
{
	int64_t end = w->clock.now_ms + HOUR_MS;

	while (fake_find(w, line, 0) < 0)
		if (w->clock.now_ms > end || !fake_clock_step(&w->clock)) {
			(void)fprintf(stderr, "never: %s\n", line);
			fake_print_lines(w);
			abort();
		}
}

struct fake_cloud_job *fake_job(struct fake_world *w, int printer, int32_t job)
{
	struct fake_cloud_job *j = &w->jobs[w->job_count++];

	assert(w->job_count <= FAKE_JOBS_MAX && printer < (int)w->printer_count);
	memset(j, 0, sizeof(*j));
	j->job = job;
	j->printer = printer;
	(void)snprintf(j->uuid, sizeof(j->uuid), "urn:uuid:00000000-0000-4000-8000-%012d", job);
	j->documents = 1;
	(void)str_copy(j->format, sizeof(j->format), "application/pdf");
	j->bytes = pdf;
	j->len = sizeof(pdf) - 1;
	return j;
}

struct fake_cloud_job *fake_cloud_job(struct fake_world *w, int32_t job)
{
	for (size_t i = 0; i < w->job_count; i++)
		if (w->jobs[i].job == job)
			return &w->jobs[i];
	return NULL;
}
