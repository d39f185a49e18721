/* base64.h - RFC 4648, read strictly: no line break, no stray bits, padding as it must be. */
#ifndef TESTS_EMULATOR_BASE64_H
#define TESTS_EMULATOR_BASE64_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

/* url: section 5, without padding. -1: not base64. */
int base64_decode(const char *text, size_t len, bool url, struct buffer *ret);
void base64_encode(const void *data, size_t len, bool url, struct buffer *ret);
char *base64_random(size_t bytes); /* in the form for URLs */

#endif
