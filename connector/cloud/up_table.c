#include "connector/cloud/up_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* Sorted (strcmp). */
static const struct up_attribute table[] = {
	{ "charset-configured", UP_CHARSET, false },
	{ "charset-supported", UP_CHARSET, true },
	{ "color-supported", UP_BOOLEAN, false },
	{ "compression-supported", UP_KEYWORD, true },
	{ "copies-default", UP_INTEGER, false },
	{ "copies-supported", UP_RANGE, false },
	{ "document-access-supported", UP_KEYWORD, true },
	{ "document-format-default", UP_MIME, false },
	{ "document-format-details-supported", UP_KEYWORD, true },
	{ "document-format-preferred", UP_MIME, false },
	{ "document-format-supported", UP_MIME, true },
	{ "document-password-supported", UP_INTEGER, false },
	{ "feed-orientation-default", UP_KEYWORD, false },
	{ "feed-orientation-supported", UP_KEYWORD, true },
	{ "finishings-col-database", UP_COLLECTION, true },
	{ "finishings-col-default", UP_COLLECTION | UP_NO_VALUE, true },
	{ "finishings-col-ready", UP_COLLECTION, true },
	{ "finishings-col-supported", UP_KEYWORD, true },
	{ "finishings-default", UP_ENUM, true },
	{ "finishings-supported", UP_ENUM, true },
	{ "generated-natural-language-supported", UP_LANGUAGE, true },
	{ "ipp-features-supported", UP_KEYWORD, true },
	{ "ipp-versions-supported", UP_KEYWORD, true },
	{ "ippget-event-life", UP_INTEGER, false },
	{ "job-account-id-default", UP_NAME, false },
	{ "job-account-id-supported", UP_BOOLEAN, false },
	{ "job-accounting-user-id-default", UP_NAME, false },
	{ "job-accounting-user-id-supported", UP_BOOLEAN, false },
	{ "job-constraints-supported", UP_COLLECTION, true },
	{ "job-creation-attributes-supported", UP_KEYWORD, true },
	{ "job-ids-supported", UP_BOOLEAN, false },
	{ "job-mandatory-attributes-supported", UP_BOOLEAN, false },
	{ "job-password-encryption-supported", UP_KEYWORD | UP_NAME, true },
	{ "job-password-length-supported", UP_RANGE, false },
	{ "job-password-supported", UP_INTEGER, false },
	{ "job-release-action-default", UP_KEYWORD, false },
	{ "job-release-action-supported", UP_KEYWORD, true },
	{ "job-resolvers-supported", UP_COLLECTION, true },
	{ "job-sheets-default", UP_KEYWORD | UP_NAME, false },
	{ "job-sheets-supported", UP_KEYWORD | UP_NAME, true },
	{ "landscape-orientation-requested-preferred", UP_ENUM, false },
	{ "margins-pre-applied-default", UP_BOOLEAN, false },
	{ "margins-pre-applied-supported", UP_BOOLEAN, false },
	{ "marker-colors", UP_NAME, true },
	{ "marker-high-levels", UP_INTEGER, true },
	{ "marker-levels", UP_INTEGER, true },
	{ "marker-low-levels", UP_INTEGER, true },
	{ "marker-names", UP_NAME, true },
	{ "marker-types", UP_KEYWORD, true },
	{ "media-bottom-margin-supported", UP_INTEGER, true },
	{ "media-col-database", UP_COLLECTION, true },
	{ "media-col-default", UP_COLLECTION, false },
	{ "media-col-ready", UP_COLLECTION | UP_NO_VALUE, true },
	{ "media-col-supported", UP_KEYWORD, true },
	{ "media-color-supported", UP_KEYWORD | UP_NAME, true },
	{ "media-default", UP_KEYWORD | UP_NAME | UP_NO_VALUE, false },
	{ "media-left-margin-supported", UP_INTEGER, true },
	{ "media-ready", UP_KEYWORD | UP_NAME | UP_NO_VALUE, true },
	{ "media-right-margin-supported", UP_INTEGER, true },
	{ "media-size-supported", UP_COLLECTION, true },
	{ "media-source-supported", UP_KEYWORD | UP_NAME, true },
	{ "media-supported", UP_KEYWORD | UP_NAME, true },
	{ "media-top-margin-supported", UP_INTEGER, true },
	{ "media-type-supported", UP_KEYWORD | UP_NAME, true },
	{ "microsoft-page-order-default", UP_KEYWORD, false },
	{ "microsoft-page-order-supported", UP_KEYWORD, true },
	{ "microsoft-universal-print-connector-app-version", UP_TEXT, false },
	{ "microsoft-universal-print-connector-id", UP_TEXT, false },
	{ "microsoft-universal-print-connector-operating-system", UP_TEXT, false },
	{ "microsoft-universal-print-document-format-supported-via-conversion", UP_MIME, true },
	{ "microsoft-universal-printer-driver-name", UP_TEXT, false },
	{ "microsoft-universal-printer-driver-version", UP_TEXT, false },
	{ "mopria-certified", UP_TEXT, false },
	{ "multiple-document-handling-default", UP_KEYWORD, false },
	{ "multiple-document-handling-supported", UP_KEYWORD, true },
	{ "multiple-document-jobs-supported", UP_BOOLEAN, false },
	{ "multiple-operation-time-out", UP_INTEGER, false },
	{ "multiple-operation-time-out-action", UP_KEYWORD, false },
	{ "natural-language-configured", UP_LANGUAGE, false },
	{ "number-up-default", UP_INTEGER, false },
	{ "number-up-supported", UP_INTEGER | UP_RANGE, true },
	{ "operations-supported", UP_ENUM, true },
	{ "orientation-requested-default", UP_ENUM | UP_NO_VALUE, false },
	{ "orientation-requested-supported", UP_ENUM, true },
	{ "output-bin-default", UP_KEYWORD, false },
	{ "output-bin-supported", UP_KEYWORD, true },
	{ "overrides-supported", UP_KEYWORD, true },
	{ "page-ranges-supported", UP_BOOLEAN, false },
	{ "pages-per-minute", UP_INTEGER, false },
	{ "pages-per-minute-color", UP_INTEGER, false },
	{ "pclm-raster-back-side", UP_KEYWORD, false },
	{ "pclm-source-resolution-supported", UP_RESOLUTION, true },
	{ "pclm-strip-height-preferred", UP_INTEGER, false },
	{ "pclm-strip-height-supported", UP_INTEGER, true },
	{ "pdf-fit-to-page-default", UP_BOOLEAN, false },
	{ "pdf-fit-to-page-supported", UP_BOOLEAN, false },
	{ "pdf-k-octets-supported", UP_RANGE, false },
	{ "pdf-size-constraints", UP_INTEGER, false },
	{ "pdf-versions-supported", UP_KEYWORD, true },
	{ "pdl-override-supported", UP_KEYWORD, false },
	{ "presentation-direction-number-up-default", UP_KEYWORD, false },
	{ "presentation-direction-number-up-supported", UP_KEYWORD, true },
	{ "print-color-mode-default", UP_KEYWORD, false },
	{ "print-color-mode-supported", UP_KEYWORD, true },
	{ "print-content-optimize-default", UP_KEYWORD, false },
	{ "print-content-optimize-supported", UP_KEYWORD, true },
	{ "print-device-capabilites", UP_TEXT, false },
	{ "print-quality-default", UP_ENUM, false },
	{ "print-quality-supported", UP_ENUM, true },
	{ "print-rendering-intent-default", UP_KEYWORD, false },
	{ "print-rendering-intent-supported", UP_KEYWORD, true },
	{ "print-scaling-default", UP_KEYWORD, false },
	{ "print-scaling-supported", UP_KEYWORD, true },
	{ "print_wfds", UP_TEXT, false },
	{ "printer-alert", UP_OCTETS, true },
	{ "printer-alert-description", UP_TEXT, true },
	{ "printer-config-change-date-time", UP_DATE, false },
	{ "printer-config-change-time", UP_INTEGER, false },
	{ "printer-current-time", UP_DATE | UP_UNKNOWN, false },
	{ "printer-device-id", UP_TEXT, false },
	{ "printer-firmware-name", UP_NAME, true },
	{ "printer-firmware-patches", UP_TEXT, true },
	{ "printer-firmware-string-version", UP_TEXT, true },
	{ "printer-firmware-version", UP_OCTETS, true },
	{ "printer-geo-location", UP_URI | UP_UNKNOWN, false },
	{ "printer-get-attributes-supported", UP_KEYWORD, true },
	{ "printer-icc-profiles", UP_COLLECTION, true },
	{ "printer-icons", UP_URI, true },
	{ "printer-info", UP_TEXT, false },
	{ "printer-input-tray", UP_OCTETS, true },
	{ "printer-is-accepting-jobs", UP_BOOLEAN, false },
	{ "printer-kind", UP_KEYWORD, true },
	{ "printer-location", UP_TEXT, false },
	{ "printer-make-and-model", UP_TEXT, false },
	{ "printer-more-info", UP_URI, false },
	{ "printer-more-info-manufacturer", UP_URI, false },
	{ "printer-name", UP_NAME, false },
	{ "printer-organization", UP_TEXT, true },
	{ "printer-organizational-unit", UP_TEXT, true },
	{ "printer-output-tray", UP_OCTETS, true },
	{ "printer-resolution-default", UP_RESOLUTION, false },
	{ "printer-resolution-supported", UP_RESOLUTION, true },
	{ "printer-state", UP_ENUM, false },
	{ "printer-state-change-date-time", UP_DATE, false },
	{ "printer-state-change-time", UP_INTEGER, false },
	{ "printer-state-message", UP_TEXT, false },
	{ "printer-state-reasons", UP_KEYWORD, true },
	{ "printer-static-resource-directory-uri", UP_URI, false },
	{ "printer-static-resource-k-octets-free", UP_INTEGER, false },
	{ "printer-static-resource-k-octets-supported", UP_INTEGER, false },
	{ "printer-supply", UP_OCTETS, true },
	{ "printer-supply-description", UP_TEXT, true },
	{ "printer-supply-info-uri", UP_URI, false },
	{ "printer-up-time", UP_INTEGER, false },
	{ "printer-uri-supported", UP_URI, true },
	{ "printer-uuid", UP_URI, false },
	{ "pwg-raster-document-resolution-supported", UP_RESOLUTION, true },
	{ "pwg-raster-document-sheet-back", UP_KEYWORD, false },
	{ "pwg-raster-document-type-supported", UP_KEYWORD, true },
	{ "queued-job-count", UP_INTEGER, false },
	{ "sides-default", UP_KEYWORD, false },
	{ "sides-supported", UP_KEYWORD, true },
	{ "smi311-universal-print-anywhere-enabled", UP_BOOLEAN, false },
	{ "urf-supported", UP_KEYWORD, true },
	{ "uri-authentication-supported", UP_KEYWORD, true },
	{ "uri-security-supported", UP_KEYWORD, true },
	{ "which-jobs-supported", UP_KEYWORD, true },
};

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct up_attribute *)item)->name);
}

const struct up_attribute *up_table_find(const char *name)
{
	return bsearch(name, table, ARRAY_SIZE(table), sizeof(*table), by_name);
}

unsigned up_table_syntax(ipp_tag_t tag)
{
	switch ((int)tag) {
	case IPP_TAG_TEXT:
	case IPP_TAG_TEXTLANG:
		return UP_TEXT;
	case IPP_TAG_NAME:
	case IPP_TAG_NAMELANG:
		return UP_NAME;
	case IPP_TAG_KEYWORD:
		return UP_KEYWORD;
	case IPP_TAG_ENUM:
		return UP_ENUM;
	case IPP_TAG_URI:
		return UP_URI;
	case IPP_TAG_CHARSET:
		return UP_CHARSET;
	case IPP_TAG_LANGUAGE:
		return UP_LANGUAGE;
	case IPP_TAG_MIMETYPE:
		return UP_MIME;
	case IPP_TAG_STRING:
		return UP_OCTETS;
	case IPP_TAG_BOOLEAN:
		return UP_BOOLEAN;
	case IPP_TAG_INTEGER:
		return UP_INTEGER;
	case IPP_TAG_RANGE:
		return UP_RANGE;
	case IPP_TAG_RESOLUTION:
		return UP_RESOLUTION;
	case IPP_TAG_BEGIN_COLLECTION:
		return UP_COLLECTION;
	case IPP_TAG_DATE:
		return UP_DATE;
	case IPP_TAG_NOVALUE:
		return UP_NO_VALUE;
	case IPP_TAG_UNKNOWN:
		return UP_UNKNOWN;
	}
	return 0;
}
