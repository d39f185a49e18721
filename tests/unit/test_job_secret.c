#include "connector/cloud/job_secret.h"

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
#include "connector/base/attrs.h"
#include "connector/base/crypto_vault.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/ticket_secret.h"
#include "tests/lib/tmpdir.h"
#include "tests/lib/says.h"

#define PIN "47114711"

struct fixture {
	char *dir;
	struct vault *vault;
	ipp_t *message, *request, *capabilities;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	AUTO(free_str) char *path = NULL;
	struct err err;

	f->dir = tmpdir_new();
	path = xasprintf("%s/key", f->dir);
	assert_int_equal(vault_load(&f->vault, path, &err), 0);
	f->message = ippNew();
	f->request = ippNew();
	f->capabilities = ippNew();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ippDelete(f->message);
	ippDelete(f->request);
	ippDelete(f->capabilities);
	vault_free(f->vault);
	tmpdir_free(f->dir);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *name, const char *secret)
{
	ippAddOctetString(f->message, IPP_TAG_OPERATION, name, secret, (int)strlen(secret));
}

/* A ticket with this PIN, in the message. */
static void ask(struct fixture *f, const char *pin, const char *encryption)
{
	struct sealed *sealed;

	say(f, "job-password", pin);
	sealed = job_secret_take(f->vault, f->message, "job-password");
	ippDelete(f->message);
	f->message = ippNew();
	ippAddOctetString(f->message, IPP_TAG_JOB, ATTRS_JOB_PASSWORD, sealed->bytes,
	                  (int)sealed->len);
	if (encryption)
		ippAddString(f->message, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-password-encryption",
		             NULL, encryption);
	free(sealed);
}

static void support(struct fixture *f, int most, const char *encryption)
{
	if (most >= 0)
		ippAddInteger(f->capabilities, IPP_TAG_PRINTER, IPP_TAG_INTEGER,
		              "job-password-supported", most);
	if (encryption)
		ippAddString(f->capabilities, IPP_TAG_PRINTER, IPP_TAG_KEYWORD,
		             "job-password-encryption-supported", NULL, encryption);
}

static void assert_refused(struct fixture *f, const char *says)
{
	struct err err;

	assert_int_equal(
		ticket_secret_add_pin(f->request, f->message, f->capabilities, f->vault, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_int_equal(err.code, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES);
	assert_says(&err, says);
	assert_null(ippFindAttribute(f->request, "job-password", IPP_TAG_ZERO));
}

static void test_what_was_taken_is_sealed_and_wiped_where_it_stood(void **state)
{
	struct fixture *f = *state;
	unsigned char plain[VAULT_SECRET_MAX];
	struct sealed *sealed;
	struct buf out;
	struct err err;
	size_t len;

	say(f, "job-password", PIN);
	sealed = job_secret_take(f->vault, f->message, "job-password");
	assert_non_null(sealed);
	assert_null(memmem(sealed->bytes, sealed->len, PIN, 4));
	assert_int_equal(vault_unseal(f->vault, sealed->bytes, sealed->len, plain, &len, &err), 0);
	assert_int_equal(len, strlen(PIN));
	assert_memory_equal(plain, PIN, len);
	buf_init(&out, 4096);
	assert_int_equal(ipp_encode(f->message, &out, &err), 0);
	assert_null(memmem(out.data, out.len, PIN, 4));
	buf_clear(&out);
	free(sealed);
	assert_null(job_secret_take(f->vault, f->message, "document-password"));
}

static void test_a_secret_that_cannot_be_kept_is_not_taken_for_none(void **state)
{
	struct fixture *f = *state;
	struct sealed *sealed;

	ippAddString(f->message, IPP_TAG_OPERATION, IPP_TAG_TEXT, "document-password", NULL, PIN);
	sealed = job_secret_take(f->vault, f->message, "document-password");
	assert_non_null(sealed);
	assert_int_equal(sealed->len, 0);
	free(sealed);
	say(f, "job-password", PIN);
	sealed = job_secret_take(NULL, f->message, "job-password");
	assert_int_equal(sealed->len, 0);
	free(sealed);
	ippDelete(f->message);
	f->message = ippNew();
	ask(f, "", NULL);
	support(f, 8, NULL);
	assert_refused(f, "cannot be read any more");
}

static void test_a_pin_goes_to_a_printer_that_takes_it(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int len = 0;
	ipp_attribute_t *attr;

	ask(f, PIN, NULL);
	support(f, 8, NULL);
	assert_int_equal(
		ticket_secret_add_pin(f->request, f->message, f->capabilities, f->vault, &err), 0);
	attr = ippFindAttribute(f->request, "job-password", IPP_TAG_STRING);
	assert_int_equal(ippGetGroupTag(attr), IPP_TAG_OPERATION);
	assert_memory_equal(ippGetOctetString(attr, 0, &len), PIN, strlen(PIN));
	assert_int_equal(len, strlen(PIN));
	assert_string_equal(
		ipp_get_text(f->request, IPP_TAG_OPERATION, "job-password-encryption", ""), "none");
	ipp_wipe_secrets(f->request);
	assert_memory_not_equal(ippGetOctetString(attr, 0, &len), PIN, strlen(PIN));
}

static void test_a_pin_encrypted_as_the_printer_knows_goes_there_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct err err;

	ask(f, "0123456789abcdef0123456789abcdef", "sha2-256");
	support(f, 4, "sha2-256");
	assert_int_equal(
		ticket_secret_add_pin(f->request, f->message, f->capabilities, f->vault, &err), 0);
	assert_string_equal(
		ipp_get_text(f->request, IPP_TAG_OPERATION, "job-password-encryption", ""),
		"sha2-256");
}

static void test_a_job_that_is_to_wait_for_a_pin_is_never_made_without(void **state)
{
	static const struct {
		const char *pin, *encryption;
		int most;
		const char *known, *says;
	} cases[] = {
		{ PIN, NULL, -1, NULL, "which it cannot; print it without one" },
		{ PIN, NULL, 0, "none", "which it cannot" },
		{ PIN, "sha2-256", 8, NULL, "is encrypted as it does not know" },
		{ PIN, "md5", 8, "sha2-256", "is encrypted as it does not know" },
		{ PIN, NULL, 8, "sha2-256", "is encrypted as it does not know" },
		{ PIN, NULL, 4, NULL, "is longer than it takes" },
	};
	void *own;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(setup(&own), 0);
		ask(own, cases[i].pin, cases[i].encryption);
		support(own, cases[i].most, cases[i].known);
		assert_refused(own, cases[i].says);
		assert_int_equal(teardown(&own), 0);
	}
	(void)state;
}

static void test_a_ticket_without_a_pin_gets_none(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(ticket_secret_add_pin(f->request, NULL, f->capabilities, NULL, &err), 0);
	assert_int_equal(ticket_secret_add_pin(f->request, f->message, NULL, NULL, &err), 0);
	assert_null(ippFirstAttribute(f->request));
}

static void test_the_password_of_a_document_goes_with_it(void **state)
{
	struct fixture *f = *state;
	struct sealed *sealed, none = { .len = 0 };
	struct err err;
	int len = 0;

	assert_false(ticket_secret_takes_document_password(f->capabilities));
	ippAddInteger(f->capabilities, IPP_TAG_PRINTER, IPP_TAG_INTEGER,
	              "document-password-supported", 127);
	assert_true(ticket_secret_takes_document_password(f->capabilities));
	say(f, "document-password", PIN);
	sealed = job_secret_take(f->vault, f->message, "document-password");
	assert_int_equal(ticket_secret_add_document_password(f->request, sealed, f->vault, &err),
	                 0);
	assert_memory_equal(
		ippGetOctetString(ippFindAttribute(f->request, "document-password", IPP_TAG_STRING),
	                          0, &len),
		PIN, strlen(PIN));
	free(sealed);
	assert_int_equal(ticket_secret_add_document_password(f->request, &none, f->vault, &err),
	                 -1);
	assert_int_equal(err.kind, ERR_REJECTED);
}

static void test_no_secret_of_a_ticket_comes_from_outside(void **state)
{
	(void)state;
	assert_true(job_secret_is("job-password"));
	assert_true(job_secret_is("document-password"));
	assert_true(job_secret_is(ATTRS_JOB_PASSWORD));
	assert_false(job_secret_is("job-name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_what_was_taken_is_sealed_and_wiped_where_it_stood),
		TEST(test_a_secret_that_cannot_be_kept_is_not_taken_for_none),
		TEST(test_a_pin_goes_to_a_printer_that_takes_it),
		TEST(test_a_pin_encrypted_as_the_printer_knows_goes_there_as_it_is),
		TEST(test_a_job_that_is_to_wait_for_a_pin_is_never_made_without),
		TEST(test_a_ticket_without_a_pin_gets_none),
		TEST(test_the_password_of_a_document_goes_with_it),
		TEST(test_no_secret_of_a_ticket_comes_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
