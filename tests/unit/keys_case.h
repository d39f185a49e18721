/* keys_case.h - two keys, a request for one and a certificate of each, made once for all tests of a
 * program, since a key takes a tenth of a second. Included once by a test program. */
#ifndef TESTS_UNIT_KEYS_CASE_H
#define TESTS_UNIT_KEYS_CASE_H

#include <stdlib.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/crypto.h"
#include "tests/lib/fake_cert.h"

static struct buf key, other_key, request;
static char *certificate, *other_certificate;

static int make_keys(void **state)
{
	struct err err;

	(void)state;
	buf_init(&key, 16384);
	buf_init(&other_key, 16384);
	buf_init(&request, 16384);
	if (crypto_key_new(&key, &err) || crypto_key_new(&other_key, &err) ||
	    crypto_request_new(buf_text(&key), "lab", &request, &err))
		return -1;
	certificate = fake_cert_of_key(buf_text(&key));
	other_certificate = fake_cert_of_key(buf_text(&other_key));
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	buf_wipe(&key);
	buf_wipe(&other_key);
	buf_wipe(&request);
	free(certificate);
	free(other_certificate);
	return 0;
}

#endif
