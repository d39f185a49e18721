#include "tests/lib/attr_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define NAMES_MAX 512

static const struct syntax {
	const char *name;
	ipp_tag_t tag;
} syntaxes[] = {
	{ "text", IPP_TAG_TEXT },
	{ "name", IPP_TAG_NAME },
	{ "keyword", IPP_TAG_KEYWORD },
	{ "uri", IPP_TAG_URI },
	{ "uriScheme", IPP_TAG_URISCHEME },
	{ "charset", IPP_TAG_CHARSET },
	{ "language", IPP_TAG_LANGUAGE },
	{ "mime", IPP_TAG_MIMETYPE },
	{ "integer", IPP_TAG_INTEGER },
	{ "enum", IPP_TAG_ENUM },
	{ "boolean", IPP_TAG_BOOLEAN },
	{ "range", IPP_TAG_RANGE },
	{ "resolution", IPP_TAG_RESOLUTION },
	{ "collection", IPP_TAG_BEGIN_COLLECTION },
	{ "date", IPP_TAG_DATE },
	{ "octets", IPP_TAG_STRING },
	{ "none", IPP_TAG_NOVALUE },
	{ "unknown", IPP_TAG_UNKNOWN },
};

/* ---- reading ---- */

struct reader {
	const char *at;
	ipp_tag_t group;
};

/* A line's end counts as a blank when the next line begins with one. */
static void skip_blanks(struct reader *r)
{
	while (*r->at == ' ' || *r->at == '\t' ||
	       (*r->at == '\n' && (r->at[1] == ' ' || r->at[1] == '\t')))
		r->at++;
}

static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

static size_t word(struct reader *r, char *out, size_t size)
{
	size_t len;

	skip_blanks(r);
	len = strcspn(r->at, " \t\n,;{}");
	(void)snprintf(out, size, "%.*s", (int)len, r->at);
	r->at += len;
	return len;
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* "…", with \xNN and \" inside, *N behind it: so many times. The caller's. */
static char *quoted(struct reader *r, size_t *ret_len)
{
	size_t len = 0, times = 1;
	char *out = xcalloc(1, strlen(r->at) + 1), *all;

	for (; *r->at && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at[1] == 'x' && r->at[2] && r->at[3]) {
			out[len++] = (char)(hex(r->at[2]) << 4 | hex(r->at[3]));
			r->at += 3;
			continue;
		}
		r->at += *r->at == '\\';
		out[len++] = *r->at;
	}
	r->at += *r->at == '"';
	if (*r->at == '*')
		times = strtoul(r->at + 1, (char **)(uintptr_t)&r->at, 10);
	all = xcalloc(1, len * times + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, out, len);
	free(out);
	*ret_len = len * times;
	return all;
}

static char *string(struct reader *r, size_t *ret_len)
{
	char bare[1024];

	if (take(r, '"'))
		return quoted(r, ret_len);
	*ret_len = word(r, bare, sizeof(bare));
	return xstrdup(bare);
}

static ipp_t *collection(struct reader *r);

static bool read_number(ipp_t *to, ipp_tag_t group, const char *name, ipp_attribute_t **a, int i,
                        ipp_tag_t tag, const char *text)
{
	int x = 0, y = 0, n;
	char units[8] = "";

	if (tag == IPP_TAG_BOOLEAN) {
		*a = ippAddBoolean(to, group, name, strcmp(text, "true") == 0);
		return true;
	}
	n = sscanf(text,
	           tag == IPP_TAG_RANGE        ? "%d-%d"
	           : tag == IPP_TAG_RESOLUTION ? "%dx%d%7s"
	                                       : "%d",
	           &x, &y, units);
	if (n < (tag == IPP_TAG_RANGE ? 2 : tag == IPP_TAG_RESOLUTION ? 3 : 1))
		return false;
	if (tag == IPP_TAG_RANGE && !*a)
		*a = ippAddRange(to, group, name, x, y);
	else if (tag == IPP_TAG_RANGE)
		(void)ippSetRange(to, a, i, x, y);
	else if (tag == IPP_TAG_RESOLUTION && !*a)
		*a = ippAddResolution(to, group, name,
		                      strcmp(units, "dpi") ? IPP_RES_PER_CM : IPP_RES_PER_INCH, x,
		                      y);
	else if (tag == IPP_TAG_RESOLUTION)
		(void)ippSetResolution(
			to, a, i, strcmp(units, "dpi") ? IPP_RES_PER_CM : IPP_RES_PER_INCH, x, y);
	else if (!*a)
		*a = ippAddInteger(to, group, tag, name, x);
	else
		(void)ippSetInteger(to, a, i, x);
	return true;
}

static bool read_value(struct reader *r, ipp_t *to, const char *name, ipp_attribute_t **a, int i,
                       ipp_tag_t tag)
{
	ipp_tag_t group = r->group;
	size_t len = 0;
	char *text;
	bool ok = true;

	if (tag == IPP_TAG_BEGIN_COLLECTION) {
		ipp_t *inner = collection(r);

		if (inner && !*a)
			*a = ippAddCollection(to, group, name, inner);
		else if (inner)
			(void)ippSetCollection(to, a, i, inner);
		ippDelete(inner);
		return inner;
	}
	text = string(r, &len);
	if (tag == IPP_TAG_STRING && !*a)
		*a = ippAddOctetString(to, group, name, text, (int)len);
	else if (tag == IPP_TAG_STRING)
		ippSetOctetString(to, a, i, text, (int)len);
	else if (tag == IPP_TAG_DATE)
		*a = ippAddDate(to, group, name, (const ipp_uchar_t *)text);
	else if (tag == IPP_TAG_NOVALUE || tag == IPP_TAG_UNKNOWN)
		*a = ippAddOutOfBand(to, group, tag, name);
	else if (tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM || tag == IPP_TAG_BOOLEAN ||
	         tag == IPP_TAG_RANGE || tag == IPP_TAG_RESOLUTION)
		ok = read_number(to, group, name, a, i, tag, text);
	else if (!*a)
		*a = ippAddString(to, group, tag, name, NULL, text);
	else
		(void)ippSetString(to, a, i, text);
	free(text);
	return ok;
}

static bool read_attribute(struct reader *r, ipp_t *to)
{
	char name[256], syntax[32];
	ipp_attribute_t *a = NULL;
	size_t s;

	if (!word(r, name, sizeof(name)) || !word(r, syntax, sizeof(syntax)))
		return false;
	for (s = 0; s < ARRAY_SIZE(syntaxes) && strcmp(syntaxes[s].name, syntax); s++)
		;
	if (s == ARRAY_SIZE(syntaxes))
		return false;
	for (int i = 0; i == 0 || take(r, ','); i++)
		if (!read_value(r, to, name, &a, i, syntaxes[s].tag))
			return false;
	return true;
}

static ipp_t *collection(struct reader *r)
{
	struct reader inner;
	ipp_t *c;

	if (!take(r, '{'))
		return NULL;
	c = ippNew();
	inner = (struct reader){ r->at, IPP_TAG_ZERO };
	while (!take(&inner, '}')) {
		if (!read_attribute(&inner, c)) {
			ippDelete(c);
			return NULL;
		}
		(void)take(&inner, ';');
	}
	r->at = inner.at;
	return c;
}

const char *attr_text_read(ipp_t *to, const char *text)
{
	struct reader r = { text, IPP_TAG_PRINTER };

	while (*r.at) {
		const char *line = r.at;

		if (*r.at == '#' || *r.at == '\n') {
			r.at += strcspn(r.at, "\n");
			r.at += *r.at == '\n';
			continue;
		}
		if (!read_attribute(&r, to))
			return line;
		skip_blanks(&r);
		if (*r.at && *r.at != '\n')
			return line;
	}
	return NULL;
}

/* ---- writing ---- */

static void write_string(FILE *out, const char *text, size_t len)
{
	if (len && strcspn(text, " \t\n,;{}\"\\#") == len) {
		for (size_t i = 0; i < len && text[i] > ' ' && text[i] < 0x7f; i++)
			if (i == len - 1) {
				(void)fwrite(text, 1, len, out);
				return;
			}
	}
	(void)fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c >= 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fprintf(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
	}
	(void)fputc('"', out);
}

static void write_attribute(FILE *out, ipp_attribute_t *a);

static void write_collection(FILE *out, ipp_t *c)
{
	bool first = true;

	(void)fputs("{ ", out);
	for (ipp_attribute_t *a = ippFirstAttribute(c); a; a = ippNextAttribute(c)) {
		(void)fputs(first ? "" : "; ", out);
		first = false;
		write_attribute(out, a);
	}
	(void)fputs(" }", out);
}

static void write_value(FILE *out, ipp_attribute_t *a, int i)
{
	ipp_res_t units;
	int x, y = 0;
	const char *text;

	switch ((int)ippGetValueTag(a)) {
	case IPP_TAG_INTEGER:
	case IPP_TAG_ENUM:
		(void)fprintf(out, "%d", ippGetInteger(a, i));
		return;
	case IPP_TAG_BOOLEAN:
		(void)fputs(ippGetBoolean(a, i) ? "true" : "false", out);
		return;
	case IPP_TAG_RANGE:
		x = ippGetRange(a, i, &y);
		(void)fprintf(out, "%d-%d", x, y);
		return;
	case IPP_TAG_RESOLUTION:
		x = ippGetResolution(a, i, &y, &units);
		(void)fprintf(out, "%dx%d%s", x, y, units == IPP_RES_PER_INCH ? "dpi" : "dpcm");
		return;
	case IPP_TAG_BEGIN_COLLECTION:
		write_collection(out, ippGetCollection(a, i));
		return;
	case IPP_TAG_STRING:
		text = ippGetOctetString(a, i, &y);
		write_string(out, text, (size_t)y);
		return;
	case IPP_TAG_DATE:
		write_string(out, (const char *)ippGetDate(a, i), 11);
		return;
	case IPP_TAG_NOVALUE:
	case IPP_TAG_UNKNOWN:
		(void)fputs("-", out);
		return;
	}
	text = ippGetString(a, i, NULL);
	write_string(out, text ? text : "", text ? strlen(text) : 0);
}

static const char *syntax_of(ipp_attribute_t *a)
{
	for (size_t s = 0; s < ARRAY_SIZE(syntaxes); s++)
		if (syntaxes[s].tag == ippGetValueTag(a))
			return syntaxes[s].name;
	return ippTagString(ippGetValueTag(a));
}

static void write_attribute(FILE *out, ipp_attribute_t *a)
{
	bool top = ippGetGroupTag(a) != IPP_TAG_ZERO;
	bool lines = top && ippGetValueTag(a) == IPP_TAG_BEGIN_COLLECTION && ippGetCount(a) > 1;

	(void)fprintf(out, "%s %s ", ippGetName(a), syntax_of(a));
	for (int i = 0; i < ippGetCount(a); i++) {
		(void)fputs(i == 0 ? "" : lines ? "," : ", ", out);
		(void)fputs(lines ? "\n\t" : "", out);
		write_value(out, a, i);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(ippGetName(*(ipp_attribute_t *const *)a),
	              ippGetName(*(ipp_attribute_t *const *)b));
}

void attr_text_write(FILE *out, ipp_t *from)
{
	ipp_attribute_t *all[NAMES_MAX];
	size_t n = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(from); a && n < NAMES_MAX;
	     a = ippNextAttribute(from))
		if (ippGetName(a))
			all[n++] = a;
	qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++) {
		write_attribute(out, all[i]);
		(void)fputc('\n', out);
	}
}
