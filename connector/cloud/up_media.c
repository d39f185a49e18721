/* up_media.c - a database that the queue gives is taken, each entry with its feed direction added;
 * one that it does not give is made of the sizes whose names it lists. */
#include "connector/cloud/up_media.h"

#include <string.h>

#include <cups/cups.h>
#include <cups/pwg.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"

#define ENTRIES_MAX 1024
#define TYPES_MAX   256

ipp_attribute_t *up_find(ipp_t *m, const char *name)
{
	return ippFindAttribute(m, name, IPP_TAG_ZERO);
}

void up_drop(ipp_t *m, const char *name)
{
	ipp_attribute_t *a = up_find(m, name);

	if (a)
		ippDeleteAttribute(m, a);
}

/* How the queue feeds its paper; the short edge first where it does not say. */
static const char *feed_of(ipp_t *m)
{
	return strcmp(ipp_get_text(m, IPP_TAG_PRINTER, "feed-orientation-default", ""),
	              "long-edge-first") == 0
	               ? "long-edge-first"
	               : "short-edge-first";
}

static void add_feed(ipp_t *entry, const char *feed)
{
	ipp_t *properties = ippNew();

	ippAddString(properties, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "media-source-feed-direction", NULL,
	             feed);
	ippAddCollection(entry, IPP_TAG_ZERO, "media-source-properties", properties);
	ippDelete(properties);
}

static ipp_t *feed_in(ipp_t *entry)
{
	ipp_attribute_t *a =
		ippFindAttribute(entry, "media-source-properties", IPP_TAG_BEGIN_COLLECTION);
	ipp_t *properties = a ? ippGetCollection(a, 0) : NULL;

	return properties && ippFindAttribute(properties, "media-source-feed-direction",
	                                      IPP_TAG_KEYWORD)
	               ? properties
	               : NULL;
}

/* ---- the database ---- */

/* An entry with all that the rule wants; NULL: it has no size. The caller's. */
static ipp_t *complete(ipp_t *entry, const char *feed)
{
	ipp_t *copy;

	if (!ippFindAttribute(entry, "media-size", IPP_TAG_BEGIN_COLLECTION))
		return NULL;
	copy = ippNew();
	for (ipp_attribute_t *a = ippFirstAttribute(entry); a; a = ippNextAttribute(entry))
		if (ippGetName(a) && (strcmp(ippGetName(a), "media-source-properties") != 0))
			(void)ippCopyAttribute(copy, a, 0);
	if (feed_in(entry))
		ippAddCollection(copy, IPP_TAG_ZERO, "media-source-properties", feed_in(entry));
	else
		add_feed(copy, feed);
	return copy;
}

static ipp_t *entry_of_name(ipp_t *m, const char *name)
{
	static const char *const margins[] = { "media-bottom-margin", "media-left-margin",
		                               "media-right-margin", "media-top-margin" };
	pwg_media_t *media = name ? pwgMediaForPWG(name) : NULL;
	ipp_t *entry, *size;

	if (name && !media)
		media = pwgMediaForLegacy(name); /* "iso-a4": names before PWG 5101.1 */
	if (!media || media->width <= 0 || media->length <= 0 || strncmp(name, "custom_", 7) == 0)
		return NULL;
	entry = ippNew();
	size = ippNew();
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", media->width);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", media->length);
	ippAddCollection(entry, IPP_TAG_ZERO, "media-size", size);
	ippDelete(size);
	for (size_t i = 0; i < ARRAY_SIZE(margins); i++) {
		char supported[64];
		ipp_attribute_t *a;

		(void)str_copy(supported, sizeof(supported), margins[i]);
		(void)strncat(supported, "-supported", sizeof(supported) - strlen(supported) - 1);
		a = ippFindAttribute(m, supported, IPP_TAG_INTEGER);
		if (a && ippGetCount(a) == 1) /* several: who knows which */
			ippAddInteger(entry, IPP_TAG_ZERO, IPP_TAG_INTEGER, margins[i],
			              ippGetInteger(a, 0));
	}
	add_feed(entry, feed_of(m));
	return entry;
}

static size_t collect(ipp_t *m, ipp_t *entries[static ENTRIES_MAX])
{
	ipp_attribute_t *database =
		ippFindAttribute(m, "media-col-database", IPP_TAG_BEGIN_COLLECTION);
	ipp_attribute_t *names = database ? database : up_find(m, "media-supported");
	size_t n = 0;

	for (int i = 0; names && i < ippGetCount(names) && n < ENTRIES_MAX; i++) {
		ipp_t *entry = database ? complete(ippGetCollection(names, i), feed_of(m))
		                        : entry_of_name(m, ippGetString(names, i, NULL));

		if (entry)
			entries[n++] = entry;
	}
	return n;
}

static void fit_database(ipp_t *m)
{
	ipp_t *entries[ENTRIES_MAX];
	size_t n = collect(m, entries);

	up_drop(m, "media-col-database");
	if (n)
		ippAddCollections(m, IPP_TAG_PRINTER, "media-col-database", (int)n,
		                  (const ipp_t **)(uintptr_t)entries);
	while (n)
		ippDelete(entries[--n]);
}

bool up_media_database_holds(ipp_t *m)
{
	ipp_attribute_t *a = ippFindAttribute(m, "media-col-database", IPP_TAG_BEGIN_COLLECTION);

	for (int i = 0; a && i < ippGetCount(a); i++) {
		ipp_t *entry = ippGetCollection(a, i);

		if (!up_find(entry, "media-size") || !feed_in(entry) ||
		    (!up_find(entry, "media-type") && !up_find(m, "media-type-supported")))
			return false;
	}
	return a;
}

/* ---- types, members, the default ---- */

static const char *type_of(ipp_t *entry)
{
	ipp_attribute_t *a = up_find(entry, "media-type");

	return a ? ippGetString(a, 0, NULL) : NULL;
}

/* Types that the queue's database knows are supported. A queue without any takes what lies in it.
 */
static void fit_types(ipp_t *m)
{
	ipp_attribute_t *database =
		ippFindAttribute(m, "media-col-database", IPP_TAG_BEGIN_COLLECTION);
	ipp_attribute_t *types = up_find(m, "media-type-supported");

	for (int i = 0; database && i < ippGetCount(database); i++) {
		const char *type = type_of(ippGetCollection(database, i));

		if (!type)
			continue;
		if (!types)
			types = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD,
			                     "media-type-supported", NULL, type);
		else if (!ippContainsString(types, type) && ippGetCount(types) < TYPES_MAX)
			ippSetString(m, &types, ippGetCount(types), type);
	}
	if (database && !types)
		ippAddString(m, IPP_TAG_PRINTER, IPP_CONST_TAG(IPP_TAG_KEYWORD),
		             "media-type-supported", NULL, "auto");
}

static void name_members(ipp_t *m, ipp_t *entry)
{
	ipp_attribute_t *members = up_find(m, "media-col-supported");

	for (ipp_attribute_t *a = ippFirstAttribute(entry); a; a = ippNextAttribute(entry)) {
		if (!ippGetName(a))
			continue;
		if (!members)
			members = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD,
			                       "media-col-supported", NULL, ippGetName(a));
		else if (!ippContainsString(members, ippGetName(a)))
			ippSetString(m, &members, ippGetCount(members), ippGetName(a));
	}
}

/* Each member that an entry has. */
static void fit_members(ipp_t *m)
{
	ipp_attribute_t *database =
		ippFindAttribute(m, "media-col-database", IPP_TAG_BEGIN_COLLECTION);

	for (int i = 0; database && i < ippGetCount(database); i++)
		name_members(m, ippGetCollection(database, i));
}

static bool default_type_holds(ipp_t *m, ipp_t *entry)
{
	const char *type = type_of(entry);
	ipp_attribute_t *types = up_find(m, "media-type-supported");

	return !type || (types && ippContainsString(types, type));
}

/* What media-default names, or the first of the database. */
static void fit_default(ipp_t *m)
{
	ipp_attribute_t *now = ippFindAttribute(m, "media-col-default", IPP_TAG_BEGIN_COLLECTION);
	ipp_attribute_t *database =
		ippFindAttribute(m, "media-col-database", IPP_TAG_BEGIN_COLLECTION);
	const char *name = ipp_get_text(m, IPP_TAG_PRINTER, "media-default", NULL);
	ipp_t *entry = NULL;

	if (now && default_type_holds(m, ippGetCollection(now, 0)))
		return;
	up_drop(m, "media-col-default");
	if (name)
		entry = entry_of_name(m, name);
	if (entry || database)
		ippAddCollection(m, IPP_TAG_PRINTER, "media-col-default",
		                 entry ? entry : ippGetCollection(database, 0));
	ippDelete(entry);
}

void up_media_fit(ipp_t *m)
{
	fit_database(m);
	fit_types(m);
	fit_members(m);
	fit_default(m);
}

bool up_media_default_holds(ipp_t *m)
{
	ipp_attribute_t *a = ippFindAttribute(m, "media-col-default", IPP_TAG_BEGIN_COLLECTION);

	return a && ippGetCount(a) == 1 && default_type_holds(m, ippGetCollection(a, 0));
}

bool up_media_members_hold(ipp_t *m)
{
	return ippFindAttribute(m, "media-col-supported", IPP_TAG_KEYWORD);
}

bool up_media_names_hold(ipp_t *m)
{
	return up_find(m, "media-supported");
}

bool up_media_types_hold(ipp_t *m)
{
	return up_find(m, "media-type-supported");
}
