/* ticket_media.c - paper: media by name, media-col, and its parts, looked at together. Each part is
 * lost by itself, so that a missing tray does not cost the size. A size goes out as the name that
 * came, when the queue has that name and nothing else is asked for; else as the dimensions of the
 * queue's own size, since CUPS finds its driver's name by them. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"

/* Drivers give sizes in points, which differ from the standard's by half a millimetre or so. */
#define SIZE_SLACK   75
#define NEAR_PERCENT 10 /* letter stands in for A4, but nothing for A3 */

#define LACKS TICKET_LACKS

struct paper {
	const char *name;           /* of the size; "" none */
	const char *source, *type;  /* NULL none */
	ipp_t *col;                 /* NULL none */
	int x, y;                   /* hundredths of a millimetre; 0: none */
	bool wrong;                 /* a size was asked for that is none */
	ipp_t *out;                 /* media-col that is made */
	char for_cups[TICKET_TEXT]; /* name of the size that goes out, "" none */
	bool by_name;               /* the name alone will do */
};

/* ---- sizes ---------------------------------------------------------------------------------- */

static int member_of(ipp_t *size, const char *name, int *high)
{
	ipp_attribute_t *attr = ippFindAttribute(size, name, IPP_TAG_ZERO);

	if (attr != NULL && ippGetValueTag(attr) == IPP_TAG_RANGE)
		return ippGetRange(attr, 0, high);
	*high = attr != NULL && ippGetValueTag(attr) == IPP_TAG_INTEGER ? ippGetInteger(attr, 0)
	                                                                : -1;
	return *high;
}

/* One dimension as the queue would have it. false: out of reach. */
static bool settle(int wish, int low, int high, int slack, int *ret)
{
	if (low < 1 || high < low || wish < low - slack || wish > high + slack)
		return false;
	*ret = wish < low ? low : wish > high ? high : wish;
	return true;
}

/* The queue's size nearest to the wish within so many hundredths of a millimetre in each
 * direction; of those with a name (fixed), or of those that anybody may choose. */
static bool nearest_size(ipp_attribute_t *list, bool fixed, const struct paper *p, int slack_x,
                         int slack_y, int *ret_x, int *ret_y)
{
	int far, best = INT32_MAX, x, y, low_x, high_x, low_y, high_y;

	for (int i = 0; i < ippGetCount(list); i++) {
		ipp_t *size = ippGetCollection(list, i);

		low_x = member_of(size, "x-dimension", &high_x);
		low_y = member_of(size, "y-dimension", &high_y);
		if ((low_x == high_x && low_y == high_y) != fixed ||
		    !settle(p->x, low_x, high_x, slack_x, &x) ||
		    !settle(p->y, low_y, high_y, slack_y, &y))
			continue;
		far = abs(x - p->x) + abs(y - p->y);
		if (far >= best)
			continue;
		best = far;
		*ret_x = x;
		*ret_y = y;
	}
	return best != INT32_MAX;
}

static bool find_size(ipp_attribute_t *list, const struct paper *p, int slack_x, int slack_y,
                      int *ret_x, int *ret_y)
{
	if (list == NULL || ippGetValueTag(list) != IPP_TAG_BEGIN_COLLECTION)
		return false;
	return nearest_size(list, true, p, slack_x, slack_y, ret_x, ret_y) ||
	       nearest_size(list, false, p, slack_x, slack_y, ret_x, ret_y);
}

/* The same of a printer that tells names only; NULL: none. */
static const char *find_name(ipp_attribute_t *names, int x, int y, int slack_x, int slack_y)
{
	const char *found = NULL;
	int far, best = INT32_MAX;

	if (names == NULL || !ticket_is_text(names))
		return NULL;
	for (int i = 0; i < ippGetCount(names); i++) {
		const char *name = ippGetString(names, i, NULL);
		pwg_media_t *media = pwgMediaForPWG(name);

		if (media == NULL || abs(media->width - x) > slack_x ||
		    abs(media->length - y) > slack_y)
			continue;
		far = abs(media->width - x) + abs(media->length - y);
		if (far >= best)
			continue;
		best = far;
		found = name;
	}
	return found;
}

/* What people call a size. */
static const char *size_text(int x, int y, char out[TICKET_TEXT])
{
	pwg_media_t *media = pwgMediaForSize(x, y);

	if (media != NULL && media->pwg != NULL && abs(media->width - x) <= SIZE_SLACK &&
	    abs(media->length - y) <= SIZE_SLACK && strncmp(media->pwg, "custom_", 7) != 0)
		(void)snprintf(out, TICKET_TEXT, "%s", media->pwg);
	else
		(void)snprintf(out, TICKET_TEXT, "%gx%gmm", x / 100.0, y / 100.0);
	return out;
}

/* Whether paper may be told by this member of media-col. */
static bool has_member(struct ticket_pass *t, const char *name)
{
	ipp_attribute_t *names = ticket_supported(t, "media-col");

	return names != NULL && ippContainsString(names, name) &&
	       ticket_may_have(t, ticket_rule("media-col"));
}

static bool has_names(struct ticket_pass *t)
{
	return ticket_supported(t, "media") != NULL && ticket_may_have(t, ticket_rule("media"));
}

static void add_size(struct paper *p, int x, int y)
{
	ipp_t *size = ippNew();

	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", x);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", y);
	ippAddCollection(p->out, IPP_TAG_ZERO, "media-size", size);
	ippDelete(size);
}

static void add_name(struct ticket_pass *t, const char *name)
{
	ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_KEYWORD, "media", NULL, name);
}

/* CUPS adds a queue's default media to a job that has none, and lets it win over the size in
 * media-col (measured): the size goes by name too. */
static void name_size(struct ticket_pass *t, struct paper *p, int x, int y)
{
	const char *name = !has_names(t) ? NULL
	                                 : find_name(ticket_supported(t, "media"), x, y, SIZE_SLACK,
	                                             SIZE_SLACK);

	if (name != NULL)
		(void)snprintf(p->for_cups, sizeof(p->for_cups), "%s", name);
	else
		(void)pwgFormatSizeName(p->for_cups, sizeof(p->for_cups), "custom", NULL, x, y,
		                        "mm");
}

/* Adds the queue's size within the slack; false: it has none. */
static bool place_size(struct ticket_pass *t, struct paper *p, int slack_x, int slack_y,
                       char sent[TICKET_TEXT])
{
	ipp_attribute_t *sizes = ticket_supported(t, "media-size");
	const char *name;
	int x, y;

	if (has_member(t, "media-size") && find_size(sizes, p, slack_x, slack_y, &x, &y)) {
		add_size(p, x, y);
		size_text(x, y, sent);
		if (t->cups)
			name_size(t, p, x, y);
		return true;
	}
	name = !has_names(t)
	               ? NULL
	               : find_name(ticket_supported(t, "media"), p->x, p->y, slack_x, slack_y);
	if (name == NULL)
		return false;
	(void)snprintf(sent, TICKET_TEXT, "%s", name);
	add_name(t, name);
	return true;
}

static void look_at_size(struct ticket_pass *t, struct paper *p)
{
	ipp_attribute_t *names = ticket_supported(t, "media");
	char asked[TICKET_TEXT], sent[TICKET_TEXT];

	if (*p->name != '\0')
		(void)snprintf(asked, sizeof(asked), "%s", p->name);
	else
		size_text(p->x, p->y, asked);
	if (ticket_map(t, "media", asked))
		return;
	if (p->by_name && has_names(t) && ippContainsString(names, p->name)) {
		add_name(t, p->name);
		ticket_note_sent(t, "media", asked, asked, "");
	} else if (p->x < 1 || p->y < 1) {
		ticket_note_dropped(t, "media", asked, p->wrong ? "not a size of paper" : LACKS);
	} else if (place_size(t, p, SIZE_SLACK, SIZE_SLACK, sent)) {
		ticket_note_sent(t, "media", asked, sent, "");
	} else if (place_size(t, p, p->x / 100 * NEAR_PERCENT, p->y / 100 * NEAR_PERCENT, sent)) {
		ticket_note_changed(t, "media", asked, sent, LACKS);
	} else {
		ticket_note_dropped(t, "media", asked, LACKS);
	}
}

/* ---- the other members ---------------------------------------------------------------------- */

static void look_at_word(struct ticket_pass *t, struct paper *p, const char *name, const char *word)
{
	ipp_attribute_t *list = ticket_supported(t, name);
	const char *near = word;
	bool same = true;

	if (word == NULL || ticket_map(t, name, word))
		return;
	if (!has_member(t, name) || list == NULL || !ticket_is_text(list))
		near = NULL;
	else if (!ippContainsString(list, word))
		near = ticket_nearest_word(name, list, word, &same);
	if (near == NULL) {
		ticket_note_dropped(t, name, word, LACKS);
		return;
	}
	ippAddString(p->out, IPP_TAG_ZERO, IPP_TAG_KEYWORD, name, NULL, near);
	if (same)
		ticket_note_sent(t, name, word, near, "");
	else
		ticket_note_changed(t, name, word, near, LACKS);
}

/* Margins say where the page may be printed on; without edges (0) is what people ask for. */
static void look_at_margin(struct ticket_pass *t, struct paper *p, ipp_attribute_t *member)
{
	const char *name = ippGetName(member);
	int wish = ippGetInteger(member, 0), near;
	char asked[TICKET_TEXT], sent[TICKET_TEXT];

	if (!ticket_is_number(member) || wish < 0 || !has_member(t, name) ||
	    !ticket_nearest_number(ticket_supported(t, name), wish, &near))
		return;
	ippAddInteger(p->out, IPP_TAG_ZERO, IPP_TAG_INTEGER, name, near);
	(void)snprintf(asked, sizeof(asked), "%gmm", wish / 100.0);
	(void)snprintf(sent, sizeof(sent), "%gmm", near / 100.0);
	if (wish == 0 && near > 0)
		ticket_note_changed(t, name, asked, sent, LACKS);
}

static bool is_margin(const char *name)
{
	size_t len = strlen(name);

	return len > 13 && strncmp(name, "media-", 6) == 0 &&
	       strcmp(name + len - 7, "-margin") == 0;
}

/* Said by other members too, or by the size. */
static bool is_redundant(const char *name)
{
	static const char *const names[] = { "media-size",   "media-size-name",
		                             "media-source", "media-type",
		                             "media-key",    "media-source-properties" };

	return str_is_listed(name, names, ARRAY_SIZE(names));
}

static void look_at_member(struct ticket_pass *t, struct paper *p, ipp_attribute_t *member)
{
	const char *name = ippGetName(member);
	ipp_attribute_t *list = ticket_supported(t, name);
	char text[TICKET_TEXT];
	bool fits = has_member(t, name);

	ticket_value_text(member, 0, text);
	if (ticket_is_text(member) && list != NULL)
		fits = fits && ippContainsString(list, ippGetString(member, 0, NULL));
	else if (ticket_is_number(member) && list != NULL)
		fits = fits && ippContainsInteger(list, ippGetInteger(member, 0));
	else if (list == NULL)
		fits = false;
	if (!fits) {
		ticket_note_dropped(t, name, text, LACKS);
		return;
	}
	ippCopyAttribute(p->out, member, 0);
	ticket_note_sent(t, name, text, text, "");
}

static void look_at_members(struct ticket_pass *t, struct paper *p)
{
	ipp_attribute_t *member;

	for (member = ippFirstAttribute(p->col); member != NULL;
	     member = ippNextAttribute(p->col)) {
		const char *name = ippGetName(member);

		if (name == NULL || is_redundant(name))
			continue;
		if (is_margin(name))
			look_at_margin(t, p, member);
		else
			look_at_member(t, p, member);
	}
}

/* ---- what is asked for ---------------------------------------------------------------------- */

static const char *word_of(ipp_t *from, const char *name)
{
	ipp_attribute_t *attr = ippFindAttribute(from, name, IPP_TAG_ZERO);

	return attr != NULL && ticket_is_text(attr) ? ippGetString(attr, 0, NULL) : NULL;
}

/* The user's own media goes before a default of its part. */
static void take_word(struct ticket_pass *t, const char **word, bool *site, const char *name)
{
	if (*word != NULL && (!*site || t->site_media))
		return;
	*word = name;
	*site = t->site_media;
}

static void read_name(struct ticket_pass *t, struct paper *p, const char *name)
{
	ipp_attribute_t *sources = ticket_supported(t, "media-source");
	ipp_attribute_t *types = ticket_supported(t, "media-type");
	pwg_media_t *media;

	/* RFC 8011 5.2.11: media names a tray or a kind of paper as well */
	if (sources != NULL && ticket_is_text(sources) && ippContainsString(sources, name)) {
		take_word(t, &p->source, &t->site_source, name);
		return;
	}
	if (types != NULL && ticket_is_text(types) && ippContainsString(types, name)) {
		take_word(t, &p->type, &t->site_type, name);
		return;
	}
	p->name = name;
	media = pwgMediaForPWG(name);
	if (media == NULL)
		media = pwgMediaForLegacy(name);
	if (media == NULL)
		media = pwgMediaForPPD(name);
	p->x = media != NULL ? media->width : 0;
	p->y = media != NULL ? media->length : 0;
}

static void read_size(struct paper *p)
{
	ipp_attribute_t *size = ippFindAttribute(p->col, "media-size", IPP_TAG_ZERO);
	int top;

	if (size == NULL)
		return;
	p->name = "";
	if (ippGetValueTag(size) == IPP_TAG_BEGIN_COLLECTION && ippGetCount(size) == 1) {
		p->x = member_of(ippGetCollection(size, 0), "x-dimension", &top);
		p->y = member_of(ippGetCollection(size, 0), "y-dimension", &top);
	}
	p->wrong = p->x < 1 || p->y < 1;
}

static void read_paper(struct ticket_pass *t, struct paper *p, ipp_t *wish)
{
	ipp_attribute_t *col = ippFindAttribute(wish, "media-col", IPP_TAG_ZERO);
	ipp_attribute_t *media = ippFindAttribute(wish, "media", IPP_TAG_ZERO);
	const char *name;

	p->name = "";
	p->source = word_of(wish, "media-source");
	p->type = word_of(wish, "media-type");
	if (col != NULL &&
	    (ippGetValueTag(col) != IPP_TAG_BEGIN_COLLECTION || ippGetCount(col) != 1))
		ticket_note_dropped(t, "media-col", "", "not one collection");
	else if (col != NULL)
		p->col = ippGetCollection(col, 0);
	if (media != NULL && (!ticket_is_text(media) || ippGetCount(media) != 1)) {
		ticket_note_dropped(t, "media", "", "not a name");
		media = NULL;
	}
	name = media != NULL    ? ippGetString(media, 0, NULL)
	       : p->col != NULL ? word_of(p->col, "media-size-name")
	                        : NULL;
	if (name != NULL)
		read_name(t, p, name);
	if (p->col != NULL) {
		/* what the user says in the collection is more exact than a default, or a name */
		const char *source = word_of(p->col, "media-source");
		const char *type = word_of(p->col, "media-type");

		p->source = source != NULL ? source : p->source;
		p->type = type != NULL ? type : p->type;
		read_size(p);
	}
}

static bool has_more_than_size(ipp_t *col)
{
	ipp_attribute_t *member;

	for (member = ippFirstAttribute(col); member != NULL; member = ippNextAttribute(col))
		if (strcmp(ippGetName(member), "media-size") != 0)
			return true;
	return false;
}

void ticket_media(struct ticket_pass *t, ipp_t *wish)
{
	AUTO(ticket_free) ipp_t *out = ippNew();
	struct paper p = { .out = out };
	bool site = t->site;

	read_paper(t, &p, wish);
	p.by_name = *p.name != '\0' && p.source == NULL && p.type == NULL && p.col == NULL;
	t->site = site || t->site_media;
	if (*p.name != '\0' || p.x != 0 || p.y != 0 || p.wrong)
		look_at_size(t, &p);
	t->site = site || t->site_source;
	look_at_word(t, &p, "media-source", p.source);
	t->site = site || t->site_type;
	look_at_word(t, &p, "media-type", p.type);
	t->site = site;
	if (p.col != NULL)
		look_at_members(t, &p);
	if (*p.for_cups != '\0')
		add_name(t, p.for_cups);
	/* one of the two (PWG 5100.7 6.3), but for CUPS */
	if (ippFirstAttribute(out) != NULL &&
	    (t->cups ? has_more_than_size(out)
	             : ippFindAttribute(t->request, "media", IPP_TAG_ZERO) == NULL))
		ippAddCollection(t->request, IPP_TAG_JOB, "media-col", out);
}
