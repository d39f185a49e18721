#include "tests/emulator/up_minimum.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	ONE = 1,      /* exactly one value */
	OPTIONAL = 2, /* may be absent */
	WORD = 4,     /* a name does as well as a keyword */
};

static const struct wish {
	const char *name;
	ipp_tag_t tag;
	unsigned flags;
	const char *of;    /* each value is one of this attribute's */
	int least, most;   /* numbers; both 0: any */
	const char *words; /* " a b c ": nothing else; NULL: any */
	const char *must;  /* is one of the values */
	size_t bytes;      /* of a text; 0: any */
	const char *when;  /* only for printers with this format */
} wishes[] = {
	{ .name = "copies-default",
	  .tag = IPP_TAG_INTEGER,
	  .flags = ONE,
	  .least = 1,
	  .most = 1 << 30 },
	{ .name = "copies-supported", .tag = IPP_TAG_RANGE, .flags = 0 },
	{ .name = "document-format-default",
	  .tag = IPP_TAG_MIMETYPE,
	  .flags = ONE,
	  .of = "document-format-supported" },
	{ .name = "document-format-supported", .tag = IPP_TAG_MIMETYPE, .flags = 0 },
	{ .name = "finishings-default", .tag = IPP_TAG_ENUM, .of = "finishings-supported" },
	{ .name = "finishings-supported", .tag = IPP_TAG_ENUM, .must = "3" },
	{ .name = "media-col-supported", .tag = IPP_TAG_KEYWORD, .flags = 0 },
	{ .name = "media-default",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = ONE | WORD | OPTIONAL,
	  .of = "media-supported" },
	{ .name = "media-supported", .tag = IPP_TAG_KEYWORD, .flags = WORD },
	{ .name = "media-ready",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = WORD | OPTIONAL,
	  .of = "media-supported" },
	{ .name = "media-type-supported", .tag = IPP_TAG_KEYWORD, .flags = WORD },
	{ .name = "number-up-default",
	  .tag = IPP_TAG_INTEGER,
	  .flags = OPTIONAL,
	  .least = 1,
	  .most = 1 << 30 },
	{ .name = "orientation-requested-default",
	  .tag = IPP_TAG_ENUM,
	  .flags = ONE,
	  .of = "orientation-requested-supported" },
	{ .name = "orientation-requested-supported", .tag = IPP_TAG_ENUM, .least = 3, .most = 6 },
	{ .name = "output-bin-default",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = WORD,
	  .of = "output-bin-supported" },
	{ .name = "output-bin-supported", .tag = IPP_TAG_KEYWORD, .flags = WORD },
	{ .name = "print-color-mode-default",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = ONE,
	  .of = "print-color-mode-supported" },
	{ .name = "print-color-mode-supported",
	  .tag = IPP_TAG_KEYWORD,
	  .words = " auto auto-monochrome bi-level monochrome color highlight process-bi-level "
	           "process-monochrome ",
	  .must = "monochrome" },
	{ .name = "print-quality-default",
	  .tag = IPP_TAG_ENUM,
	  .flags = ONE,
	  .of = "print-quality-supported" },
	{ .name = "print-quality-supported", .tag = IPP_TAG_ENUM, .least = 3, .most = 5 },
	{ .name = "printer-is-accepting-jobs", .tag = IPP_TAG_BOOLEAN, .flags = ONE },
	{ .name = "printer-make-and-model", .tag = IPP_TAG_TEXT, .flags = ONE, .bytes = 127 },
	{ .name = "printer-resolution-default",
	  .tag = IPP_TAG_RESOLUTION,
	  .flags = ONE,
	  .of = "printer-resolution-supported" },
	{ .name = "printer-resolution-supported", .tag = IPP_TAG_RESOLUTION, .flags = 0 },
	{ .name = "printer-state", .tag = IPP_TAG_ENUM, .flags = ONE, .least = 3, .most = 5 },
	{ .name = "printer-state-reasons", .tag = IPP_TAG_KEYWORD, .flags = 0 },
	{ .name = "printer-location", .tag = IPP_TAG_TEXT, .flags = OPTIONAL, .bytes = 127 },
	{ .name = "sides-default", .tag = IPP_TAG_KEYWORD, .flags = ONE, .of = "sides-supported" },
	{ .name = "sides-supported",
	  .tag = IPP_TAG_KEYWORD,
	  .words = " one-sided two-sided-long-edge two-sided-short-edge " },
	{ .name = "charset-configured", .tag = IPP_TAG_CHARSET, .flags = ONE, .must = "utf-8" },
	{ .name = "charset-supported", .tag = IPP_TAG_CHARSET, .must = "utf-8" },
	{ .name = "natural-language-configured", .tag = IPP_TAG_LANGUAGE, .flags = ONE },
	{ .name = "generated-natural-language-supported", .tag = IPP_TAG_LANGUAGE, .flags = 0 },
	{ .name = "pdf-k-octets-supported",
	  .tag = IPP_TAG_RANGE,
	  .flags = ONE,
	  .when = "application/pdf" },
	{ .name = "pdf-versions-supported", .tag = IPP_TAG_KEYWORD, .when = "application/pdf" },
	{ .name = "print-scaling-default",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = ONE,
	  .of = "print-scaling-supported",
	  .when = "application/pdf" },
	{ .name = "print-scaling-supported", .tag = IPP_TAG_KEYWORD, .when = "application/pdf" },
	{ .name = "pwg-raster-document-resolution-supported",
	  .tag = IPP_TAG_RESOLUTION,
	  .when = "image/pwg-raster" },
	{ .name = "pwg-raster-document-sheet-back",
	  .tag = IPP_TAG_KEYWORD,
	  .flags = ONE,
	  .when = "image/pwg-raster" },
	{ .name = "pwg-raster-document-type-supported",
	  .tag = IPP_TAG_KEYWORD,
	  .when = "image/pwg-raster" },
	{ .name = "page-ranges-supported",
	  .tag = IPP_TAG_BOOLEAN,
	  .flags = ONE,
	  .when = "application/PCLm" },
	{ .name = "pclm-raster-back-side", .tag = IPP_TAG_KEYWORD, .when = "application/PCLm" },
	{ .name = "pclm-source-resolution-supported",
	  .tag = IPP_TAG_RESOLUTION,
	  .when = "application/PCLm" },
	{ .name = "pclm-strip-height-preferred",
	  .tag = IPP_TAG_INTEGER,
	  .when = "application/PCLm" },
	{ .name = "pclm-strip-height-supported",
	  .tag = IPP_TAG_INTEGER,
	  .when = "application/PCLm" },
};

static ipp_attribute_t *find(ipp_t *set, const char *name)
{
	return ippFindAttribute(set, name, IPP_TAG_ZERO);
}

/* A value as text: of numbers their digits. */
static const char *text_of(ipp_attribute_t *a, int i, char *buffer, size_t size)
{
	ipp_res_t units;
	int x, y;

	switch ((int)ippGetValueTag(a)) {
	case IPP_TAG_INTEGER:
	case IPP_TAG_ENUM:
		(void)snprintf(buffer, size, "%d", ippGetInteger(a, i));
		return buffer;
	case IPP_TAG_RESOLUTION:
		x = ippGetResolution(a, i, &y, &units);
		(void)snprintf(buffer, size, "%dx%d-%d", x, y, (int)units);
		return buffer;
	case IPP_TAG_TEXT:
	case IPP_TAG_NAME:
	case IPP_TAG_KEYWORD:
	case IPP_TAG_MIMETYPE:
	case IPP_TAG_CHARSET:
	case IPP_TAG_LANGUAGE:
		return ippGetString(a, i, NULL);
	}
	return NULL;
}

static bool has(ipp_attribute_t *list, const char *text)
{
	char buffer[64];

	for (int i = 0; list && text && i < ippGetCount(list); i++) {
		const char *each = text_of(list, i, buffer, sizeof(buffer));

		if (each && strcmp(each, text) == 0)
			return true;
	}
	return false;
}

static bool is_word(const char *words, const char *text)
{
	char wanted[128];

	(void)snprintf(wanted, sizeof(wanted), " %s ", text);
	return strstr(words, wanted) != NULL;
}

static bool value_holds(ipp_t *set, const struct wish *w, ipp_attribute_t *a, int i)
{
	char buffer[64];
	const char *text = text_of(a, i, buffer, sizeof(buffer));
	int number = w->most ? ippGetInteger(a, i) : 0;

	if (w->most && (number < w->least || number > w->most))
		return false;
	if (w->of && !has(find(set, w->of), text))
		return false;
	if (w->words && (!text || !is_word(w->words, text)))
		return false;
	return !w->bytes || (text && *text && strlen(text) <= w->bytes);
}

static bool holds(ipp_t *set, const struct wish *w)
{
	ipp_attribute_t *a = find(set, w->name);
	ipp_tag_t tag = a ? ippGetValueTag(a) : IPP_TAG_ZERO;

	if (w->when && !has(find(set, "document-format-supported"), w->when))
		return true;
	if (!a)
		return w->flags & OPTIONAL;
	if (tag != w->tag && !(w->flags & WORD && tag == IPP_TAG_NAME))
		return false;
	if (w->flags & ONE && ippGetCount(a) != 1)
		return false;
	for (int i = 0; i < ippGetCount(a); i++)
		if (!(w->flags & OPTIONAL && w->bytes && !*ippGetString(a, i, NULL)) &&
		    !value_holds(set, w, a, i))
			return false;
	return !w->must || has(a, w->must);
}

/* ---- media ---- */

static ipp_t *member(ipp_t *entry, const char *name)
{
	ipp_attribute_t *a = entry ? find(entry, name) : NULL;

	return a && ippGetValueTag(a) == IPP_TAG_BEGIN_COLLECTION ? ippGetCollection(a, 0) : NULL;
}

/* A dimension as it stands: one number or a range. */
static bool dimension(ipp_t *size, const char *name, int ret[static 2])
{
	ipp_attribute_t *a = size ? find(size, name) : NULL;

	if (!a)
		return false;
	if (ippGetValueTag(a) == IPP_TAG_RANGE)
		ret[0] = ippGetRange(a, 0, &ret[1]);
	else
		ret[0] = ret[1] = ippGetInteger(a, 0);
	return ret[0] > 0 && ret[1] >= ret[0];
}

static bool same_size(ipp_t *a, ipp_t *b)
{
	int x[2], y[2], v[2], w[2];

	return dimension(a, "x-dimension", x) && dimension(a, "y-dimension", y) &&
	       dimension(b, "x-dimension", v) && dimension(b, "y-dimension", w) &&
	       memcmp(x, v, sizeof(x)) == 0 && memcmp(y, w, sizeof(y)) == 0;
}

static bool size_is_supported(ipp_t *set, ipp_t *entry)
{
	ipp_attribute_t *sizes = find(set, "media-size-supported");

	if (!sizes)
		return true;
	for (int i = 0; i < ippGetCount(sizes); i++)
		if (same_size(ippGetCollection(sizes, i), member(entry, "media-size")))
			return true;
	return false;
}

/* Each member of an entry that has a NAME-supported is one of its values. */
static bool members_are_supported(ipp_t *set, ipp_t *entry)
{
	static const char *const names[] = { "media-bottom-margin", "media-left-margin",
		                             "media-right-margin",  "media-top-margin",
		                             "media-source",        "media-type" };
	ipp_attribute_t *known = find(set, "media-col-supported");
	char buffer[64], full[64];

	for (ipp_attribute_t *a = ippFirstAttribute(entry); a; a = ippNextAttribute(entry))
		if (!has(known, ippGetName(a)))
			return false;
	for (size_t i = 0; i < COUNT(names); i++) {
		ipp_attribute_t *a = find(entry, names[i]);

		(void)snprintf(full, sizeof(full), "%s-supported", names[i]);
		if (a && !has(find(set, full), text_of(a, 0, buffer, sizeof(buffer))))
			return false;
	}
	return true;
}

static bool entry_holds(ipp_t *set, ipp_t *entry)
{
	ipp_t *size = member(entry, "media-size");
	int x[2], y[2];

	return dimension(size, "x-dimension", x) && dimension(size, "y-dimension", y) &&
	       size_is_supported(set, entry) && members_are_supported(set, entry);
}

static bool database_holds(ipp_t *set)
{
	ipp_attribute_t *a = find(set, "media-col-database");

	for (int i = 0; a && i < ippGetCount(a); i++) {
		ipp_t *entry = ippGetCollection(a, i);
		ipp_t *properties = member(entry, "media-source-properties");
		ipp_attribute_t *feed =
			properties ? find(properties, "media-source-feed-direction") : NULL;

		if (!feed || ippGetValueTag(feed) != IPP_TAG_KEYWORD || !entry_holds(set, entry))
			return false;
	}
	return a;
}

static bool collections_hold(ipp_t *set, const char *name, bool optional)
{
	ipp_attribute_t *a = find(set, name);

	if (!a || ippGetValueTag(a) != IPP_TAG_BEGIN_COLLECTION)
		return optional;
	for (int i = 0; i < ippGetCount(a); i++)
		if (!entry_holds(set, ippGetCollection(a, i)))
			return false;
	return true;
}

size_t up_minimum_check(ipp_t *set, const char **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(wishes) && n < max; i++)
		if (!holds(set, &wishes[i]))
			ret[n++] = wishes[i].name;
	if (n < max && !database_holds(set))
		ret[n++] = "media-col-database";
	if (n < max && !collections_hold(set, "media-col-default", false))
		ret[n++] = "media-col-default";
	if (n < max && !collections_hold(set, "media-col-ready", true))
		ret[n++] = "media-col-ready";
	return n;
}
