#include "connector/printer/capability_media.h"

#include <stdlib.h>
#include <string.h>

#include <cups/pwg.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capability_clean.h"

#define POINTS_SLACK 50 /* half a millimetre, as libcups has it */

static const char *const margins[] = { "media-bottom-margin", "media-left-margin",
	                               "media-right-margin", "media-top-margin" };
static const char *const words[] = { "media-source", "media-type", "media-color" };
static const char *const sized[] = { "media-col-database", "media-col-default", "media-col-ready" };

static ipp_attribute_t *find(ipp_t *set, const char *name)
{
	return ippFindAttribute(set, name, IPP_TAG_ZERO);
}

static ipp_attribute_t *find_collections(ipp_t *set, const char *name)
{
	return ippFindAttribute(set, name, IPP_TAG_BEGIN_COLLECTION);
}

static void drop(ipp_t *set, const char *name)
{
	ipp_attribute_t *a = find(set, name);

	if (a)
		ippDeleteAttribute(set, a);
}

/* ---- sizes ---- */

static ipp_t *size_in(ipp_t *media)
{
	ipp_attribute_t *a = find_collections(media, "media-size");

	return a ? ippGetCollection(a, 0) : NULL;
}

static bool dimension(ipp_t *size, const char *name, int *low, int *high)
{
	ipp_attribute_t *a = find(size, name);

	*low = *high = 0;
	if (a && ippGetValueTag(a) == IPP_TAG_RANGE)
		*low = ippGetRange(a, 0, high);
	else if (a && ippGetValueTag(a) == IPP_TAG_INTEGER)
		*low = *high = ippGetInteger(a, 0);
	return *high > 0;
}

struct area {
	int x[2], y[2];
};

static bool area_of(ipp_t *size, struct area *ret)
{
	return size && dimension(size, "x-dimension", &ret->x[0], &ret->x[1]) &&
	       dimension(size, "y-dimension", &ret->y[0], &ret->y[1]);
}

static bool same_area(ipp_t *a, ipp_t *b)
{
	struct area of_a, of_b;

	return area_of(a, &of_a) && area_of(b, &of_b) && memcmp(&of_a, &of_b, sizeof(of_a)) == 0;
}

bool capability_media_same(ipp_t *a, ipp_t *b)
{
	return same_area(size_in(a), size_in(b));
}

/* Its measures when they are two numbers above zero. */
static bool size_of(ipp_t *media, int *ret_x, int *ret_y)
{
	struct area area;

	if (!area_of(size_in(media), &area) || area.x[0] != area.x[1] || area.y[0] != area.y[1])
		return false;
	*ret_x = area.x[0];
	*ret_y = area.y[0];
	return true;
}

/* ---- measures that were rounded ---- */

/* The nearest of the named sizes, if it is the same but for rounding. */
static bool find_named(ipp_attribute_t *names, int x, int y, int *ret_x, int *ret_y)
{
	int best = POINTS_SLACK + 1;

	for (int i = 0; names && i < ippGetCount(names); i++) {
		pwg_media_t *media = pwgMediaForPWG(ippGetString(names, i, NULL));
		int off_x = media ? abs(media->width - x) : best;
		int off_y = media ? abs(media->length - y) : best;
		int off = off_x > off_y ? off_x : off_y;

		if (off >= best)
			continue;
		best = off;
		*ret_x = media->width;
		*ret_y = media->length;
	}
	return best <= POINTS_SLACK;
}

static void straighten(ipp_t *size, ipp_attribute_t *names)
{
	ipp_attribute_t *a = find(size, "x-dimension"), *b = find(size, "y-dimension");
	struct area area;
	int x, y;

	if (!area_of(size, &area) || area.x[0] != area.x[1] || area.y[0] != area.y[1] ||
	    !find_named(names, area.x[0], area.y[0], &x, &y))
		return;
	(void)ippSetInteger(size, &a, 0, x);
	(void)ippSetInteger(size, &b, 0, y);
}

static void straighten_all(ipp_t *set)
{
	ipp_attribute_t *names = find(set, "media-supported");
	ipp_attribute_t *sizes = find_collections(set, "media-size-supported");

	for (int i = 0; sizes && i < ippGetCount(sizes); i++)
		straighten(ippGetCollection(sizes, i), names);
	for (size_t n = 0; n < ARRAY_SIZE(sized); n++) {
		ipp_attribute_t *a = find_collections(set, sized[n]);

		for (int i = 0; a && i < ippGetCount(a); i++)
			if (size_in(ippGetCollection(a, i)))
				straighten(size_in(ippGetCollection(a, i)), names);
	}
}

/* ---- the database ---- */

/* Two entries that say the same. */
static bool same_entry(ipp_t *a, ipp_t *b)
{
	if (!capability_media_same(a, b))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(margins); i++)
		if (ipp_get_int(a, IPP_TAG_ZERO, margins[i], -1) !=
		    ipp_get_int(b, IPP_TAG_ZERO, margins[i], -1))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(ipp_get_text(a, IPP_TAG_ZERO, words[i], ""),
		           ipp_get_text(b, IPP_TAG_ZERO, words[i], "")) != 0)
			return false;
	return true;
}

/* Collections of an attribute that keep() wants, each once; none left: it goes. */
static void filter(ipp_t *set, const char *name, bool (*keep)(ipp_t *each),
                   bool (*same)(ipp_t *a, ipp_t *b))
{
	const ipp_t *kept[CAPABILITY_VALUES_MAX];
	ipp_attribute_t *a = find_collections(set, name);
	int n = 0, count = a ? ippGetCount(a) : 0;

	for (int i = 0; i < count && n < CAPABILITY_VALUES_MAX; i++) {
		ipp_t *each = ippGetCollection(a, i);
		bool fits = keep(each);

		for (int k = 0; k < n && fits; k++)
			fits = !same(each, (ipp_t *)(uintptr_t)kept[k]);
		if (fits)
			kept[n++] = each;
	}
	if (n == count)
		return;
	if (n)
		ippAddCollections(set, IPP_TAG_PRINTER, name, n, kept);
	ippDeleteAttribute(set, a);
}

static bool is_sized(ipp_t *media)
{
	struct area area;

	return area_of(size_in(media), &area);
}

static bool is_area(ipp_t *size)
{
	struct area area;

	return area_of(size, &area);
}

/* ---- what is supported ---- */

static void support_number(ipp_t *set, const char *name, int number)
{
	ipp_attribute_t *a = ippFindAttribute(set, name, IPP_TAG_INTEGER);

	if (!a)
		ippAddInteger(set, IPP_TAG_PRINTER, IPP_TAG_INTEGER, name, number);
	else if (!ippContainsInteger(a, number))
		(void)ippSetInteger(set, &a, ippGetCount(a), number);
}

static void support_word(ipp_t *set, const char *name, const char *word)
{
	ipp_attribute_t *a = find(set, name);

	if (!a)
		ippAddString(set, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, name, NULL, word);
	else if (!ippContainsString(a, word))
		(void)ippSetString(set, &a, ippGetCount(a), word);
}

static void support_size(ipp_t *set, ipp_t *size)
{
	ipp_attribute_t *a = find_collections(set, "media-size-supported");

	if (!a) {
		ippAddCollection(set, IPP_TAG_PRINTER, "media-size-supported", size);
		return;
	}
	for (int i = 0; i < ippGetCount(a); i++)
		if (same_area(ippGetCollection(a, i), size))
			return;
	(void)ippSetCollection(set, &a, ippGetCount(a), size);
}

static void supported_name(const char *member, char *ret, size_t size)
{
	(void)str_copy(ret, size, member);
	(void)strncat(ret, "-supported", size - strlen(ret) - 1);
}

/* What an entry has, the printer has. */
static void support_entry(ipp_t *set, ipp_t *entry)
{
	char name[64];

	if (size_in(entry))
		support_size(set, size_in(entry));
	for (size_t i = 0; i < ARRAY_SIZE(margins); i++) {
		int margin = ipp_get_int(entry, IPP_TAG_ZERO, margins[i], -1);

		supported_name(margins[i], name, sizeof(name));
		if (margin >= 0)
			support_number(set, name, margin);
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *word = ipp_get_text(entry, IPP_TAG_ZERO, words[i], NULL);

		supported_name(words[i], name, sizeof(name));
		if (word)
			support_word(set, name, word);
	}
	for (ipp_attribute_t *a = ippFirstAttribute(entry); a; a = ippNextAttribute(entry))
		support_word(set, "media-col-supported", ippGetName(a));
}

static void support_all(ipp_t *set)
{
	for (size_t n = 0; n < ARRAY_SIZE(sized); n++) {
		ipp_attribute_t *a = find_collections(set, sized[n]);

		for (int i = 0; a && i < ippGetCount(a); i++)
			support_entry(set, ippGetCollection(a, i));
	}
}

/* ---- names ---- */

/* A printer that lists its sizes only in the database. */
static void name_sizes(ipp_t *set)
{
	ipp_attribute_t *a = find_collections(set, "media-col-database");
	int x, y;

	if (find(set, "media-supported"))
		return;
	for (int i = 0; a && i < ippGetCount(a); i++) {
		pwg_media_t *media =
			size_of(ippGetCollection(a, i), &x, &y) ? pwgMediaForSize(x, y) : NULL;

		if (media && media->pwg)
			support_word(set, "media-supported", media->pwg);
	}
}

/* What is ready or default and not supported contradicts itself. */
static void fit_names(ipp_t *set)
{
	ipp_attribute_t *names = find(set, "media-supported");
	const char *now = ipp_get_text(set, IPP_TAG_ZERO, "media-default", NULL);
	ipp_attribute_t *ready = find(set, "media-ready");
	const char *kept[CAPABILITY_VALUES_MAX];
	int n = 0, count = ready ? ippGetCount(ready) : 0;

	if (!names)
		return;
	if (now && !ippContainsString(names, now))
		drop(set, "media-default");
	if (!ready || ippGetValueTag(ready) == IPP_TAG_NOVALUE)
		return;
	for (int i = 0; i < count; i++)
		if (ippContainsString(names, ippGetString(ready, i, NULL)))
			kept[n++] = ippGetString(ready, i, NULL);
	if (n == count)
		return;
	if (n)
		ippAddStrings(set, IPP_TAG_PRINTER, ippGetValueTag(ready), "media-ready", n, NULL,
		              kept);
	ippDeleteAttribute(set, ready);
}

/* The default is one of the sizes; else it is left to others. */
static void fit_default(ipp_t *set)
{
	ipp_attribute_t *now = find_collections(set, "media-col-default");
	ipp_attribute_t *sizes = find_collections(set, "media-col-database");
	ipp_t *size = now ? size_in(ippGetCollection(now, 0)) : NULL;
	struct area area, each;

	if (!now)
		return;
	if (!area_of(size, &area)) {
		drop(set, "media-col-default");
		return;
	}
	for (int i = 0; sizes && i < ippGetCount(sizes); i++) {
		ipp_t *entry = ippGetCollection(sizes, i);

		if (area_of(size_in(entry), &each) && area.x[0] >= each.x[0] &&
		    area.x[1] <= each.x[1] && area.y[0] >= each.y[0] && area.y[1] <= each.y[1])
			return;
	}
	if (sizes)
		drop(set, "media-col-default");
}

void capability_media_fit_ready(ipp_t *set)
{
	filter(set, "media-col-ready", is_sized, same_entry);
}

void capability_media_fit(ipp_t *set, bool cups)
{
	if (cups)
		straighten_all(set);
	filter(set, "media-col-database", is_sized, same_entry);
	capability_media_fit_ready(set);
	filter(set, "media-size-supported", is_area, same_area);
	fit_default(set);
	support_all(set);
	name_sizes(set);
	fit_names(set);
}
