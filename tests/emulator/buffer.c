#include "tests/emulator/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(void)
{
	fputs("cloud-emulator: out of memory\n", stderr);
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		die();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (p == NULL)
		die();
	return p;
}

char *xstrdup(const char *s)
{
	char *copy;

	if (s == NULL)
		return NULL;
	copy = strdup(s);
	if (copy == NULL)
		die();
	return copy;
}

static __attribute__((format(printf, 1, 0))) char *format(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		die();
	return s;
}

char *xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = format(fmt, ap);
	va_end(ap);
	return s;
}

void free_str(char **s)
{
	free(*s);
	*s = NULL;
}

void buffer_reserve(struct buffer *b, size_t total)
{
	if (total <= b->cap)
		return;
	if (total < b->cap * 2)
		total = b->cap * 2;
	if (total < 256)
		total = 256;
	b->data = xrealloc(b->data, total);
	b->cap = total;
}

/* One byte more than the length is always there and zero, so that text can be used as such. */
void buffer_add(struct buffer *b, const void *data, size_t len)
{
	buffer_reserve(b, b->len + len + 1);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buffer_text(struct buffer *b, const char *s)
{
	buffer_add(b, s, strlen(s));
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = format(fmt, ap);
	va_end(ap);
	buffer_text(b, s);
	free(s);
}

void buffer_clear(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
