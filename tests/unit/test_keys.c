#include <fcntl.h>
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

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/store/keys.h"
#include "connector/base/records.h"
#include "tests/lib/fault.h"

#define ID  "7d0b5f0e-2d9b-4c53-9a9e-0c1f6f1a2b3c"
#define KEY "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
#define PEM "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"

static int setup(void **state)
{
	char *dir = xstrdup("/tmp/test-keys-XXXXXX");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static void empty(const char *dir, const char *sub)
{
	AUTO(free_str) char *path = xasprintf("%s/%s", dir, sub);
	AUTO(close_fd) int fd = -1;
	struct err err;

	if (fs_open_dir(path, 0700, false, &fd, &err) == 0)
		(void)fs_sweep(fd, "", &err);
	(void)rmdir(path);
}

static int teardown(void **state)
{
	char *dir = *state;

	empty(dir, "keys");
	empty(dir, "certificates");
	assert_int_equal(rmdir(dir), 0); /* nothing else was left anywhere */
	free(dir);
	return 0;
}

static void assert_content(struct buf *b, const char *text)
{
	assert_string_equal(buf_text(b), text);
	buf_wipe(b);
}

static void test_what_was_saved_is_loaded(void **state)
{
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	assert_int_equal(keys_save(*state, ID, KEY, &err), 0);
	assert_int_equal(keys_save_certificate(*state, ID, PEM, &err), 0);
	assert_int_equal(keys_load(*state, ID, &b, &err), 0);
	assert_content(&b, KEY);
	assert_int_equal(keys_load_certificate(*state, ID, &b, &err), 0);
	assert_content(&b, PEM);
}

static void test_a_second_save_replaces_the_first(void **state)
{
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	assert_int_equal(keys_save_certificate(*state, ID, "old", &err), 0);
	assert_int_equal(keys_save_certificate(*state, ID, PEM, &err), 0);
	assert_int_equal(keys_load_certificate(*state, ID, &b, &err), 0);
	assert_content(&b, PEM);
}

static void test_nobody_else_can_read_a_key(void **state)
{
	AUTO(free_str) char *dir = xasprintf("%s/keys", (char *)*state);
	char path[URI_SIZE];
	struct stat st;
	struct err err;
	mode_t old = umask(0);

	assert_int_equal(keys_save(*state, ID, KEY, &err), 0);
	(void)umask(old);
	keys_path(*state, ID, path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_a_key_that_others_can_read_is_refused(void **state)
{
	char path[URI_SIZE];
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	assert_int_equal(keys_save(*state, ID, KEY, &err), 0);
	keys_path(*state, ID, path, sizeof(path));
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(keys_load(*state, ID, &b, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(b.len, 0);
}

static void test_paths_are_those_of_the_files(void **state)
{
	AUTO(free_str) char *key = xasprintf("%s/keys/" ID ".pem", (char *)*state);
	AUTO(free_str) char *certificate = xasprintf("%s/certificates/" ID ".pem", (char *)*state);
	char path[URI_SIZE];

	keys_path(*state, ID, path, sizeof(path));
	assert_string_equal(path, key);
	keys_certificate_path(*state, ID, path, sizeof(path));
	assert_string_equal(path, certificate);
}

static void test_a_name_that_leaves_the_directory_is_refused(void **state)
{
	static const char *const bad[] = {
		"",      ".",   "..", "../state", "a/b",
		"a.pem", "a b", "\n", "\xff",     "0123456789012345678901234567890123456789",
	};
	char path[URI_SIZE] = "old";
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(keys_save(*state, bad[i], KEY, &err), -1);
		assert_int_equal(err.kind, ERR_REJECTED);
		assert_int_equal(keys_save_certificate(*state, bad[i], PEM, &err), -1);
		assert_int_equal(keys_load(*state, bad[i], &b, &err), -1);
		assert_int_equal(keys_load_certificate(*state, bad[i], &b, &err), -1);
		assert_int_equal(keys_remove(*state, bad[i], &err), -1);
		keys_path(*state, bad[i], path, sizeof(path));
		assert_string_equal(path, "");
	}
}

static void test_a_path_that_does_not_fit_is_empty(void **state)
{
	char path[16] = "old";

	keys_path(*state, ID, path, sizeof(path));
	assert_string_equal(path, "");
}

static void test_missing_files_are_gone(void **state)
{
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	assert_int_equal(keys_load(*state, ID, &b, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
	assert_int_equal(keys_load_certificate(*state, ID, &b, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
}

static void test_removing_takes_both_and_none_is_fine(void **state)
{
	struct buf b;
	struct err err;

	buf_init(&b, 65536);
	assert_int_equal(keys_remove(*state, ID, &err), 0);
	assert_int_equal(keys_save(*state, ID, KEY, &err), 0);
	assert_int_equal(keys_save_certificate(*state, ID, PEM, &err), 0);
	assert_int_equal(keys_remove(*state, ID, &err), 0);
	assert_int_equal(keys_load(*state, ID, &b, &err), -1);
	assert_int_equal(keys_load_certificate(*state, ID, &b, &err), -1);
	assert_int_equal(keys_remove(*state, ID, &err), 0);
}

static void test_a_huge_file_is_neither_written_nor_read(void **state)
{
	AUTO(free_str) char *huge = xmalloc(70000);
	char path[URI_SIZE];
	struct buf b;
	struct err err;
	FILE *file;

	memset(huge, 'A', 69999);
	huge[69999] = '\0';
	assert_int_equal(keys_save(*state, ID, huge, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(keys_save(*state, ID, KEY, &err), 0);
	keys_path(*state, ID, path, sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(huge, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
	buf_init(&b, 1 << 20);
	assert_int_equal(keys_load(*state, ID, &b, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(b.len, 0);
	buf_wipe(&b);
}

static void test_a_failing_call_never_damages_the_old_key(void **state)
{
	struct buf b;
	struct err err;
	bool failed = true;
	int n, rc;

	buf_init(&b, 65536);
	for (n = 0; failed; n++) {
		assert_int_equal(keys_save(*state, ID, "old", &err), 0);
		fault_arm(n);
		rc = keys_save(*state, ID, KEY, &err);
		failed = fault_disarm();
		assert_true(rc == 0 || failed);
		assert_int_equal(keys_load(*state, ID, &b, &err), 0);
		if (rc == 0 || strcmp(buf_text(&b), "old") != 0)
			assert_string_equal(buf_text(&b), KEY);
		buf_wipe(&b);
	}
	assert_true(n > 3);
}

#define KEYS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_a_printer_has_room_for_two_pairs(void **state)
{
	const char *dir = *state;
	char first[ID_SIZE], second[ID_SIZE];
	struct err err;
	struct buf pem;

	keys_pair_id(ID, false, first);
	keys_pair_id(ID, true, second);
	assert_string_equal(first, ID);
	assert_string_equal(second, ID "-2");
	assert_int_equal(keys_save(dir, first, KEY, &err), 0);
	assert_int_equal(keys_save(dir, second, KEY "2", &err), 0);
	assert_int_equal(keys_remove(dir, first, &err), 0);
	buf_init(&pem, 4096);
	assert_int_equal(keys_load(dir, first, &pem, &err), -1);
	assert_int_equal(keys_load(dir, second, &pem, &err), 0);
	assert_string_equal(buf_text(&pem), KEY "2");
	buf_clear(&pem);
	keys_pair_id("not a uuid but a text of 39 characters..", true, first);
	assert_string_equal(first, "");
}

static void test_what_a_crash_left_is_swept_and_nothing_else(void **state)
{
	AUTO(free_str) char *half = xasprintf("%s/keys/" ID ".pem" FS_ASIDE, (char *)*state);
	const char *dir = *state;
	struct err err;
	struct buf pem;

	assert_int_equal(keys_sweep(dir, &err), 0); /* there are no directories yet */
	assert_int_equal(keys_save(dir, ID, KEY, &err), 0);
	assert_int_equal(keys_save_certificate(dir, ID, PEM, &err), 0);
	assert_int_equal(fs_replace(AT_FDCWD, half, "-----BEG", 8, 0600, &err), 0);
	assert_int_equal(keys_sweep(dir, &err), 0);
	assert_int_equal(access(half, F_OK), -1);
	buf_init(&pem, 4096);
	assert_int_equal(keys_load(dir, ID, &pem, &err), 0);
	assert_int_equal(keys_load_certificate(dir, ID, &pem, &err), 0);
	buf_wipe(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS_TEST(test_what_was_saved_is_loaded),
		KEYS_TEST(test_a_printer_has_room_for_two_pairs),
		KEYS_TEST(test_a_second_save_replaces_the_first),
		KEYS_TEST(test_nobody_else_can_read_a_key),
		KEYS_TEST(test_a_key_that_others_can_read_is_refused),
		KEYS_TEST(test_paths_are_those_of_the_files),
		KEYS_TEST(test_a_name_that_leaves_the_directory_is_refused),
		KEYS_TEST(test_a_path_that_does_not_fit_is_empty),
		KEYS_TEST(test_missing_files_are_gone),
		KEYS_TEST(test_what_a_crash_left_is_swept_and_nothing_else),
		KEYS_TEST(test_removing_takes_both_and_none_is_fine),
		KEYS_TEST(test_a_failing_call_never_damages_the_old_key),
		KEYS_TEST(test_a_huge_file_is_neither_written_nor_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
