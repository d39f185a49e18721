#include "connector/base/crypto_vault.h"

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

#include "common/err.h"
#include "common/util.h"
#include "tests/lib/tmpdir.h"

#define PIN "4711-a-PIN"

struct fixture {
	char *dir, *path;
	struct vault *vault;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;

	f->dir = tmpdir_new();
	f->path = xasprintf("%s/state/passwords.key", f->dir);
	assert_int_equal(vault_load(&f->vault, f->path, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vault_free(f->vault);
	tmpdir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void test_what_was_sealed_is_read_by_a_later_process_with_the_same_key(void **state)
{
	struct fixture *f = *state;
	unsigned char sealed[VAULT_SECRET_MAX], again[VAULT_SECRET_MAX], plain[VAULT_SECRET_MAX];
	size_t len, len_again, plain_len;
	struct vault *later;
	struct stat st;
	struct err err;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(vault_seal(f->vault, PIN, strlen(PIN), sealed, &len, &err), 0);
	assert_null(memmem(sealed, len, PIN, 4));
	assert_int_equal(vault_seal(f->vault, PIN, strlen(PIN), again, &len_again, &err), 0);
	assert_memory_not_equal(sealed, again, len);
	assert_int_equal(vault_load(&later, f->path, &err), 0);
	assert_int_equal(vault_unseal(later, sealed, len, plain, &plain_len, &err), 0);
	assert_int_equal(plain_len, strlen(PIN));
	assert_memory_equal(plain, PIN, plain_len);
	vault_free(later);
}

static void test_the_longest_secret_fits_and_a_longer_one_is_refused(void **state)
{
	struct fixture *f = *state;
	unsigned char sealed[VAULT_SECRET_MAX], plain[VAULT_SECRET_MAX];
	char secret[VAULT_SEALED_MAX + 1];
	size_t len, plain_len;
	struct err err;

	memset(secret, 'p', sizeof(secret));
	assert_int_equal(vault_seal(f->vault, secret, VAULT_SEALED_MAX, sealed, &len, &err), 0);
	assert_int_equal(len, VAULT_SECRET_MAX);
	assert_int_equal(vault_unseal(f->vault, sealed, len, plain, &plain_len, &err), 0);
	assert_int_equal(plain_len, VAULT_SEALED_MAX);
	assert_int_equal(vault_seal(f->vault, secret, sizeof(secret), sealed, &len, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(vault_seal(f->vault, "", 0, sealed, &len, &err), 0);
	assert_int_equal(vault_unseal(f->vault, sealed, len, plain, &plain_len, &err), 0);
	assert_int_equal(plain_len, 0);
}

static void test_what_was_changed_or_sealed_under_another_key_is_not_believed(void **state)
{
	struct fixture *f = *state;
	unsigned char sealed[VAULT_SECRET_MAX], plain[VAULT_SECRET_MAX];
	size_t len, plain_len;
	struct vault *other;
	struct err err;

	assert_int_equal(vault_seal(f->vault, PIN, strlen(PIN), sealed, &len, &err), 0);
	for (size_t i = 0; i < len; i++) {
		sealed[i] ^= 1;
		assert_int_equal(vault_unseal(f->vault, sealed, len, plain, &plain_len, &err), -1);
		assert_int_equal(err.kind, ERR_REJECTED);
		sealed[i] ^= 1;
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(vault_unseal(f->vault, sealed, i, plain, &plain_len, &err), -1);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(vault_load(&other, f->path, &err), 0);
	assert_int_equal(vault_unseal(other, sealed, len, plain, &plain_len, &err), -1);
	vault_free(other);
	assert_int_equal(vault_seal(NULL, PIN, 4, sealed, &len, &err), -1);
	assert_int_equal(vault_unseal(NULL, sealed, len, plain, &plain_len, &err), -1);
}

static void test_a_file_that_is_no_key_or_that_others_may_read_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct vault *v;
	struct err err;

	assert_int_equal(chmod(f->path, 0640), 0);
	assert_int_equal(vault_load(&v, f->path, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(truncate(f->path, 31), 0);
	assert_int_equal(vault_load(&v, f->path, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.text, "is not a key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_what_was_sealed_is_read_by_a_later_process_with_the_same_key),
		TEST(test_the_longest_secret_fits_and_a_longer_one_is_refused),
		TEST(test_what_was_changed_or_sealed_under_another_key_is_not_believed),
		TEST(test_a_file_that_is_no_key_or_that_others_may_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
