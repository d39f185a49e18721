#include "connector/printer/capability_clean.h"

#include <stdint.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/printer/capability_table.h"
#include "connector/printer/printer_text.h"

#define TEXT_BYTES     1023
#define NAME_BYTES     255
#define MEMBERS_MAX    64 /* of one collection */
#define RESOLUTION_MAX 100000

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Where the values go: the attribute that is being made. */
struct target {
	ipp_t *out;
	ipp_tag_t group;
	const char *name;
	ipp_attribute_t *attr; /* NULL: no value yet */
	int most;              /* values */
};

static int count_of(const struct target *t)
{
	return t->attr ? ippGetCount(t->attr) : 0;
}

/* ---- strings ---- */

/* Letters, digits and these. */
static bool consists_of(const char *text, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(letters, text[i]) && !strchr(others, text[i]))
			return false;
	return len > 0 && len <= NAME_BYTES;
}

static bool is_mime(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && consists_of(text, (size_t)(slash - text), "!#$&-^_.+") &&
	       consists_of(slash + 1, strlen(slash + 1), "!#$&-^_.+");
}

static bool is_uri(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("<>\"{}|\\^`", *p))
			return false;
	return strchr(text, ':') && strlen(text) <= TEXT_BYTES;
}

static bool string_fits(const char *text, unsigned syntax)
{
	switch (syntax) {
	case CAPABILITY_KEYWORD:
		return consists_of(text, strlen(text), "-._");
	case CAPABILITY_CHARSET:
	case CAPABILITY_LANGUAGE:
		return consists_of(text, strlen(text), "-._:");
	case CAPABILITY_MIME:
		return is_mime(text);
	case CAPABILITY_URI:
		return is_uri(text);
	}
	return true;
}

static void add_string(struct target *t, ipp_tag_t tag, const char *text)
{
	if (!t->attr)
		t->attr = ippAddString(t->out, t->group, tag, t->name, NULL, text);
	else
		(void)ippSetString(t->out, &t->attr, count_of(t), text);
}

/* Texts keep their places, which others refer to; of the rest each value comes once. */
static void copy_strings(struct target *t, ipp_tag_t tag, ipp_attribute_t *from)
{
	unsigned syntax = capability_syntax(tag);
	char clean[TEXT_BYTES + 1];

	for (int i = 0; i < ippGetCount(from) && count_of(t) < t->most; i++) {
		const char *text = ippGetString(from, i, NULL);

		if (!text || !string_fits(text, syntax))
			continue;
		if (syntax == CAPABILITY_TEXT) {
			printer_text_copy(clean, sizeof(clean), text);
		} else if (syntax == CAPABILITY_NAME) {
			printer_text_copy(clean, NAME_BYTES + 1, text);
			if (!*clean)
				continue;
		} else {
			(void)str_copy(clean, sizeof(clean), text);
		}
		if (syntax == CAPABILITY_TEXT || !t->attr || !ippContainsString(t->attr, clean))
			add_string(t, tag, clean);
	}
}

/* Keywords stay keywords as long as all of them are; one name makes all of them names. */
static ipp_tag_t word_tag(ipp_attribute_t *from, unsigned syntaxes)
{
	if (!(syntaxes & CAPABILITY_KEYWORD))
		return syntaxes & CAPABILITY_NAME ? IPP_TAG_NAME : IPP_TAG_TEXT;
	if (!(syntaxes & CAPABILITY_NAME))
		return IPP_TAG_KEYWORD;
	return capability_syntax(ippGetValueTag(from)) == CAPABILITY_KEYWORD ? IPP_TAG_KEYWORD
	                                                                     : IPP_TAG_NAME;
}

/* Values of printer-alert and the like are ASCII (PWG 5100.9, 5100.13). */
static void copy_octets(struct target *t, ipp_attribute_t *from)
{
	char clean[TEXT_BYTES + 1];

	for (int i = 0; i < ippGetCount(from) && count_of(t) < t->most; i++) {
		int len = 0;
		const char *bytes = ippGetOctetString(from, i, &len);

		if (!bytes || len <= 0 || len > TEXT_BYTES)
			continue;
		for (int at = 0; at < len; at++)
			clean[at] = (char)(bytes[at] >= ' ' && bytes[at] < 0x7f ? bytes[at] : '?');
		if (!t->attr)
			t->attr = ippAddOctetString(t->out, t->group, t->name, clean, len);
		else
			ippSetOctetString(t->out, &t->attr, count_of(t), clean, len);
	}
}

/* ---- numbers ---- */

static bool has_range(ipp_attribute_t *a, int low, int high)
{
	int l, h;

	for (int i = 0; a && i < ippGetCount(a); i++) {
		l = ippGetRange(a, i, &h);
		if (l == low && h == high)
			return true;
	}
	return false;
}

static void add_range(struct target *t, int low, int high)
{
	if (low < 0 || high < low || has_range(t->attr, low, high))
		return;
	if (!t->attr)
		t->attr = ippAddRange(t->out, t->group, t->name, low, high);
	else
		(void)ippSetRange(t->out, &t->attr, count_of(t), low, high);
}

static void add_number(struct target *t, ipp_tag_t tag, int number)
{
	if (number < (tag == IPP_TAG_ENUM) || (t->attr && ippContainsInteger(t->attr, number)))
		return;
	if (!t->attr)
		t->attr = ippAddInteger(t->out, t->group, tag, t->name, number);
	else
		(void)ippSetInteger(t->out, &t->attr, count_of(t), number);
}

static void copy_numbers(struct target *t, unsigned syntaxes, ipp_attribute_t *from)
{
	unsigned is = capability_syntax(ippGetValueTag(from));
	ipp_tag_t tag = syntaxes & CAPABILITY_ENUM ? IPP_TAG_ENUM : IPP_TAG_INTEGER;
	int low, high;

	for (int i = 0; i < ippGetCount(from) && count_of(t) < t->most; i++) {
		if (is == CAPABILITY_RANGE) {
			low = ippGetRange(from, i, &high);
			add_range(t, low, high);
			continue;
		}
		low = ippGetInteger(from, i);
		if (syntaxes & (CAPABILITY_INTEGER | CAPABILITY_ENUM))
			add_number(t, tag, low);
		else /* copies, kilobytes: up to so many */
			add_range(t, strcmp(t->name, "copies-supported") == 0, low);
	}
}

static bool has_resolution(ipp_attribute_t *a, int x, int y, ipp_res_t units)
{
	ipp_res_t u;
	int v, w;

	for (int i = 0; a && i < ippGetCount(a); i++) {
		v = ippGetResolution(a, i, &w, &u);
		if (v == x && w == y && u == units)
			return true;
	}
	return false;
}

static void copy_resolutions(struct target *t, ipp_attribute_t *from)
{
	ipp_res_t units = IPP_RES_PER_INCH;
	int x, y = 0;

	for (int i = 0; i < ippGetCount(from) && count_of(t) < t->most; i++) {
		x = ippGetResolution(from, i, &y, &units);
		if (x < 1 || y < 1 || x > RESOLUTION_MAX || y > RESOLUTION_MAX ||
		    (units != IPP_RES_PER_INCH && units != IPP_RES_PER_CM) ||
		    has_resolution(t->attr, x, y, units))
			continue;
		if (!t->attr)
			t->attr = ippAddResolution(t->out, t->group, t->name, units, x, y);
		else
			(void)ippSetResolution(t->out, &t->attr, count_of(t), units, x, y);
	}
}

/* ---- collections ---- */

static void copy_values(struct target *t, unsigned syntaxes, ipp_attribute_t *from, int depth);

/* NULL: nothing of it is left. The caller's. */
static ipp_t *clean_collection(ipp_t *from, int depth)
{
	ipp_t *copy = ippNew();
	int members = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(from); a && members < MEMBERS_MAX;
	     a = ippNextAttribute(from)) {
		struct target t = { copy, IPP_TAG_ZERO, ippGetName(a), NULL,
			            CAPABILITY_VALUES_MAX };

		if (!t.name || !string_fits(t.name, CAPABILITY_KEYWORD) ||
		    ippFindAttribute(copy, t.name, IPP_TAG_ZERO))
			continue;
		copy_values(&t, capability_syntax(ippGetValueTag(a)), a, depth);
		members += t.attr != NULL;
	}
	if (members)
		return copy;
	ippDelete(copy);
	return NULL;
}

static void copy_collections(struct target *t, ipp_attribute_t *from, int depth)
{
	if (depth == CAPABILITY_DEPTH_MAX)
		return;
	for (int i = 0; i < ippGetCount(from) && count_of(t) < t->most; i++) {
		ipp_t *clean = clean_collection(ippGetCollection(from, i), depth + 1);

		if (clean && !t->attr)
			t->attr = ippAddCollection(t->out, t->group, t->name, clean);
		else if (clean)
			(void)ippSetCollection(t->out, &t->attr, count_of(t), clean);
		ippDelete(clean);
	}
}

/* ---- all ---- */

static void copy_values(struct target *t, unsigned syntaxes, ipp_attribute_t *from, int depth)
{
	const unsigned words = CAPABILITY_TEXT | CAPABILITY_NAME | CAPABILITY_KEYWORD;
	const unsigned numbers = CAPABILITY_INTEGER | CAPABILITY_ENUM;
	unsigned is = capability_syntax(ippGetValueTag(from));

	if (is & words && syntaxes & words)
		copy_strings(t, word_tag(from, syntaxes), from);
	else if (is & numbers && syntaxes & (numbers | CAPABILITY_RANGE))
		copy_numbers(t, syntaxes, from);
	else if (!(is & syntaxes))
		return;
	else if (is & (CAPABILITY_URI | CAPABILITY_CHARSET | CAPABILITY_LANGUAGE | CAPABILITY_MIME))
		copy_strings(t, ippGetValueTag(from), from);
	else if (is & CAPABILITY_RANGE)
		copy_numbers(t, syntaxes, from);
	else if (is & CAPABILITY_RESOLUTION)
		copy_resolutions(t, from);
	else if (is & CAPABILITY_OCTETS)
		copy_octets(t, from);
	else if (is & CAPABILITY_COLLECTION)
		copy_collections(t, from, depth);
	else if (is & CAPABILITY_BOOLEAN)
		t->attr = ippAddBoolean(t->out, t->group, t->name, ippGetBoolean(from, 0) != 0);
	else if (is & CAPABILITY_DATE)
		t->attr = ippAddDate(t->out, t->group, t->name, ippGetDate(from, 0));
	else if (is & CAPABILITY_NONE)
		t->attr = ippAddOutOfBand(t->out, t->group, ippGetValueTag(from), t->name);
}

void capability_copy(ipp_t *out, const struct capability *as, ipp_attribute_t *from)
{
	struct target t = { out, IPP_TAG_PRINTER, as->name, NULL,
		            as->many ? CAPABILITY_VALUES_MAX : 1 };

	copy_values(&t, as->syntaxes, from, 0);
}
