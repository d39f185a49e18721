#include "tests/emulator/json_read.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"

#define DEPTH_MAX 32

struct input {
	const char *at, *end;
	int depth;
};

static struct json *read_value(struct input *in);

static void skip_space(struct input *in)
{
	while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != '\0')
		in->at++;
}

static bool take(struct input *in, char c)
{
	skip_space(in);
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static bool take_word(struct input *in, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
		return false;
	in->at += len;
	return true;
}

static void add_utf8(struct buffer *b, unsigned int c)
{
	char out[4];
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	buffer_add(b, out, n);
}

static int read_hex(struct input *in, unsigned int *ret)
{
	char digits[5] = { 0 };
	char *end;

	if (in->end - in->at < 4)
		return -1;
	memcpy(digits, in->at, 4);
	*ret = (unsigned int)strtoul(digits, &end, 16);
	if (*end != '\0')
		return -1;
	in->at += 4;
	return 0;
}

static int read_escape(struct input *in, struct buffer *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned int c, low;
	const char *found;

	if (in->at == in->end)
		return -1;
	if (*in->at != 'u') {
		found = *in->at ? strchr(from, *in->at) : NULL;
		if (found == NULL)
			return -1;
		in->at++;
		buffer_add(b, &to[found - from], 1);
		return 0;
	}
	in->at++;
	if (read_hex(in, &c) < 0 || c == 0)
		return -1;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!take_word(in, "\\u") || read_hex(in, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return -1;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	add_utf8(b, c);
	return 0;
}

static char *read_text(struct input *in)
{
	struct buffer b = { 0 };

	if (!take(in, '"'))
		return NULL;
	buffer_text(&b, "");
	while (in->at < in->end && *in->at != '"') {
		if ((unsigned char)*in->at < 0x20)
			break;
		if (*in->at == '\\') {
			in->at++;
			if (read_escape(in, &b) < 0)
				break;
		} else {
			buffer_add(&b, in->at++, 1);
		}
	}
	if (take(in, '"'))
		return b.data;
	buffer_clear(&b);
	return NULL;
}

static int read_members(struct input *in, struct json *v, char close)
{
	struct json **tail = &v->first;

	if (take(in, close))
		return 0;
	do {
		char *key = NULL;

		if (v->type == JSON_OBJECT) {
			key = read_text(in);
			if (key == NULL || json_find(v, key) != NULL || !take(in, ':')) {
				free(key);
				return -1;
			}
		}
		*tail = read_value(in);
		if (*tail == NULL) {
			free(key);
			return -1;
		}
		(*tail)->key = key;
		tail = &(*tail)->next;
	} while (take(in, ','));
	return take(in, close) ? 0 : -1;
}

static int read_number(struct input *in, struct json *v)
{
	char digits[40] = { 0 };
	char *end;
	size_t n = 0;

	while (in->at < in->end && *in->at != '\0' && strchr("+-.eE0123456789", *in->at) &&
	       n < sizeof(digits) - 1)
		digits[n++] = *in->at++;
	v->type = JSON_NUMBER;
	v->number = strtod(digits, &end);
	return n > 0 && *end == '\0' ? 0 : -1;
}

static int read_into(struct input *in, struct json *v)
{
	skip_space(in);
	if (in->at == in->end)
		return -1;
	if (*in->at == '{' || *in->at == '[') {
		v->type = *in->at == '{' ? JSON_OBJECT : JSON_ARRAY;
		in->at++;
		return read_members(in, v, v->type == JSON_OBJECT ? '}' : ']');
	}
	if (*in->at == '"') {
		v->type = JSON_STRING;
		v->text = read_text(in);
		return v->text ? 0 : -1;
	}
	if (take_word(in, "null"))
		return 0;
	v->type = JSON_BOOL;
	v->boolean = *in->at == 't';
	if (take_word(in, "true") || take_word(in, "false"))
		return 0;
	return read_number(in, v);
}

static struct json *read_value(struct input *in)
{
	struct json *v = xcalloc(1, sizeof(*v));
	bool fits = ++in->depth <= DEPTH_MAX && read_into(in, v) == 0;

	in->depth--;
	if (fits)
		return v;
	json_free(v);
	return NULL;
}

struct json *json_read(const char *text, size_t len)
{
	struct input in = { text, text + len, 0 };
	struct json *v = read_value(&in);

	skip_space(&in);
	if (v != NULL && in.at == in.end)
		return v;
	json_free(v);
	return NULL;
}

void json_free(struct json *v)
{
	while (v != NULL) {
		struct json *next = v->next;

		json_free(v->first);
		free(v->key);
		free(v->text);
		free(v);
		v = next;
	}
}

void json_free_at(struct json **v)
{
	json_free(*v);
	*v = NULL;
}

const struct json *json_find(const struct json *object, const char *key)
{
	const struct json *v = object && object->type == JSON_OBJECT ? object->first : NULL;

	while (v != NULL && (v->key == NULL || strcmp(v->key, key) != 0))
		v = v->next;
	return v;
}

const char *json_find_string(const struct json *object, const char *key)
{
	const struct json *v = json_find(object, key);

	return v && v->type == JSON_STRING ? v->text : NULL;
}

double json_find_number(const struct json *object, const char *key, double absent)
{
	const struct json *v = json_find(object, key);

	return v && v->type == JSON_NUMBER ? v->number : absent;
}
