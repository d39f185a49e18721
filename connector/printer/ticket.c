/* Order: what the ticket asks for and this program knows is copied to a wish, the site's defaults
 * are added, then each attribute passes its rule: the mapping first, then the queue's own values,
 * then what is nearest. Paper is looked at as a whole (ticket_media.c). The site's options of the
 * driver come last, so that they never undo what somebody asked for (ticket_default.c). */
#include "connector/printer/ticket.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/printer_text.h"
#include "connector/printer/ticket_private.h"

static const struct ticket_rule rules[] = {
	{ "copies", CHECK_COPIES, false },
	{ "feed-orientation", CHECK_WORD, false },
	{ "finishings", CHECK_FINISHINGS, true },
	{ "finishings-col", CHECK_MEMBERS, true },
	{ "job-account-id", CHECK_ACCOUNT, false },
	{ "job-accounting-user-id", CHECK_ACCOUNT, false },
	{ "job-cancel-after", CHECK_NONE, false },
	{ "job-delay-output-until", CHECK_NONE, false },
	{ "job-hold-until", CHECK_NONE, false }, /* the cloud holds its jobs itself */
	{ "job-hold-until-time", CHECK_NONE, false },
	{ "job-priority", CHECK_PRIORITY, false },
	{ "job-retain-until", CHECK_NONE, false },
	{ "job-sheets", CHECK_WORD, true },
	{ "media", CHECK_MEDIA, false },
	{ "media-col", CHECK_MEDIA, false },
	{ "media-source", CHECK_MEDIA, false },
	{ "media-type", CHECK_MEDIA, false },
	{ "multiple-document-handling", CHECK_WORD, false },
	{ "number-up", CHECK_NUMBER, false },
	{ "orientation-requested", CHECK_NUMBER, false },
	{ "output-bin", CHECK_WORD, false },
	{ "output-device", CHECK_NONE, false },
	{ "overrides", CHECK_MEMBERS, true },
	{ "page-ranges", CHECK_RANGES, true },
	{ "presentation-direction-number-up", CHECK_DIRECTION, false },
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
	"requested-",  "requesting-", "sealed-",     "sheet-",       "status-",  "time-at-",
	"warnings-",
};

const struct ticket_rule *ticket_rule(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

static bool is_silent(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(silent_prefixes); i++)
		if (strncmp(name, silent_prefixes[i], strlen(silent_prefixes[i])) == 0)
			return true;
	return false;
}

void ticket_free(ipp_t **message)
{
	ippDelete(*message);
}

/* ---- what is told --------------------------------------------------------------------------- */

static void tell(struct ticket_pass *t, enum ticket_fate fate, const char *name, const char *asked,
                 const char *sent, const char *why)
{
	const struct mapping_rule *rule = t->site ? mapping_default(t->rules, name) : NULL;
	char texts[5][TICKET_TEXT], place[TICKET_TEXT];
	const char *const from[] = { name, asked, sent, why,
		                     rule != NULL ? ticket_place(rule, place) : "" };
	struct ticket_note note = { .fate = fate, .site = t->site };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		printer_text_copy(texts[i], sizeof(texts[i]), from[i]);
	note.name = texts[0];
	note.asked = texts[1];
	note.sent = texts[2];
	note.why = texts[3];
	note.place = texts[4];
	if (fate != TICKET_SENT && !t->site) {
		t->lost_here = true;
		if (!t->lost)
			(void)snprintf(t->first, sizeof(t->first), "%.40s%s%.40s (%.80s)", texts[0],
			               *texts[1] ? " " : "", texts[1], texts[3]);
		t->lost = true;
	}
	if (t->noted != NULL)
		t->noted(t->data, &note);
}

void ticket_note_sent(struct ticket_pass *t, const char *name, const char *asked, const char *sent,
                      const char *why)
{
	tell(t, TICKET_SENT, name, asked, sent, why);
}

void ticket_note_changed(struct ticket_pass *t, const char *name, const char *asked,
                         const char *sent, const char *why)
{
	tell(t, TICKET_CHANGED, name, asked, sent, why);
}

void ticket_note_dropped(struct ticket_pass *t, const char *name, const char *asked,
                         const char *why)
{
	tell(t, TICKET_DROPPED, name, asked, "", why);
}

void ticket_line_add(char *lines, size_t size, const struct ticket_note *note)
{
	char line[4 * TICKET_TEXT];
	size_t len = strlen(lines);

	if (note->fate == TICKET_SENT || note->site)
		return;
	if (note->fate == TICKET_CHANGED)
		(void)snprintf(line, sizeof(line), "%s: %s in place of %s; %s", note->name,
		               note->sent, note->asked, note->why);
	else
		(void)snprintf(line, sizeof(line), "%s: %s%sleft out; %s", note->name, note->asked,
		               *note->asked ? " " : "", note->why);
	if (size < len + strlen(line) + 2)
		return;
	(void)snprintf(lines + len, size - len, "%s%s", len > 0 ? "\n" : "", line);
}

/* ---- one attribute -------------------------------------------------------------------------- */

bool ticket_may_have(struct ticket_pass *t, const struct ticket_rule *rule)
{
	ipp_attribute_t *list = ippFindAttribute(
		t->capabilities, "job-creation-attributes-supported", IPP_TAG_KEYWORD);

	/* CUPS has these two under other names, or without naming them here */
	if (rule->check == CHECK_ACCOUNT || (t->cups && rule->check == CHECK_DIRECTION))
		return true;
	return list == NULL || ippContainsString(list, rule->name);
}

void ticket_translate(struct ticket_pass *t, const struct ticket_rule *rule, ipp_attribute_t *attr)
{
	AUTO(ticket_free) ipp_t *scratch = ippNew();
	char text[TICKET_TEXT];

	if (rule->check == CHECK_NONE)
		return;
	if (ippGetCount(attr) < 1 || ippGetCount(attr) > (rule->many ? TICKET_VALUES_MAX : 1)) {
		ticket_note_dropped(t, rule->name, "", "a wrong number of values");
		return;
	}
	if (!t->mapped)
		attr = ticket_map_values(t, scratch, attr);
	if (attr == NULL)
		return;
	if (t->capabilities == NULL || !ticket_may_have(t, rule)) {
		ticket_note_dropped(t, rule->name, ticket_value_text(attr, 0, text), TICKET_LACKS);
		return;
	}
	switch (rule->check) {
	case CHECK_WORD:
		ticket_check_word(t, attr);
		break;
	case CHECK_NUMBER:
		ticket_check_number(t, attr);
		break;
	case CHECK_COPIES:
		ticket_check_copies(t, attr);
		break;
	case CHECK_FINISHINGS:
		ticket_check_finishings(t, attr);
		break;
	case CHECK_RESOLUTION:
		ticket_check_resolution(t, attr);
		break;
	case CHECK_RANGES:
		ticket_check_ranges(t, attr);
		break;
	case CHECK_MEMBERS:
		ticket_check_members(t, attr);
		break;
	case CHECK_DIRECTION:
		ticket_check_direction(t, attr);
		break;
	case CHECK_PRIORITY:
		ticket_check_priority(t, attr);
		break;
	case CHECK_ACCOUNT:
		ticket_check_account(t, attr);
		break;
	case CHECK_MEDIA:
	case CHECK_NONE:
		break;
	}
}

/* ---- the whole ticket ----------------------------------------------------------------------- */

/* Universal Print's own way to ask for it. */
static void add_fit(ipp_t *wish, ipp_t *ticket)
{
	if (ipp_get_bool(ticket, IPP_TAG_ZERO, "pdf-fit-to-page", false) &&
	    ippFindAttribute(wish, "print-scaling", IPP_TAG_ZERO) == NULL)
		ippAddString(wish, IPP_TAG_JOB, IPP_TAG_KEYWORD, "print-scaling", NULL, "fit");
}

/* Templates of the standard's names are finishings to a queue that has no finishings-col. */
static void add_templates(struct ticket_pass *t, ipp_t *wish)
{
	ipp_attribute_t *cols = ippFindAttribute(wish, "finishings-col", IPP_TAG_BEGIN_COLLECTION);
	ipp_attribute_t *finishings = NULL;

	if (cols == NULL || ticket_supported(t, "finishings-col") != NULL ||
	    ticket_supported(t, "finishings") == NULL ||
	    ippFindAttribute(wish, "finishings", IPP_TAG_ZERO) != NULL)
		return;
	for (int i = 0; i < ippGetCount(cols) && i < TICKET_VALUES_MAX; i++) {
		const char *name = ipp_get_text(ippGetCollection(cols, i), IPP_TAG_ZERO,
		                                "finishing-template", "");
		int value = ippEnumValue("finishings", name);

		if (value < 3)
			return;
		if (finishings == NULL)
			finishings =
				ippAddInteger(wish, IPP_TAG_JOB, IPP_TAG_ENUM, "finishings", value);
		else
			ippSetInteger(wish, &finishings, ippGetCount(finishings), value);
	}
	if (finishings != NULL)
		ippDeleteAttribute(wish, cols);
}

/* What is asked for: the first attribute of each name. What nobody knows is said at once. */
static void make_wish(struct ticket_pass *t, ipp_t *wish, ipp_t *ticket, ipp_attribute_t *must,
                      const char **ret_insisted)
{
	ipp_attribute_t *attr, *copy;
	char text[TICKET_TEXT];

	for (attr = ippFirstAttribute(ticket); attr != NULL; attr = ippNextAttribute(ticket)) {
		const char *name = ippGetName(attr);

		if (name == NULL || ippFindAttribute(wish, name, IPP_TAG_ZERO) != NULL ||
		    strcmp(name, "pdf-fit-to-page") == 0)
			continue;
		if (ticket_rule(name) == NULL) {
			if (is_silent(name))
				continue;
			ticket_note_dropped(t, name, ticket_value_text(attr, 0, text),
			                    TICKET_LACKS);
			if (must != NULL && ippContainsString(must, name))
				*ret_insisted = name;
			continue;
		}
		copy = ippCopyAttribute(wish, attr, 0);
		ippSetGroupTag(wish, &copy, IPP_TAG_JOB);
	}
	add_fit(wish, ticket);
	if (t->capabilities != NULL)
		add_templates(t, wish);
}

static bool is_media(ipp_t *wish)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].check == CHECK_MEDIA &&
		    ippFindAttribute(wish, rules[i].name, IPP_TAG_ZERO) != NULL)
			return true;
	return false;
}

/* Whether it is there and nobody asked for it. absent: by the index of the rule, what the ticket
 * did not have. */
static bool is_default(ipp_t *wish, const bool absent[], const char *name)
{
	return absent[ticket_rule(name) - rules] &&
	       ippFindAttribute(wish, name, IPP_TAG_ZERO) != NULL;
}

static bool insists_on_media(ipp_attribute_t *must)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].check == CHECK_MEDIA && ippContainsString(must, rules[i].name))
			return true;
	return false;
}

static int insist(struct err *err, const char *text)
{
	return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
	               "the job insists on %.160s", text);
}

int ticket_apply(ipp_t *request, const struct ticket_source *from, ticket_noted *noted, void *data,
                 struct err *err)
{
	struct ticket_pass t = { .request = request,
		                 .capabilities = from->capabilities,
		                 .rules = from->rules,
		                 .grey = from->grey,
		                 .cups = from->cups,
		                 .noted = noted,
		                 .data = data };
	AUTO(ticket_free) ipp_t *wish = ippNew();
	AUTO(ticket_free) ipp_t *none = ippNew();
	ipp_t *ticket = from->ticket != NULL ? from->ticket : none;
	bool strict = ipp_get_bool(ticket, IPP_TAG_ZERO, "ipp-attribute-fidelity", false);
	ipp_attribute_t *must =
		ippFindAttribute(ticket, "job-mandatory-attributes", IPP_TAG_KEYWORD);
	const char *insisted = NULL;
	bool absent[ARRAY_SIZE(rules)];

	make_wish(&t, wish, ticket, must, &insisted);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		absent[i] = ippFindAttribute(wish, rules[i].name, IPP_TAG_ZERO) == NULL;
	ticket_default_attributes(&t, wish);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		ipp_attribute_t *attr = ippFindAttribute(wish, rules[i].name, IPP_TAG_ZERO);

		if (attr == NULL || rules[i].check == CHECK_MEDIA)
			continue;
		t.site = absent[i];
		t.lost_here = false;
		ticket_translate(&t, &rules[i], attr);
		if (t.lost_here && must != NULL && ippContainsString(must, rules[i].name))
			insisted = rules[i].name;
	}
	t.lost_here = false;
	t.site_media = is_default(wish, absent, "media");
	t.site_source = is_default(wish, absent, "media-source");
	t.site_type = is_default(wish, absent, "media-type");
	if (is_media(wish))
		ticket_media(&t, wish);
	ticket_default_options(&t, ticket);
	if (t.lost_here && must != NULL && insists_on_media(must))
		insisted = "its media";
	if (strict && t.lost)
		return insist(err, t.first);
	return insisted != NULL ? insist(err, insisted) : 0;
}
