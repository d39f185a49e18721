#include "connector/base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"

/* 2025-05-02 10:11:12 to 2035-04-30 10:11:12 */
#define NOT_BEFORE 1746180672
#define NOT_AFTER  (NOT_BEFORE + INT64_C(3650) * 86400)

static struct buf key, other_key; /* made once: each takes a tenth of a second */

static int make_keys(void **state)
{
	struct err err;

	(void)state;
	buf_init(&key, 16384);
	buf_init(&other_key, 16384);
	return crypto_key_new(&key, &err) || crypto_key_new(&other_key, &err);
}

static int wipe_keys(void **state)
{
	(void)state;
	buf_wipe(&key);
	buf_wipe(&other_key);
	return 0;
}

static EVP_PKEY *parse_key(const struct buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(pkey);
	return pkey;
}

/* A certificate as a cloud would give it. */
static char *make_certificate(const struct buf *of, const char *name)
{
	EVP_PKEY *pkey = parse_key(of);
	X509 *c = X509_new();
	X509_NAME *subject = X509_get_subject_name(c);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	ASN1_INTEGER_set(X509_get_serialNumber(c), 7);
	ASN1_TIME_set(X509_getm_notBefore(c), NOT_BEFORE);
	ASN1_TIME_set(X509_getm_notAfter(c), (time_t)NOT_AFTER);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
	                                            (const unsigned char *)name, -1, -1, 0),
	                 1);
	X509_set_issuer_name(c, subject);
	X509_set_pubkey(c, pkey);
	assert_true(X509_sign(c, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, c), 1);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	X509_free(c);
	EVP_PKEY_free(pkey);
	return text;
}

/* ---- UUIDs, digests, random ---- */

static void test_named_uuids_are_those_of_the_standard(void **state)
{
	static const struct {
		const char *space, *name, *expect;
	} rows[] = {
		/* RFC 9562 A.4, and others made with Python's uuid module */
		{ "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com",
		  "2ed6657d-e927-568b-95e1-2665a8aea6a2" },
		{ "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "python.org",
		  "886313e1-3b8a-5372-9b90-0c9aee199e5d" },
	};
	char out[UUID_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		crypto_uuid_name(rows[i].space, rows[i].name, out);
		assert_string_equal(out, rows[i].expect);
	}
}

static void test_a_damaged_name_space_still_names_alike_and_apart(void **state)
{
	static const char *const spaces[] = { "", "x", "6ba7b810-9dad-11d1-80b4-00c04fd430cx",
		                              "6ba7b8109dad11d180b400c04fd430c800000" };
	char out[4][UUID_TEXT], again[UUID_TEXT];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		crypto_uuid_name(spaces[i], "1", out[i]);
		crypto_uuid_name(spaces[i], "1", again);
		assert_string_equal(out[i], again);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(out[i], out[j]);
	}
}

static void test_random_uuids_have_their_form_and_differ(void **state)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	for (int i = 0; i < 100; i++) {
		crypto_uuid_random(a);
		crypto_uuid_random(b);
		assert_int_equal(strlen(a), UUID_TEXT - 1);
		assert_int_equal(strspn(a, "0123456789abcdef-"), UUID_TEXT - 1);
		assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_string_not_equal(a, b);
	}
}

static void test_digests_are_those_of_the_standard(void **state)
{
	static const uint8_t abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea };
	uint8_t out[32];

	(void)state;
	crypto_sha256("abc", 3, out);
	assert_memory_equal(out, abc, sizeof(abc));
	crypto_sha256("", 0, out);
	assert_int_equal(out[0], 0xe3);
}

static void test_random_bytes_fill_all_that_was_asked(void **state)
{
	static unsigned char big[100000], zeros[64];

	(void)state;
	crypto_random(big, sizeof(big));
	for (size_t i = 0; i + sizeof(zeros) <= sizeof(big); i += sizeof(zeros))
		assert_memory_not_equal(big + i, zeros, sizeof(zeros));
	crypto_random(big, 0);
}

/* ---- keys, requests, certificates ---- */

static void test_a_key_is_rsa_2048_in_pkcs8(void **state)
{
	EVP_PKEY *pkey = parse_key(&key);

	(void)state;
	assert_int_equal(strncmp(buf_text(&key), "-----BEGIN PRIVATE KEY-----\n", 28), 0);
	assert_int_equal(EVP_PKEY_get_base_id(pkey), EVP_PKEY_RSA);
	assert_int_equal(EVP_PKEY_get_bits(pkey), 2048);
	assert_string_not_equal(buf_text(&key), buf_text(&other_key));
	EVP_PKEY_free(pkey);
}

static void test_no_room_for_a_key_is_an_error(void **state)
{
	struct buf small;
	struct err err;

	(void)state;
	buf_init(&small, 100);
	assert_int_equal(crypto_key_new(&small, &err), -1);
	assert_int_equal(small.len, 0);
	buf_clear(&small);
}

static void test_a_request_carries_name_and_key_and_proves_it(void **state)
{
	struct buf pem;
	struct err err;
	EVP_PKEY *pkey = parse_key(&key), *inside;
	X509_REQ *req;
	char name[100];
	BIO *bio;

	(void)state;
	buf_init(&pem, 16384);
	assert_int_equal(crypto_request_new(buf_text(&key), "printer-1", &pem, &err), 0);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	assert_non_null(req);
	inside = X509_REQ_get_pubkey(req);
	assert_int_equal(EVP_PKEY_eq(inside, pkey), 1);
	assert_int_equal(X509_REQ_verify(req, inside), 1);
	assert_int_equal(X509_REQ_get_signature_nid(req), NID_sha256WithRSAEncryption);
	X509_NAME_oneline(X509_REQ_get_subject_name(req), name, sizeof(name));
	assert_string_equal(name, "/CN=printer-1");
	EVP_PKEY_free(inside);
	EVP_PKEY_free(pkey);
	X509_REQ_free(req);
	BIO_free(bio);
	buf_clear(&pem);
}

static void test_a_request_needs_a_key_and_a_name_that_fits(void **state)
{
	char name[66];
	struct buf pem;
	struct err err;

	(void)state;
	buf_init(&pem, 16384);
	memset(name, 'n', sizeof(name));
	name[65] = '\0';
	assert_int_equal(crypto_request_new(buf_text(&key), name, &pem, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(crypto_request_new(buf_text(&key), "", &pem, &err), -1);
	name[64] = '\0';
	assert_int_equal(crypto_request_new("not a key", name, &pem, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(pem.len, 0);
	assert_int_equal(crypto_request_new(buf_text(&key), name, &pem, &err), 0);
	buf_clear(&pem);
}

static void test_an_encrypted_key_is_refused_without_asking(void **state)
{
	EVP_PKEY *pkey = parse_key(&key);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf out;
	struct err err;
	char *data, *pem;
	long len;

	(void)state;
	buf_init(&out, 16384);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), "secret", 6,
	                                               NULL, NULL),
	                 1);
	len = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)len);
	assert_int_equal(crypto_request_new(pem, "n", &out, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	free(pem);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	buf_clear(&out);
}

static void test_a_certificate_tells_its_times_names_and_digest(void **state)
{
	struct crypto_certificate c;
	char *pem = make_certificate(&key, "Example\nPrint, Inc"), digest[65];
	unsigned char der_digest[32];
	struct err err;
	unsigned len;
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	(void)state;
	assert_int_equal(crypto_certificate_read(pem, &c, &err), 0);
	assert_int_equal(c.not_before, NOT_BEFORE);
	assert_int_equal(c.not_after, NOT_AFTER);
	assert_string_equal(c.subject, "O=Example\\0APrint\\, Inc");
	assert_string_equal(c.issuer, c.subject);
	assert_int_equal(X509_digest(x, EVP_sha256(), der_digest, &len), 1);
	for (size_t i = 0; i < sizeof(der_digest); i++)
		(void)snprintf(digest + 2 * i, 3, "%02x", der_digest[i]);
	assert_string_equal(c.sha256, digest);
	X509_free(x);
	BIO_free(bio);
	free(pem);
}

static void test_damaged_certificates_are_refused(void **state)
{
	char *pem = make_certificate(&key, "Example");
	size_t len = strlen(pem);
	struct crypto_certificate c = { .not_after = 5 };
	struct err err;

	(void)state;
	assert_int_equal(crypto_certificate_read("", &c, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(crypto_certificate_read(buf_text(&key), &c, &err), -1);
	for (size_t cut = 1; cut < len - 1; cut += 13) {
		char *part = strndup(pem, len - 1 - cut);

		assert_int_equal(crypto_certificate_read(part, &c, &err), -1);
		free(part);
	}
	assert_int_equal(c.not_after, 5);
	free(pem);
}

static void test_a_certificate_belongs_to_one_key(void **state)
{
	char *pem = make_certificate(&key, "Example");
	struct err err;

	(void)state;
	assert_int_equal(crypto_certificate_matches(pem, buf_text(&key), &err), 0);
	assert_int_equal(crypto_certificate_matches(pem, buf_text(&other_key), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(crypto_certificate_matches(pem, pem, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(crypto_certificate_matches("x", buf_text(&key), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	free(pem);
}

/* ---- documents in transit ---- */

static void test_a_document_can_be_read_from_any_offset(void **state)
{
	enum { LEN = 5000 };
	static unsigned char plain[LEN], sealed[LEN], part[LEN];
	struct crypto_cipher *c = crypto_cipher_new();
	unsigned seed = 99;
	struct err err;
	size_t from = 0;

	(void)state;
	crypto_random(plain, LEN);
	memcpy(sealed, plain, LEN);
	while (from < LEN) { /* written in odd pieces */
		size_t n = (size_t)rand_r(&seed) % 40;

		n = n < LEN - from ? n : LEN - from;
		assert_int_equal(crypto_cipher_apply(c, 1, from, sealed + from, n, &err), 0);
		from += n;
	}
	assert_memory_not_equal(sealed, plain, 32);
	for (int i = 0; i < 500; i++) {
		size_t at = (size_t)rand_r(&seed) % LEN;
		size_t n = (size_t)rand_r(&seed) % (LEN - at);

		memcpy(part, sealed + at, n);
		assert_int_equal(crypto_cipher_apply(c, 1, at, part, n, &err), 0);
		assert_memory_equal(part, plain + at, n);
	}
	crypto_cipher_free(c);
	crypto_cipher_free(NULL);
}

static void test_no_two_files_or_keys_share_a_key_stream(void **state)
{
	struct crypto_cipher *one = crypto_cipher_new(), *two = crypto_cipher_new();
	unsigned char a[32] = { 0 }, b[32] = { 0 }, c[32] = { 0 }, far[32] = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(crypto_cipher_apply(one, 1, 0, a, sizeof(a), &err), 0);
	assert_int_equal(crypto_cipher_apply(one, 2, 0, b, sizeof(b), &err), 0);
	assert_int_equal(crypto_cipher_apply(two, 1, 0, c, sizeof(c), &err), 0);
	assert_int_equal(crypto_cipher_apply(one, 1, UINT64_MAX - 31, far, sizeof(far), &err), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	assert_memory_not_equal(b, c, sizeof(b));
	assert_memory_not_equal(b, far, sizeof(b));
	crypto_cipher_free(one);
	crypto_cipher_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_uuids_are_those_of_the_standard),
		cmocka_unit_test(test_a_damaged_name_space_still_names_alike_and_apart),
		cmocka_unit_test(test_random_uuids_have_their_form_and_differ),
		cmocka_unit_test(test_digests_are_those_of_the_standard),
		cmocka_unit_test(test_random_bytes_fill_all_that_was_asked),
		cmocka_unit_test(test_a_key_is_rsa_2048_in_pkcs8),
		cmocka_unit_test(test_no_room_for_a_key_is_an_error),
		cmocka_unit_test(test_a_request_carries_name_and_key_and_proves_it),
		cmocka_unit_test(test_a_request_needs_a_key_and_a_name_that_fits),
		cmocka_unit_test(test_an_encrypted_key_is_refused_without_asking),
		cmocka_unit_test(test_a_certificate_tells_its_times_names_and_digest),
		cmocka_unit_test(test_damaged_certificates_are_refused),
		cmocka_unit_test(test_a_certificate_belongs_to_one_key),
		cmocka_unit_test(test_a_document_can_be_read_from_any_offset),
		cmocka_unit_test(test_no_two_files_or_keys_share_a_key_stream),
	};

	return cmocka_run_group_tests(tests, make_keys, wipe_keys);
}
