/* json.h - writes JSON into a buffer. Commas are put by themselves; a NULL key is a list element.
 */
#ifndef TESTS_EMULATOR_JSON_H
#define TESTS_EMULATOR_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct buffer;

void json_open(struct buffer *b, const char *key, char bracket);        /* '{' or '[' */
void json_close(struct buffer *b, char bracket);                        /* '}' or ']' */
void json_string(struct buffer *b, const char *key, const char *value); /* NULL is null */
void json_number(struct buffer *b, const char *key, int64_t value);
void json_time(struct buffer *b, const char *key, int64_t us); /* ms with decimals, 0 is null */
void json_bool(struct buffer *b, const char *key, bool value);

#endif
