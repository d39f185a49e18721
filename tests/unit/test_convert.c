#include "connector/base/convert.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/confine.h"
#include "connector/base/loop.h"
#include "connector/base/stream.h"
#include "connector/base/transit.h"
#include "tests/lib/tmpdir.h"
#include "tests/lib/says.h"

#define END      "PK\5\6 the end of a package"
#define TEXT     "PK\3\4 a document" END
#define ANSWER   8192
#define GUARD_MS 60000
#define CANNOT   "the XPS document cannot be converted: "

struct fixture {
	struct loop *loop;
	struct transit *transit;
	struct convert *convert;
	char *dir, *program;
	struct timer guard;
};

struct work {
	struct fixture *f;
	struct convert_op op;
	struct transit_op pump;
	struct stream *stream;
	struct timer timer;
	bool over;
	unsigned done;
	struct err err;
	char answer[ANSWER]; /* what the document became */
	size_t len;
};

static void on_guard(struct timer *t)
{
	(void)t;
	fail_msg("the conversion does not end");
}

/* A link to the converter of that name, in our own directory. */
static char *converter(const struct fixture *f, const char *name)
{
	char own[PATH_MAX], target[PATH_MAX + 32];
	char *path = xasprintf("%s/%s", f->dir, name);
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	assert_true(len > 0);
	own[len] = '\0';
	*strrchr(own, '/') = '\0';
	(void)snprintf(target, sizeof(target), "%s/../../odd-converter", own);
	assert_true(symlink(target, path) == 0 || errno == EEXIST);
	return path;
}

static void use(struct fixture *f, const char *name, const struct convert_settings *like)
{
	struct convert_settings settings = *like;

	convert_close(f->convert);
	free(f->program);
	f->program = converter(f, name);
	settings.program = f->program;
	convert_open(&f->convert, f->loop, &settings);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;
	FILE *secret;
	char *path;

	f->dir = tmpdir_new();
	path = xasprintf("%s/secret", f->dir);
	secret = fopen(path, "w");
	assert_non_null(secret);
	assert_int_equal(fclose(secret), 0);
	free(path);
	assert_int_equal(loop_open(&f->loop, &err), 0);
	assert_int_equal(transit_open(&f->transit, f->loop, f->dir, &err), 0);
	use(f, "good", &convert_defaults);
	timer_init(&f->guard, loop_clock(f->loop), on_guard, f);
	timer_start(&f->guard, GUARD_MS);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	convert_close(f->convert);
	transit_close(f->transit);
	timer_stop(&f->guard);
	loop_close(f->loop); /* asserts that uv_loop_close() is 0 */
	tmpdir_free(f->dir);
	free(f->program);
	free(f);
	return 0;
}

/* ---- a document into a file, and out of one ---- */

static void on_pumped(struct transit_op *op, const struct err *err)
{
	struct work *w = op->data;

	assert_null(err);
	w->over = true;
	loop_stop(w->f->loop);
}

static void fill(struct work *w, struct transit_file *file, const char *data, size_t len)
{
	w->stream = stream_new(len > 65536 ? len : 65536);
	assert_int_equal(stream_write(w->stream, data, len), 0);
	stream_end(w->stream);
	w->pump = (struct transit_op){
		.file = file, .stream = w->stream, .data = w, .done = on_pumped
	};
	w->over = false;
	assert_int_equal(transit_fill(&w->pump, &w->err), 0);
	while (!w->over)
		loop_run(w->f->loop);
	stream_free(w->stream);
}

static void on_read(struct timer *t)
{
	struct work *w = t->data;
	size_t n;

	while ((n = stream_read(w->stream, w->answer + w->len, sizeof(w->answer) - 1 - w->len)))
		w->len += n;
	w->answer[w->len] = '\0';
	if (!w->over)
		timer_start(t, 1);
}

static void drain(struct work *w)
{
	struct err err;

	w->stream = stream_new(65536);
	w->pump = (struct transit_op){
		.file = w->op.to, .stream = w->stream, .data = w, .done = on_pumped
	};
	w->over = false;
	assert_int_equal(transit_drain(&w->pump, &err), 0);
	timer_init(&w->timer, loop_clock(w->f->loop), on_read, w);
	timer_start(&w->timer, 0);
	while (!w->over)
		loop_run(w->f->loop);
	timer_stop(&w->timer);
	on_read(&w->timer);
	stream_free(w->stream);
}

static void on_converted(struct convert_op *op, const struct err *err)
{
	struct work *w = op->data;

	w->done++;
	if (err)
		w->err = *err;
	loop_stop(w->f->loop);
}

static void prepare(struct work *w, struct fixture *f, const char *data, size_t len)
{
	struct err err;

	*w = (struct work){ .f = f };
	assert_int_equal(transit_create(f->transit, UINT64_MAX, &w->op.from, &err), 0);
	assert_int_equal(transit_create(f->transit, UINT64_MAX, &w->op.to, &err), 0);
	fill(w, w->op.from, data, len);
	w->op.data = w;
	w->op.done = on_converted;
	err_clear(&w->err);
}

static void clear(struct work *w)
{
	transit_free(w->op.from);
	transit_free(w->op.to);
}

static void await(struct work *w)
{
	while (!w->done)
		loop_run(w->f->loop);
	assert_int_equal(w->done, 1);
}

/* One document by a converter of that name. */
static void convert_like(struct fixture *f, const char *name,
                         const struct convert_settings *settings, struct work *w)
{
	struct err err;

	use(f, name, settings);
	prepare(w, f, TEXT, strlen(TEXT));
	assert_int_equal(convert_start(f->convert, &w->op, &err), 0);
	await(w);
	if (w->err.kind == ERR_NONE)
		drain(w);
	clear(w);
	/* it was waited for: no child is left */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_refused(const struct work *w, const char *says)
{
	assert_int_equal(w->err.kind, ERR_REJECTED);
	assert_int_equal(w->err.code, 0x0411);
	assert_says(&w->err, says);
}

/* ---- tests ---- */

static void test_a_document_is_given_to_the_converter_and_what_it_writes_comes_back(void **state)
{
	struct work w;

	convert_like(*state, "good", &convert_defaults, &w);
	assert_int_equal(w.err.kind, ERR_NONE);
	assert_string_equal(w.answer, "%PDF-1.4\n" TEXT);
}

static void test_a_document_of_many_megabytes_goes_both_ways(void **state)
{
	struct fixture *f = *state;
	size_t len = 5u << 20;
	char *data = xmalloc(len);
	struct work w;
	struct err err;

	memset(data, 'x', len);
	memcpy(data + len - 65000, END, strlen(END)); /* and a long comment */
	prepare(&w, f, data, len);
	assert_int_equal(convert_start(f->convert, &w.op, &err), 0);
	await(&w);
	assert_int_equal(w.err.kind, ERR_NONE);
	assert_int_equal(transit_size(w.op.to), len + strlen("%PDF-1.4\n"));
	clear(&w);
	free(data);
}

static void test_the_converter_may_do_nothing_but_convert(void **state)
{
	static const char *const refused[] = {
		"inet socket: EPERM",
		"unix socket: EPERM",
		"netlink socket: EPERM",
		"connect: EPERM",
		"fork: EPERM",
		"thread: EPERM",
		"other program: EACCES",
		"read /etc/shadow: EACCES",
		"read /etc/passwd: EACCES",
		"read the first process: EACCES",
		"read beside it: EACCES",
		"list beside it: EACCES",
		"write beside it: EACCES",
		"write to /tmp: EACCES",
		"write to /dev/shm: EACCES",
		"remove: EPERM",
		"rename: EPERM",
		"mode: EPERM",
		"directory: EPERM",
		"kill its parent: EPERM",
		"kill all: EPERM",
		"more time: EPERM",
		"core dumps: EPERM",
		"other's descriptor: EBADF",
		"change its input: EPERM",
	};
	struct work w;

	convert_like(*state, "tries", &convert_defaults, &w);
	assert_int_equal(w.err.kind, ERR_NONE);
	print_message("%s", w.answer);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (!strstr(w.answer, refused[i]))
			fail_msg("not refused so: %s", refused[i]);
	/* of root, whom limits do not bind, the daemon has nothing */
	if (prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) == 0)
		assert_non_null(strstr(w.answer, "more memory: EPERM"));
}

static void test_what_no_converter_does_ends_it(void **state)
{
	struct work w;

	convert_like(*state, "attacks", &convert_defaults, &w);
	assert_refused(&w, CANNOT "the converter was ended for what it tried to do");
}

static void test_each_way_to_fail_is_told(void **state)
{
	static const struct {
		const char *name, *says;
	} cases[] = {
		{ "fails", "it is damaged, or no XPS" },
		{ "nothing", "it is damaged, or no XPS" },
		{ "text", "it is damaged, or no XPS" },
		{ "crashes", "it is damaged, or no XPS" },
		{ "complains", "it is damaged, or no XPS" },
		{ "eats", "it is damaged, or no XPS" },
	};
	struct work w;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		convert_like(*state, cases[i].name, &convert_defaults, &w);
		assert_refused(&w, cases[i].says);
		assert_non_null(strstr(w.err.text, "print it as PDF"));
	}
}

static void test_a_cut_package_is_not_given_to_the_converter(void **state)
{
	struct fixture *f = *state;
	struct work w;
	struct err err;
	char data[100000];

	memset(data, 'x', sizeof(data));
	memcpy(data + 100, END,
	       strlen(END)); /* a document within it, longer ago than a comment is */
	prepare(&w, f, data, sizeof(data));
	assert_int_equal(convert_start(f->convert, &w.op, &err), 0);
	await(&w);
	assert_refused(&w, "it is damaged, or no XPS");
	clear(&w);
}

static void test_time_and_size_are_limited(void **state)
{
	struct convert_settings settings = convert_defaults;
	struct work w;

	settings.cpu_s = 1;
	convert_like(*state, "spins", &settings, &w);
	assert_refused(&w, "it takes too long");
	settings.deadline_s = 1;
	convert_like(*state, "sleeps", &settings, &w);
	assert_refused(&w, "it takes too long");
	settings.deadline_s = 50;
	settings.output = 1 << 20;
	convert_like(*state, "grows", &settings, &w);
	assert_refused(&w, "what it becomes is too large");
	settings.input = 3;
	convert_like(*state, "good", &settings, &w);
	assert_int_equal(w.err.kind, ERR_REJECTED);
	assert_non_null(strstr(w.err.text, "is too large to convert"));
}

static void test_a_converter_that_is_not_there_is_known_before(void **state)
{
	struct fixture *f = *state;
	struct work w;

	assert_true(convert_is_there(f->convert));
	convert_use(f->convert, "");
	assert_false(convert_is_there(f->convert));
	convert_use(f->convert, "/nonexistent/xpstopdf");
	assert_false(convert_is_there(f->convert));
	assert_false(convert_is_there(NULL));
	/* removed in between */
	prepare(&w, f, TEXT, strlen(TEXT));
	assert_int_equal(convert_start(f->convert, &w.op, &w.err), 0);
	err_clear(&w.err);
	await(&w);
	assert_refused(&w, "XPS cannot be converted here: cannot execute /nonexistent/xpstopdf");
	clear(&w);
}

static void test_one_after_the_other_and_more_than_can_wait_are_for_later(void **state)
{
	struct fixture *f = *state;
	struct work w[16];
	struct err err;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		prepare(&w[i], f, TEXT, strlen(TEXT));
	while (n < ARRAY_SIZE(w) && convert_start(f->convert, &w[n].op, &err) == 0)
		n++;
	assert_in_range(n, 2, ARRAY_SIZE(w) - 1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	for (size_t i = 0; i < n; i++) {
		await(&w[i]);
		assert_int_equal(w[i].err.kind, ERR_NONE);
		assert_true(i + 1 == n || !w[i + 1].done || w[i].done);
	}
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		clear(&w[i]);
}

static void test_a_cancel_ends_the_child_and_what_waits(void **state)
{
	struct fixture *f = *state;
	struct work w[3];
	struct err err;

	use(f, "sleeps", &convert_defaults);
	for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
		prepare(&w[i], f, TEXT, strlen(TEXT));
		assert_int_equal(convert_start(f->convert, &w[i].op, &err), 0);
	}
	convert_cancel(&w[1].op);
	assert_int_equal(w[1].done, 0); /* not from inside */
	await(&w[1]);
	assert_int_equal(w[1].err.kind, ERR_CANCELED);
	assert_int_equal(w[0].done, 0);
	convert_cancel(&w[0].op);
	await(&w[0]);
	assert_int_equal(w[0].err.kind, ERR_CANCELED);
	convert_cancel(&w[2].op);
	await(&w[2]);
	assert_int_equal(w[2].err.kind, ERR_CANCELED);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		clear(&w[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_document_is_given_to_the_converter_and_what_it_writes_comes_back),
		TEST(test_a_document_of_many_megabytes_goes_both_ways),
		TEST(test_the_converter_may_do_nothing_but_convert),
		TEST(test_what_no_converter_does_ends_it),
		TEST(test_each_way_to_fail_is_told),
		TEST(test_a_cut_package_is_not_given_to_the_converter),
		TEST(test_time_and_size_are_limited),
		TEST(test_a_converter_that_is_not_there_is_known_before),
		TEST(test_one_after_the_other_and_more_than_can_wait_are_for_later),
		TEST(test_a_cancel_ends_the_child_and_what_waits),
	};

	if (argc > 1 && strcmp(argv[1], CONFINE_OPTION) == 0)
		return confine_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
