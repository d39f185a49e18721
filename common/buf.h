/* buf.h - bytes that grow up to a limit; what the outside sends goes here. Appending beyond the
 * limit fails and leaves the content as it was. Always NUL-terminated behind its length, so that
 * text can be used as a string. Pure. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stddef.h>

struct buf {
	unsigned char *data; /* NULL while empty */
	size_t len;
	size_t size;  /* allocated */
	size_t limit; /* len never exceeds it */
};

void buf_init(struct buf *b, size_t limit);
void buf_clear(struct buf *b); /* frees; usable again with the same limit */
void buf_wipe(struct buf *b);  /* the same, content overwritten first */
/* -1 when the limit or memory does not allow it. */
int buf_append(struct buf *b, const void *data, size_t len);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first len bytes. */
void buf_consume(struct buf *b, size_t len);
const char *buf_text(const struct buf *b); /* "" while empty; borrowed */

#endif
