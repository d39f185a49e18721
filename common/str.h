/* str.h - text: made safe to show, matched, compared, parsed and formatted. Parsers write their
 * result only when they return 0. Pure; callable from anywhere. */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STR_TIME_SIZE     32 /* "2025-01-31T12:00:00.000Z" */
#define STR_DURATION_SIZE 32
#define STR_SIZE_SIZE     32 /* of a formatted size */
#define STR_UUID_LEN      36 /* without "urn:uuid:" */

/* Text from outside made safe to show in a log or on a terminal: each byte of a control character,
 * of invalid UTF-8 and of a character that turns the writing direction becomes '?'. Cut between
 * characters when size is too small. in == out is fine. */
void str_clean(const char *in, char *out, size_t size);
/* -1 when it was cut (between characters); dst is always ended. */
int str_copy(char *dst, size_t size, const char *src);
bool str_is_utf8(const char *text);

/* A word of a command line, as a shell reads it: in quotes where it needs them. False: it did not
 * fit, ret is "". */
bool str_shell_word(const char *word, char *ret, size_t size);

/* '*' is any text, '?' any one byte, anything else itself. Never slower than the product of both
 * lengths. */
bool str_glob(const char *pattern, const char *text);
bool str_is_listed(const char *word, const char *const *list, size_t n);
/* The known word that is at most two typing errors away, else one that begins with this word, or
 * NULL. Borrowed from the list. */
const char *str_nearest(const char *word, const char *const *list, size_t n);

/* Decimal, within min and max, nothing else around it. */
int str_number_parse(const char *text, int64_t min, int64_t max, int64_t *ret);
/* "500ms", "90s", "15min", "2h", "3d", "2w", "1y" (365 days) or "0". */
int str_duration_parse(const char *text, int64_t *ret_ms);
/* The largest unit that loses nothing. */
void str_duration_format(int64_t ms, char out[static STR_DURATION_SIZE]);
/* "1000", "64K", "512M", "2G", "1T": powers of 1024. */
int str_size_parse(const char *text, int64_t *ret_bytes);
void str_size_format(int64_t bytes, char out[static STR_SIZE_SIZE]);
/* yes, no, true, false, on, off, 1, 0. */
int str_bool_parse(const char *text, bool *ret);

#define STR_COUNT_SIZE 64
/* "1 job", "3 jobs", "no jobs": one is what goes with 1, many with all other numbers. Returns ret.
 */
const char *str_count(int64_t n, const char *one, const char *many,
                      char ret[static STR_COUNT_SIZE]);
/* The same, good to the end of the block. */
#define COUNTED(n, one, many) str_count((int64_t)(n), one, many, (char[STR_COUNT_SIZE]){ 0 })

/* RFC 3339, years 1970 to 9999. Formats UTC with milliseconds; parses any offset and fraction. */
void str_time_format(int64_t unix_ms, char out[static STR_TIME_SIZE]);
int str_time_parse(const char *text, int64_t *ret_unix_ms);

/* The 36 characters of a UUID given with or without "urn:uuid:", or NULL when it is none. */
const char *str_uuid_find(const char *text);

#endif
