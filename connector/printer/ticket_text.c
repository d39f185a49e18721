/* ticket_text.c - tickets and values that people write. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"

#define LINE_MAX_    1024
#define TICKET_LINES 1000

/* What a ticket says about itself. */
static const char *const flags[] = { "ipp-attribute-fidelity", "pdf-fit-to-page" };

static int bad(struct err *err, const char *name, const char *what, const char *value)
{
	char shown[64];

	str_clean(value, shown, sizeof(shown));
	return err_set(err, ERR_REJECTED, 0, "%s must be %s, not \"%s\"", name, what, shown);
}

static int parse_integer(const char *text, int *ret)
{
	int64_t number;

	if (str_number_parse(text, INT32_MIN, INT32_MAX, &number) < 0)
		return -1;
	*ret = (int)number;
	return 0;
}

/* An enum by its keyword or number. */
static int parse_enum(const char *name, const char *text, int *ret)
{
	int number = ippEnumValue(name, text);

	if (parse_integer(text, ret) == 0)
		return 0;
	if (number < 0)
		return -1;
	*ret = number;
	return 0;
}

static bool is_enum(const char *name)
{
	return strcmp(name, "finishings") == 0 || strcmp(name, "print-quality") == 0 ||
	       strcmp(name, "orientation-requested") == 0;
}

static int add_number(ipp_t *into, ipp_attribute_t **attr, const char *name, const char *text,
                      struct err *err)
{
	int number;

	if ((is_enum(name) ? parse_enum(name, text, &number) : parse_integer(text, &number)) < 0)
		return bad(err, name, is_enum(name) ? "one of its keywords" : "a number", text);
	if (*attr == NULL)
		*attr = ippAddInteger(into, IPP_TAG_JOB,
		                      is_enum(name) ? IPP_TAG_ENUM : IPP_TAG_INTEGER, name, number);
	else
		ippSetInteger(into, attr, ippGetCount(*attr), number);
	return 0;
}

static int add_word(ipp_t *into, ipp_attribute_t **attr, const char *name, const char *text,
                    struct err *err)
{
	if (*text == '\0' || strlen(text) > 255 || !str_is_utf8(text))
		return bad(err, name, "a word", text);
	if (*attr == NULL)
		*attr = ippAddString(into, IPP_TAG_JOB, IPP_TAG_KEYWORD, name, NULL, text);
	else
		ippSetString(into, attr, ippGetCount(*attr), text);
	return 0;
}

/* "3", "3-5" or "3-" */
static int add_range(ipp_t *into, ipp_attribute_t **attr, const char *name, const char *text,
                     struct err *err)
{
	char low_text[16];
	const char *dash = strchr(text, '-');
	size_t len = dash != NULL ? (size_t)(dash - text) : strlen(text);
	int low, high = INT32_MAX;

	(void)snprintf(low_text, sizeof(low_text), "%.*s", (int)(len < 15 ? len : 15), text);
	if (len > 15 || parse_integer(low_text, &low) < 0 ||
	    (dash != NULL && dash[1] != '\0' && parse_integer(dash + 1, &high) < 0))
		return bad(err, name, "pages such as 1-3", text);
	if (dash == NULL)
		high = low;
	if (*attr == NULL)
		*attr = ippAddRange(into, IPP_TAG_JOB, name, low, high);
	else
		ippSetRange(into, attr, ippGetCount(*attr), low, high);
	return 0;
}

/* "600", "600dpi", "600x1200dpi", "240dpcm" */
static int add_resolution(ipp_t *into, const char *name, const char *text, struct err *err)
{
	ipp_res_t units = IPP_RES_PER_INCH;
	char copy[32], *by;
	size_t len;
	int x, y;

	if (str_copy(copy, sizeof(copy), text) < 0)
		return bad(err, name, "such as 600dpi", text);
	len = strcspn(copy, "d");
	if (strcmp(copy + len, "dpcm") == 0)
		units = IPP_RES_PER_CM;
	else if (copy[len] != '\0' && strcmp(copy + len, "dpi") != 0)
		return bad(err, name, "such as 600dpi", text);
	copy[len] = '\0';
	by = strchr(copy, 'x');
	if (by != NULL)
		*by++ = '\0';
	if (parse_integer(copy, &x) < 0 || parse_integer(by != NULL ? by : copy, &y) < 0)
		return bad(err, name, "such as 600dpi", text);
	ippAddResolution(into, IPP_TAG_JOB, name, units, x, y);
	return 0;
}

static int add_template(ipp_t *into, ipp_attribute_t **attr, const char *name, const char *text)
{
	ipp_t *col = ippNew();

	ippAddString(col, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "finishing-template", NULL, text);
	if (*attr == NULL)
		*attr = ippAddCollection(into, IPP_TAG_JOB, name, col);
	else
		ippSetCollection(into, attr, ippGetCount(*attr), col);
	ippDelete(col);
	return 0;
}

static int add_value(ipp_t *into, ipp_attribute_t **attr, const struct ticket_rule *rule,
                     const char *text, struct err *err)
{
	switch (rule->check) {
	case CHECK_WORD:
	case CHECK_DIRECTION:
	case CHECK_ACCOUNT:
	case CHECK_NONE:
		return add_word(into, attr, rule->name, text, err);
	case CHECK_NUMBER:
	case CHECK_COPIES:
	case CHECK_FINISHINGS:
	case CHECK_PRIORITY:
		return add_number(into, attr, rule->name, text, err);
	case CHECK_RESOLUTION:
		return add_resolution(into, rule->name, text, err);
	case CHECK_RANGES:
		return add_range(into, attr, rule->name, text, err);
	case CHECK_MEDIA:
		if (strcmp(rule->name, "media-col") != 0)
			return add_word(into, attr, rule->name, text, err);
		return err_set(err, ERR_REJECTED, 0,
		               "media-col is written as media, media-source and media-type");
	case CHECK_MEMBERS:
		if (strcmp(rule->name, "finishings-col") == 0)
			return add_template(into, attr, rule->name, text);
		return err_set(err, ERR_REJECTED, 0, "%s cannot be written as text", rule->name);
	}
	return -1;
}

int ticket_parse_value(ipp_t *into, const char *name, const char *text, struct err *err)
{
	const struct ticket_rule *rule = ticket_rule(name);
	char copy[LINE_MAX_], *rest = copy, *word;
	ipp_attribute_t *attr = NULL;

	if (rule == NULL)
		return err_set(err, ERR_REJECTED, 0, "%s is no option of a ticket", name);
	if (str_copy(copy, sizeof(copy), text) < 0)
		return err_set(err, ERR_REJECTED, 0, "%s: the value is too long", name);
	while ((word = strsep(&rest, ",")) != NULL) {
		word += strspn(word, " \t");
		for (char *end = word + strlen(word);
		     end > word && (end[-1] == ' ' || end[-1] == '\t');)
			*--end = '\0';
		if (attr != NULL && !rule->many)
			return err_set(err, ERR_REJECTED, 0, "%s takes one value", name);
		if (add_value(into, &attr, rule, word, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- a whole ticket ------------------------------------------------------------------------- */

static bool is_flag(const char *name)
{
	return str_is_listed(name, flags, ARRAY_SIZE(flags));
}

static int unknown(const char *name, struct err *err)
{
	const char *known[64], *near;
	char shown[48];
	size_t n = 0;

	for (size_t i = 0; mapping_attribute(i) != NULL && n < ARRAY_SIZE(known); i++)
		known[n++] = mapping_attribute(i);
	near = str_nearest(name, known, n);
	str_clean(name, shown, sizeof(shown));
	return err_set(err, ERR_REJECTED, 0, "unknown option %s%s%s%s", shown,
	               near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	               near != NULL ? "?" : "");
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}

static int parse_line(ipp_t *into, char *line, struct err *err)
{
	char *equals = strchr(line, '='), *name, *value;
	char shown[48];
	bool yes;

	if (equals == NULL) {
		str_clean(line, shown, sizeof(shown));
		return err_set(err, ERR_REJECTED, 0, "\"%s\" is not NAME = VALUE", shown);
	}
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	if (ippFindAttribute(into, name, IPP_TAG_ZERO) != NULL)
		return err_set(err, ERR_REJECTED, 0, "%.48s stands there twice", name);
	if (is_flag(name)) {
		if (str_bool_parse(value, &yes) < 0)
			return bad(err, name, "yes or no", value);
		ippAddBoolean(into, IPP_TAG_JOB, name, yes);
		return 0;
	}
	if (ticket_rule(name) == NULL)
		return unknown(name, err);
	return ticket_parse_value(into, name, value, err);
}

int ticket_parse(const char *text, ipp_t **ret, struct err *err)
{
	AUTO(ticket_free) ipp_t *into = ippNew();
	char line[LINE_MAX_], where[16], *trimmed;
	unsigned number = 0;
	size_t len;

	for (const char *at = text; *at != '\0'; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		(void)snprintf(where, sizeof(where), "line %u", ++number);
		if (len >= sizeof(line) || number > TICKET_LINES)
			return err_set(err, ERR_REJECTED, 0, "line %u: the ticket is too long",
			               number);
		memcpy(line, at, len);
		line[len] = '\0';
		trimmed = trim(line);
		if (*trimmed == '\0' || *trimmed == '#')
			continue;
		if (parse_line(into, trimmed, err) < 0)
			return err_wrap(err, "%s", where);
	}
	*ret = TAKE(into);
	return 0;
}
