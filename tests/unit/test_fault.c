#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/lib/tmpdir.h"

static int dir = -1;

static int do_open(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_GETFD);
	return close(fd);
}

static int do_read(void)
{
	char byte;
	AUTO(close_fd) int fd = openat(dir, "file", O_RDONLY | O_CLOEXEC, 0);

	return fd < 0 ? -1 : (int)read(fd, &byte, 1);
}

/* Every wrapped call once, in the order of the Makefile's list, except open and close. */
static int do_write(void)
{
	AUTO(close_fd) int fd = openat(dir, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0 || write(fd, "a", 1) != 1 || pwrite(fd, "b", 1, 1) != 1 || fsync(fd) < 0 ||
	    fdatasync(fd) < 0 || renameat(dir, "file", dir, "other") < 0 ||
	    renameat(dir, "other", dir, "file") < 0)
		return -1;
	return 0;
}

static void test_unarmed_calls_are_the_real_ones(void **state)
{
	struct stat st;

	(void)state;
	(void)fault_disarm();
	assert_int_equal(do_write(), 0);
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(do_read(), 1);
	assert_int_equal(do_open(), 0);
	assert_int_equal(fault_disarm(), 0);
}

static void test_each_call_fails_in_turn_and_only_once(void **state)
{
	int n;

	(void)state;
	for (n = 0; n < 7; n++) {
		fault_arm(n);
		errno = 0;
		assert_int_equal(do_write(), -1);
		assert_int_equal(errno, EIO);
		(void)renameat(dir, "other", dir, "file"); /* armed still, but used up */
		assert_int_equal(do_read(), 1);
		assert_int_equal(fault_disarm(), 1);
	}
	fault_arm(100);
	assert_int_equal(do_write(), 0);
	assert_int_equal(fault_hits(), 8); /* seven and the close */
	assert_int_equal(fault_disarm(), 0);
}

static void test_a_lasting_failure_lasts(void **state)
{
	(void)state;
	fault_errno(ENOSPC);
	fault_arm_all(1);
	assert_int_equal(do_write(), -1);
	errno = 0;
	assert_int_equal(do_read(), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fault_disarm(), 1);
	fault_arm(0);
	assert_int_equal(do_read(), -1);
	assert_int_equal(errno, EIO); /* as before fault_errno() */
	(void)fault_disarm();
}

static void test_a_failed_close_has_closed(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	fault_arm(0);
	assert_int_equal(close(fd), -1);
	assert_int_equal(errno, EIO);
	(void)fault_disarm();
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_a_failed_unlink_has_not_unlinked(void **state)
{
	(void)state;
	assert_int_equal(do_write(), 0);
	fault_arm(0);
	assert_int_equal(unlinkat(dir, "file", 0), -1);
	(void)fault_disarm();
	assert_int_equal(faccessat(dir, "file", F_OK, 0), 0);
	assert_int_equal(unlinkat(dir, "file", 0), 0);
}

static void *hit(void *data)
{
	(void)data;
	for (int i = 0; i < 1000; i++)
		(void)fdatasync(-1);
	return NULL;
}

static void test_calls_of_all_threads_are_counted(void **state)
{
	pthread_t threads[4];

	(void)state;
	fault_arm(100000);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hit, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(fault_hits(), 4000);
	assert_int_equal(fault_disarm(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unarmed_calls_are_the_real_ones),
		cmocka_unit_test(test_each_call_fails_in_turn_and_only_once),
		cmocka_unit_test(test_a_lasting_failure_lasts),
		cmocka_unit_test(test_a_failed_close_has_closed),
		cmocka_unit_test(test_a_failed_unlink_has_not_unlinked),
		cmocka_unit_test(test_calls_of_all_threads_are_counted),
	};
	char *path = tmpdir_new();
	int rc;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	(void)umask(022);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	close_fd(&dir);
	tmpdir_free(path);
	return rc;
}
