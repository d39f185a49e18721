/* fuzz_ipp_codec.c - hostile bytes through the scanner and the decoder. Wherever the bytes are
 * split, the scanner must say the same; what is decoded must survive being encoded again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/ipp_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_bytewise(const uint8_t *data, size_t size, int whole_rc, size_t whole_used,
                             bool whole_ended)
{
	struct ipp_scan scan = { 0 };
	size_t total = 0, used;
	bool ended = false;
	struct err err;
	int rc = 0;

	for (size_t i = 0; i < size && rc == 0 && !ended; i++) {
		rc = ipp_scan(&scan, data + i, 1, &used, &ended, &err);
		total += rc == 0 ? used : 0;
	}
	assert(rc == whole_rc);
	if (rc == 0)
		assert(total == whole_used && ended == whole_ended);
}

static void read_all(ipp_t *msg)
{
	static const char *const names[] = { "a", "job-id", "job-state", "printer-name" };
	char text[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)ipp_get_int(msg, IPP_TAG_ZERO, names[i], 0);
		(void)ipp_get_bool(msg, IPP_TAG_JOB, names[i], false);
		(void)ipp_get_text(msg, IPP_TAG_ZERO, names[i], NULL);
		(void)ipp_get_time(msg, IPP_TAG_ZERO, names[i], 0);
		(void)ipp_has_keyword(msg, IPP_TAG_ZERO, names[i], "x");
		ipp_join_text(msg, IPP_TAG_ZERO, names[i], text, sizeof(text));
		assert(strlen(text) < sizeof(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipp_scan scan = { 0 };
	struct buf out;
	struct err err;
	ipp_t *msg, *again;
	size_t used = 0;
	bool ended = false;
	int rc = ipp_scan(&scan, data, size, &used, &ended, &err);

	compare_bytewise(data, size, rc, used, ended);
	if (rc < 0 || !ended || ipp_decode(data, used, &msg, &err) < 0)
		return 0;
	read_all(msg);
	buf_init(&out, IPP_MESSAGE_MAX);
	if (ipp_encode(msg, &out, &err) == 0 && ipp_decode(out.data, out.len, &again, &err) == 0) {
		assert(ippGetRequestId(again) == ippGetRequestId(msg));
		ippDelete(again);
	}
	buf_clear(&out);
	ippDelete(msg);
	return 0;
}
