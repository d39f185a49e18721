#include "tests/emulator/ipp_message.h"

#include <string.h>
#include <sys/types.h>

#include "tests/emulator/buffer.h"

struct input {
	const char *data;
	size_t len;
	size_t at;
};

static ssize_t on_read(void *context, ipp_uchar_t *to, size_t len)
{
	struct input *in = context;

	if (len > in->len - in->at)
		len = in->len - in->at;
	if (len > 0)
		memcpy(to, in->data + in->at, len);
	in->at += len;
	return (ssize_t)len;
}

static ssize_t on_write(void *context, ipp_uchar_t *from, size_t len)
{
	buffer_add(context, from, len);
	return (ssize_t)len;
}

ipp_t *ipp_message_decode(const char *data, size_t len, size_t *ret_used)
{
	struct input in = { data, len, 0 };
	ipp_t *message = ippNew();
	ipp_state_t state;

	do {
		state = ippReadIO(&in, on_read, 1, NULL, message);
	} while (state != IPP_STATE_DATA && state != IPP_STATE_ERROR && state != IPP_STATE_IDLE);
	if (state != IPP_STATE_DATA) {
		ippDelete(message);
		return NULL;
	}
	*ret_used = in.at;
	return message;
}

void ipp_message_encode(ipp_t *message, struct buffer *ret)
{
	buffer_reserve(ret, ippLength(message) + 1);
	ippSetState(message, IPP_STATE_IDLE);
	while (ippGetState(message) != IPP_STATE_DATA) {
		if (ippWriteIO(ret, on_write, 1, NULL, message) == IPP_STATE_ERROR)
			return;
	}
}

ipp_t *ipp_message_answer(ipp_t *request)
{
	int major = 2, minor = 0;
	ipp_t *answer = ippNew();

	if (request != NULL) {
		major = ippGetVersion(request, &minor);
		ippSetRequestId(answer, ippGetRequestId(request));
	}
	if (major < 1 || major > 2) {
		major = 2;
		minor = 0;
	}
	ippSetVersion(answer, major, minor);
	ippAddString(answer, IPP_TAG_OPERATION, IPP_TAG_CHARSET, "attributes-charset", NULL,
	             "utf-8");
	ippAddString(answer, IPP_TAG_OPERATION, IPP_TAG_LANGUAGE, "attributes-natural-language",
	             NULL, "en");
	return answer;
}
