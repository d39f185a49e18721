#include "connector/printer/capability_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define WORD (CAPABILITY_KEYWORD | CAPABILITY_NAME)

/* Sorted (strcmp). Facts of the Infrastructure Printer itself (PWG 5100.18 tables 7 and 8) are not
 * here, nor are URIs of this network other than those checked by capabilities.c. */
static const struct capability table[] = {
	{ "charset-configured", CAPABILITY_CHARSET, false, false },
	{ "charset-supported", CAPABILITY_CHARSET, true, false },
	{ "client-info-supported", CAPABILITY_KEYWORD, true, false },
	{ "color-supported", CAPABILITY_BOOLEAN, false, false },
	{ "compression-supported", CAPABILITY_KEYWORD, true, false },
	{ "copies-default", CAPABILITY_INTEGER, false, false },
	{ "copies-supported", CAPABILITY_RANGE, false, false },
	{ "document-format-default", CAPABILITY_MIME, false, false },
	{ "document-format-supported", CAPABILITY_MIME, true, false },
	{ "document-password-supported", CAPABILITY_INTEGER, false, false },
	{ "feed-orientation-default", CAPABILITY_KEYWORD, false, false },
	{ "feed-orientation-supported", CAPABILITY_KEYWORD, true, false },
	{ "finishings-col-database", CAPABILITY_COLLECTION, true, false },
	{ "finishings-col-default", CAPABILITY_COLLECTION | CAPABILITY_NONE, true, false },
	{ "finishings-col-ready", CAPABILITY_COLLECTION, true, false },
	{ "finishings-col-supported", CAPABILITY_KEYWORD, true, false },
	{ "finishings-default", CAPABILITY_ENUM, true, false },
	{ "finishings-ready", CAPABILITY_ENUM, true, false },
	{ "finishings-supported", CAPABILITY_ENUM, true, false },
	{ "generated-natural-language-supported", CAPABILITY_LANGUAGE, true, false },
	{ "identify-actions-default", CAPABILITY_KEYWORD, true, false },
	{ "identify-actions-supported", CAPABILITY_KEYWORD, true, false },
	{ "ipp-features-supported", CAPABILITY_KEYWORD, true, false },
	{ "ipp-versions-supported", CAPABILITY_KEYWORD, true, false },
	{ "job-account-id-default", CAPABILITY_NAME | CAPABILITY_NONE, false, false },
	{ "job-account-id-supported", CAPABILITY_BOOLEAN, false, false },
	{ "job-accounting-user-id-default", CAPABILITY_NAME | CAPABILITY_NONE, false, false },
	{ "job-accounting-user-id-supported", CAPABILITY_BOOLEAN, false, false },
	{ "job-cancel-after-supported", CAPABILITY_RANGE | CAPABILITY_INTEGER, false, false },
	{ "job-constraints-supported", CAPABILITY_COLLECTION, true, false },
	{ "job-creation-attributes-supported", CAPABILITY_KEYWORD, true, false },
	{ "job-password-encryption-supported", WORD, true, false },
	{ "job-password-length-supported", CAPABILITY_RANGE, false, false },
	{ "job-password-repertoire-configured", CAPABILITY_KEYWORD, false, false },
	{ "job-password-repertoire-supported", CAPABILITY_KEYWORD, true, false },
	{ "job-password-supported", CAPABILITY_INTEGER, false, false },
	{ "job-priority-default", CAPABILITY_INTEGER, false, false },
	{ "job-priority-supported", CAPABILITY_INTEGER, false, false },
	{ "job-release-action-default", CAPABILITY_KEYWORD, false, false },
	{ "job-release-action-supported", CAPABILITY_KEYWORD, true, false },
	{ "job-resolvers-supported", CAPABILITY_COLLECTION, true, false },
	{ "job-sheets-default", WORD, false, false },
	{ "job-sheets-supported", WORD, true, false },
	{ "jpeg-features-supported", CAPABILITY_KEYWORD, true, false },
	{ "jpeg-k-octets-supported", CAPABILITY_RANGE, false, false },
	{ "jpeg-x-dimension-supported", CAPABILITY_RANGE, false, false },
	{ "jpeg-y-dimension-supported", CAPABILITY_RANGE, false, false },
	{ "landscape-orientation-requested-preferred", CAPABILITY_ENUM, false, false },
	{ "media-bottom-margin-supported", CAPABILITY_INTEGER, true, false },
	{ "media-col-database", CAPABILITY_COLLECTION, true, false },
	{ "media-col-default", CAPABILITY_COLLECTION | CAPABILITY_NONE, false, false },
	{ "media-col-ready", CAPABILITY_COLLECTION | CAPABILITY_NONE, true, false },
	{ "media-col-supported", CAPABILITY_KEYWORD, true, false },
	{ "media-color-supported", WORD, true, false },
	{ "media-default", WORD | CAPABILITY_NONE, false, false },
	{ "media-left-margin-supported", CAPABILITY_INTEGER, true, false },
	{ "media-ready", WORD | CAPABILITY_NONE, true, false },
	{ "media-right-margin-supported", CAPABILITY_INTEGER, true, false },
	{ "media-size-supported", CAPABILITY_COLLECTION, true, false },
	{ "media-source-supported", WORD, true, false },
	{ "media-supported", WORD, true, false },
	{ "media-top-margin-supported", CAPABILITY_INTEGER, true, false },
	{ "media-type-supported", WORD, true, false },
	{ "multiple-document-handling-default", CAPABILITY_KEYWORD, false, false },
	{ "multiple-document-handling-supported", CAPABILITY_KEYWORD, true, false },
	{ "natural-language-configured", CAPABILITY_LANGUAGE, false, false },
	{ "number-up-default", CAPABILITY_INTEGER, false, false },
	{ "number-up-supported", CAPABILITY_INTEGER | CAPABILITY_RANGE, true, false },
	{ "orientation-requested-default", CAPABILITY_ENUM | CAPABILITY_NONE, false, false },
	{ "orientation-requested-supported", CAPABILITY_ENUM, true, false },
	{ "output-bin-default", WORD, false, false },
	{ "output-bin-supported", WORD, true, false },
	{ "overrides-supported", CAPABILITY_KEYWORD, true, false },
	{ "page-ranges-supported", CAPABILITY_BOOLEAN, false, false },
	{ "pages-per-minute", CAPABILITY_INTEGER, false, false },
	{ "pages-per-minute-color", CAPABILITY_INTEGER, false, false },
	{ "pclm-raster-back-side", CAPABILITY_KEYWORD, false, false },
	{ "pclm-source-resolution-supported", CAPABILITY_RESOLUTION, true, false },
	{ "pclm-strip-height-preferred", CAPABILITY_INTEGER, false, false },
	{ "pclm-strip-height-supported", CAPABILITY_INTEGER, true, false },
	{ "pdf-k-octets-supported", CAPABILITY_RANGE, false, false },
	{ "pdf-versions-supported", CAPABILITY_KEYWORD, true, false },
	{ "presentation-direction-number-up-default", CAPABILITY_KEYWORD, false, false },
	{ "presentation-direction-number-up-supported", CAPABILITY_KEYWORD, true, false },
	{ "print-color-mode-default", CAPABILITY_KEYWORD, false, false },
	{ "print-color-mode-supported", CAPABILITY_KEYWORD, true, false },
	{ "print-content-optimize-default", CAPABILITY_KEYWORD, false, false },
	{ "print-content-optimize-supported", CAPABILITY_KEYWORD, true, false },
	{ "print-quality-default", CAPABILITY_ENUM, false, false },
	{ "print-quality-supported", CAPABILITY_ENUM, true, false },
	{ "print-rendering-intent-default", CAPABILITY_KEYWORD, false, false },
	{ "print-rendering-intent-supported", CAPABILITY_KEYWORD, true, false },
	{ "print-scaling-default", CAPABILITY_KEYWORD, false, false },
	{ "print-scaling-supported", CAPABILITY_KEYWORD, true, false },
	{ "printer-alert", CAPABILITY_OCTETS, true, true },
	{ "printer-alert-description", CAPABILITY_TEXT, true, true },
	{ "printer-config-change-date-time", CAPABILITY_DATE, false, false },
	{ "printer-config-change-time", CAPABILITY_INTEGER, false, false },
	{ "printer-device-id", CAPABILITY_TEXT, false, false },
	{ "printer-firmware-name", CAPABILITY_NAME, true, false },
	{ "printer-firmware-string-version", CAPABILITY_TEXT, true, false },
	{ "printer-geo-location", CAPABILITY_URI | CAPABILITY_NONE, false, false },
	{ "printer-icons", CAPABILITY_URI, true, false },
	{ "printer-info", CAPABILITY_TEXT, false, false },
	{ "printer-input-tray", CAPABILITY_OCTETS, true, true },
	{ "printer-is-accepting-jobs", CAPABILITY_BOOLEAN, false, true },
	{ "printer-kind", CAPABILITY_KEYWORD, true, false },
	{ "printer-location", CAPABILITY_TEXT, false, false },
	{ "printer-make-and-model", CAPABILITY_TEXT, false, false },
	{ "printer-name", CAPABILITY_NAME, false, false },
	{ "printer-organization", CAPABILITY_TEXT, true, false },
	{ "printer-organizational-unit", CAPABILITY_TEXT, true, false },
	{ "printer-output-tray", CAPABILITY_OCTETS, true, true },
	{ "printer-resolution-default", CAPABILITY_RESOLUTION, false, false },
	{ "printer-resolution-supported", CAPABILITY_RESOLUTION, true, false },
	{ "printer-state", CAPABILITY_ENUM, false, true },
	{ "printer-state-change-date-time", CAPABILITY_DATE, false, true },
	{ "printer-state-change-time", CAPABILITY_INTEGER, false, true },
	{ "printer-state-message", CAPABILITY_TEXT, false, true },
	{ "printer-state-reasons", CAPABILITY_KEYWORD, true, true },
	{ "printer-supply", CAPABILITY_OCTETS, true, true },
	{ "printer-supply-description", CAPABILITY_TEXT, true, true },
	{ "proof-copies-supported", CAPABILITY_RANGE | CAPABILITY_INTEGER, false, false },
	{ "pwg-raster-document-resolution-supported", CAPABILITY_RESOLUTION, true, false },
	{ "pwg-raster-document-sheet-back", CAPABILITY_KEYWORD, false, false },
	{ "pwg-raster-document-type-supported", CAPABILITY_KEYWORD, true, false },
	{ "sides-default", CAPABILITY_KEYWORD, false, false },
	{ "sides-supported", CAPABILITY_KEYWORD, true, false },
	{ "urf-supported", CAPABILITY_KEYWORD, true, false },
};

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct capability *)item)->name);
}

const struct capability *capability_find(const char *name)
{
	return bsearch(name, table, ARRAY_SIZE(table), sizeof(*table), by_name);
}

unsigned capability_syntax(ipp_tag_t tag)
{
	switch ((int)tag) {
	case IPP_TAG_TEXT:
	case IPP_TAG_TEXTLANG:
		return CAPABILITY_TEXT;
	case IPP_TAG_NAME:
	case IPP_TAG_NAMELANG:
		return CAPABILITY_NAME;
	case IPP_TAG_KEYWORD:
		return CAPABILITY_KEYWORD;
	case IPP_TAG_URI:
		return CAPABILITY_URI;
	case IPP_TAG_CHARSET:
		return CAPABILITY_CHARSET;
	case IPP_TAG_LANGUAGE:
		return CAPABILITY_LANGUAGE;
	case IPP_TAG_MIMETYPE:
		return CAPABILITY_MIME;
	case IPP_TAG_INTEGER:
		return CAPABILITY_INTEGER;
	case IPP_TAG_ENUM:
		return CAPABILITY_ENUM;
	case IPP_TAG_BOOLEAN:
		return CAPABILITY_BOOLEAN;
	case IPP_TAG_RANGE:
		return CAPABILITY_RANGE;
	case IPP_TAG_RESOLUTION:
		return CAPABILITY_RESOLUTION;
	case IPP_TAG_BEGIN_COLLECTION:
		return CAPABILITY_COLLECTION;
	case IPP_TAG_DATE:
		return CAPABILITY_DATE;
	case IPP_TAG_STRING:
		return CAPABILITY_OCTETS;
	case IPP_TAG_NOVALUE:
	case IPP_TAG_UNKNOWN:
		return CAPABILITY_NONE;
	}
	return 0;
}
