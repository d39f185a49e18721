#include "connector/base/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "connector/base/clock.h"
#include "connector/base/loop.h"

#define ITEMS 20

/* What happened, in order: '(' begin, ')' end, a digit or letter per run. Written on the thread,
 * read when nothing runs. */
struct record {
	struct loop *loop;
	struct work *work;
	char ran[200], did[200];
	int fail_begin, fail_end; /* that batch from now fails; 0: none */
	unsigned left;            /* items whose done() is awaited */
	struct timer guard;
	uv_sem_t gate; /* run() of an item with gated waits here */
	struct item *resubmit;
};

struct item {
	struct work_item item;
	struct record *r;
	char name;
	bool fails, gated;
	enum err_kind kind;
	char text[192];
};

static void note(char *list, char what)
{
	size_t len = strlen(list);

	assert_true(len < 199);
	list[len] = what;
}

static int begin(void *data, struct err *err)
{
	struct record *r = data;

	note(r->ran, '(');
	return r->fail_begin && --r->fail_begin == 0 ? err_set(err, ERR_TEMPORARY, 1, "no begin")
	                                             : 0;
}

static int end(void *data, struct err *err)
{
	struct record *r = data;

	note(r->ran, ')');
	return r->fail_end && --r->fail_end == 0 ? err_set(err, ERR_TEMPORARY, 2, "no end") : 0;
}

static int run(struct work_item *item, struct err *err)
{
	struct item *i = item->data;

	if (i->gated)
		uv_sem_wait(&i->r->gate);
	note(i->r->ran, i->name);
	return i->fails ? err_set(err, ERR_REJECTED, 3, "%c failed", i->name) : 0;
}

static void done(struct work_item *item, const struct err *err)
{
	struct item *i = item->data;
	struct record *r = i->r;

	note(r->did, i->name);
	i->kind = err ? err->kind : ERR_NONE;
	if (err)
		(void)snprintf(i->text, sizeof(i->text), "%s", err->text);
	if (r->resubmit) {
		struct item *again = r->resubmit;

		r->resubmit = NULL;
		work_submit(r->work, &again->item);
	}
	if (--r->left == 0)
		loop_stop(r->loop);
}

static void on_guard(struct timer *t)
{
	(void)t;
	fail_msg("the work does not end");
}

static void open_record(struct record *r, bool framed, unsigned max_batch)
{
	struct work_frame frame = { begin, end, r };
	struct err err;

	memset(r, 0, sizeof(*r));
	assert_int_equal(loop_open(&r->loop, &err), 0);
	assert_int_equal(work_open(&r->work, r->loop, framed ? &frame : NULL, max_batch, &err), 0);
	assert_int_equal(uv_sem_init(&r->gate, 0), 0);
	timer_init(&r->guard, loop_clock(r->loop), on_guard, NULL);
	timer_start(&r->guard, 20000);
}

static void close_record(struct record *r)
{
	work_close(r->work);
	timer_stop(&r->guard);
	uv_sem_destroy(&r->gate);
	loop_close(r->loop);
}

static void init_items(struct item *items, int count, struct record *r)
{
	memset(items, 0, sizeof(*items) * (size_t)count);
	for (int i = 0; i < count; i++) {
		items[i].item = (struct work_item){ .run = run, .done = done, .data = &items[i] };
		items[i].r = r;
		items[i].name = (char)('a' + i);
	}
}

static void test_items_run_and_end_in_order(void **state)
{
	struct record r;
	struct item items[ITEMS];

	(void)state;
	open_record(&r, false, 4);
	init_items(items, ITEMS, &r);
	r.left = ITEMS;
	for (int i = 0; i < ITEMS; i++)
		work_submit(r.work, &items[i].item);
	assert_string_equal(r.did, ""); /* never from inside */
	loop_run(r.loop);
	assert_string_equal(r.ran, "abcdefghijklmnopqrst");
	assert_string_equal(r.did, "abcdefghijklmnopqrst");
	close_record(&r);
}

static void test_what_waits_is_joined_up_to_the_limit(void **state)
{
	struct record r;
	struct item items[8];

	(void)state;
	open_record(&r, true, 4);
	init_items(items, 8, &r);
	items[0].gated = true;
	r.left = 8;
	for (int i = 0; i < 8; i++)
		work_submit(r.work, &items[i].item);
	uv_sem_post(&r.gate);
	loop_run(r.loop);
	assert_string_equal(r.ran, "(a)(bcde)(fgh)");
	close_record(&r);
}

static void test_one_failing_item_leaves_the_rest(void **state)
{
	struct record r;
	struct item items[4];

	(void)state;
	open_record(&r, true, 10);
	init_items(items, 4, &r);
	items[0].gated = true;
	items[2].fails = true;
	r.left = 4;
	for (int i = 0; i < 4; i++)
		work_submit(r.work, &items[i].item);
	uv_sem_post(&r.gate);
	loop_run(r.loop);
	assert_string_equal(r.ran, "(a)(bcd)");
	for (int i = 0; i < 4; i++)
		assert_int_equal(items[i].kind, i == 2 ? ERR_REJECTED : ERR_NONE);
	assert_string_equal(items[2].text, "c failed");
	close_record(&r);
}

static void test_a_batch_that_cannot_begin_or_end_fails_as_a_whole(void **state)
{
	struct record r;
	struct item items[6];

	(void)state;
	for (int at_end = 0; at_end < 2; at_end++) {
		open_record(&r, true, 3);
		init_items(items, 6, &r);
		items[0].gated = true;
		items[2].fails = true;
		r.fail_begin = at_end ? 0 : 2;
		r.fail_end = at_end ? 2 : 0;
		r.left = 6;
		for (int i = 0; i < 6; i++)
			work_submit(r.work, &items[i].item);
		uv_sem_post(&r.gate);
		loop_run(r.loop);
		assert_string_equal(r.ran, at_end ? "(a)(bcd)(ef)" : "(a)((ef)");
		assert_int_equal(items[0].kind, ERR_NONE);
		assert_string_equal(items[1].text, at_end ? "no end" : "no begin");
		assert_string_equal(items[2].text, at_end ? "c failed" : "no begin");
		assert_string_equal(items[3].text, at_end ? "no end" : "no begin");
		assert_int_equal(items[4].kind, ERR_NONE);
		assert_int_equal(items[5].kind, ERR_NONE);
		close_record(&r);
	}
}

static void test_done_may_submit(void **state)
{
	struct record r;
	struct item items[2];

	(void)state;
	open_record(&r, true, 4);
	init_items(items, 2, &r);
	r.resubmit = &items[1];
	r.left = 2;
	work_submit(r.work, &items[0].item);
	loop_run(r.loop);
	assert_string_equal(r.ran, "(a)(b)");
	close_record(&r);
}

static void test_lazy_items_wait_for_company(void **state)
{
	struct record r;
	struct item items[3];

	(void)state;
	open_record(&r, true, 10);
	init_items(items, 3, &r);
	r.left = 3;
	work_submit_lazy(r.work, &items[0].item, 15000);
	work_submit_lazy(r.work, &items[1].item, 15000);
	work_submit(r.work, &items[2].item);
	loop_run(r.loop); /* the guard would fire before 15 s were over twice */
	assert_string_equal(r.ran, "(abc)");
	close_record(&r);
}

static void test_lazy_items_do_not_wait_for_ever(void **state)
{
	struct record r;
	struct item items[3];

	(void)state;
	open_record(&r, true, 10);
	init_items(items, 3, &r);
	r.left = 3;
	work_submit_lazy(r.work, &items[0].item, 15000);
	work_submit_lazy(r.work, &items[1].item, 20);
	work_submit_lazy(r.work, &items[2].item, 10000);
	loop_run(r.loop);
	assert_string_equal(r.ran, "(abc)");
	close_record(&r);
}

static void test_a_lazy_item_behind_a_full_batch_keeps_its_time(void **state)
{
	struct record r;
	struct item items[3];

	(void)state;
	open_record(&r, true, 2);
	init_items(items, 3, &r);
	r.left = 3;
	work_submit_lazy(r.work, &items[0].item, 5);
	work_submit_lazy(r.work, &items[1].item, 5);
	work_submit_lazy(r.work, &items[2].item, 5);
	loop_run(r.loop);
	assert_string_equal(r.ran, "(ab)(c)");
	close_record(&r);
}

static void test_close_does_all_that_was_submitted(void **state)
{
	struct record r;
	struct item items[9];

	(void)state;
	open_record(&r, true, 3);
	init_items(items, 9, &r);
	items[4].fails = true;
	r.left = 100;
	for (int i = 0; i < 7; i++)
		work_submit(r.work, &items[i].item);
	work_submit_lazy(r.work, &items[7].item, 15000);
	r.resubmit = &items[8];
	work_close(r.work);
	r.work = NULL;
	assert_int_equal(strlen(r.did), 9);
	assert_int_equal(strncmp(r.did, "abcdefgh", 8), 0);
	assert_int_equal(items[4].kind, ERR_REJECTED);
	assert_int_equal(items[5].kind, ERR_NONE);
	close_record(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_run_and_end_in_order),
		cmocka_unit_test(test_what_waits_is_joined_up_to_the_limit),
		cmocka_unit_test(test_one_failing_item_leaves_the_rest),
		cmocka_unit_test(test_a_batch_that_cannot_begin_or_end_fails_as_a_whole),
		cmocka_unit_test(test_done_may_submit),
		cmocka_unit_test(test_lazy_items_wait_for_company),
		cmocka_unit_test(test_lazy_items_do_not_wait_for_ever),
		cmocka_unit_test(test_a_lazy_item_behind_a_full_batch_keeps_its_time),
		cmocka_unit_test(test_close_does_all_that_was_submitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
