#include "connector/base/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

#define CAPACITY ((size_t)16384)

struct ends {
	struct stream *s;
	int rooms, wakes;
};

static void on_room(void *data)
{
	((struct ends *)data)->rooms++;
}

static void on_data(void *data)
{
	((struct ends *)data)->wakes++;
}

static void open_ends(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	e->s = stream_new(CAPACITY);
	stream_on_room(e->s, on_room, e);
	stream_on_data(e->s, on_data, e);
}

static void close_ends(struct ends *e)
{
	stream_on_room(e->s, NULL, NULL);
	stream_on_data(e->s, NULL, NULL);
	stream_free(e->s);
}

static unsigned char block[CAPACITY];

static void test_bytes_come_out_as_they_went_in(void **state)
{
	unsigned seed = 4711;
	struct ends e;
	uint8_t in = 0, out = 0;

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	open_ends(&e);
	for (int round = 0; round < 20000; round++) {
		unsigned char bytes[997];
		size_t len = (size_t)random() % sizeof(bytes), room = stream_room(e.s);
		int rc;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (unsigned char)(in + i);
		rc = stream_write(e.s, bytes, len);
		assert_int_equal(rc, len <= room ? 0 : -1);
		assert_int_equal(stream_room(e.s), rc ? room : room - len);
		if (rc == 0)
			in = (uint8_t)(in + len);
		len = stream_read(e.s, bytes, (size_t)random() % sizeof(bytes));
		for (size_t i = 0; i < len; i++)
			assert_int_equal(bytes[i], out++);
	}
	close_ends(&e);
}

static void test_a_write_is_taken_whole_or_not_at_all(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(stream_write(e.s, block, CAPACITY - 10), 0);
	assert_int_equal(stream_write(e.s, block, 11), -1);
	assert_int_equal(stream_room(e.s), 10);
	assert_int_equal(stream_write(e.s, block, 10), 0);
	assert_int_equal(stream_room(e.s), 0);
	assert_int_equal(stream_write(e.s, block, 0), 0);
	assert_int_equal(stream_total(e.s), CAPACITY);
	close_ends(&e);
}

static void test_room_is_told_once_and_when_it_suffices(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(stream_write(e.s, block, CAPACITY), 0);
	(void)stream_read(e.s, block, 5);
	assert_int_equal(e.rooms, 0); /* nobody had been refused */
	assert_int_equal(stream_write(e.s, block, 1000), -1);
	(void)stream_read(e.s, block, 500);
	assert_int_equal(e.rooms, 0); /* not enough */
	(void)stream_read(e.s, block, 495);
	assert_int_equal(e.rooms, 1);
	(void)stream_read(e.s, block, 2000);
	assert_int_equal(e.rooms, 1);
	assert_int_equal(stream_write(e.s, block, 1000), 0);
	close_ends(&e);
}

static void test_data_is_told_once_to_whom_it_was_missing(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(stream_write(e.s, block, 10), 0);
	assert_int_equal(e.wakes, 0); /* nobody asked yet */
	assert_int_equal(stream_read(e.s, block, 10), 10);
	assert_int_equal(stream_write(e.s, block, 10), 0);
	assert_int_equal(e.wakes, 0); /* got all that was asked for */
	assert_int_equal(stream_read(e.s, block, 11), 10);
	assert_int_equal(stream_write(e.s, block, 10), 0);
	assert_int_equal(stream_write(e.s, block, 10), 0);
	assert_int_equal(e.wakes, 1);
	close_ends(&e);
}

static void test_the_end_is_seen_behind_the_last_byte(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(stream_read(e.s, block, 1), 0);
	assert_int_equal(stream_state(e.s), STREAM_OPEN);
	assert_int_equal(stream_write(e.s, block, 5), 0);
	assert_int_equal(e.wakes, 1);
	stream_end(e.s);
	stream_end(e.s);
	assert_int_equal(stream_room(e.s), 0);
	assert_int_equal(stream_state(e.s), STREAM_OPEN);
	assert_int_equal(stream_read(e.s, block, 100), 5);
	assert_int_equal(stream_state(e.s), STREAM_ENDED);
	assert_int_equal(stream_read(e.s, block, 100), 0);
	close_ends(&e);
}

static void test_the_end_wakes_a_waiting_consumer(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(stream_read(e.s, block, 1), 0);
	stream_end(e.s);
	assert_int_equal(e.wakes, 1);
	assert_int_equal(stream_state(e.s), STREAM_ENDED);
	close_ends(&e);
}

static void test_a_failure_drops_bytes_and_wakes_both(void **state)
{
	struct ends e;
	struct err first, second;

	(void)state;
	(void)err_set(&first, ERR_GONE, 1, "first");
	(void)err_set(&second, ERR_DENIED, 2, "second");
	open_ends(&e);
	assert_int_equal(stream_write(e.s, block, 500), 0);
	stream_fail(e.s, &first);
	assert_int_equal(e.rooms, 1);
	assert_int_equal(e.wakes, 1);
	stream_fail(e.s, &second);
	assert_int_equal(e.rooms, 1);
	assert_int_equal(stream_state(e.s), STREAM_FAILED);
	assert_string_equal(stream_err(e.s)->text, "first");
	assert_int_equal(stream_read(e.s, block, 10), 0);
	assert_int_equal(stream_write(e.s, block, 10), -1);
	assert_int_equal(stream_room(e.s), 0);
	stream_end(e.s);
	assert_int_equal(stream_state(e.s), STREAM_FAILED);
	assert_int_equal(stream_total(e.s), 500);
	close_ends(&e);
}

static void test_what_was_read_whole_can_still_be_refused(void **state)
{
	struct ends e;
	struct err err;

	(void)state;
	(void)err_set(&err, ERR_GONE, 1, "late");
	open_ends(&e);
	stream_end(e.s);
	assert_int_equal(stream_state(e.s), STREAM_ENDED);
	stream_fail(e.s, &err);
	assert_int_equal(stream_state(e.s), STREAM_FAILED);
	close_ends(&e);
}

static void test_a_small_capacity_still_takes_one_block_of_libcurl(void **state)
{
	struct stream *s = stream_new(1);

	(void)state;
	assert_int_equal(stream_room(s), CAPACITY);
	stream_free(s);
	stream_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_come_out_as_they_went_in),
		cmocka_unit_test(test_a_write_is_taken_whole_or_not_at_all),
		cmocka_unit_test(test_room_is_told_once_and_when_it_suffices),
		cmocka_unit_test(test_data_is_told_once_to_whom_it_was_missing),
		cmocka_unit_test(test_the_end_is_seen_behind_the_last_byte),
		cmocka_unit_test(test_the_end_wakes_a_waiting_consumer),
		cmocka_unit_test(test_a_failure_drops_bytes_and_wakes_both),
		cmocka_unit_test(test_what_was_read_whole_can_still_be_refused),
		cmocka_unit_test(test_a_small_capacity_still_takes_one_block_of_libcurl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
