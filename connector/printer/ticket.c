#include "connector/printer/ticket.h"

#include <stdbool.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/ticket_check.h"

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

static bool may_create_with(struct ticket_pass *t, const char *name)
{
	ipp_attribute_t *list = ippFindAttribute(
		t->capabilities, "job-creation-attributes-supported", IPP_TAG_KEYWORD);

	return list == NULL || ippContainsString(list, name);
}

static void translate(struct ticket_pass *t, const struct rule *rule, ipp_attribute_t *attr)
{
	bool fits = false;

	if (rule->check == CHECK_NONE)
		return;
	if (t->capabilities == NULL || !may_create_with(t, rule->name)) {
		ticket_drop(t, rule->name, "the queue does not have it");
		return;
	}
	if (ippGetCount(attr) < 1 || ippGetCount(attr) > (rule->many ? VALUES_MAX : 1)) {
		ticket_drop(t, rule->name, "a wrong number of values");
		return;
	}
	switch (rule->check) {
	case CHECK_WORD:
		fits = ticket_check_word(t, attr);
		break;
	case CHECK_NUMBER:
		fits = ticket_check_number(t, attr);
		break;
	case CHECK_COPIES:
		ticket_add_copies(t, attr);
		break;
	case CHECK_RESOLUTION:
		fits = ticket_check_resolution(t, attr);
		break;
	case CHECK_RANGES:
		fits = ticket_check_ranges(t, attr);
		break;
	case CHECK_MEDIA:
		ticket_add_media(t, attr);
		break;
	case CHECK_MEMBERS:
		fits = ticket_check_members(t, attr);
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
static bool is_second_media(struct ticket_pass *t, const char *name)
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
	struct ticket_pass t = {
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
			ticket_drop(&t, name, "the queue does not have it");
		if (t.last[0] != '\0' && must != NULL && ippContainsString(must, name))
			return insist(err, name);
	}
	return strict && t.lost ? insist(err, t.first) : 0;
}
