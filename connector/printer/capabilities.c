#include "connector/printer/capabilities.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/queue.h"

/* Capabilities that are named once. Sorted (strcmp). What changes by itself is in
 * printer_state.c. */
static const char *const single_names[] = {
	"charset-configured",
	"charset-supported",
	"client-info-supported",
	"color-supported",
	"compression-supported",
	"copies-supported",
	"document-password-supported",
	"generated-natural-language-supported",
	"ipp-features-supported",
	"ipp-versions-supported",
	"job-cancel-after-supported",
	"job-constraints-supported",
	"job-creation-attributes-supported",
	"job-resolvers-supported",
	"jpeg-features-supported",
	"jpeg-k-octets-supported",
	"jpeg-x-dimension-supported",
	"jpeg-y-dimension-supported",
	"media-bottom-margin-supported",
	"media-left-margin-supported",
	"media-right-margin-supported",
	"media-size-supported",
	"media-source-supported",
	"media-top-margin-supported",
	"media-type-supported",
	"natural-language-configured",
	"overrides-supported",
	"page-ranges-supported",
	"pages-per-minute",
	"pages-per-minute-color",
	"pdf-k-octets-supported",
	"pdf-versions-supported",
	"printer-config-change-date-time",
	"printer-config-change-time",
	"printer-device-id",
	"printer-geo-location",
	"printer-info",
	"printer-kind",
	"printer-location",
	"printer-make-and-model",
	"printer-name",
	"printer-organization",
	"printer-organizational-unit",
	"proof-copies-supported",
	"pwg-raster-document-resolution-supported",
	"pwg-raster-document-sheet-back",
	"pwg-raster-document-type-supported",
	"urf-supported",
};

/* Names that come with -default, -supported, -ready, -database. Sorted (strcmp). */
static const char *const stems[] = {
	"copies",
	"document-format",
	"feed-orientation",
	"finishings",
	"finishings-col",
	"identify-actions",
	"job-account-id",
	"job-accounting-user-id",
	"job-password",
	"job-password-encryption",
	"job-password-length",
	"job-password-repertoire",
	"job-priority",
	"job-release-action",
	"job-sheets",
	"media",
	"media-col",
	"multiple-document-handling",
	"number-up",
	"orientation-requested",
	"output-bin",
	"presentation-direction-number-up",
	"print-color-mode",
	"print-content-optimize",
	"print-quality",
	"print-rendering-intent",
	"print-scaling",
	"printer-resolution",
	"sides",
};

static const char *const suffixes[] = { "-default", "-supported", "-ready", "-database",
	                                "-configured" };

/* What may reach a printer from a cloud (the others an administrator has to allow). */
static const char *const formats[] = { "application/pdf", "image/pwg-raster", "image/urf",
	                               "image/jpeg", "image/png" };

#define FORMATS_MAX 64 /* told to the cloud */

static int by_name(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static bool is_listed(const char *name, const char *const *list, size_t count)
{
	return bsearch(name, list, count, sizeof(*list), by_name) != NULL;
}

static bool is_capability(const char *name)
{
	size_t len = strlen(name), i, end;
	char stem[IPP_MAX_NAME];

	if (is_listed(name, single_names, ARRAY_SIZE(single_names)))
		return true;
	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		end = strlen(suffixes[i]);
		if (len <= end || len >= sizeof(stem) || strcmp(name + len - end, suffixes[i]) != 0)
			continue;
		memcpy(stem, name, len - end);
		stem[len - end] = '\0';
		return is_listed(stem, stems, ARRAY_SIZE(stems));
	}
	return false;
}

static bool is_address(ipp_attribute_t *attr)
{
	/* printer-geo-location is a geo: URI, which leads nowhere in this network */
	return ippGetValueTag(attr) == IPP_TAG_URI &&
	       strcmp(ippGetName(attr), "printer-geo-location") != 0;
}

bool capabilities_is_raw(ipp_t *answer)
{
	const char *model = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-make-and-model", "");
	int type = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-type", 0);

	return strcmp(model, "Local Raw Printer") == 0 && !(type & (int)CUPS_PRINTER_CLASS);
}

static bool is_safe(const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i], format) == 0)
			return true;
	return false;
}

/* What the administrator allows of the rest, behind the safe ones. */
static size_t add_allowed(ipp_t *answer, const struct queue_listener *listener, const char **taken,
                          size_t count)
{
	ipp_attribute_t *attr =
		ippFindAttribute(answer, "document-format-supported", IPP_TAG_MIMETYPE);

	if (attr == NULL || listener == NULL || listener->allows == NULL)
		return count;
	for (int i = 0; i < ippGetCount(attr) && count < FORMATS_MAX; i++) {
		const char *format = ippGetString(attr, i, NULL);

		if (format != NULL && !is_safe(format) && listener->allows(listener->data, format))
			taken[count++] = format;
	}
	return count;
}

/* Formats that may come from the cloud and that the queue takes; the default is one of them. A raw
 * queue takes anything and understands an unknown part of it: PDF is what clients can always make.
 */
static void add_formats(ipp_t *out, ipp_t *answer, bool cups, const struct queue_listener *listener)
{
	const char *taken[FORMATS_MAX], *wish;
	bool raw = cups && capabilities_is_raw(answer);
	size_t i, count = 0, chosen = 0;

	wish = ipp_get_text(answer, IPP_TAG_PRINTER, "document-format-default", "");
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!ipp_has_keyword(answer, IPP_TAG_PRINTER, "document-format-supported",
		                     formats[i]))
			continue;
		if (strcmp(formats[i], wish) == 0)
			chosen = count;
		taken[count++] = formats[i];
		if (raw)
			break;
	}
	count = add_allowed(answer, listener, taken, count);
	if (count == 0)
		return;
	ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-default", NULL,
	             taken[chosen]);
	ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported",
	              (int)count, NULL, taken);
}

/* CUPS names the sheet before a job and the one after it, the standard (RFC 8011 5.2.3) knows one
 * that stands for both. */
static void add_sheets(ipp_t *out, ipp_attribute_t *attr)
{
	bool keyword = ippGetValueTag(attr) == IPP_TAG_KEYWORD;
	const char *sheet = ippGetString(attr, 0, NULL);
	int i, count = ippGetCount(attr);

	for (i = 1; i < count; i++)
		if (strcmp(ippGetString(attr, i, NULL), sheet) != 0)
			return;
	ippAddString(out, IPP_TAG_PRINTER, keyword ? IPP_TAG_KEYWORD : IPP_TAG_NAME,
	             "job-sheets-default", NULL, sheet);
}

struct attrs *capabilities_new(ipp_t *answer, bool cups, const struct queue_listener *listener)
{
	ipp_t *out = ippNew();
	ipp_attribute_t *attr;

	for (attr = ippFirstAttribute(answer); attr != NULL; attr = ippNextAttribute(answer)) {
		const char *name = ippGetName(attr);

		if (name == NULL || ippGetGroupTag(attr) != IPP_TAG_PRINTER)
			continue;
		if (strncmp(name, "document-format-", 16) == 0 || !is_capability(name) ||
		    is_address(attr))
			continue;
		if (ippFindAttribute(out, name, IPP_TAG_ZERO) != NULL)
			continue;
		if (strcmp(name, "job-sheets-default") == 0 && ippGetString(attr, 0, NULL))
			add_sheets(out, attr);
		else
			ippCopyAttribute(out, attr, 0);
	}
	add_formats(out, answer, cups, listener);
	return attrs_new(out);
}
