#include "connector/printer/ticket.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/printer_text.h"

#define VALUES_MAX 128 /* of one attribute; more is no ticket but an attack */

/* How the values of a template attribute are checked. */
enum check {
	CHECK_WORD,       /* keyword or name, one of NAME-supported */
	CHECK_NUMBER,     /* integer or enum, one of or within NAME-supported */
	CHECK_COPIES,     /* the same, lowered to the largest supported */
	CHECK_RESOLUTION, /* resolution, one of NAME-supported */
	CHECK_RANGES,     /* rangeOfInteger, ascending; NAME-supported is a boolean */
	CHECK_MEDIA,      /* collection: members, size, source and type */
	CHECK_MEMBERS,    /* collections: each member named in NAME-supported */
	CHECK_NONE,       /* not for the queue, and no loss */
};

static const struct rule {
	const char *name;
	enum check check;
	bool many; /* 1setOf */
} rules[] = {
	{ "copies", CHECK_COPIES, false },
	{ "feed-orientation", CHECK_WORD, false },
	{ "finishings", CHECK_NUMBER, true },
	{ "finishings-col", CHECK_MEMBERS, true },
	{ "job-account-id", CHECK_NONE, false },
	{ "job-accounting-user-id", CHECK_NONE, false },
	{ "job-cancel-after", CHECK_NONE, false },
	{ "job-delay-output-until", CHECK_NONE, false },
	{ "job-hold-until", CHECK_NONE, false }, /* the cloud holds its jobs itself */
	{ "job-hold-until-time", CHECK_NONE, false },
	{ "job-priority", CHECK_NUMBER, false },
	{ "job-retain-until", CHECK_NONE, false },
	{ "job-sheets", CHECK_WORD, true },
	{ "media", CHECK_WORD, false },
	{ "media-col", CHECK_MEDIA, false },
	{ "multiple-document-handling", CHECK_WORD, false },
	{ "number-up", CHECK_NUMBER, false },
	{ "orientation-requested", CHECK_NUMBER, false },
	{ "output-bin", CHECK_WORD, false },
	{ "output-device", CHECK_NONE, false },
	{ "overrides", CHECK_MEMBERS, true },
	{ "page-ranges", CHECK_RANGES, true },
	{ "presentation-direction-number-up", CHECK_WORD, false },
	{ "print-color-mode", CHECK_WORD, false },
	{ "print-content-optimize", CHECK_WORD, false },
	{ "print-quality", CHECK_NUMBER, false },
	{ "print-rendering-intent", CHECK_WORD, false },
	{ "print-scaling", CHECK_WORD, false },
	{ "printer-resolution", CHECK_RESOLUTION, false },
	{ "sides", CHECK_WORD, false },
};

/* What else comes with a job and says nothing about how to print. */
static const char *const silent_prefixes[] = {
	"attributes-", "charset",     "client-info", "compression",  "current-", "date-time-",
	"detailed-",   "document-",   "errors-",     "impressions-", "input-",   "ipp-attribute-",
	"job-",        "k-octets",    "last-",       "media-sheets", "natural-", "notify-",
	"number-of-",  "original-",   "output-",     "parent-",      "printer-", "pages",
	"requested-",  "requesting-", "sheet-",      "status-",      "time-at-", "warnings-",
};

struct translation {
	ipp_t *request, *capabilities;
	char *dropped; /* lines of what was lost */
	size_t size;
	bool lost; /* anything at all */
	char first[IPP_MAX_NAME];
	char last[IPP_MAX_NAME]; /* the latest one lost */
};

__attribute__((format(printf, 3, 4))) static void drop(struct translation *t, const char *name,
                                                       const char *why, ...)
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

static ipp_attribute_t *supported(struct translation *t, const char *name)
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

static bool check_word(struct translation *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name);
	int i;

	if (!is_text(attr)) {
		drop(t, name, "not a keyword");
		return false;
	}
	for (i = 0; i < ippGetCount(attr); i++) {
		const char *word = ippGetString(attr, i, NULL);

		if (list == NULL || !ippContainsString(list, word)) {
			drop(t, name, "the queue does not have %.60s", word);
			return false;
		}
	}
	return true;
}

static bool number_fits(ipp_attribute_t *list, int number)
{
	return list != NULL && ippContainsInteger(list, number);
}

static bool check_number(struct translation *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name);
	int i;

	if (!is_number(attr)) {
		drop(t, name, "not a number");
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
			drop(t, name, "the queue does not have %s",
			     ippGetValueTag(attr) == IPP_TAG_ENUM
			             ? ippEnumString(name, ippGetInteger(attr, i))
			             : "this number");
			return false;
		}
	}
	return true;
}

/* Adds by itself: the number may change. */
static void add_copies(struct translation *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, "copies");
	int copies = ippGetInteger(attr, 0), most = 1;

	if (!is_number(attr) || copies < 1) {
		drop(t, "copies", "not a number of copies");
		return;
	}
	if (list != NULL && ippGetValueTag(list) == IPP_TAG_RANGE)
		(void)ippGetRange(list, 0, &most);
	else if (list != NULL && ippGetValueTag(list) == IPP_TAG_INTEGER)
		most = ippGetInteger(list, 0);
	if (copies > most) {
		drop(t, "copies", "%d, but the queue makes at most %d", copies, most);
		copies = most;
	}
	ippAddInteger(t->request, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", copies);
}

static bool check_resolution(struct translation *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, ippGetName(attr));
	int x, y, lx, ly, i;
	ipp_res_t units, list_units;

	if (ippGetValueTag(attr) != IPP_TAG_RESOLUTION) {
		drop(t, ippGetName(attr), "not a resolution");
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
	drop(t, ippGetName(attr), "the queue does not have %dx%d", x, y);
	return false;
}

static bool check_ranges(struct translation *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = supported(t, ippGetName(attr));
	int i, low, high, before = 0;

	if (list == NULL || ippGetValueTag(list) != IPP_TAG_BOOLEAN || !ippGetBoolean(list, 0)) {
		drop(t, ippGetName(attr), "the queue prints whole documents only");
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
	drop(t, ippGetName(attr), "not ranges in ascending order");
	return false;
}

/* Whether the named member is one of list. */
static bool check_member_names(struct translation *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = supported(t, name), *member;
	ipp_t *col;
	int i;

	if (ippGetValueTag(attr) != IPP_TAG_BEGIN_COLLECTION || list == NULL) {
		drop(t, name, "%s", list == NULL ? "the queue does not have it" : "no collection");
		return false;
	}
	for (i = 0; i < ippGetCount(attr); i++) {
		col = ippGetCollection(attr, i);
		for (member = ippFirstAttribute(col); member != NULL;
		     member = ippNextAttribute(col)) {
			if (ippContainsString(list, ippGetName(member)))
				continue;
			drop(t, name, "the queue does not have %.60s", ippGetName(member));
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

static bool size_fits(struct translation *t, ipp_attribute_t *wish)
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
static void add_media_member(struct translation *t, ipp_t *out, ipp_attribute_t *member)
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
	drop(t, label, "the queue does not have %.60s",
	     is_text(member) ? ippGetString(member, 0, NULL) : "it");
}

static void add_media(struct translation *t, ipp_attribute_t *attr)
{
	ipp_t *out, *col;
	ipp_attribute_t *member;

	if (ippGetValueTag(attr) != IPP_TAG_BEGIN_COLLECTION || supported(t, "media-col") == NULL) {
		drop(t, ippGetName(attr), "the queue does not have it");
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

static bool may_create_with(struct translation *t, const char *name)
{
	ipp_attribute_t *list = ippFindAttribute(
		t->capabilities, "job-creation-attributes-supported", IPP_TAG_KEYWORD);

	return list == NULL || ippContainsString(list, name);
}

static void translate(struct translation *t, const struct rule *rule, ipp_attribute_t *attr)
{
	bool fits = false;

	if (rule->check == CHECK_NONE)
		return;
	if (t->capabilities == NULL || !may_create_with(t, rule->name)) {
		drop(t, rule->name, "the queue does not have it");
		return;
	}
	if (ippGetCount(attr) < 1 || ippGetCount(attr) > (rule->many ? VALUES_MAX : 1)) {
		drop(t, rule->name, "a wrong number of values");
		return;
	}
	switch (rule->check) {
	case CHECK_WORD:
		fits = check_word(t, attr);
		break;
	case CHECK_NUMBER:
		fits = check_number(t, attr);
		break;
	case CHECK_COPIES:
		add_copies(t, attr);
		break;
	case CHECK_RESOLUTION:
		fits = check_resolution(t, attr);
		break;
	case CHECK_RANGES:
		fits = check_ranges(t, attr);
		break;
	case CHECK_MEDIA:
		add_media(t, attr);
		break;
	case CHECK_MEMBERS:
		fits = check_member_names(t, attr);
		break;
	case CHECK_NONE:
		break;
	}
	if (fits) {
		ipp_attribute_t *copy = ippCopyAttribute(t->request, attr, 0);

		ippSetGroupTag(t->request, &copy, IPP_TAG_JOB);
	}
}

static const struct rule *rule_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

static bool is_silent(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(silent_prefixes); i++)
		if (strncmp(name, silent_prefixes[i], strlen(silent_prefixes[i])) == 0)
			return true;
	return false;
}

/* media and media-col name the same thing (PWG 5100.7 6.3): a job may have one of them. */
static bool is_second_media(struct translation *t, const char *name)
{
	return (strcmp(name, "media") == 0 || strcmp(name, "media-col") == 0) &&
	       (ippFindAttribute(t->request, "media", IPP_TAG_ZERO) != NULL ||
	        ippFindAttribute(t->request, "media-col", IPP_TAG_ZERO) != NULL);
}

static int insist(struct err *err, const char *name)
{
	return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
	               "the job insists on %.60s, which the queue cannot do", name);
}

int ticket_apply(ipp_t *request, ipp_t *ticket, ipp_t *capabilities, char *dropped, size_t size,
                 struct err *err)
{
	struct translation t = {
		.request = request, .capabilities = capabilities, .dropped = dropped, .size = size
	};
	bool strict = ipp_get_bool(ticket, IPP_TAG_ZERO, "ipp-attribute-fidelity", false);
	ipp_attribute_t *must =
		ippFindAttribute(ticket, "job-mandatory-attributes", IPP_TAG_KEYWORD);
	ipp_attribute_t *attr;

	dropped[0] = '\0';
	for (attr = ippFirstAttribute(ticket); attr != NULL; attr = ippNextAttribute(ticket)) {
		const char *name = ippGetName(attr);
		const struct rule *rule = name != NULL ? rule_of(name) : NULL;

		if (name == NULL || is_second_media(&t, name) ||
		    ippFindAttribute(request, name, IPP_TAG_ZERO) != NULL)
			continue;
		t.last[0] = '\0';
		if (rule != NULL)
			translate(&t, rule, attr);
		else if (!is_silent(name))
			drop(&t, name, "the queue does not have it");
		if (t.last[0] != '\0' && must != NULL && ippContainsString(must, name))
			return insist(err, name);
	}
	return strict && t.lost ? insist(err, t.first) : 0;
}
