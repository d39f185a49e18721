/* core_case.h - a world for each test of core/, and what such tests ask for again and again.
 * Includes core_doubles.h, so once by each program. */
#ifndef TESTS_UNIT_CORE_CASE_H
#define TESTS_UNIT_CORE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/core_doubles.h"

#define CUPS "laser"
#define IPP  "ipp://printer.example/ipp/print"

#define in_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

static inline int world_setup(void **state)
{
	struct fake_world *w = xcalloc(1, sizeof(*w));

	fake_world_open(w, 1, NULL);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct fake_world *w = *state;

	fake_world_close(w);
	free(w);
	return 0;
}

/* The same world with other settings; before printers are in it. */
static inline void world_settings(struct fake_world *w, const char *settings)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
	               "%s[cloud c]\ntype = ipp-infra\n"
	               "uri = ipp://127.0.0.1/ipp/print\n",
	               settings);
	fake_world_close(w);
	fake_world_open(w, 1, text);
}

/* One printer, one job 7, started. */
static inline struct fake_world *world_begin(void **state, const char *queue)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, queue);
	(void)fake_job(w, 0, 7);
	fake_start(w);
	return w;
}

static inline void assert_line(struct fake_world *w, const char *line)
{
	if (fake_find(w, line, 0) < 0) {
		fake_print_lines(w);
		fail_msg("no line \"%s\"", line);
	}
}

static inline void assert_no_line(struct fake_world *w, const char *line)
{
	if (fake_find(w, line, 0) >= 0) {
		fake_print_lines(w);
		fail_msg("there is a line \"%s\"", line);
	}
}

/* Both are there, and every b has an a before it. */
static inline void assert_before(struct fake_world *w, const char *a, const char *b)
{
	long at = fake_find(w, a, 0), then = fake_find(w, b, 0);

	if (at < 0 || then < 0 || at > then) {
		fake_print_lines(w);
		fail_msg("not \"%s\" (%ld) before \"%s\" (%ld)", a, at, b, then);
	}
}

/* The cloud was told this end, once, and the row is done. */
static inline void assert_told(struct fake_world *w, int32_t job, enum cloud_job_state end)
{
	const struct fake_cloud_job *j = fake_cloud_job(w, job);
	const struct job_record *row = fake_row(w, job);

	if (!j || !row || j->told != end || j->finals != 1 || row->state != JOB_DONE) {
		fake_print_lines(w);
		fail_msg("job %d: told %d, %u times, row %s", job, j ? (int)j->told : -1,
		         j ? j->finals : 0, row ? job_state_name(row->state) : "-");
	}
}

static inline enum job_state state_of(struct fake_world *w, int32_t job)
{
	return fake_row(w, job) ? fake_row(w, job)->state : JOB_STATE_COUNT;
}

/* The live job's id. */
static inline int64_t id_of(struct fake_world *w, int32_t job)
{
	assert_non_null(fake_row(w, job));
	return fake_row(w, job)->id;
}

static inline void cancel_here(struct fake_world *w, int32_t job)
{
	struct err err;

	assert_int_equal(core_cancel(w->core, id_of(w, job), &err), 0);
}

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#endif
