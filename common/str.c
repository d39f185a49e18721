#include "common/str.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/util.h"

#define NEAREST_MAX_LEN    63
#define NEAREST_MAX_EDITS  2
#define NEAREST_MIN_PREFIX 4 /* shorter ones begin too many words */

/* What no shell takes for anything else. */
#define SHELL_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"

/* Length of the UTF-8 character at p and its code point; 0 when it is invalid (RFC 3629: shortest
 * form only, no surrogates, at most U+10FFFF). The NUL behind the text ends a cut one. */
static size_t utf8_next(const char *text, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t len;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0) {
		len = 2;
		c = p[0] & 0x1fU;
	} else if (p[0] >= 0xe0 && p[0] < 0xf0) {
		len = 3;
		c = p[0] & 0x0fU;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		len = 4;
		c = p[0] & 0x07U;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < smallest[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret = c;
	return len;
}

static bool is_showable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c == 0x2028 || c == 0x2029 || c == 0xfeff) /* line breaks, byte order mark */
		return false;
	return !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0x200e &&
	       c != 0x200f; /* writing direction */
}

/* Characters that are bytes and showable: nearly all there are. */
static size_t plain_length(const char *text)
{
	size_t len = 0;

	while (text[len] >= 0x20 && text[len] < 0x7f)
		len++;
	return len;
}

void str_clean(const char *in, char *out, size_t size)
{
	size_t len, used = 0;
	uint32_t c;

	if (!size)
		return;
	for (;;) {
		len = plain_length(in);
		if (len > size - 1 - used)
			len = size - 1 - used;
		memmove(out + used, in, len);
		used += len;
		in += len;
		if (!*in)
			break;
		len = utf8_next(in, &c);
		if (!len || !is_showable(c)) {
			if (used + 1 >= size)
				break;
			out[used++] = '?';
			in += len ? len : 1;
			continue;
		}
		if (used + len >= size)
			break;
		memmove(out + used, in, len);
		used += len;
		in += len;
	}
	out[used] = '\0';
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len < size) {
		memcpy(dst, src, len + 1);
		return 0;
	}
	if (size) {
		for (len = size - 1; len && ((unsigned char)src[len] & 0xc0) == 0x80;)
			len--;
		memcpy(dst, src, len);
		dst[len] = '\0';
	}
	return -1;
}

bool str_shell_word(const char *word, char *ret, size_t size)
{
	bool quoted = !*word || word[strspn(word, SHELL_PLAIN)];
	size_t used = 0;

	if (!quoted && strlen(word) < size)
		return str_copy(ret, size, word) == 0;
	*ret = '\0';
	if (!quoted || size < sizeof("''"))
		return false;
	ret[used++] = '\'';
	for (const char *at = word; *at; at++) {
		const char part[] = { *at, '\0' }, *put = *at == '\'' ? "'\\''" : part;

		if (used + strlen(put) + sizeof("'") > size) {
			*ret = '\0';
			return false;
		}
		memcpy(ret + used, put, strlen(put));
		used += strlen(put);
	}
	memcpy(ret + used, "'", sizeof("'"));
	return true;
}

bool str_is_utf8(const char *text)
{
	size_t len;
	uint32_t c;

	for (;;) {
		text += plain_length(text);
		if (!*text)
			return true;
		len = utf8_next(text, &c);
		if (!len)
			return false;
		text += len;
	}
}

bool str_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	/* Only the last star needs to be tried again: an earlier one that takes more text cannot
	 * help where a later one could not. */
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool str_is_listed(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Insertions, deletions, changes and swaps of neighbours (optimal string alignment). Both at most
 * NEAREST_MAX_LEN long. */
static size_t edits(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MAX_LEN + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++) {
		last[j] = j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= na; i++) {
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
			              last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

const char *str_nearest(const char *word, const char *const *list, size_t n)
{
	size_t best = NEAREST_MAX_EDITS + 1, distance, len = strlen(word);
	const char *ret = NULL;

	if (len > NEAREST_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strlen(list[i]) > NEAREST_MAX_LEN)
			continue;
		distance = edits(word, list[i]);
		if (distance > NEAREST_MAX_EDITS && len >= NEAREST_MIN_PREFIX &&
		    strncmp(word, list[i], len) == 0)
			distance = NEAREST_MAX_EDITS; /* an abbreviation */
		/* a word of which nothing is left is no typing error */
		if (distance < best && distance < len) {
			best = distance;
			ret = list[i];
		}
	}
	return ret;
}

/* Digits at the start of text; the rest goes to *end. */
static int digits_parse(const char *text, const char **end, int64_t *ret)
{
	int64_t n = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *text - '0', &n))
			return -1;
	*end = text;
	*ret = n;
	return 0;
}

int str_number_parse(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool minus = *text == '-';
	const char *end;
	int64_t n;

	if (digits_parse(text + minus, &end, &n) < 0 || *end)
		return -1;
	n = minus ? -n : n;
	if (n < min || n > max)
		return -1;
	*ret = n;
	return 0;
}

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first: formatting takes the first that divides. */
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 },   { "min", 60000 },        { "s", 1000 },
	{ "ms", 1 },       { "w", 604800000 }, { "y", 365 * 86400000L }
};
#define DURATIONS_FORMATTED 5

static const struct unit sizes[] = {
	{ "T", 1L << 40 }, { "G", 1L << 30 }, { "M", 1L << 20 }, { "K", 1L << 10 }, { "", 1 }
};

static int units_parse(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
	const char *end;
	int64_t value;

	if (digits_parse(text, &end, &value) < 0)
		return -1;
	if (*end == ' ')
		end++;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		return __builtin_mul_overflow(value, units[i].factor, ret) ? -1 : 0;
	}
	return -1;
}

static void units_format(int64_t value, const struct unit *units, size_t n, char *out, size_t size)
{
	size_t i = 0;

	while (i + 1 < n && value % units[i].factor)
		i++;
	(void)snprintf(out, size, "%lld%s", (long long)(value / units[i].factor), units[i].name);
}

int str_duration_parse(const char *text, int64_t *ret_ms)
{
	int64_t ms;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	if (units_parse(text, durations, ARRAY_SIZE(durations), &ms) < 0)
		return -1;
	*ret_ms = ms;
	return 0;
}

void str_duration_format(int64_t ms, char out[static STR_DURATION_SIZE])
{
	if (!ms)
		(void)snprintf(out, STR_DURATION_SIZE, "0");
	else
		units_format(ms, durations, DURATIONS_FORMATTED, out, STR_DURATION_SIZE);
}

int str_size_parse(const char *text, int64_t *ret_bytes)
{
	int64_t bytes;

	if (units_parse(text, sizes, ARRAY_SIZE(sizes), &bytes) < 0)
		return -1;
	*ret_bytes = bytes;
	return 0;
}

void str_size_format(int64_t bytes, char out[static STR_SIZE_SIZE])
{
	if (!bytes)
		(void)snprintf(out, STR_SIZE_SIZE, "0");
	else
		units_format(bytes, sizes, ARRAY_SIZE(sizes), out, STR_SIZE_SIZE);
}

int str_bool_parse(const char *text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2;
			return 0;
		}
	}
	return -1;
}

#define LAST_MS 253402300799999LL /* 9999-12-31T23:59:59.999Z */

void str_time_format(int64_t unix_ms, char out[static STR_TIME_SIZE])
{
	struct tm tm;
	time_t seconds;
	size_t len;

	if (unix_ms < 0)
		unix_ms = 0;
	if (unix_ms > LAST_MS)
		unix_ms = LAST_MS;
	seconds = unix_ms / 1000;
	(void)gmtime_r(&seconds, &tm);
	len = strftime(out, STR_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + len, STR_TIME_SIZE - len, ".%03dZ", (int)(unix_ms % 1000));
}

/* n digits and the character behind them (0 = any). */
static int field_parse(const char **text, size_t n, char behind, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if ((*text)[i] < '0' || (*text)[i] > '9')
			return -1;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += n;
	if (behind && *(*text)++ != behind)
		return -1;
	*ret = value;
	return 0;
}

static bool is_time(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = tm->tm_year + 1900, last;

	if (year < 1970 || tm->tm_mon < 0 || tm->tm_mon > 11)
		return false;
	last = days[tm->tm_mon];
	if (tm->tm_mon == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last++;
	return tm->tm_mday >= 1 && tm->tm_mday <= last && tm->tm_hour < 24 && tm->tm_min < 60 &&
	       tm->tm_sec <= 60; /* a leap second is the next one */
}

/* "Z", "+01:00", "-08:30": what to subtract for UTC. */
static int offset_parse(const char *text, int64_t *ret_ms)
{
	bool minus = *text == '-';
	int hours, minutes;

	if (*text == 'Z' || *text == 'z') {
		*ret_ms = 0;
		return text[1] ? -1 : 0;
	}
	if (*text != '+' && *text != '-')
		return -1;
	text++;
	if (field_parse(&text, 2, ':', &hours) < 0 || field_parse(&text, 2, 0, &minutes) < 0)
		return -1;
	if (*text || hours > 23 || minutes > 59)
		return -1;
	*ret_ms = (hours * 60 + minutes) * 60000L * (minus ? -1 : 1);
	return 0;
}

int str_time_parse(const char *text, int64_t *ret_unix_ms)
{
	struct tm tm = { 0 };
	int64_t ms = 0, unit = 100, offset;

	if (field_parse(&text, 4, '-', &tm.tm_year) < 0 ||
	    field_parse(&text, 2, '-', &tm.tm_mon) < 0 ||
	    field_parse(&text, 2, 0, &tm.tm_mday) < 0 || !*text || !strchr("Tt ", *text))
		return -1;
	text++;
	if (field_parse(&text, 2, ':', &tm.tm_hour) < 0 ||
	    field_parse(&text, 2, ':', &tm.tm_min) < 0 || field_parse(&text, 2, 0, &tm.tm_sec) < 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (!is_time(&tm))
		return -1;
	if (*text == '.') {
		if (text[1] < '0' || text[1] > '9')
			return -1;
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			ms += unit * (*text - '0');
	}
	if (offset_parse(text, &offset) < 0)
		return -1;
	*ret_unix_ms = (int64_t)timegm(&tm) * 1000 + ms - offset;
	return 0;
}

const char *str_uuid_find(const char *text)
{
	if (strncasecmp(text, "urn:uuid:", 9) == 0)
		text += 9;
	for (size_t i = 0; i < STR_UUID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return NULL;
		} else if (!text[i] || !strchr("0123456789abcdefABCDEF", text[i])) {
			return NULL;
		}
	}
	return text[STR_UUID_LEN] ? NULL : text;
}

const char *str_count(int64_t n, const char *one, const char *many, char ret[static STR_COUNT_SIZE])
{
	if (n == 0)
		(void)snprintf(ret, STR_COUNT_SIZE, "no %s", many);
	else
		(void)snprintf(ret, STR_COUNT_SIZE, "%" PRId64 " %s", n, n == 1 ? one : many);
	return ret;
}
