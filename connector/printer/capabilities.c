#include "connector/printer/capabilities.h"

#include <stdio.h>
#include <string.h>

#include "common/uri.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_media.h"
#include "connector/printer/capability_table.h"
#include "connector/printer/queue.h"

/* What may reach a printer from a cloud (the others an administrator has to allow). */
static const char *const formats[] = { "application/pdf", "image/pwg-raster", "image/urf",
	                               "image/jpeg", "image/png" };

#define FORMATS_MAX 64 /* told to the cloud */

static bool is_for_all(const char *text)
{
	struct uri uri;

	return text != NULL && uri_parse(text, &uri) == 0 && !uri.userinfo &&
	       (strcmp(uri.scheme, "https") == 0 || strcmp(uri.scheme, "http") == 0) &&
	       uri_is_public(&uri);
}

/* An icon is fetched by clients: only one that they can reach from anywhere is of use to them.
 * printer-geo-location is a geo: URI, which leads nowhere. */
static bool leads_astray(ipp_attribute_t *attr)
{
	if (ippGetValueTag(attr) != IPP_TAG_URI ||
	    strcmp(ippGetName(attr), "printer-geo-location") == 0)
		return false;
	for (int i = 0; i < ippGetCount(attr); i++)
		if (!is_for_all(ippGetString(attr, i, NULL)))
			return true;
	return false;
}

bool capabilities_is_raw(ipp_t *answer)
{
	const char *model = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-make-and-model", "");
	int type = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-type", 0);

	return strcmp(model, "Local Raw Printer") == 0 && !(type & (int)CUPS_PRINTER_CLASS);
}

static bool is_safe(const char *format)
{
	return str_is_listed(format, formats, ARRAY_SIZE(formats));
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

/* A raw queue passes on anything and its device understands an unknown part of it: what the
 * administrator names, else PDF, which clients can always make. */
static size_t add_raw(ipp_t *answer, const struct queue_listener *listener, const char **taken)
{
	ipp_attribute_t *attr =
		ippFindAttribute(answer, "document-format-supported", IPP_TAG_MIMETYPE);
	size_t count = 0;

	if (attr == NULL)
		return 0;
	for (int i = 0; listener != NULL && listener->names != NULL && i < ippGetCount(attr) &&
	                count < FORMATS_MAX;
	     i++) {
		const char *format = ippGetString(attr, i, NULL);

		if (format != NULL && listener->names(listener->data, format))
			taken[count++] = format;
	}
	if (count == 0 && ippContainsString(attr, formats[0]))
		taken[count++] = formats[0];
	return count;
}

/* Formats that may come from the cloud and that the queue takes. */
static size_t add_safe(ipp_t *answer, const char **taken)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (ipp_has_keyword(answer, IPP_TAG_PRINTER, "document-format-supported",
		                    formats[i]))
			taken[count++] = formats[i];
	return count;
}

/* What can be converted to PDF goes where PDF goes. */
static size_t add_converted(const struct queue_listener *listener, const char **taken, size_t count)
{
	static const char *const converted[] = { "application/oxps",
		                                 "application/vnd.ms-xpsdocument" };
	size_t had = count;

	if (listener == NULL || listener->converts == NULL || !listener->converts(listener->data) ||
	    !str_is_listed(formats[0], taken, had))
		return count;
	for (size_t i = 0; i < ARRAY_SIZE(converted) && count < FORMATS_MAX; i++)
		if (!str_is_listed(converted[i], taken, had))
			taken[count++] = converted[i];
	return count;
}

/* The default is one of them. */
static void add_formats(ipp_t *out, ipp_t *answer, bool cups, const struct queue_listener *listener)
{
	const char *wish = ipp_get_text(answer, IPP_TAG_PRINTER, "document-format-default", "");
	const char *taken[FORMATS_MAX];
	size_t count, chosen = 0;

	if (cups && capabilities_is_raw(answer))
		count = add_raw(answer, listener, taken);
	else
		count = add_allowed(answer, listener, taken, add_safe(answer, taken));
	if (count == 0)
		return;
	count = add_converted(listener, taken, count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(taken[i], wish) == 0)
			chosen = i;
	ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-default", NULL,
	             taken[chosen]);
	ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported",
	              (int)count, NULL, taken);
}

/* CUPS names the sheet before a job and the one after it, the standard (RFC 8011 5.2.3) knows one
 * that stands for both. */
static bool has_two_sheets(ipp_attribute_t *attr)
{
	for (int i = 1; i < ippGetCount(attr); i++) {
		const char *one = ippGetString(attr, 0, NULL), *other = ippGetString(attr, i, NULL);

		if (one == NULL || other == NULL || strcmp(one, other) != 0)
			return true;
	}
	return false;
}

/* ---- a default that is not supported contradicts it ---- */

static const char *const chosen[] = {
	"document-format",
	"feed-orientation",
	"finishings",
	"identify-actions",
	"job-release-action",
	"job-sheets",
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

static bool has_resolution(ipp_attribute_t *list, ipp_attribute_t *now)
{
	ipp_res_t units, wanted;
	int x, y, v, w;

	x = ippGetResolution(now, 0, &y, &wanted);
	for (int i = 0; i < ippGetCount(list); i++) {
		v = ippGetResolution(list, i, &w, &units);
		if (v == x && w == y && units == wanted)
			return true;
	}
	return false;
}

static bool is_supported(ipp_attribute_t *list, ipp_attribute_t *now)
{
	ipp_tag_t tag = ippGetValueTag(now);

	if (tag == IPP_TAG_NOVALUE || tag == IPP_TAG_UNKNOWN)
		return true;
	if (tag == IPP_TAG_RESOLUTION)
		return has_resolution(list, now);
	for (int i = 0; i < ippGetCount(now); i++) {
		const char *text = ippGetString(now, i, NULL);

		if (text != NULL ? !ippContainsString(list, text)
		                 : !ippContainsInteger(list, ippGetInteger(now, i)))
			return false;
	}
	return true;
}

void capabilities_settle(ipp_t *out, bool cups)
{
	char name[IPP_MAX_NAME];

	capability_media_fit(out, cups);
	for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
		ipp_attribute_t *list, *now;

		(void)snprintf(name, sizeof(name), "%s-supported", chosen[i]);
		list = ippFindAttribute(out, name, IPP_TAG_ZERO);
		(void)snprintf(name, sizeof(name), "%s-default", chosen[i]);
		now = ippFindAttribute(out, name, IPP_TAG_ZERO);
		if (list != NULL && now != NULL && !is_supported(list, now))
			ippDeleteAttribute(out, now);
	}
}

/* CUPS names actions that it was told of, but has no such operation. */
static bool can_identify(ipp_t *answer)
{
	ipp_attribute_t *ops = ippFindAttribute(answer, "operations-supported", IPP_TAG_ENUM);

	return ops != NULL && ippContainsInteger(ops, IPP_OP_IDENTIFY_PRINTER);
}

/* What the filters of CUPS do, and no device by itself: of a queue without a driver, only what
 * leaves the document as it is, though cupsd says of every queue that it has all of it. */
static const struct {
	const char *name;
	ipp_tag_t tag;
	int number;
	const char *word;
} unfiltered[] = {
	{ "job-sheets", IPP_TAG_KEYWORD, 0, "none" },
	{ "number-up", IPP_TAG_INTEGER, 1, NULL },
	{ "orientation-requested", IPP_TAG_ENUM, IPP_ORIENT_PORTRAIT, NULL },
	{ "print-scaling", IPP_TAG_KEYWORD, 0, "auto" },
};

static void drop_filtered(ipp_t *out)
{
	ipp_attribute_t *attr = ippFindAttribute(out, "page-ranges-supported", IPP_TAG_BOOLEAN);
	char name[IPP_MAX_NAME];

	if (attr != NULL)
		ippSetBoolean(out, &attr, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(unfiltered); i++) {
		(void)snprintf(name, sizeof(name), "%s-supported", unfiltered[i].name);
		attr = ippFindAttribute(out, name, IPP_TAG_ZERO);
		if (attr == NULL)
			continue;
		ippDeleteAttribute(out, attr);
		if (unfiltered[i].word != NULL)
			ippAddString(out, IPP_TAG_PRINTER, unfiltered[i].tag, name, NULL,
			             unfiltered[i].word);
		else
			ippAddInteger(out, IPP_TAG_PRINTER, unfiltered[i].tag, name,
			              unfiltered[i].number);
	}
}

/* ---- all ---- */

struct attrs *capabilities_new(ipp_t *answer, bool cups, const struct queue_listener *listener)
{
	bool identifies = !cups && can_identify(answer);
	ipp_t *out = ippNew();
	ipp_attribute_t *attr;

	for (attr = ippFirstAttribute(answer); attr != NULL; attr = ippNextAttribute(answer)) {
		const char *name = ippGetName(attr);
		const struct capability *as = name != NULL ? capability_find(name) : NULL;

		if (!identifies && name != NULL && strncmp(name, "identify-actions-", 17) == 0)
			continue;
		if (as == NULL || as->state || ippGetGroupTag(attr) != IPP_TAG_PRINTER)
			continue;
		if (strncmp(name, "document-format-", 16) == 0 || leads_astray(attr) ||
		    (strcmp(name, "job-sheets-default") == 0 && has_two_sheets(attr)))
			continue;
		if (ippFindAttribute(out, name, IPP_TAG_ZERO) == NULL)
			capability_copy(out, as, attr);
	}
	add_formats(out, answer, cups, listener);
	if (cups && capabilities_is_raw(answer))
		drop_filtered(out);
	capabilities_settle(out, cups);
	return attrs_new(out);
}
