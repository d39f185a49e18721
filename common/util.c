#include "common/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *p)
{
	if (!p) {
		(void)fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
	return must(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return must(strdup(text));
}

char *xstrndup(const char *text, size_t max)
{
	return must(strndup(text, max));
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return must(len < 0 ? NULL : text);
}

void free_str(char **p)
{
	free(*p);
}

void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

void wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

void wipe_str(char **p)
{
	if (*p)
		wipe(*p, strlen(*p));
	free(*p);
}
