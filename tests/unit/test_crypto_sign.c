/* What web services want of keys, requests and certificates: DER, base64, signatures. */
#include "connector/base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "tests/unit/keys_case.h"

static struct buf out, other;

static int setup(void **state)
{
	(void)state;
	buf_init(&out, 16384);
	buf_init(&other, 16384);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_clear(&out);
	buf_clear(&other);
	return 0;
}

static void assert_coded(const char *in, size_t len, const char *plain, const char *url)
{
	buf_clear(&out);
	buf_clear(&other);
	assert_int_equal(crypto_base64(in, len, &out), 0);
	assert_int_equal(crypto_base64url(in, len, &other), 0);
	assert_string_equal(buf_text(&out), plain);
	assert_string_equal(buf_text(&other), url);
}

static void test_base64_is_that_of_the_standard(void **state)
{
	struct buf small;

	(void)state;
	assert_coded("", 0, "", "");
	assert_coded("f", 1, "Zg==", "Zg");
	assert_coded("hi", 2, "aGk=", "aGk");
	assert_coded("foo", 3, "Zm9v", "Zm9v");
	assert_coded("foobar", 6, "Zm9vYmFy", "Zm9vYmFy");
	assert_coded("\xfb\xff\xfe", 3, "+//+", "-__-");
	assert_coded("\0\0", 2, "AAA=", "AAA");
	buf_init(&small, 4);
	assert_int_equal(crypto_base64("foobar", 6, &small), -1);
	buf_clear(&small);
}

static void test_a_signature_verifies_with_the_key_it_was_made_with(void **state)
{
	static const char text[] = "header.claims";
	BIO *bio = BIO_new_mem_buf(key.data, (int)key.len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct err err;

	(void)state;
	assert_int_equal(crypto_sign_rs256(buf_text(&key), text, strlen(text), &out, &err), 0);
	assert_int_equal(out.len, 256);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
	assert_int_equal(
		EVP_DigestVerify(ctx, out.data, out.len, (const unsigned char *)text, strlen(text)),
		1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	assert_int_equal(crypto_sign_rs256("junk", text, 1, &out, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_a_key_of_another_kind_does_not_sign(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char pem[1024], *data;
	long len;
	struct err err;

	(void)state;
	assert_int_equal(PEM_write_bio_PrivateKey(bio, ec, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &data);
	(void)snprintf(pem, sizeof(pem), "%.*s", (int)len, data);
	assert_int_equal(crypto_sign_rs256(pem, "a", 1, &out, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	EVP_PKEY_free(ec);
	BIO_free(bio);
}

static void test_a_requests_public_key_is_that_of_its_key(void **state)
{
	const unsigned char *p;
	EVP_PKEY *pkey;
	struct err err;

	(void)state;
	assert_int_equal(crypto_request_public_key(buf_text(&request), &out, &err), 0);
	assert_int_equal(crypto_key_public(buf_text(&key), &other, &err), 0);
	assert_int_equal(out.len, other.len);
	assert_memory_equal(out.data, other.data, out.len);
	p = out.data;
	pkey = d2i_PUBKEY(NULL, &p, (long)out.len);
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), 2048);
	EVP_PKEY_free(pkey);
	assert_int_equal(crypto_request_public_key(certificate, &out, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(crypto_key_public("junk", &out, &err), -1);
}

static void test_der_is_what_stands_in_the_pem(void **state)
{
	const unsigned char *p;
	X509_REQ *req;
	X509 *c;
	struct err err;

	(void)state;
	assert_int_equal(crypto_request_der(buf_text(&request), &out, &err), 0);
	p = out.data;
	req = d2i_X509_REQ(NULL, &p, (long)out.len);
	assert_non_null(req);
	assert_ptr_equal(p, out.data + out.len);
	X509_REQ_free(req);
	assert_int_equal(crypto_certificate_der(certificate, &other, &err), 0);
	p = other.data;
	c = d2i_X509(NULL, &p, (long)other.len);
	assert_non_null(c);
	X509_free(c);
	assert_int_equal(crypto_request_der("", &out, &err), -1);
	assert_int_equal(crypto_certificate_der("", &out, &err), -1);
}

static void test_no_room_is_an_error(void **state)
{
	struct buf small;
	struct err err;

	(void)state;
	buf_init(&small, 8);
	assert_int_equal(crypto_request_der(buf_text(&request), &small, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	assert_int_equal(crypto_sign_rs256(buf_text(&key), "a", 1, &small, &err), -1);
	assert_int_equal(err.kind, ERR_TEMPORARY);
	buf_clear(&small);
}

static void test_a_certificate_answers_one_request(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(crypto_certificate_answers(certificate, buf_text(&request), &err), 0);
	assert_int_equal(crypto_request_new(buf_text(&other_key), "lab", &out, &err), 0);
	assert_int_equal(crypto_certificate_answers(certificate, buf_text(&out), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(crypto_certificate_answers("x", buf_text(&request), &err), -1);
	assert_int_equal(crypto_certificate_answers(certificate, "x", &err), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_base64_is_that_of_the_standard),
		TEST(test_a_signature_verifies_with_the_key_it_was_made_with),
		TEST(test_a_key_of_another_kind_does_not_sign),
		TEST(test_a_requests_public_key_is_that_of_its_key),
		TEST(test_der_is_what_stands_in_the_pem),
		TEST(test_no_room_is_an_error),
		TEST(test_a_certificate_answers_one_request),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
