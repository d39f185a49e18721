#include "tests/emulator/base64.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "tests/emulator/buffer.h"

static const char *alphabet(bool url)
{
	return url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	           : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

int base64_decode(const char *text, size_t len, bool url, struct buffer *ret)
{
	const char *letters = alphabet(url), *found;
	unsigned int bits = 0;
	int have = 0;
	size_t i, padding = 0;

	if (!url) {
		while (padding < 2 && len > 0 && text[len - 1] == '=') {
			len--;
			padding++;
		}
		if ((len + padding) % 4 != 0)
			return -1;
	}
	if (len % 4 == 1)
		return -1;
	for (i = 0; i < len; i++) {
		found = text[i] ? strchr(letters, text[i]) : NULL;
		if (found == NULL)
			return -1;
		bits = bits << 6 | (unsigned int)(found - letters);
		have += 6;
		if (have >= 8) {
			char c = (char)(bits >> (have - 8) & 0xff);

			buffer_add(ret, &c, 1);
			have -= 8;
		}
	}
	return have > 0 && (bits & ((1u << have) - 1)) != 0 ? -1 : 0;
}

void base64_encode(const void *data, size_t len, bool url, struct buffer *ret)
{
	const unsigned char *in = data;
	const char *letters = alphabet(url);
	size_t i;

	for (i = 0; i < len; i += 3) {
		unsigned int left = (unsigned int)(len - i), n;

		n = (unsigned int)in[i] << 16 | (left > 1 ? (unsigned int)in[i + 1] << 8 : 0) |
		    (left > 2 ? in[i + 2] : 0);
		buffer_add(ret, &letters[n >> 18 & 63], 1);
		buffer_add(ret, &letters[n >> 12 & 63], 1);
		if (left > 1)
			buffer_add(ret, &letters[n >> 6 & 63], 1);
		else if (!url)
			buffer_text(ret, "=");
		if (left > 2)
			buffer_add(ret, &letters[n & 63], 1);
		else if (!url)
			buffer_text(ret, "=");
	}
	if (len == 0)
		buffer_text(ret, "");
}

char *base64_random(size_t bytes)
{
	unsigned char *raw = xcalloc(1, bytes + 1);
	struct buffer b = { 0 };

	if (RAND_bytes(raw, (int)bytes) != 1)
		abort();
	base64_encode(raw, bytes, true, &b);
	free(raw);
	return b.data;
}
