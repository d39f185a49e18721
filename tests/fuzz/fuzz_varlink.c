/* fuzz_varlink.c - what comes in at the control socket, cut at any place: the first byte says how
 * long each read is. What decodes must encode and decode again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_call(cJSON *message)
{
	struct varlink_call call, again;
	struct varlink_reader reader;
	char name[2 * VARLINK_METHOD_SIZE];
	struct buf out;
	struct err err;
	const char *text;
	int64_t number;
	cJSON *json;

	if (varlink_call_decode(message, &call, &err) < 0)
		return;
	(void)varlink_text(call.parameters, "queue", &text, &err);
	(void)varlink_int(call.parameters, "id", 0, &number, &err);
	(void)snprintf(name, sizeof(name), "%s.%s", call.interface, call.method);
	buf_init(&out, 1 << 20);
	varlink_reader_init(&reader, 1 << 20);
	/* a number like 1e999 cannot be written as JSON number again; it becomes null */
	if (varlink_call_encode(&out, name, cJSON_Duplicate(call.parameters, true), call.more,
	                        &err) == 0) {
		assert(varlink_reader_feed(&reader, out.data, out.len, &err) == 0);
		assert(varlink_reader_next(&reader, &json, &err) == 1);
		assert(varlink_call_decode(json, &again, &err) == 0);
		assert(strcmp(again.method, call.method) == 0 && again.more == call.more);
		varlink_call_clear(&again);
	}
	varlink_reader_clear(&reader);
	buf_clear(&out);
	varlink_call_clear(&call);
}

static void check_reply(cJSON *message)
{
	struct varlink_reply reply;
	struct err err;

	if (varlink_reply_decode(message, &reply, &err) == 0)
		varlink_reply_clear(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step, len;
	struct varlink_reader reader;
	struct err err;
	cJSON *message;

	if (!size)
		return 0;
	step = (size_t)data[0] + 1;
	varlink_reader_init(&reader, 4096);
	for (size_t at = 1; at < size; at += len) {
		len = size - at < step ? size - at : step;
		if (varlink_reader_feed(&reader, data + at, len, &err) < 0)
			break;
		while (varlink_reader_next(&reader, &message, &err) == 1) {
			check_reply(cJSON_Duplicate(message, true));
			check_call(message);
		}
	}
	varlink_reader_clear(&reader);
	return 0;
}
