#include "connector/base/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/clock.h"
#include "tests/lib/tmpdir.h"

struct fixture {
	char *dir;
	int fd;
	char last[600];
	struct clock clock;
	struct timer *armed; /* the one timer */
	int64_t delay;
};

static void fake_start(struct timer *t, int64_t delay_ms)
{
	struct fixture *f = CONTAINER_OF(t->clock, struct fixture, clock);

	t->armed = true;
	f->armed = t;
	f->delay = delay_ms;
}

static void fake_stop(struct timer *t)
{
	t->armed = false;
	CONTAINER_OF(t->clock, struct fixture, clock)->armed = NULL;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	f->dir = tmpdir_new();
	f->clock = (struct clock){ .start = fake_start, .stop = fake_stop };
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify", f->dir);
	f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&un, sizeof(un)), 0);
	(void)setenv("NOTIFY_SOCKET", un.sun_path, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	(void)close(f->fd);
	tmpdir_free(f->dir);
	free(f);
	return 0;
}

/* The next datagram, "" when there is none: the sender has written it before it returned. */
static const char *received(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->last, sizeof(f->last) - 1, 0);

	f->last[n > 0 ? n : 0] = '\0';
	return f->last;
}

static void test_each_event_is_told(void **state)
{
	struct fixture *f = *state;

	notify_ready();
	assert_string_equal(received(f), "READY=1");
	assert_true(notify_status("%d printers\nREADY=1", 3));
	assert_string_equal(received(f), "STATUS=3 printers READY=1");
	notify_reloading();
	assert_int_equal(strncmp(received(f), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_true(strtoull(f->last + 27, NULL, 10) > 0);
	notify_stopping();
	assert_string_equal(received(f), "STOPPING=1");
	assert_string_equal(received(f), "");
}

static void test_nobody_is_told_when_systemd_did_not_start_us(void **state)
{
	struct fixture *f = *state;

	(void)unsetenv("NOTIFY_SOCKET");
	notify_ready();
	assert_true(notify_status("quiet"));
	assert_string_equal(received(f), "");
}

static void test_the_watchdog_is_patted_at_half_its_time(void **state)
{
	struct fixture *f = *state;
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("WATCHDOG_USEC", "3000000", 1);
	(void)setenv("WATCHDOG_PID", pid, 1);
	notify_watchdog_start(&f->clock);
	assert_string_equal(received(f), "WATCHDOG=1");
	assert_int_equal(f->delay, 1500);
	for (int i = 0; i < 3; i++) {
		f->armed->armed = false;
		f->armed->fire(f->armed);
		assert_string_equal(received(f), "WATCHDOG=1");
		assert_true(f->armed->armed);
	}
	notify_watchdog_start(&f->clock); /* once is enough */
	assert_string_equal(received(f), "");
	notify_watchdog_stop();
	assert_null(f->armed);
	notify_watchdog_stop();
}

static void test_a_systemd_that_does_not_read_stalls_nothing(void **state)
{
	struct fixture *f = *state;
	char pid[32];
	int told = 0;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("WATCHDOG_USEC", "3000000", 1);
	(void)setenv("WATCHDOG_PID", pid, 1);
	while (notify_status("%d", told))
		told++;
	assert_true(told > 0);
	notify_stopping();
	notify_watchdog_start(&f->clock);
	assert_true(f->delay < 1500); /* soon again */
	for (int i = 0; i < told; i++)
		assert_int_equal(strncmp(received(f), "STATUS=", 7), 0);
	assert_string_equal(received(f), "");

	f->armed->fire(f->armed);
	assert_string_equal(received(f), "WATCHDOG=1");
	assert_int_equal(f->delay, 1500);
	assert_true(notify_status("again"));
	notify_watchdog_stop();
}

static void test_without_a_watchdog_there_is_no_timer(void **state)
{
	struct fixture *f = *state;

	notify_watchdog_start(&f->clock);
	(void)setenv("WATCHDOG_USEC", "3000000", 1);
	(void)setenv("WATCHDOG_PID", "1", 1); /* somebody else's */
	notify_watchdog_start(&f->clock);
	assert_null(f->armed);
	assert_string_equal(received(f), "");
	notify_watchdog_stop();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_event_is_told),
		TEST(test_nobody_is_told_when_systemd_did_not_start_us),
		TEST(test_the_watchdog_is_patted_at_half_its_time),
		TEST(test_a_systemd_that_does_not_read_stalls_nothing),
		TEST(test_without_a_watchdog_there_is_no_timer),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
