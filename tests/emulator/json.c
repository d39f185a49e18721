#include "tests/emulator/json.h"

#include <inttypes.h>
#include <stddef.h>

#include "tests/emulator/buffer.h"

static void json_text(struct buffer *b, const char *s)
{
	buffer_add(b, "\"", 1);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buffer_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buffer_printf(b, "\\u%04x", c);
		else
			buffer_add(b, s, 1);
	}
	buffer_add(b, "\"", 1);
}

static void json_key(struct buffer *b, const char *key)
{
	char last = b->len > 0 ? b->data[b->len - 1] : '{';

	if (last != '{' && last != '[' && last != '\n')
		buffer_add(b, ",", 1);
	if (key == NULL)
		return;
	json_text(b, key);
	buffer_add(b, ":", 1);
}

void json_open(struct buffer *b, const char *key, char bracket)
{
	json_key(b, key);
	buffer_add(b, &bracket, 1);
}

void json_close(struct buffer *b, char bracket)
{
	buffer_add(b, &bracket, 1);
}

void json_string(struct buffer *b, const char *key, const char *value)
{
	json_key(b, key);
	if (value == NULL)
		buffer_text(b, "null");
	else
		json_text(b, value);
}

void json_number(struct buffer *b, const char *key, int64_t value)
{
	json_key(b, key);
	buffer_printf(b, "%" PRId64, value);
}

void json_time(struct buffer *b, const char *key, int64_t us)
{
	json_key(b, key);
	if (us == 0)
		buffer_text(b, "null");
	else
		buffer_printf(b, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
}

void json_bool(struct buffer *b, const char *key, bool value)
{
	json_key(b, key);
	buffer_text(b, value ? "true" : "false");
}
