/* A state directory of its own, a loop and a store; operations that are waited for. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/loop.h"
#include "connector/store/store.h"

struct fixture {
	char dir[64];
	struct loop *loop;
	struct store *store;
	struct store_found found;
	struct err damage; /* as it was told */
	unsigned waiting;  /* operations not done */
	unsigned order;    /* operations done so far */
};

struct waited {
	struct store_op op;
	struct fixture *f;
	struct err err; /* kind ERR_NONE: success */
	unsigned order; /* the how many-th to be done; 0: not yet */
};

static inline void on_waited(struct store_op *op, const struct err *err)
{
	struct waited *w = op->data;

	assert_int_equal(w->order, 0);
	w->err = err ? *err : (struct err){ 0 };
	w->order = ++w->f->order;
	if (--w->f->waiting == 0)
		loop_stop(w->f->loop);
}

static inline struct store_op *expect(struct fixture *f, struct waited *w)
{
	store_op_clear(&w->op);
	*w = (struct waited){ .f = f, .op = { .data = w, .done = on_waited } };
	f->waiting++;
	return &w->op;
}

static inline void wait_all(struct fixture *f)
{
	if (f->waiting)
		loop_run(f->loop);
	assert_int_equal(f->waiting, 0);
}

static inline void assert_done(const struct waited *w)
{
	if (w->err.kind != ERR_NONE)
		fail_msg("%s: %s", err_kind_name(w->err.kind), w->err.text);
	assert_true(w->order > 0);
}

static inline void fixture_open(struct fixture *f)
{
	struct err err = { 0 };

	if (loop_open(&f->loop, &err) < 0 ||
	    store_open(&f->store, f->loop, f->dir, NULL, &f->found, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void fixture_close(struct fixture *f)
{
	store_close(TAKE(f->store));
	if (f->loop)
		loop_close(TAKE(f->loop)); /* asserts that uv_loop_close() is 0 */
}

static inline void on_damage(void *data, const struct err *err)
{
	struct fixture *f = data;

	assert_int_equal(f->damage.kind, ERR_NONE); /* told once */
	f->damage = *err;
}

/* Until all of it is checked; f->damage says what was found. */
static inline void fixture_check(struct fixture *f)
{
	struct waited behind = { 0 };

	store_start(f->store, on_damage, f);
	store_jobs_list(f->store, expect(f, &behind), NULL, 0, 1);
	wait_all(f);
	store_op_clear(&behind.op);
}

/* As the daemon does: what was found damaged is opened again. */
static inline void fixture_open_checked(struct fixture *f)
{
	struct err err;

	fixture_open(f);
	fixture_check(f);
	if (f->damage.kind == ERR_NONE)
		return;
	assert_int_equal(f->damage.kind, ERR_CORRUPT);
	fixture_close(f);
	if (loop_open(&f->loop, &err) < 0 ||
	    store_open(&f->store, f->loop, f->dir, &f->damage, &f->found, &err) < 0)
		fail_msg("%s", err.text);
	err_clear(&f->damage);
	fixture_check(f);
	assert_int_equal(f->damage.kind, ERR_NONE);
}

static inline void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

static inline int setup_dir(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static inline int setup(void **state)
{
	(void)setup_dir(state);
	fixture_open(*state);
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const folders[] = { "/printers", "/keys", "" };
	struct fixture *f = *state;
	struct err err;
	int fd = -1;

	fixture_close(f);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		AUTO(free_str) char *path = xasprintf("%s%s", f->dir, folders[i]);

		if (fs_open_dir(path, 0700, false, &fd, &err) == 0)
			(void)fs_sweep(fd, "", &err);
		close_fd(&fd);
		(void)rmdir(path);
	}
	free(f);
	return 0;
}

static inline struct job_record sample_job(int32_t cloud_job)
{
	struct job_record job = {
		.printer = "printer-1", .cloud_job = cloud_job, .impressions = -1, .sheets = -1
	};

	(void)snprintf(job.uuid, sizeof(job.uuid), "ours-%d", cloud_job);
	(void)snprintf(job.cloud_uuid, sizeof(job.cloud_uuid), "theirs-%d", cloud_job);
	return job;
}

/* Each waits for the end; the result is in w. */
static inline void add_job(struct fixture *f, struct waited *w, const struct job_record *job)
{
	store_job_add(f->store, expect(f, w), job, NULL);
	wait_all(f);
}

static inline void save_job(struct fixture *f, struct waited *w, const struct job_record *job)
{
	store_job_save(f->store, expect(f, w), job, NULL, 0);
	wait_all(f);
}

static inline void get_job(struct fixture *f, struct waited *w, int64_t id)
{
	store_job_get(f->store, expect(f, w), id);
	wait_all(f);
}

/* Adds one that must be new, returns its id. */
static inline int64_t add_new(struct fixture *f, const struct job_record *job)
{
	struct waited w = { 0 };

	add_job(f, &w, job);
	assert_done(&w);
	assert_false(w.op.existed);
	assert_true(w.op.job.id > 0);
	return w.op.job.id;
}

static inline enum err_kind kind_of_get(struct fixture *f, int64_t id)
{
	struct waited w = { 0 };

	get_job(f, &w, id);
	store_op_clear(&w.op);
	return w.err.kind;
}

#endif
