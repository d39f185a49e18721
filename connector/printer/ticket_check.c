/* ticket_check.c - single attributes of a ticket against what the queue supports. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/printer_text.h"

#define COPIES_ABSURD  100000 /* nobody asks for so many */
#define NUMBER_UP_MOST 10000

ipp_attribute_t *ticket_supported(struct ticket_pass *t, const char *name)
{
	char full[IPP_MAX_NAME];

	if (t->capabilities == NULL ||
	    snprintf(full, sizeof(full), "%s-supported", name) >= (int)sizeof(full))
		return NULL;
	return ippFindAttribute(t->capabilities, full, IPP_TAG_ZERO);
}

bool ticket_is_text(ipp_attribute_t *attr)
{
	ipp_tag_t tag = ippGetValueTag(attr);

	return tag == IPP_TAG_KEYWORD || tag == IPP_TAG_NAME || tag == IPP_TAG_NAMELANG;
}

bool ticket_is_number(ipp_attribute_t *attr)
{
	ipp_tag_t tag = ippGetValueTag(attr);

	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM;
}

void ticket_resolution_text(int x, int y, ipp_res_t units, char out[TICKET_TEXT])
{
	const char *unit = units == IPP_RES_PER_CM ? "dpcm" : "dpi";

	if (x == y)
		(void)snprintf(out, TICKET_TEXT, "%d%s", x, unit);
	else
		(void)snprintf(out, TICKET_TEXT, "%dx%d%s", x, y, unit);
}

static void range_text(int low, int high, char out[TICKET_TEXT])
{
	if (low == high)
		(void)snprintf(out, TICKET_TEXT, "%d", low);
	else
		(void)snprintf(out, TICKET_TEXT, "%d-%d", low, high);
}

const char *ticket_value_text(ipp_attribute_t *attr, int i, char out[TICKET_TEXT])
{
	int x, y;
	ipp_res_t units;

	out[0] = '\0';
	if (ticket_is_text(attr)) {
		printer_text_copy(out, TICKET_TEXT, ippGetString(attr, i, NULL));
	} else if (ippGetValueTag(attr) == IPP_TAG_ENUM) {
		printer_text_copy(out, TICKET_TEXT,
		                  ippEnumString(ippGetName(attr), ippGetInteger(attr, i)));
	} else if (ippGetValueTag(attr) == IPP_TAG_INTEGER) {
		(void)snprintf(out, TICKET_TEXT, "%d", ippGetInteger(attr, i));
	} else if (ippGetValueTag(attr) == IPP_TAG_RANGE) {
		x = ippGetRange(attr, i, &y);
		range_text(x, y, out);
	} else if (ippGetValueTag(attr) == IPP_TAG_RESOLUTION) {
		x = ippGetResolution(attr, i, &y, &units);
		ticket_resolution_text(x, y, units, out);
	} else if (ippGetValueTag(attr) == IPP_TAG_BOOLEAN) {
		printer_text_copy(out, TICKET_TEXT, ippGetBoolean(attr, i) ? "true" : "false");
	}
	return out;
}

/* All values, joined by commas. */
static void values_text(ipp_attribute_t *attr, char out[TICKET_TEXT])
{
	char one[TICKET_TEXT];
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < ippGetCount(attr) && len < TICKET_TEXT - 1; i++) {
		(void)snprintf(out + len, TICKET_TEXT - len, "%s%s", i > 0 ? "," : "",
		               ticket_value_text(attr, i, one));
		len = strlen(out);
	}
}

/* As it is. */
static void pass_on(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *copy = ippCopyAttribute(t->request, attr, 0);
	char text[TICKET_TEXT];

	ippSetGroupTag(t->request, &copy, IPP_TAG_JOB);
	values_text(attr, text);
	ticket_note_sent(t, ippGetName(attr), text, text, "");
}

/* ---- words ---------------------------------------------------------------------------------- */

#define LACKS TICKET_LACKS

void ticket_check_word(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr), *word, *near;
	ipp_attribute_t *list = ticket_supported(t, name);
	char asked[TICKET_TEXT];
	bool same = false;
	int i;

	if (!ticket_is_text(attr)) {
		ticket_note_dropped(t, name, ticket_value_text(attr, 0, asked), "not a keyword");
		return;
	}
	for (i = 0; i < ippGetCount(attr); i++)
		if (list == NULL || !ippContainsString(list, ippGetString(attr, i, NULL)))
			break;
	if (i == ippGetCount(attr)) {
		pass_on(t, attr);
		ticket_driver_word(t, name, ippGetString(attr, 0, NULL));
		return;
	}
	word = ippGetString(attr, i, NULL);
	near = ippGetCount(attr) == 1 ? ticket_nearest_word(name, list, word, &same) : NULL;
	ticket_value_text(attr, i, asked);
	if (near == NULL) {
		ticket_note_dropped(t, name, asked, LACKS);
		return;
	}
	ippAddString(t->request, IPP_TAG_JOB, ippGetValueTag(list), name, NULL, near);
	ticket_driver_word(t, name, near);
	if (same)
		ticket_note_sent(t, name, asked, near, "");
	else
		ticket_note_changed(t, name, asked, near, LACKS);
}

/* CUPS itself does not know them, its filters do, under names of their own. */
static const char *const directions[][2] = {
	{ "toright-tobottom", "lrtb" }, { "toright-totop", "lrbt" },
	{ "toleft-tobottom", "rltb" },  { "toleft-totop", "rlbt" },
	{ "tobottom-toright", "tblr" }, { "tobottom-toleft", "tbrl" },
	{ "totop-toright", "btlr" },    { "totop-toleft", "btrl" },
};

const char *ticket_direction(ipp_t *capabilities, bool cups, size_t i)
{
	ipp_attribute_t *most = ippFindAttribute(capabilities, "number-up-supported", IPP_TAG_ZERO);

	if (!cups || most == NULL || !ippContainsInteger(most, 2) || i >= ARRAY_SIZE(directions) ||
	    ippFindAttribute(capabilities, "presentation-direction-number-up-supported",
	                     IPP_TAG_ZERO) != NULL)
		return NULL;
	return directions[i][0];
}

void ticket_check_direction(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr), *word;

	if (ticket_direction(t->capabilities, t->cups, 0) == NULL || !ticket_is_text(attr)) {
		ticket_check_word(t, attr);
		return;
	}
	word = ippGetString(attr, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		if (strcmp(directions[i][0], word) != 0)
			continue;
		ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_NAME, "number-up-layout", NULL,
		             directions[i][1]);
		ticket_note_sent(t, name, word, directions[i][1], "number-up-layout of CUPS");
		return;
	}
	ticket_note_dropped(t, name, word, LACKS);
}

void ticket_check_account(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *knows = ticket_supported(t, name);
	char text[TICKET_TEXT];

	if (knows == NULL || ippGetValueTag(knows) != IPP_TAG_BOOLEAN || !ippGetBoolean(knows, 0))
		return; /* where nobody is billed, nothing is lost */
	if (!ticket_is_text(attr)) {
		ticket_note_dropped(t, name, "", "not a name");
		return;
	}
	ticket_value_text(attr, 0, text);
	ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_NAME, name, NULL, text);
	ticket_note_sent(t, name, text, text, "");
}

/* ---- numbers -------------------------------------------------------------------------------- */

void ticket_check_priority(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	int priority = ippGetInteger(attr, 0);
	char text[TICKET_TEXT];

	ticket_value_text(attr, 0, text);
	/* job-priority-supported is the number of levels */
	if (ticket_supported(t, name) == NULL)
		ticket_note_dropped(t, name, text, LACKS);
	else if (!ticket_is_number(attr) || priority < 1 || priority > 100)
		ticket_note_dropped(t, name, text, "not a number from 1 to 100");
	else
		pass_on(t, attr);
}

static bool is_ordered(const char *name)
{
	return strcmp(name, "print-quality") == 0 || strcmp(name, "number-up") == 0;
}

void ticket_check_number(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = ticket_supported(t, name);
	char asked[TICKET_TEXT], sent[TICKET_TEXT];
	ipp_attribute_t *added;
	int number, near;

	ticket_value_text(attr, 0, asked);
	if (!ticket_is_number(attr)) {
		ticket_note_dropped(t, name, asked, "not a number");
		return;
	}
	number = ippGetInteger(attr, 0);
	if (list != NULL && ippContainsInteger(list, number)) {
		pass_on(t, attr);
		return;
	}
	if (!is_ordered(name) || number < 1 || number > NUMBER_UP_MOST ||
	    !ticket_nearest_number(list, number, &near)) {
		ticket_note_dropped(t, name, asked, LACKS);
		return;
	}
	added = ippAddInteger(t->request, IPP_TAG_JOB, ippGetValueTag(attr), name, near);
	ticket_note_changed(t, name, asked, ticket_value_text(added, 0, sent), LACKS);
}

void ticket_check_copies(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = ticket_supported(t, "copies");
	int copies = ippGetInteger(attr, 0), most = 1;
	char asked[TICKET_TEXT], sent[TICKET_TEXT];

	ticket_value_text(attr, 0, asked);
	if (!ticket_is_number(attr) || copies < 1 || copies >= COPIES_ABSURD) {
		ticket_note_dropped(t, "copies", asked, "not a number of copies");
		return;
	}
	if (list != NULL && ippGetValueTag(list) == IPP_TAG_RANGE)
		(void)ippGetRange(list, 0, &most);
	else if (list != NULL && ippGetValueTag(list) == IPP_TAG_INTEGER)
		most = ippGetInteger(list, 0);
	if (most < 1)
		most = 1;
	(void)snprintf(sent, sizeof(sent), "%d", copies > most ? most : copies);
	ippAddInteger(t->request, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies",
	              copies > most ? most : copies);
	if (copies > most)
		ticket_note_changed(t, "copies", asked, sent, "the queue makes no more");
	else
		ticket_note_sent(t, "copies", asked, sent, "");
}

/* Kinds of finishings that say where, with the one that does not (PWG 5100.1 5.2). */
static int finishing_kind(int finishing)
{
	static const struct {
		int low, high, kind;
	} kinds[] = {
		{ 20, 35, 4 }, { 70, 93, 5 }, { 50, 53, 7 }, { 90, 101, 10 }, { 60, 62, 11 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (finishing >= kinds[i].low && finishing <= kinds[i].high)
			return kinds[i].kind;
	return finishing;
}

static void add_finishing(struct ticket_pass *t, int finishing)
{
	ipp_attribute_t *attr = ippFindAttribute(t->request, "finishings", IPP_TAG_ENUM);

	if (attr == NULL)
		ippAddInteger(t->request, IPP_TAG_JOB, IPP_TAG_ENUM, "finishings", finishing);
	else if (!ippContainsInteger(attr, finishing))
		ippSetInteger(t->request, &attr, ippGetCount(attr), finishing);
}

void ticket_check_finishings(struct ticket_pass *t, ipp_attribute_t *attr)
{
	ipp_attribute_t *list = ticket_supported(t, "finishings");
	char asked[TICKET_TEXT];

	if (!ticket_is_number(attr)) {
		ticket_note_dropped(t, "finishings", ticket_value_text(attr, 0, asked),
		                    "not a finishing");
		return;
	}
	for (int i = 0; i < ippGetCount(attr); i++) {
		int wish = ippGetInteger(attr, i), kind = finishing_kind(wish);

		ticket_value_text(attr, i, asked);
		if (list != NULL && ippContainsInteger(list, wish)) {
			add_finishing(t, wish);
			ticket_note_sent(t, "finishings", asked, asked, "");
		} else if (list != NULL && ippContainsInteger(list, kind)) {
			add_finishing(t, kind);
			ticket_note_changed(t, "finishings", asked,
			                    ippEnumString("finishings", kind), LACKS);
		} else if (wish == 3) { /* none */
			ticket_note_sent(t, "finishings", asked, "", "");
		} else {
			ticket_note_dropped(t, "finishings", asked, LACKS);
		}
	}
}

/* ---- resolution ----------------------------------------------------------------------------- */

static double per_inch(int resolution, ipp_res_t units)
{
	return resolution * (units == IPP_RES_PER_CM ? 2.54 : 1.0);
}

static double distance(double a, double b)
{
	return a > b ? a - b : b - a;
}

/* Index of the resolution of the list nearest to it, or -1. */
static int nearest_resolution(ipp_attribute_t *list, int x, int y, ipp_res_t units)
{
	double best = 0, far;
	int near = -1, lx, ly;
	ipp_res_t list_units;

	if (list == NULL || ippGetValueTag(list) != IPP_TAG_RESOLUTION)
		return -1;
	for (int i = 0; i < ippGetCount(list); i++) {
		lx = ippGetResolution(list, i, &ly, &list_units);
		far = distance(per_inch(lx, list_units), per_inch(x, units)) +
		      distance(per_inch(ly, list_units), per_inch(y, units));
		if (lx < 1 || ly < 1 || (near >= 0 && far >= best))
			continue;
		near = i;
		best = far;
	}
	return near;
}

/* CUPS names one resolution where the PPD lets nobody choose (a driverless queue, or a class of
 * them), be it the default of the PPD or one that CUPS made up, and hands none on: the queue prints
 * at that one whatever is asked for. */
static bool has_choice(const struct ticket_pass *t, ipp_attribute_t *list)
{
	return !t->cups || ippGetCount(list) > 1;
}

void ticket_check_resolution(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = ticket_supported(t, name);
	char asked[TICKET_TEXT], sent[TICKET_TEXT], why[TICKET_TEXT];
	int x, y, near;
	ipp_res_t units;

	ticket_value_text(attr, 0, asked);
	if (ippGetValueTag(attr) != IPP_TAG_RESOLUTION) {
		ticket_note_dropped(t, name, asked, "not a resolution");
		return;
	}
	x = ippGetResolution(attr, 0, &y, &units);
	near = x > 0 && y > 0 ? nearest_resolution(list, x, y, units) : -1;
	if (near < 0) {
		ticket_note_dropped(t, name, asked, LACKS);
		return;
	}
	x = ippGetResolution(list, near, &y, &units);
	ticket_resolution_text(x, y, units, sent);
	if (!has_choice(t, list)) {
		(void)snprintf(why, sizeof(why), "the queue prints at %.60s only", sent);
		if (strcmp(asked, sent) == 0)
			ticket_note_sent(t, name, asked, "", why);
		else
			ticket_note_dropped(t, name, asked, why);
		return;
	}
	ippAddResolution(t->request, IPP_TAG_JOB, name, units, x, y);
	ticket_driver_resolution(t, x, y, units);
	if (strcmp(asked, sent) == 0)
		ticket_note_sent(t, name, asked, sent, "");
	else
		ticket_note_changed(t, name, asked, sent, LACKS);
}

/* ---- page ranges ---------------------------------------------------------------------------- */

struct range {
	int low, high;
};

static int by_low(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return (left->low > right->low) - (left->low < right->low);
}

/* Puts ranges in ascending order without overlap, as RFC 8011 5.2.7 wants them; how many are
 * left. Those backwards are turned. */
static int tidy(struct range *ranges, int n)
{
	int kept = 0, i, low;

	for (i = 0; i < n; i++) {
		low = ranges[i].low;
		if (low > ranges[i].high) {
			ranges[i].low = ranges[i].high;
			ranges[i].high = low;
		}
		if (ranges[i].low < 1)
			ranges[i].low = 1;
		if (ranges[i].high >= 1)
			ranges[kept++] = ranges[i];
	}
	n = kept;
	qsort(ranges, (size_t)n, sizeof(*ranges), by_low);
	for (i = 0, kept = 0; i < n; i++) {
		if (kept > 0 && ranges[i].low <= ranges[kept - 1].high) {
			if (ranges[i].high > ranges[kept - 1].high)
				ranges[kept - 1].high = ranges[i].high;
		} else {
			ranges[kept++] = ranges[i];
		}
	}
	return kept;
}

void ticket_check_ranges(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_attribute_t *list = ticket_supported(t, name), *added = NULL;
	char asked[TICKET_TEXT], sent[TICKET_TEXT];
	struct range ranges[TICKET_VALUES_MAX], before[TICKET_VALUES_MAX];
	int i, n, count = ippGetCount(attr);

	values_text(attr, asked);
	if (list == NULL || ippGetValueTag(list) != IPP_TAG_BOOLEAN || !ippGetBoolean(list, 0)) {
		ticket_note_dropped(t, name, asked, "the queue prints whole documents only");
		return;
	}
	for (i = 0; ippGetValueTag(attr) == IPP_TAG_RANGE && i < count; i++)
		ranges[i].low = ippGetRange(attr, i, &ranges[i].high);
	memcpy(before, ranges, (size_t)i * sizeof(*ranges));
	n = tidy(ranges, i);
	if (n == 0) {
		ticket_note_dropped(t, name, asked, "no ranges of pages");
		return;
	}
	for (i = 0; i < n; i++)
		if (added == NULL)
			added = ippAddRange(t->request, IPP_TAG_JOB, name, ranges[i].low,
			                    ranges[i].high);
		else
			ippSetRange(t->request, &added, i, ranges[i].low, ranges[i].high);
	values_text(added, sent);
	if (n == count && memcmp(before, ranges, (size_t)n * sizeof(*ranges)) == 0)
		ticket_note_sent(t, name, asked, sent, "");
	else
		ticket_note_changed(t, name, asked, sent, "ranges must ascend");
}

/* ---- collections ---------------------------------------------------------------------------- */

/* The first member that the queue does not have, or NULL. */
static const char *strange_member(ipp_attribute_t *attr, ipp_attribute_t *list)
{
	ipp_attribute_t *member;
	ipp_t *col;

	for (int i = 0; i < ippGetCount(attr); i++) {
		col = ippGetCollection(attr, i);
		for (member = ippFirstAttribute(col); member != NULL;
		     member = ippNextAttribute(col))
			if (ippGetName(member) == NULL ||
			    !ippContainsString(list, ippGetName(member)))
				return ippGetName(member) != NULL ? ippGetName(member) : "?";
	}
	return NULL;
}

void ticket_check_members(struct ticket_pass *t, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr), *strange;
	ipp_attribute_t *list = ticket_supported(t, name);

	if (ippGetValueTag(attr) != IPP_TAG_BEGIN_COLLECTION || list == NULL) {
		ticket_note_dropped(t, name, "", list == NULL ? LACKS : "no collection");
		return;
	}
	strange = strange_member(attr, list);
	if (strange != NULL)
		ticket_note_dropped(t, name, strange, LACKS);
	else
		pass_on(t, attr);
}
