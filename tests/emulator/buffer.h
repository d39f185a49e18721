/* buffer.h - bytes that grow: request bodies, JSON, encoded messages. Running out of memory
 * ends the program: it is a test tool and what it holds is loopback traffic. */
#ifndef TESTS_EMULATOR_BUFFER_H
#define TESTS_EMULATOR_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buffer {
	char *data;
	size_t len;
	size_t cap;
};

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void free_str(char **s); /* for the cleanup attribute */

void buffer_reserve(struct buffer *b, size_t total);
void buffer_add(struct buffer *b, const void *data, size_t len);
void buffer_text(struct buffer *b, const char *s);
void buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buffer_clear(struct buffer *b);

#define AUTO(f) __attribute__((cleanup(f)))

#endif
