/* capability_class.c - attribute by attribute of the first member: a list keeps what all have, a
 * range what lies in all, a number becomes the least, a default stays as long as all support it.
 * Sizes are the same when their measures are; their margins are the widest, since nobody knows
 * which member prints a job. What a member does not say it may not be able to. */
#include "connector/printer/capability_class.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_media.h"
#include "connector/printer/capability_table.h"

/* Of the class itself: who and where it is, and what CUPS does for all its queues. */
static const char *const own_names[] = {
	"charset-configured",
	"charset-supported",
	"compression-supported",
	"generated-natural-language-supported",
	"ipp-features-supported",
	"ipp-versions-supported",
	"job-priority-default",
	"job-priority-supported",
	"job-sheets-default",
	"job-sheets-supported",
	"natural-language-configured",
	"printer-config-change-date-time",
	"printer-config-change-time",
	"printer-geo-location",
	"printer-icons",
	"printer-info",
	"printer-location",
	"printer-make-and-model",
	"printer-name",
	"printer-organization",
	"printer-organizational-unit",
};

static bool is_own(const char *name)
{
	return str_is_listed(name, own_names, ARRAY_SIZE(own_names));
}

/* ---- two attributes of one name ---- */

static bool same_margin(ipp_t *a, ipp_t *b, const char *name)
{
	return ipp_get_int(a, IPP_TAG_ZERO, name, -1) == ipp_get_int(b, IPP_TAG_ZERO, name, -1);
}

/* Members of a collection that is no size: numbers and words alike. */
static bool same_collection(ipp_t *a, ipp_t *b)
{
	for (ipp_attribute_t *m = ippFirstAttribute(a); m; m = ippNextAttribute(a)) {
		const char *name = ippGetName(m);

		if (!same_margin(a, b, name) ||
		    strcmp(ipp_get_text(a, IPP_TAG_ZERO, name, ""),
		           ipp_get_text(b, IPP_TAG_ZERO, name, "")) != 0)
			return false;
	}
	return true;
}

static bool same_resolution(ipp_attribute_t *a, int i, ipp_attribute_t *b, int k)
{
	ipp_res_t units, others;
	int x, y, v, w;

	x = ippGetResolution(a, i, &y, &units);
	v = ippGetResolution(b, k, &w, &others);
	return x == v && y == w && units == others;
}

static bool same_value(ipp_attribute_t *a, int i, ipp_attribute_t *b, int k)
{
	const char *one = ippGetString(a, i, NULL), *other = ippGetString(b, k, NULL);
	ipp_t *x, *y;

	switch ((int)ippGetValueTag(a)) {
	case IPP_TAG_RESOLUTION:
		return same_resolution(a, i, b, k);
	case IPP_TAG_BEGIN_COLLECTION:
		x = ippGetCollection(a, i);
		y = ippGetCollection(b, k);
		if (ippFindAttribute(x, "media-size", IPP_TAG_BEGIN_COLLECTION))
			return capability_media_same(x, y);
		return same_collection(x, y);
	case IPP_TAG_BOOLEAN:
		return ippGetBoolean(a, i) == ippGetBoolean(b, k);
	}
	if (one || other)
		return one && other && strcmp(one, other) == 0;
	return ippGetInteger(a, i) == ippGetInteger(b, k);
}

/* The place of a's value in b; -1: it is not there. */
static int find_value(ipp_attribute_t *a, int i, ipp_attribute_t *b)
{
	if (ippGetValueTag(a) != ippGetValueTag(b))
		return -1;
	for (int k = 0; k < ippGetCount(b); k++)
		if (same_value(a, i, b, k))
			return k;
	return -1;
}

/* A type or tray that the other's entry does not have. */
static void forget_others(ipp_t *entry, ipp_t *other)
{
	static const char *const words[] = { "media-source", "media-type", "media-color" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ipp_attribute_t *a = ippFindAttribute(entry, words[i], IPP_TAG_ZERO);

		if (a && strcmp(ipp_get_text(entry, IPP_TAG_ZERO, words[i], ""),
		                ipp_get_text(other, IPP_TAG_ZERO, words[i], "")) != 0)
			ippDeleteAttribute(entry, a);
	}
}

/* The margins of one entry that no other needs wider. */
static void widen(ipp_t *entry, ipp_t *other)
{
	static const char *const margins[] = { "media-bottom-margin", "media-left-margin",
		                               "media-right-margin", "media-top-margin" };

	for (size_t i = 0; i < ARRAY_SIZE(margins); i++) {
		ipp_attribute_t *a = ippFindAttribute(entry, margins[i], IPP_TAG_INTEGER);
		int margin = ipp_get_int(other, IPP_TAG_ZERO, margins[i], 0);

		if (a && ippGetInteger(a, 0) < margin)
			(void)ippSetInteger(entry, &a, 0, margin);
	}
}

static void meet_entries(ipp_t *entry, ipp_t *other)
{
	widen(entry, other);
	if (ippFindAttribute(entry, "media-size", IPP_TAG_ZERO))
		forget_others(entry, other);
}

/* Adds a's value to the attribute that is being made of it. */
static void add_value(ipp_t *set, ipp_attribute_t **made, ipp_attribute_t *a, int i)
{
	const char *name = ippGetName(a);
	ipp_tag_t tag = ippGetValueTag(a);
	int n = *made ? ippGetCount(*made) : 0, x, y = 0;
	ipp_res_t units;

	if (tag == IPP_TAG_RESOLUTION) {
		x = ippGetResolution(a, i, &y, &units);
		if (*made)
			(void)ippSetResolution(set, made, n, units, x, y);
		else
			*made = ippAddResolution(set, IPP_TAG_PRINTER, name, units, x, y);
	} else if (tag == IPP_TAG_RANGE) {
		x = ippGetRange(a, i, &y);
		if (*made)
			(void)ippSetRange(set, made, n, x, y);
		else
			*made = ippAddRange(set, IPP_TAG_PRINTER, name, x, y);
	} else if (tag == IPP_TAG_BEGIN_COLLECTION) {
		if (*made)
			(void)ippSetCollection(set, made, n, ippGetCollection(a, i));
		else
			*made = ippAddCollection(set, IPP_TAG_PRINTER, name,
			                         ippGetCollection(a, i));
	} else if (ippGetString(a, i, NULL)) {
		if (*made)
			(void)ippSetString(set, made, n, ippGetString(a, i, NULL));
		else
			*made = ippAddString(set, IPP_TAG_PRINTER, tag, name, NULL,
			                     ippGetString(a, i, NULL));
	} else if (*made) {
		(void)ippSetInteger(set, made, n, ippGetInteger(a, i));
	} else {
		*made = ippAddInteger(set, IPP_TAG_PRINTER, tag, name, ippGetInteger(a, i));
	}
}

/* Made anew (libcups cannot delete the last value): of a what b has. Nothing left: it goes. */
static void keep_common(ipp_t *set, ipp_attribute_t *a, ipp_attribute_t *b)
{
	ipp_attribute_t *made = NULL;

	for (int i = 0; i < ippGetCount(a); i++) {
		int found = find_value(a, i, b);

		if (found < 0)
			continue;
		if (ippGetValueTag(a) == IPP_TAG_BEGIN_COLLECTION)
			meet_entries(ippGetCollection(a, i), ippGetCollection(b, found));
		add_value(set, &made, a, i);
	}
	ippDeleteAttribute(set, a);
}

static void keep_range(ipp_t *set, ipp_attribute_t *a, ipp_attribute_t *b)
{
	int low, high, other_low, other_high;

	low = ippGetRange(a, 0, &high);
	other_low = ippGetRange(b, 0, &other_high);
	low = low > other_low ? low : other_low;
	high = high < other_high ? high : other_high;
	if (low > high)
		ippDeleteAttribute(set, a);
	else
		(void)ippSetRange(set, &a, 0, low, high);
}

static bool is_default(const char *name)
{
	size_t len = strlen(name);

	return len > 8 && strcmp(name + len - 8, "-default") == 0;
}

/* A default of nothing. */
static void drop_default(ipp_t *set, const char *supported)
{
	size_t len = strlen(supported);
	ipp_attribute_t *a;
	char name[IPP_MAX_NAME];

	if (len <= 10 || strcmp(supported + len - 10, "-supported") != 0)
		return;
	(void)snprintf(name, sizeof(name), "%.*s-default", (int)(len - 10), supported);
	a = ippFindAttribute(set, name, IPP_TAG_ZERO);
	if (a)
		ippDeleteAttribute(set, a);
}

/* Values of urf-supported belong together. */
static bool is_whole(const char *name, ipp_attribute_t *a, ipp_attribute_t *b)
{
	if (strcmp(name, "urf-supported") != 0)
		return true;
	for (int i = 0; i < ippGetCount(a); i++)
		if (find_value(a, i, b) < 0)
			return false;
	return ippGetCount(a) == ippGetCount(b);
}

/* What is left of an attribute beside another member's. */
static void meet(ipp_t *set, ipp_attribute_t *a, ipp_t *other)
{
	const char *name = ippGetName(a);
	ipp_attribute_t *b = ippFindAttribute(other, name, IPP_TAG_ZERO);
	ipp_tag_t tag = ippGetValueTag(a);

	if (is_default(name))
		return; /* capabilities_settle() */
	if (!b || ippGetValueTag(b) != tag || !is_whole(name, a, b))
		ippDeleteAttribute(set, a);
	else if (tag == IPP_TAG_BOOLEAN && ippGetBoolean(a, 0))
		(void)ippSetBoolean(set, &a, 0, ippGetBoolean(b, 0));
	else if (tag == IPP_TAG_RANGE && ippGetCount(a) == 1)
		keep_range(set, a, b);
	else if (tag == IPP_TAG_INTEGER && strncmp(name, "pages-per-minute", 16) == 0)
		(void)ippSetInteger(set, &a, 0,
		                    ippGetInteger(a, 0) < ippGetInteger(b, 0)
		                            ? ippGetInteger(a, 0)
		                            : ippGetInteger(b, 0));
	else if (tag != IPP_TAG_BOOLEAN)
		keep_common(set, a, b);
}

/* ---- the class ---- */

/* Names first: a walk does not survive what it deletes. */
static void meet_all(ipp_t *set, ipp_t *other)
{
	const char *names[512];
	size_t n = 0;

	/* those of the table, which stay when the attribute goes */
	for (ipp_attribute_t *a = ippFirstAttribute(set); a; a = ippNextAttribute(set))
		if (capability_find(ippGetName(a)) && n < ARRAY_SIZE(names))
			names[n++] = capability_find(ippGetName(a))->name;
	for (size_t i = 0; i < n; i++) {
		ipp_attribute_t *a = ippFindAttribute(set, names[i], IPP_TAG_ZERO);

		if (a)
			meet(set, a, other);
		if (!ippFindAttribute(set, names[i], IPP_TAG_ZERO))
			drop_default(set, names[i]);
	}
}

static ipp_t *copy_of(struct attrs *from, bool own)
{
	ipp_t *src = attrs_ipp(from), *copy = ippNew();

	for (ipp_attribute_t *a = ippFirstAttribute(src); a; a = ippNextAttribute(src))
		if (is_own(ippGetName(a)) == own &&
		    strcmp(ippGetName(a), "media-col-default") != 0) /* one member's */
			(void)ippCopyAttribute(copy, a, 0);
	return copy;
}

struct attrs *capability_class_new(ipp_t *own, ipp_t *const *members, size_t count,
                                   const struct queue_listener *listener)
{
	struct attrs *self = capabilities_new(own, true, listener), *each;
	ipp_t *set = NULL, *identity;

	if (!count)
		return self;
	for (size_t i = 0; i < count; i++) {
		each = capabilities_new(members[i], true, listener);
		if (set)
			meet_all(set, attrs_ipp(each));
		else
			set = copy_of(each, false);
		attrs_unref(each);
	}
	identity = copy_of(self, true);
	attrs_unref(self);
	(void)ippCopyAttributes(set, identity, 0, NULL, NULL);
	ippDelete(identity);
	capabilities_settle(set, true);
	return attrs_new(set);
}
