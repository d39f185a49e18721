/* What OpenSSL frees is not left in memory. */
#include "connector/base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include <cmocka.h>

#include "common/util.h"

#define MASK     0x5a /* so that what is looked for is not found in its own pattern */
#define SECRET   32
#define BLOCK    4096
#define AREA_MAX (1ul << 30) /* bytes; a sanitizer's own areas are larger */

static uint8_t masked[SECRET];

static void put_secret(uint8_t *at)
{
	for (size_t i = 0; i < SECRET; i++)
		at[i] = masked[i] ^ MASK;
}

static bool is_secret(const uint8_t *at)
{
	for (size_t i = 0; i < SECRET; i++) {
		if ((at[i] ^ MASK) != masked[i])
			return false;
	}
	return true;
}

/* In all memory that the process may write, its stack too. */
static unsigned count_secrets(void)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
	static uint8_t part[1 << 16];
	unsigned long first, last;
	unsigned found = 0;
	char line[512], rights[5];
	size_t n;

	assert_non_null(maps);
	assert_non_null(memory);
	(void)setvbuf(memory, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &first, &last, rights) != 3 ||
		    strncmp(rights, "rw", 2) != 0 || last - first > AREA_MAX)
			continue;
		for (; first < last; first += sizeof(part) - SECRET + 1) { /* parts overlap */
			n = last - first < sizeof(part) ? last - first : sizeof(part);
			if (fseek(memory, (long)first, SEEK_SET) != 0)
				continue;
			n = fread(part, 1, n, memory);
			for (size_t at = 0; at + SECRET <= n; at++)
				found += is_secret(part + at);
			wipe(part, sizeof(part));
		}
	}
	(void)fclose(maps);
	(void)fclose(memory);
	return found;
}

static int setup(void **state)
{
	(void)state;
	crypto_random(masked, sizeof(masked));
	return 0;
}

static void test_what_openssl_frees_is_gone(void **state)
{
	uint8_t *block = OPENSSL_malloc(BLOCK);

	(void)state;
	put_secret(block + BLOCK / 2);
	assert_int_equal(count_secrets(), 1);
	OPENSSL_free(block);
	assert_int_equal(count_secrets(), 0);
}

static void test_what_openssl_moves_is_in_one_place(void **state)
{
	uint8_t *block = OPENSSL_malloc(BLOCK), *next = OPENSSL_malloc(BLOCK);

	(void)state;
	put_secret(block + BLOCK / 2);
	block = OPENSSL_realloc(block, (size_t)BLOCK * 4);
	assert_non_null(block);
	assert_true(is_secret(block + BLOCK / 2));
	assert_int_equal(count_secrets(), 1);
	OPENSSL_free(block);
	OPENSSL_free(next);
	assert_int_equal(count_secrets(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_openssl_frees_is_gone, setup),
		cmocka_unit_test_setup(test_what_openssl_moves_is_in_one_place, setup),
	};

	crypto_wipe_freed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
