/* Whether somebody listens: connections on loopback, in real time. */
#include "connector/base/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "connector/base/loop.h"

struct fixture {
	struct loop *loop;
	int listener, port;
	struct err err;
	unsigned told;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &len), 0);
	f->port = ntohs(at.sin_port);
	assert_int_equal(loop_open(&f->loop, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_close(f->loop); /* asserts that nothing is left */
	(void)close(f->listener);
	free(f);
	return 0;
}

static void on_done(struct reach *r, const struct err *err)
{
	struct fixture *f = r->data;

	f->told++;
	err_clear(&f->err);
	if (err)
		f->err = *err;
	loop_stop(f->loop);
}

static struct reach begin(struct fixture *f, const char *host, int64_t timeout_ms)
{
	return (struct reach){ .loop = f->loop,
		               .host = host,
		               .port = f->port,
		               .timeout_ms = timeout_ms,
		               .data = f,
		               .done = on_done };
}

static void run(struct fixture *f, struct reach *r)
{
	assert_int_equal(reach_start(r, &f->err), 0);
	assert_int_equal(f->told, 0);
	loop_run(f->loop);
	assert_int_equal(f->told, 1);
}

static void test_who_listens_is_reached_and_hears_nothing(void **state)
{
	struct fixture *f = *state;
	struct reach r = begin(f, "127.0.0.1", 10000);
	char byte;
	int fd;

	assert_int_equal(listen(f->listener, 1), 0);
	run(f, &r);
	assert_int_equal(f->err.kind, ERR_NONE);
	fd = accept(f->listener, NULL, NULL);
	assert_true(fd >= 0);
	loop_close(f->loop); /* the connection is closed by then */
	assert_int_equal(loop_open(&f->loop, &f->err), 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	(void)close(fd);
}

static void test_a_name_with_several_addresses_is_reached_at_one(void **state)
{
	struct fixture *f = *state;
	struct reach r = begin(f, "localhost", 10000);

	assert_int_equal(listen(f->listener, 1), 0);
	run(f, &r);
	assert_int_equal(f->err.kind, ERR_NONE);
}

static void test_who_does_not_listen_is_told_with_its_place(void **state)
{
	struct fixture *f = *state;
	struct reach r = begin(f, "127.0.0.1", 10000);

	run(f, &r);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(f->err.text, "127.0.0.1 port "));
	assert_non_null(strstr(f->err.text, "connection refused"));
}

static void test_a_name_that_nobody_knows_is_told(void **state)
{
	struct fixture *f = *state;
	struct reach r = begin(f, "nobody.invalid", 10000);

	run(f, &r);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(f->err.text, "nobody.invalid port "));
}

static void test_time_that_is_over_and_a_cancel_are_told_once(void **state)
{
	struct fixture *f = *state;
	struct reach late = begin(f, "127.0.0.1", 0), canceled = begin(f, "127.0.0.1", 10000);

	assert_int_equal(listen(f->listener, 1), 0);
	run(f, &late);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
	f->told = 0;
	assert_int_equal(reach_start(&canceled, &f->err), 0);
	reach_cancel(&canceled);
	reach_cancel(&canceled);
	assert_int_equal(f->told, 0);
	loop_run(f->loop);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->err.kind, ERR_CANCELED);
	reach_cancel(&canceled);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_listens_is_reached_and_hears_nothing),
		TEST(test_a_name_with_several_addresses_is_reached_at_one),
		TEST(test_who_does_not_listen_is_told_with_its_place),
		TEST(test_a_name_that_nobody_knows_is_told),
		TEST(test_time_that_is_over_and_a_cancel_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
