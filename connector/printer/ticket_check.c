#include "connector/printer/ticket_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "connector/printer/printer_text.h"

void ticket_drop(struct ticket_pass *t, const char *name, const char *why, ...)
{
	char line[160], clean[160];
	va_list ap;
	int len;

	len = snprintf(line, sizeof(line), "%.60s: ", name);
	va_start(ap, why);
	(void)vsnprintf(line + len, sizeof(line) - (size_t)len, why, ap);
	va_end(ap);
	printer_text_copy(clean, sizeof(clean), line);
	if (!t->lost)
		(void)snprintf(t->first, sizeof(t->first), "%s", name);
	t->lost = true;
	(void)snprintf(t->last, sizeof(t->last), "%s", name);
	if (t->size < strlen(t->dropped) + strlen(clean) + 2)
		return;
	if (t->dropped[0] != '\0')
		strncat(t->dropped, "\n", t->size - strlen(t->dropped) - 1);
	strncat(t->dropped, clean, t->size - strlen(t->dropped) - 1);
}

static ipp_attribute_t *supported(struct ticket_pass *t, const char *name)
{
	char full[IPP_MAX_NAME];

	if (snprintf(full, sizeof(full), "%s-supported", name) >= (int)sizeof(full))
		return NULL;
	return ippFindAttribute(t->capabilities, full, IPP_TAG_ZERO);
}

static bool is_text(ipp_attribute_t *attr)
{
	ipp_tag_t tag = ippGetValueTag(attr);

	return tag == IPP_TAG_KEYWORD || tag == IPP_TAG_NAME || tag == IPP_TAG_NAMELANG;
}

static bool is_number(ipp_attribute_t *attr)
{
	ipp_tag_t tag = ippGetValueTag(attr);

	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM;
}

bool ticket_check_word(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name);
	int i;

	if (!is_text(attr)) {
		ticket_drop(t, name, "not a keyword");
		return false;
	}
	for (i = 0; i < ippGetCount(attr); i++) {
		const char *word = ippGetString(attr, i, NULL);

		if (list == NULL || !ippContainsString(list, word)) {
			ticket_drop(t, name, "the queue does not have %.60s", word);
			return false;
		}
	}
	return true;
}

static bool number_fits(ipp_attribute_t *list, int number)
{
	return list != NULL && ippContainsInteger(list, number);
}

bool ticket_check_number(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name);
	int i;

	if (!is_number(attr)) {
		ticket_drop(t, name, "not a number");
		return false;
	}
	/* job-priority-supported is the number of levels */
	if (list != NULL && strcmp(name, "job-priority") == 0) {
		i = ippGetInteger(attr, 0);
		if (i >= 1 && i <= 100)
			return true;
		list = NULL;
	}
	for (i = 0; i < ippGetCount(attr); i++) {
		if (!number_fits(list, ippGetInteger(attr, i))) {
			ticket_drop(t, name, "the queue does not have %s",
			            ippGetValueTag(attr) == IPP_TAG_ENUM
			                    ? ippEnumString(name, ippGetInteger(attr, i))
			                    : "this number");
			return false;
		}
	}
	return true;
}

/* Adds by itself: the number may change. */
void ticket_add_copies(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, "copies");
	int copies = ippGetInteger(attr, 0), most = 1;

	if (!is_number(attr) || copies < 1) {
		ticket_drop(t, "copies", "not a number of copies");
		return;
	}
	if (list != NULL && ippGetValueTag(list) == IPP_TAG_RANGE)
		(void)ippGetRange(list, 0, &most);
	else if (list != NULL && ippGetValueTag(list) == IPP_TAG_INTEGER)
		most = ippGetInteger(list, 0);
	if (copies > most) {
		ticket_drop(t, "copies", "%d, but the queue makes at most %d", copies, most);
		copies = most;
	}
	ippAddInteger(t->request, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", copies);
}

bool ticket_check_resolution(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, ippGetName(attr));
	int x, y, lx, ly, i;
	ipp_res_t units, list_units;

	if (ippGetValueTag(attr) != IPP_TAG_RESOLUTION) {
		ticket_drop(t, ippGetName(attr), "not a resolution");
		return false;
	}
	x = ippGetResolution(attr, 0, &y, &units);
	for (i = 0;
	     list != NULL && ippGetValueTag(list) == IPP_TAG_RESOLUTION && i < ippGetCount(list);
	     i++) {
		lx = ippGetResolution(list, i, &ly, &list_units);
		if (lx == x && ly == y && list_units == units)
			return true;
	}
	ticket_drop(t, ippGetName(attr), "the queue does not have %dx%d", x, y);
	return false;
}

bool ticket_check_ranges(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, ippGetName(attr));
	int i, low, high, before = 0;

	if (list == NULL || ippGetValueTag(list) != IPP_TAG_BOOLEAN || !ippGetBoolean(list, 0)) {
		ticket_drop(t, ippGetName(attr), "the queue prints whole documents only");
		return false;
	}
	for (i = 0; ippGetValueTag(attr) == IPP_TAG_RANGE && i < ippGetCount(attr); i++) {
		low = ippGetRange(attr, i, &high);
		if (low <= before || high < low)
			break;
		before = high;
	}
	if (i > 0 && i == ippGetCount(attr))
		return true;
	ticket_drop(t, ippGetName(attr), "not ranges in ascending order");
	return false;
}

/* Whether the named member is one of list. */
bool ticket_check_members(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name), *member;
	ipp_t *col;
	int i;

	if (ippGetValueTag(attr) != IPP_TAG_BEGIN_COLLECTION || list == NULL) {
		ticket_drop(t, name, "%s",
		            list == NULL ? "the queue does not have it" : "no collection");
		return false;
	}
	for (i = 0; i < ippGetCount(attr); i++) {
		col = ippGetCollection(attr, i);
		for (member = ippFirstAttribute(col); member != NULL;
		     member = ippNextAttribute(col)) {
			if (ippContainsString(list, ippGetName(member)))
				continue;
			ticket_drop(t, name, "the queue does not have %.60s", ippGetName(member));
			return false;
		}
	}
	return true;
}

static int size_member(ipp_t *size, const char *name, int *high)
{
	ipp_attribute_t *attr = ippFindAttribute(size, name, IPP_TAG_ZERO);

	if (attr != NULL && ippGetValueTag(attr) == IPP_TAG_RANGE)
		return ippGetRange(attr, 0, high);
	*high = attr != NULL && ippGetValueTag(attr) == IPP_TAG_INTEGER ? ippGetInteger(attr, 0)
	                                                                : -1;
	return *high;
}

/* Drivers give sizes in points, which differ from the standard's by up to half a millimetre. */
#define SIZE_SLACK 50

static bool size_fits(struct ticket_pass *t, ipp_attribute_t *wish)
{
	ipp_attribute_t *list = supported(t, "media-size");
	int x, y, low, high, top, i;
	ipp_t *size;

	if (ippGetValueTag(wish) != IPP_TAG_BEGIN_COLLECTION || list == NULL ||
	    ippGetValueTag(list) != IPP_TAG_BEGIN_COLLECTION)
		return false;
	x = size_member(ippGetCollection(wish, 0), "x-dimension", &top);
	y = size_member(ippGetCollection(wish, 0), "y-dimension", &top);
	for (i = 0; i < ippGetCount(list) && x > 0 && y > 0; i++) {
		size = ippGetCollection(list, i);
		low = size_member(size, "x-dimension", &high);
		if (low < 0 || x < low - SIZE_SLACK || x > high + SIZE_SLACK)
			continue;
		low = size_member(size, "y-dimension", &high);
		if (low >= 0 && y >= low - SIZE_SLACK && y <= high + SIZE_SLACK)
			return true;
	}
	return false;
}

/* One member of media-col; members are lost one by one, so that a missing tray does not cost the
 * size. */
static void add_media_member(struct ticket_pass *t, ipp_t *out, ipp_attribute_t *member)
{
	const char *name = ippGetName(member);
	ipp_attribute_t *names = supported(t, "media-col"), *list = supported(t, name);
	bool fits = names == NULL || ippContainsString(names, name);
	char label[IPP_MAX_NAME];

	if (strcmp(name, "media-size") == 0)
		fits = size_fits(t, member);
	else if (is_text(member) && list != NULL)
		fits = fits && ippContainsString(list, ippGetString(member, 0, NULL));
	else if (is_number(member) && list != NULL)
		fits = fits && ippContainsInteger(list, ippGetInteger(member, 0));
	if (fits) {
		ippCopyAttribute(out, member, 0);
		return;
	}
	(void)snprintf(label, sizeof(label), "media-col/%.100s", name);
	ticket_drop(t, label, "the queue does not have %.60s",
	            is_text(member) ? ippGetString(member, 0, NULL) : "it");
}

void ticket_add_media(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_t *out, *col;
	ipp_attribute_t *member;

	if (ippGetValueTag(attr) != IPP_TAG_BEGIN_COLLECTION || supported(t, "media-col") == NULL) {
		ticket_drop(t, ippGetName(attr), "the queue does not have it");
		return;
	}
	out = ippNew();
	col = ippGetCollection(attr, 0);
	for (member = ippFirstAttribute(col); member != NULL; member = ippNextAttribute(col))
		add_media_member(t, out, member);
	if (ippFirstAttribute(out) != NULL)
		ippAddCollection(t->request, IPP_TAG_JOB, ippGetName(attr), out);
	ippDelete(out);
}
