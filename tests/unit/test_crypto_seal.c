#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/base/crypto_seal.h"

#define COST   4 /* of scrypt: quick */
#define HEADER 64
#define PIECE  (65536 + 16)

struct source {
	const unsigned char *data;
	size_t len, at, step; /* step: bytes that one read gives at most */
};

static int to_buf(void *data, const void *bytes, size_t len, struct err *err)
{
	(void)err;
	return buf_append(data, bytes, len);
}

static int from_source(void *data, void *bytes, size_t len, size_t *ret_len, struct err *err)
{
	struct source *s = data;
	size_t n = s->len - s->at < len ? s->len - s->at : len;

	(void)err;
	n = n < s->step ? n : s->step;
	memcpy(bytes, s->data + s->at, n);
	s->at += n;
	*ret_len = n;
	return 0;
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void seal(struct buf *out, size_t len, const char *passphrase)
{
	struct crypto_seal *s;
	unsigned char part[1000];
	struct err err;

	buf_init(out, 16u * 1024 * 1024);
	assert_int_equal(crypto_seal_new(&s, passphrase, COST, to_buf, out, &err), 0);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < sizeof(part) ? len - at : sizeof(part);

		for (size_t i = 0; i < n; i++)
			part[i] = byte_at(at + i);
		assert_int_equal(crypto_seal_write(s, part, n, &err), 0);
		at += n;
	}
	assert_int_equal(crypto_seal_finish(s, &err), 0);
	crypto_seal_free(s);
}

/* 0: all bytes came and the end was whole; else the kind of the error, and how many were good. */
static enum err_kind unseal(const unsigned char *data, size_t sealed, size_t len,
                            const char *passphrase, size_t step, size_t *ret_good)
{
	struct source source = { .data = data, .len = sealed, .step = step };
	struct crypto_unseal *u = NULL;
	unsigned char byte;
	struct err err;

	*ret_good = 0;
	if (crypto_unseal_new(&u, passphrase, from_source, &source, &err) < 0)
		return err.kind;
	for (size_t i = 0; i < len; i++) {
		if (crypto_unseal_read(u, &byte, 1, &err) < 0) {
			crypto_unseal_free(u);
			return err.kind;
		}
		assert_int_equal(byte, byte_at(i));
		++*ret_good;
	}
	if (crypto_unseal_finish(u, &err) == 0)
		err.kind = ERR_NONE;
	crypto_unseal_free(u);
	return err.kind;
}

static void test_what_was_sealed_comes_back_whatever_its_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, 200000 };
	static const size_t steps[] = { 1u << 20, 7777 };
	struct buf out;
	size_t good;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		seal(&out, lengths[i], "correct horse");
		for (size_t n = 0; n < ARRAY_SIZE(steps); n++)
			assert_int_equal(unseal(out.data, out.len, lengths[i], "correct horse",
			                        steps[n], &good),
			                 ERR_NONE);
		buf_clear(&out);
	}
}

static void test_another_passphrase_is_called_wrong(void **state)
{
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 1000, "correct horse");
	assert_int_equal(unseal(out.data, out.len, 1000, "correct horsf", 1u << 20, &good),
	                 ERR_DENIED);
	assert_int_equal(unseal(out.data, out.len, 1000, "", 1u << 20, &good), ERR_DENIED);
	buf_clear(&out);
}

static void test_a_cut_anywhere_is_noticed(void **state)
{
	static const size_t cuts[] = { 1,
		                       15,
		                       16,
		                       40,
		                       63,
		                       64,
		                       65,
		                       1000,
		                       HEADER + PIECE - 1,
		                       HEADER + PIECE,
		                       HEADER + PIECE + 1,
		                       HEADER + 2 * PIECE };
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 150000, "correct horse");
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		enum err_kind kind =
			unseal(out.data, cuts[i], 150000, "correct horse", 1u << 20, &good);

		assert_int_equal(kind, cuts[i] < 16 ? ERR_REJECTED : ERR_CORRUPT);
		assert_true(good < 150000);
	}
	assert_int_equal(unseal(out.data, out.len - 1, 150000, "correct horse", 1u << 20, &good),
	                 ERR_CORRUPT);
	buf_clear(&out);
}

static void test_a_changed_byte_anywhere_is_noticed(void **state)
{
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 70000, "correct horse");
	for (size_t at = 0; at < out.len; at += at < 80 ? 1 : 4093) {
		enum err_kind kind;

		if (at == 20)
			continue; /* the cost: more of it would only be slow */
		out.data[at] ^= 1;
		kind = unseal(out.data, out.len, 70000, "correct horse", 1u << 20, &good);
		assert_int_not_equal(kind, ERR_NONE);
		assert_true(good == 0 || good == 65536);
		out.data[at] ^= 1;
	}
	assert_int_equal(unseal(out.data, out.len, 70000, "correct horse", 1u << 20, &good),
	                 ERR_NONE);
	buf_clear(&out);
}

static void test_pieces_cannot_change_places_or_be_added(void **state)
{
	unsigned char *mixed;
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 200000, "correct horse");
	mixed = xmalloc(out.len + PIECE);
	memcpy(mixed, out.data, out.len);
	memcpy(mixed + HEADER, out.data + HEADER + PIECE, PIECE);
	memcpy(mixed + HEADER + PIECE, out.data + HEADER, PIECE);
	assert_int_equal(unseal(mixed, out.len, 200000, "correct horse", 1u << 20, &good),
	                 ERR_CORRUPT);
	assert_int_equal(good, 0);
	memcpy(mixed, out.data, out.len);
	memcpy(mixed + out.len, out.data + HEADER, PIECE);
	assert_int_equal(unseal(mixed, out.len + PIECE, 200000, "correct horse", 1u << 20, &good),
	                 ERR_CORRUPT);
	free(mixed);
	buf_clear(&out);
}

static void test_what_is_left_behind_the_end_is_noticed(void **state)
{
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 70000, "correct horse");
	assert_int_equal(unseal(out.data, out.len, 100, "correct horse", 1u << 20, &good),
	                 ERR_CORRUPT);
	buf_clear(&out);
}

static void test_the_same_sealed_twice_looks_different(void **state)
{
	struct buf a, b;

	(void)state;
	seal(&a, 1000, "correct horse");
	seal(&b, 1000, "correct horse");
	assert_int_equal(a.len, b.len);
	assert_memory_not_equal(a.data + 24, b.data + 24, 16);
	assert_memory_not_equal(a.data + HEADER, b.data + HEADER, 1000);
	buf_clear(&a);
	buf_clear(&b);
}

static void test_costs_beyond_reason_are_refused_before_they_are_paid(void **state)
{
	struct buf out;
	size_t good;

	(void)state;
	seal(&out, 10, "correct horse");
	out.data[20] = 40;
	assert_int_equal(unseal(out.data, out.len, 10, "correct horse", 1u << 20, &good),
	                 ERR_CORRUPT);
	out.data[20] = COST;
	out.data[19] = 2; /* version */
	assert_int_equal(unseal(out.data, out.len, 10, "correct horse", 1u << 20, &good),
	                 ERR_REJECTED);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_sealed_comes_back_whatever_its_length),
		cmocka_unit_test(test_another_passphrase_is_called_wrong),
		cmocka_unit_test(test_a_cut_anywhere_is_noticed),
		cmocka_unit_test(test_a_changed_byte_anywhere_is_noticed),
		cmocka_unit_test(test_pieces_cannot_change_places_or_be_added),
		cmocka_unit_test(test_what_is_left_behind_the_end_is_noticed),
		cmocka_unit_test(test_the_same_sealed_twice_looks_different),
		cmocka_unit_test(test_costs_beyond_reason_are_refused_before_they_are_paid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
