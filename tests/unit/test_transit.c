#include "connector/base/transit.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/loop.h"
#include "connector/base/stream.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fault.h"
#include "tests/lib/tmpdir.h"

#define CHUNK 131072
#define SMALL 32768
#define BIG   20000000

struct fixture {
	struct loop *loop;
	struct transit *transit;
	char *dir;
	struct timer guard;
	unsigned running; /* movers */
};

/* One document into, or out of, a file: an operation and the stream's other side. */
struct mover {
	struct fixture *f;
	struct transit_op op;
	struct timer timer;
	bool in;
	uint64_t total, moved, sum;
	uint64_t cancel_at, fail_at; /* after so many bytes; UINT64_MAX: never */
	unsigned done;
	struct err err;
};

static void on_guard(struct timer *t)
{
	(void)t;
	fail_msg("the transfer does not end");
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;

	f->dir = tmpdir_new();
	assert_int_equal(loop_open(&f->loop, &err), 0);
	assert_int_equal(transit_open(&f->transit, f->loop, f->dir, &err), 0);
	timer_init(&f->guard, loop_clock(f->loop), on_guard, f);
	timer_start(&f->guard, 30000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	transit_close(f->transit);
	timer_stop(&f->guard);
	loop_close(f->loop);
	tmpdir_free(f->dir);
	free(f);
	return 0;
}

static void stop_or_fail(struct mover *m)
{
	struct err err;

	if (m->moved >= m->cancel_at) {
		m->cancel_at = UINT64_MAX;
		transit_cancel(&m->op);
	}
	if (m->moved >= m->fail_at) {
		m->fail_at = UINT64_MAX;
		(void)err_set(&err, ERR_GONE, 5, "the other side failed");
		stream_fail(m->op.stream, &err);
	}
}

static void move_in(struct mover *m)
{
	unsigned char block[5000];

	while (m->moved < m->total) {
		uint64_t left = m->total - m->moved;
		size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);

		fake_pattern(m->moved, block, len);
		if (stream_write(m->op.stream, block, len) < 0)
			return;
		m->sum = fake_sum(m->sum, block, len);
		m->moved += len;
		stop_or_fail(m);
	}
	stream_end(m->op.stream);
}

static void move_out(struct mover *m)
{
	unsigned char block[5000];
	size_t len;

	while ((len = stream_read(m->op.stream, block, sizeof(block))) > 0) {
		m->sum = fake_sum(m->sum, block, len);
		m->moved += len;
		stop_or_fail(m);
	}
}

static void on_timer(struct timer *t)
{
	struct mover *m = t->data;

	if (m->in)
		move_in(m);
	else
		move_out(m);
}

static void on_stream(void *data)
{
	struct mover *m = data;

	timer_start(&m->timer, 0);
}

static void on_done(struct transit_op *op, const struct err *err)
{
	struct mover *m = op->data;

	m->done++;
	if (err)
		m->err = *err;
	if (err)
		assert_int_equal(stream_state(op->stream), STREAM_FAILED);
	if (--m->f->running == 0)
		loop_stop(m->f->loop);
}

static void mover_start(struct mover *m, struct fixture *f, struct transit_file *file, bool in,
                        uint64_t total)
{
	struct err err;
	int rc;

	m->f = f;
	m->in = in;
	m->total = total;
	m->op = (struct transit_op){
		.file = file, .stream = stream_new(CHUNK), .data = m, .done = on_done
	};
	timer_init(&m->timer, loop_clock(f->loop), on_timer, m);
	if (in)
		stream_on_room(m->op.stream, on_stream, m);
	else
		stream_on_data(m->op.stream, on_stream, m);
	f->running++;
	rc = in ? transit_fill(&m->op, &err) : transit_drain(&m->op, &err);
	assert_int_equal(rc, 0);
	timer_start(&m->timer, 0);
}

static void mover_finish(struct mover *m)
{
	assert_int_equal(m->done, 1);
	if (!m->in)
		move_out(m); /* what was still in the stream */
	timer_stop(&m->timer);
	stream_on_room(m->op.stream, NULL, NULL);
	stream_on_data(m->op.stream, NULL, NULL);
	stream_free(m->op.stream);
}

static struct mover mover(void)
{
	return (struct mover){ .cancel_at = UINT64_MAX, .fail_at = UINT64_MAX };
}

static struct transit_file *create(struct fixture *f, uint64_t limit)
{
	struct transit_file *file;
	struct err err;

	assert_int_equal(transit_create(f->transit, limit, &file, &err), 0);
	return file;
}

static uint64_t fill(struct fixture *f, struct transit_file *file, uint64_t size)
{
	struct mover m = mover();

	mover_start(&m, f, file, true, size);
	loop_run(f->loop);
	mover_finish(&m);
	assert_string_equal(m.err.text, "");
	assert_int_equal(transit_size(file), size);
	return m.sum;
}

static void test_a_document_comes_out_as_it_went_in(void **state)
{
	static const uint64_t sizes[] = { 0,         1,         15,    16384,     SMALL,
		                          SMALL + 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 17,
		                          1000000,   BIG };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct transit_file *file = create(f, BIG);
		uint64_t sum = fill(f, file, sizes[i]);

		for (int again = 0; again < 2; again++) { /* read any number of times */
			struct mover m = mover();

			mover_start(&m, f, file, false, 0);
			loop_run(f->loop);
			mover_finish(&m);
			assert_int_equal(m.err.kind, ERR_NONE);
			assert_int_equal(m.moved, sizes[i]);
			assert_int_equal(m.sum, sum);
		}
		transit_free(file);
	}
}

static void test_two_documents_at_once_do_not_mix(void **state)
{
	struct fixture *f = *state;
	struct transit_file *a = create(f, BIG), *b = create(f, BIG);
	struct mover in_a = mover(), in_b = mover(), out_a = mover(), out_b = mover();

	mover_start(&in_a, f, a, true, 700001);
	mover_start(&in_b, f, b, true, 900000);
	loop_run(f->loop);
	mover_finish(&in_a);
	mover_finish(&in_b);
	mover_start(&out_a, f, a, false, 0);
	mover_start(&out_b, f, b, false, 0);
	loop_run(f->loop);
	mover_finish(&out_a);
	mover_finish(&out_b);
	assert_int_equal(out_a.sum, in_a.sum);
	assert_int_equal(out_b.sum, in_b.sum);
	assert_int_equal(out_a.moved, 700001);
	transit_free(a);
	transit_free(b);
}

static void test_a_document_over_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;

	for (uint64_t over = 0; over < 2; over++) {
		struct transit_file *file = create(f, 100000);
		struct mover m = mover();

		mover_start(&m, f, file, true, 100000 + over);
		loop_run(f->loop);
		assert_int_equal(m.err.kind, over ? ERR_REJECTED : ERR_NONE);
		assert_int_equal(stream_state(m.op.stream), over ? STREAM_FAILED : STREAM_ENDED);
		assert_true(transit_size(file) <= 100000);
		mover_finish(&m);
		transit_free(file);
	}
}

/* The descriptors of this process that refer to a deleted file of the directory. */
static int find_file(const char *dir, char *path, size_t size)
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = 0;

	assert_non_null(fds);
	while ((entry = readdir(fds))) {
		char name[300], target[300];
		ssize_t len;

		(void)snprintf(name, sizeof(name), "/proc/self/fd/%s", entry->d_name);
		len = readlink(name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strncmp(target, dir, strlen(dir)) == 0 && strstr(target, "(deleted)")) {
			found++;
			(void)snprintf(path, size, "%s", name);
		}
	}
	(void)closedir(fds);
	return found;
}

static void test_nobody_can_find_or_read_the_document(void **state)
{
	struct fixture *f = *state;
	struct transit_file *file = create(f, BIG);
	char path[300], plain[4096], stored[4096];
	struct stat st;
	FILE *in;

	(void)fill(f, file, 100000);
	assert_int_equal(rmdir(f->dir), 0); /* nothing is in the directory */
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(find_file(f->dir, path, sizeof(path)), 1);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	assert_int_equal(st.st_size, 100000);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(fread(stored, 1, sizeof(stored), in), sizeof(stored));
	(void)fclose(in);
	fake_pattern(0, plain, sizeof(plain));
	for (size_t at = 0; at + 16 <= sizeof(plain); at += 16)
		assert_memory_not_equal(plain + at, stored + at, 16);
	transit_free(file);
}

static void test_small_documents_stay_in_memory_unless_they_are_many(void **state)
{
	struct fixture *f = *state;
	struct transit_file *file[40];
	int files[2] = { 0 };
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(file); i++) {
		file[i] = create(f, BIG);
		(void)fill(f, file[i], SMALL);
		files[i < 32 ? 0 : 1] = find_file(f->dir, path, sizeof(path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(file); i++)
		transit_free(file[i]);
	assert_int_equal(files[0], 0);
	assert_int_equal(files[1], 8);
}

static void test_what_is_freed_takes_no_room(void **state)
{
	struct fixture *f = *state;
	char path[300];

	for (int i = 0; i < 5; i++) {
		struct transit_file *file = create(f, BIG);

		(void)fill(f, file, 50000);
		transit_free(file);
	}
	transit_free(NULL);
	transit_close(f->transit);
	f->transit = NULL;
	assert_int_equal(find_file(f->dir, path, sizeof(path)), 0);
}

static void test_a_cancelled_transfer_ends_once(void **state)
{
	static const uint64_t points[] = { 0, 1, CHUNK, 300000 };
	struct fixture *f = *state;
	struct transit_file *whole = create(f, BIG);

	(void)fill(f, whole, 500000);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		for (int in = 0; in < 2; in++) {
			struct transit_file *file = create(f, BIG);
			struct mover m = mover();

			m.cancel_at = points[i];
			mover_start(&m, f, in ? file : whole, in, 500000);
			if (points[i] == 0)
				transit_cancel(&m.op);
			loop_run(f->loop);
			transit_cancel(&m.op); /* too late is nothing */
			assert_int_equal(m.err.kind, ERR_CANCELED);
			mover_finish(&m);
			transit_free(file);
		}
	}
	transit_free(whole);
}

static void test_a_failing_stream_fails_the_transfer(void **state)
{
	struct fixture *f = *state;
	struct transit_file *whole = create(f, BIG), *file = create(f, BIG);
	struct mover in = mover(), out = mover();
	struct err err;

	(void)fill(f, whole, 500000);
	in.fail_at = 100000;
	mover_start(&in, f, file, true, 500000);
	out.fail_at = 100000;
	mover_start(&out, f, whole, false, 0);
	loop_run(f->loop);
	assert_string_equal(in.err.text, "the other side failed");
	assert_string_equal(out.err.text, "the other side failed");
	mover_finish(&in);
	mover_finish(&out);
	/* half a document is never given out */
	out = mover();
	out.op = (struct transit_op){ .file = file, .stream = stream_new(CHUNK), .done = on_done };
	assert_int_equal(transit_drain(&out.op, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	stream_free(out.op.stream);
	transit_free(file);
	transit_free(whole);
}

static void test_a_document_is_written_only_once(void **state)
{
	struct fixture *f = *state;
	struct transit_file *file = create(f, BIG);
	struct transit_op op = { .file = file, .stream = stream_new(CHUNK), .done = on_done };
	struct err err;

	(void)fill(f, file, 0);
	assert_int_equal(transit_fill(&op, &err), -1);
	stream_free(op.stream);
	transit_free(file);
}

static void test_a_full_disk_is_temporary_wherever_it_strikes(void **state)
{
	struct fixture *f = *state;
	int failed = 0, n;

	for (n = 0; n < 100; n++) {
		struct transit_file *file = NULL;
		struct mover m = mover();
		struct err err;
		int rc;

		fault_arm(n);
		fault_errno(ENOSPC);
		rc = transit_create(f->transit, BIG, &file, &err);
		if (rc < 0) {
			assert_true(fault_disarm());
			assert_int_equal(err.kind, ERR_TEMPORARY);
			failed++;
			continue;
		}
		mover_start(&m, f, file, true, 5 * CHUNK);
		loop_run(f->loop);
		(void)fault_disarm();
		mover_finish(&m);
		if (m.err.kind == ERR_NONE) {
			assert_int_equal(transit_size(file), 5 * CHUNK);
		} else {
			assert_int_equal(m.err.kind, ERR_TEMPORARY);
			assert_int_equal(m.err.code, ENOSPC);
			assert_non_null(strstr(m.err.text, f->dir));
			failed++;
		}
		transit_free(file);
	}
	assert_true(failed >= 6); /* the file's open and each write */
}

static void test_the_directory_is_made_and_its_loss_is_temporary(void **state)
{
	struct fixture *f = *state;
	char *dir = xasprintf("%s/made/here", f->dir);
	struct transit *t;
	struct transit_file *file;
	struct err err;

	assert_int_equal(transit_open(&t, f->loop, dir, &err), 0);
	assert_int_equal(transit_create(t, 1, &file, &err), 0);
	transit_free(file);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(transit_create(t, 1, &file, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(err.text, dir));
	transit_close(t);
	transit_close(NULL);
	free(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_document_comes_out_as_it_went_in),
		TEST(test_two_documents_at_once_do_not_mix),
		TEST(test_a_document_over_the_limit_is_refused),
		TEST(test_nobody_can_find_or_read_the_document),
		TEST(test_small_documents_stay_in_memory_unless_they_are_many),
		TEST(test_what_is_freed_takes_no_room),
		TEST(test_a_cancelled_transfer_ends_once),
		TEST(test_a_failing_stream_fails_the_transfer),
		TEST(test_a_document_is_written_only_once),
		TEST(test_a_full_disk_is_temporary_wherever_it_strikes),
		TEST(test_the_directory_is_made_and_its_loss_is_temporary),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
