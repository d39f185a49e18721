#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "tests/lib/fault.h"
#include "tests/lib/tmpdir.h"

struct fixture {
	char *path;
	int dir;
	struct buf buf;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpdir_new();
	assert_int_equal(fs_open_dir(f->path, 0700, false, &f->dir, &f->err), 0);
	buf_init(&f->buf, 1 << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)fault_disarm();
	buf_clear(&f->buf);
	close_fd(&f->dir);
	tmpdir_free(f->path);
	free(f);
	return 0;
}

/* The content is the one or the other, nothing else. */
static void assert_whole(struct fixture *f, const char *name, const char *one, const char *other)
{
	struct err err;

	buf_clear(&f->buf);
	assert_int_equal(fs_read(f->dir, name, 100, &f->buf, &err), 0);
	if (strcmp(buf_text(&f->buf), one) != 0)
		assert_string_equal(buf_text(&f->buf), other);
}

static void assert_nothing_aside(struct fixture *f)
{
	struct err err;

	assert_int_equal(fs_sweep(f->dir, FS_ASIDE, &err), 0);
}

static void test_a_replaced_file_has_the_new_content_and_mode(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(fs_replace(f->dir, "a", "old", 3, 0600, &f->err), 0);
	assert_whole(f, "a", "old", "old");
	assert_int_equal(fs_replace(f->dir, "a", "", 0, 0640, &f->err), 0);
	assert_whole(f, "a", "", "");
	assert_int_equal(fstatat(f->dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777 & ~0640U, 0);
	assert_nothing_aside(f);
}

static void test_a_failing_call_never_damages_the_old_content(void **state)
{
	struct fixture *f = *state;
	int n, rc = -1;

	for (n = 0; rc != 0 || fault_hits() > n; n++) {
		assert_int_equal(fs_replace(f->dir, "a", "old", 3, 0600, &f->err), 0);
		fault_arm(n);
		rc = fs_replace(f->dir, "a", "new", 3, 0600, &f->err);
		(void)fault_disarm();
		assert_whole(f, "a", "old", "new");
		if (rc < 0) {
			assert_int_equal(f->err.kind, ERR_TEMPORARY);
			assert_int_equal(f->err.code, EIO);
			assert_nothing_aside(f);
		} else {
			assert_string_equal(buf_text(&f->buf), "new");
		}
	}
	assert_true(n > 6); /* unlink, open, write, fsync, close, rename, fsync */
}

static void test_a_disk_that_stays_full_leaves_the_old_content(void **state)
{
	struct fixture *f = *state;
	int n, rc = -1;

	for (n = 0; rc != 0; n++) {
		assert_int_equal(fs_replace(f->dir, "a", "old", 3, 0600, &f->err), 0);
		fault_errno(ENOSPC);
		fault_arm_all(n);
		rc = fs_replace(f->dir, "a", "new", 3, 0600, &f->err);
		(void)fault_disarm();
		assert_whole(f, "a", "old", "new");
		if (rc < 0)
			assert_int_equal(f->err.code, ENOSPC);
		assert_true(fs_sweep(f->dir, FS_ASIDE, &f->err) >= 0);
	}
	assert_true(n > 5);
}

static void test_a_link_in_the_place_of_the_new_file_is_not_followed(void **state)
{
	struct fixture *f = *state;

	free(tmpdir_put_text(f->path, "victim", "precious"));
	assert_int_equal(symlinkat("victim", f->dir, "a" FS_ASIDE), 0);
	assert_int_equal(fs_replace(f->dir, "a", "new", 3, 0600, &f->err), 0);
	assert_whole(f, "victim", "precious", "precious");
	assert_whole(f, "a", "new", "new");
}

static void test_removing_what_is_not_there_is_fine(void **state)
{
	struct fixture *f = *state;
	int n, rc = -1;

	assert_int_equal(fs_remove(f->dir, "a", &f->err), 0);
	for (n = 0; rc != 0 || fault_hits() > n; n++) {
		assert_int_equal(fs_replace(f->dir, "a", "x", 1, 0600, &f->err), 0);
		fault_arm(n);
		rc = fs_remove(f->dir, "a", &f->err);
		(void)fault_disarm();
	}
	assert_int_equal(faccessat(f->dir, "a", F_OK, 0), -1);
	assert_int_equal(n, 3);
}

static void test_reading_stops_at_the_limit(void **state)
{
	struct fixture *f = *state;
	char data[9000];

	memset(data, 'x', sizeof(data));
	free(tmpdir_put(f->path, "a", data, sizeof(data)));
	assert_int_equal(buf_append(&f->buf, "before", 6), 0);
	assert_int_equal(fs_read(f->dir, "a", sizeof(data) - 1, &f->buf, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_REJECTED);
	assert_string_equal(f->err.text, "a is larger than 8999 bytes");
	assert_int_equal(f->buf.len, 6);
	assert_int_equal(fs_read(f->dir, "a", sizeof(data), &f->buf, &f->err), 0);
	assert_int_equal(f->buf.len, 6 + sizeof(data));
	assert_memory_equal(f->buf.data + 6, data, sizeof(data));
}

static void test_a_failed_read_leaves_the_buffer_as_it_was(void **state)
{
	struct fixture *f = *state;
	char data[9000] = "";
	int n, rc = -1;

	free(tmpdir_put(f->path, "a", data, sizeof(data)));
	for (n = 0; rc != 0; n++) {
		fault_arm(n);
		rc = fs_read(f->dir, "a", sizeof(data), &f->buf, &f->err);
		(void)fault_disarm();
		assert_int_equal(f->buf.len, rc ? 0 : sizeof(data));
	}
	assert_true(n > 4); /* open, 3 reads and the one that finds the end */
}

static void test_only_regular_files_are_read(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *link = xasprintf("%s/link", f->path);

	free(tmpdir_put_text(f->path, "file", "text"));
	assert_int_equal(symlinkat("file", f->dir, "link"), 0);
	assert_int_equal(mkfifoat(f->dir, "pipe", 0600), 0);
	assert_int_equal(fs_read(f->dir, "link", 100, &f->buf, &f->err), -1);
	assert_string_equal(f->err.text, "link is a symbolic link");
	assert_int_equal(fs_read(f->dir, "pipe", 100, &f->buf, &f->err), -1);
	assert_string_equal(f->err.text, "pipe is not a regular file");
	assert_int_equal(fs_read(f->dir, ".", 100, &f->buf, &f->err), -1);
	assert_int_equal(fs_read(f->dir, "none", 100, &f->buf, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_GONE);
	assert_int_equal(fs_read_linked(link, 100, &f->buf, &f->err), 0);
	assert_string_equal(buf_text(&f->buf), "text");
}

static void test_a_secret_that_others_can_read_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = tmpdir_put_text(f->path, "password", "secret\r\n\n");
	static const mode_t open_modes[] = { 0640, 0604, 0660, 0601 };

	for (size_t i = 0; i < ARRAY_SIZE(open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_int_equal(fs_secret_read(path, 100, &f->buf, &f->err), -1);
		assert_int_equal(f->err.kind, ERR_DENIED);
		assert_non_null(strstr(f->err.text, "can be read by others; run: chmod 600 "));
		assert_int_equal(f->buf.len, 0);
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(fs_secret_read(path, 100, &f->buf, &f->err), 0);
	assert_string_equal(buf_text(&f->buf), "secret");
	buf_wipe(&f->buf);
}

static void test_a_credential_is_found_where_systemd_put_it(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *path = tmpdir_put_text(f->path, "print-connector_office", "secret\n");
	AUTO(free_str) char *found = NULL;

	/* a list of rights, which systemd sets, shows like this */
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->path, 1), 0);
	assert_int_equal(fs_secret_read("credential:office", 100, &f->buf, &f->err), 0);
	assert_string_equal(buf_text(&f->buf), "secret");
	found = fs_secret_path("credential:office");
	assert_string_equal(found, path);
	buf_wipe(&f->buf);
	assert_int_equal(fs_secret_read("credential:home", 100, &f->buf, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_GONE);
	assert_string_equal(f->err.text,
	                    "the service has no credential home; write it to "
	                    "/etc/print-connector/credentials/home, then: systemctl restart "
	                    "print-connector");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(fs_secret_read("credential:office", 100, &f->buf, &f->err), -1);
	assert_non_null(strstr(f->err.text, "the service has no credential office"));
}

static void test_a_secret_is_a_path_or_a_credential(void **state)
{
	static const char *const good[] = { "/etc/x", "credential:a", "credential:A.b_c-9" };
	static const char *const bad[] = { "",
		                           "x",
		                           "credential:",
		                           "credential:../x",
		                           "credential:a/b",
		                           "credential:.a",
		                           "credential:a b",
		                           "Credential:a" };
	char *none;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(fs_is_secret_path(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(fs_is_secret_path(bad[i]));
	none = fs_secret_path(NULL);
	assert_null(none);
}

static void test_directories_are_made_with_their_parents(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *deep = xasprintf("%s/a/b/c", f->path);
	AUTO(free_str) char *file = tmpdir_put_text(f->path, "file", "");
	struct stat st;
	int fd = -1;

	assert_int_equal(fs_open_dir(deep, 0700, false, &fd, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_GONE);
	assert_int_equal(fd, -1);
	assert_int_equal(fs_open_dir(deep, 0700, true, &fd, &f->err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(close(fd), 0);
	assert_int_equal(fs_open_dir(deep, 0700, true, &fd, &f->err), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
	assert_int_equal(fs_open_dir(file, 0700, true, &fd, &f->err), -1);
	assert_non_null(strstr(f->err.text, "open directory "));
}

static void test_a_second_holder_of_a_lock_is_told_the_first(void **state)
{
	struct fixture *f = *state;
	int first, second = -1;
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "already used by process %d", (int)getpid());
	assert_int_equal(fs_lock(f->dir, "lock", &first, &f->err), 0);
	assert_int_equal(fs_lock(f->dir, "lock", &second, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_REJECTED);
	assert_string_equal(f->err.text, expected);
	assert_int_equal(second, -1);
	assert_int_equal(close(first), 0);
	assert_int_equal(fs_lock(f->dir, "lock", &second, &f->err), 0);
	assert_int_equal(close(second), 0);
}

static void test_a_lock_holds_against_another_process(void **state)
{
	struct fixture *f = *state;
	int fd, status;
	pid_t pid;

	assert_int_equal(fs_lock(f->dir, "lock", &fd, &f->err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(fs_lock(f->dir, "lock", &fd, &f->err) < 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(close(fd), 0);
}

static void test_a_lock_that_cannot_name_its_holder_still_holds(void **state)
{
	struct fixture *f = *state;
	int first, second;

	fault_errno(ENOSPC);
	fault_arm(1); /* the write of the process id */
	assert_int_equal(fs_lock(f->dir, "lock", &first, &f->err), 0);
	assert_int_equal(fault_disarm(), 1);
	assert_int_equal(fs_lock(f->dir, "lock", &second, &f->err), -1);
	assert_string_equal(f->err.text, "already used by another process");
	assert_int_equal(close(first), 0);
	fault_arm(0);
	assert_int_equal(fs_lock(f->dir, "lock", &second, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
}

static void test_sweeping_takes_only_what_was_left_behind(void **state)
{
	struct fixture *f = *state;

	free(tmpdir_put_text(f->path, "a" FS_ASIDE, "part"));
	free(tmpdir_put_text(f->path, "b" FS_ASIDE, "part"));
	free(tmpdir_put_text(f->path, "news", "whole"));
	assert_int_equal(mkdirat(f->dir, "dir" FS_ASIDE, 0700), 0);
	fault_arm(1);
	assert_int_equal(fs_sweep(f->dir, FS_ASIDE, &f->err), -1);
	assert_int_equal(fault_disarm(), 1);
	assert_int_equal(fs_sweep(f->dir, FS_ASIDE, &f->err), 2);
	assert_int_equal(fs_sweep(f->dir, FS_ASIDE, &f->err), 0);
	assert_whole(f, "news", "whole", "whole");
	fault_arm(0);
	assert_int_equal(fs_sweep(f->dir, FS_ASIDE, &f->err), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_replaced_file_has_the_new_content_and_mode),
		TEST(test_a_failing_call_never_damages_the_old_content),
		TEST(test_a_disk_that_stays_full_leaves_the_old_content),
		TEST(test_a_link_in_the_place_of_the_new_file_is_not_followed),
		TEST(test_removing_what_is_not_there_is_fine),
		TEST(test_reading_stops_at_the_limit),
		TEST(test_a_failed_read_leaves_the_buffer_as_it_was),
		TEST(test_only_regular_files_are_read),
		TEST(test_a_secret_that_others_can_read_is_refused),
		TEST(test_a_credential_is_found_where_systemd_put_it),
		TEST(test_a_secret_is_a_path_or_a_credential),
		TEST(test_directories_are_made_with_their_parents),
		TEST(test_a_second_holder_of_a_lock_is_told_the_first),
		TEST(test_a_lock_holds_against_another_process),
		TEST(test_a_lock_that_cannot_name_its_holder_still_holds),
		TEST(test_sweeping_takes_only_what_was_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
