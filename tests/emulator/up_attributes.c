/* up_attributes.c - the attributes of a printer that the service handles, with the syntaxes it
 * takes and whether there may be many values. Names that are not here are left aside. */
#include "tests/emulator/up_ipp.h"

#include <string.h>

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define NESTING_MAX   5
#define LIFE_MIN      15
#define SYNTAXES_MAX  4
#define TEXTS         IPP_TAG_TEXT, IPP_TAG_TEXTLANG
#define NAMES         IPP_TAG_NAME, IPP_TAG_NAMELANG
#define WORDS         IPP_TAG_KEYWORD, IPP_TAG_NAME, IPP_TAG_NAMELANG
#define WORDS_OR_NONE IPP_TAG_KEYWORD, IPP_TAG_NAME, IPP_TAG_NAMELANG, IPP_TAG_NOVALUE

/* A star behind a name: many values. */
struct group {
	ipp_tag_t tags[SYNTAXES_MAX];
	const char *const *names;
};

#define LIST(id, ...) static const char *const id[] = { __VA_ARGS__, NULL }

LIST(texts, "microsoft-universal-print-connector-app-version",
     "microsoft-universal-print-connector-operating-system",
     "microsoft-universal-print-connector-id", "microsoft-universal-printer-driver-name",
     "microsoft-universal-printer-driver-version", "mopria-certified", "printer-alert-description*",
     "printer-info", "printer-location", "printer-make-and-model", "printer-device-id",
     "printer-state-message", "printer-firmware-patches*", "printer-firmware-string-version*",
     "printer-organization*", "printer-organizational-unit*", "printer-supply-description*",
     "print-device-capabilites");
LIST(plain_texts, "print_wfds");
LIST(names, "marker-colors*", "marker-names*", "job-account-id-default",
     "job-accounting-user-id-default", "printer-firmware-name*", "printer-name");
LIST(keywords, "print-color-mode-default", "print-color-mode-supported*", "compression-supported*",
     "document-access-supported*", "document-format-details-supported*", "feed-orientation-default",
     "feed-orientation-supported*", "finishings-col-supported*", "ipp-features-supported*",
     "ipp-versions-supported*", "job-creation-attributes-supported*", "marker-types*",
     "media-col-supported*", "microsoft-page-order-default", "microsoft-page-order-supported*",
     "multiple-document-handling-default", "multiple-document-handling-supported*",
     "multiple-operation-time-out-action", "output-bin-default", "output-bin-supported*",
     "overrides-supported*", "pclm-raster-back-side", "pdl-override-supported",
     "pdf-versions-supported*", "presentation-direction-number-up-default",
     "presentation-direction-number-up-supported*", "print-scaling-default",
     "print-scaling-supported*", "print-content-optimize-default",
     "print-content-optimize-supported*", "print-rendering-intent-default",
     "print-rendering-intent-supported*", "printer-get-attributes-supported*", "printer-kind*",
     "printer-state-reasons*", "pwg-raster-document-sheet-back",
     "pwg-raster-document-type-supported*", "job-release-action-default",
     "job-release-action-supported*", "sides-default", "sides-supported*", "urf-supported*",
     "uri-security-supported*", "uri-authentication-supported*", "which-jobs-supported*");
LIST(words, "job-password-encryption-supported*", "job-sheets-default", "job-sheets-supported*",
     "media-supported*", "media-source-supported*", "media-type-supported*",
     "media-color-supported*");
LIST(words_or_none, "media-default", "media-ready*");
LIST(enums, "finishings-default*", "finishings-supported*",
     "landscape-orientation-requested-preferred", "operations-supported*",
     "orientation-requested-supported*", "print-quality-default", "print-quality-supported*",
     "printer-state");
LIST(enums_or_none, "orientation-requested-default");
LIST(uris, "printer-icons*", "printer-more-info", "printer-more-info-manufacturer",
     "printer-static-resource-directory-uri", "printer-supply-info-uri", "printer-uri-supported*",
     "printer-uuid");
LIST(uris_or_unknown, "printer-geo-location");
LIST(charsets, "charset-configured", "charset-supported*");
LIST(languages, "natural-language-configured", "generated-natural-language-supported*");
LIST(formats, "document-format-default", "document-format-preferred", "document-format-supported*",
     "microsoft-universal-print-document-format-supported-via-conversion*");
LIST(octets, "printer-alert*", "printer-firmware-version*", "printer-input-tray*",
     "printer-output-tray*", "printer-supply*");
LIST(booleans, "color-supported", "job-ids-supported", "job-account-id-supported",
     "job-accounting-user-id-supported", "job-mandatory-attributes-supported",
     "margins-pre-applied-default", "margins-pre-applied-supported",
     "multiple-document-jobs-supported", "page-ranges-supported", "pdf-fit-to-page-default",
     "pdf-fit-to-page-supported", "printer-is-accepting-jobs",
     "smi311-universal-print-anywhere-enabled");
LIST(integers, "copies-default", "document-password-supported", "media-bottom-margin-supported*",
     "media-left-margin-supported*", "media-right-margin-supported*", "media-top-margin-supported*",
     "multiple-operation-time-out", "job-password-supported", "marker-high-levels*",
     "marker-levels*", "marker-low-levels*", "number-up-default", "pages-per-minute",
     "pages-per-minute-color", "pclm-strip-height-preferred", "pclm-strip-height-supported*",
     "pdf-size-constraints", "printer-config-change-time", "printer-state-change-time",
     "printer-static-resource-k-octets-free", "printer-static-resource-k-octets-supported",
     "printer-up-time", "queued-job-count", "ippget-event-life");
LIST(integers_or_ranges, "number-up-supported*");
LIST(ranges, "copies-supported", "pdf-k-octets-supported", "job-password-length-supported");
LIST(resolutions, "printer-resolution-default", "printer-resolution-supported*",
     "pclm-source-resolution-supported*", "pwg-raster-document-resolution-supported*");
LIST(collections, "finishings-col-database*", "finishings-col-ready*", "job-constraints-supported*",
     "job-resolvers-supported*", "media-col-database*", "media-col-default",
     "media-size-supported*", "printer-icc-profiles*");
LIST(collections_or_none, "finishings-col-default*", "media-col-ready*");
LIST(dates, "printer-config-change-date-time", "printer-state-change-date-time");
LIST(dates_or_unknown, "printer-current-time");

static const struct group groups[] = {
	{ { TEXTS }, texts },
	{ { IPP_TAG_TEXT }, plain_texts },
	{ { NAMES }, names },
	{ { IPP_TAG_KEYWORD }, keywords },
	{ { WORDS }, words },
	{ { WORDS_OR_NONE }, words_or_none },
	{ { IPP_TAG_ENUM }, enums },
	{ { IPP_TAG_ENUM, IPP_TAG_NOVALUE }, enums_or_none },
	{ { IPP_TAG_URI }, uris },
	{ { IPP_TAG_URI, IPP_TAG_UNKNOWN }, uris_or_unknown },
	{ { IPP_TAG_CHARSET }, charsets },
	{ { IPP_TAG_LANGUAGE }, languages },
	{ { IPP_TAG_MIMETYPE }, formats },
	{ { IPP_TAG_STRING }, octets },
	{ { IPP_TAG_BOOLEAN }, booleans },
	{ { IPP_TAG_INTEGER }, integers },
	{ { IPP_TAG_INTEGER, IPP_TAG_RANGE }, integers_or_ranges },
	{ { IPP_TAG_RANGE }, ranges },
	{ { IPP_TAG_RESOLUTION }, resolutions },
	{ { IPP_TAG_BEGIN_COLLECTION }, collections },
	{ { IPP_TAG_BEGIN_COLLECTION, IPP_TAG_NOVALUE }, collections_or_none },
	{ { IPP_TAG_DATE }, dates },
	{ { IPP_TAG_DATE, IPP_TAG_UNKNOWN }, dates_or_unknown },
};

static const struct group *find_group(const char *name, bool *many)
{
	size_t i, len = strlen(name);
	const char *const *each;

	for (i = 0; i < COUNT(groups); i++) {
		for (each = groups[i].names; *each != NULL; each++) {
			if (strncmp(*each, name, len) != 0 ||
			    ((*each)[len] != '\0' && strcmp(*each + len, "*") != 0))
				continue;
			*many = (*each)[len] == '*';
			return &groups[i];
		}
	}
	return NULL;
}

static int nesting(ipp_attribute_t *a)
{
	int i, depth, deepest = 0;

	if (ippGetValueTag(a) != IPP_TAG_BEGIN_COLLECTION)
		return 0;
	for (i = 0; i < ippGetCount(a); i++) {
		ipp_t *collection = ippGetCollection(a, i);
		ipp_attribute_t *member;

		for (member = ippFirstAttribute(collection); member != NULL;
		     member = ippNextAttribute(collection)) {
			depth = nesting(member);
			if (depth > deepest)
				deepest = depth;
		}
	}
	return deepest + 1;
}

static const char *check_value(ipp_attribute_t *a)
{
	static const char *const filled[] = { "printer-make-and-model", "printer-state-reasons",
		                              "printer-more-info-manufacturer" };
	const char *name = ippGetName(a);
	size_t i;

	for (i = 0; i < COUNT(filled); i++) {
		if (strcmp(name, filled[i]) == 0 && *ippGetString(a, 0, NULL) == '\0')
			return "is empty";
	}
	if (strcmp(name, "printer-state") == 0 &&
	    (ippGetInteger(a, 0) < IPP_PSTATE_IDLE || ippGetInteger(a, 0) > IPP_PSTATE_STOPPED))
		return "is not 3, 4 or 5";
	if (strcmp(name, "ippget-event-life") == 0 && ippGetInteger(a, 0) < LIFE_MIN)
		return "is below 15";
	if (nesting(a) > NESTING_MAX)
		return "has collections in more than 5 levels";
	return ippValidateAttribute(a) ? NULL : "has a value that its syntax does not allow";
}

enum up_attribute up_attribute_check(ipp_attribute_t *a, const char **why)
{
	bool many = false;
	const struct group *g = find_group(ippGetName(a), &many);
	ipp_tag_t tag = ippGetValueTag(a);
	size_t i;

	if (g == NULL)
		return UP_ATTRIBUTE_UNKNOWN;
	for (i = 0; i < SYNTAXES_MAX && g->tags[i] != tag; i++)
		;
	if (i == SYNTAXES_MAX)
		*why = "has the wrong syntax";
	else if (!many && ippGetCount(a) != 1)
		*why = "has more than one value";
	else if (tag == IPP_TAG_NOVALUE || tag == IPP_TAG_UNKNOWN)
		return UP_ATTRIBUTE_TAKEN;
	else
		*why = check_value(a);
	return *why ? UP_ATTRIBUTE_WRONG : UP_ATTRIBUTE_TAKEN;
}
