#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void buf_init(struct buf *b, size_t limit)
{
	memset(b, 0, sizeof(*b));
	b->limit = limit;
}

void buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->limit);
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		wipe(b->data, b->size);
	buf_clear(b);
}

/* Room for len more bytes and the NUL. A grown buffer is copied and the old one wiped, so that
 * secrets do not stay behind in freed memory. */
static int reserve(struct buf *b, size_t len)
{
	size_t size = b->size ? b->size : 256;
	unsigned char *data;

	if (len > b->limit - b->len)
		return -1;
	if (b->len + len < b->size)
		return 0;
	while (size <= b->len + len)
		size *= 2;
	data = malloc(size);
	if (!data)
		return -1;
	if (b->data) {
		memcpy(data, b->data, b->len);
		wipe(b->data, b->size);
		free(b->data);
	}
	b->data = data;
	b->size = size;
	return 0;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
	if (reserve(b, len) < 0)
		return -1;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len, rc;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return -1;
	rc = buf_append(b, text, (size_t)len);
	free(text);
	return rc;
}

void buf_consume(struct buf *b, size_t len)
{
	if (!len)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
	b->data[b->len] = '\0';
}

const char *buf_text(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}
