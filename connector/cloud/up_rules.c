/* up_rules.c - each rule: what is kept, what stands in for what is missing.
 *
 * Nothing here makes a queue more able than it says. What stands in is what any printer does (one
 * copy, one side, no finishing, normal quality, upright pages), what follows from other attributes
 * (a default that is one of the supported), or left out. A raster format of which the queue does
 * not say all that a client needs is not offered. */
#include "connector/cloud/up_rules.h"

#include <string.h>

#include <cups/cups.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/up_media.h"

#define VALUES_MAX  512
#define SHORT_TEXT  127
#define JOB_SIZE_KB (1 << 20) /* the service's own limit of a job */

static void add_keyword(ipp_t *m, const char *name, const char *value)
{
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, name, NULL, value);
}

static bool has_string(ipp_t *m, const char *name, const char *value)
{
	ipp_attribute_t *a = up_find(m, name);

	return a && ippContainsString(a, value);
}

static bool has_number(ipp_t *m, const char *name, int value)
{
	ipp_attribute_t *a = up_find(m, name);

	return a && ippContainsInteger(a, value);
}

static const char *string_of(ipp_t *m, const char *name)
{
	ipp_attribute_t *a = up_find(m, name);

	return a ? ippGetString(a, 0, NULL) : NULL;
}

static bool is_listed(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* Strings of an attribute for which keep() holds, under the same name; none: it goes. (libcups
 * cannot delete the last value of an attribute.) */
static void filter_strings(ipp_t *m, const char *name,
                           bool (*keep)(const char *text, const void *with), const void *with)
{
	ipp_attribute_t *a = up_find(m, name);
	const char *values[VALUES_MAX];
	int n = 0, count = a ? ippGetCount(a) : 0;

	for (int i = 0; i < count && n < VALUES_MAX; i++) {
		const char *text = ippGetString(a, i, NULL);

		if (text && keep(text, with))
			values[n++] = text;
	}
	if (n == count)
		return;
	if (n)
		ippAddStrings(m, IPP_TAG_PRINTER, ippGetValueTag(a), name, n, NULL, values);
	ippDeleteAttribute(m, a);
}

static bool keep_listed(const char *text, const void *list)
{
	return is_listed(text, list);
}

static bool keep_others(const char *text, const void *value)
{
	return strcmp(text, value) != 0;
}

static void keep_strings(ipp_t *m, const char *name, const char *const *list)
{
	filter_strings(m, name, keep_listed, list);
}

static void keep_numbers(ipp_t *m, const char *name, int least, int most)
{
	ipp_attribute_t *a = up_find(m, name);
	int values[VALUES_MAX], n = 0, count = a ? ippGetCount(a) : 0;

	if (!a || ippGetValueTag(a) == IPP_TAG_RANGE)
		return;
	for (int i = 0; i < count && n < VALUES_MAX; i++)
		if (ippGetInteger(a, i) >= least && ippGetInteger(a, i) <= most)
			values[n++] = ippGetInteger(a, i);
	if (n == count)
		return;
	if (n)
		ippAddIntegers(m, IPP_TAG_PRINTER, ippGetValueTag(a), name, n, values);
	ippDeleteAttribute(m, a);
}

/* The default is one of the supported: the wish when it is, else the first. */
static void settle_string(ipp_t *m, const char *default_name, const char *supported_name)
{
	ipp_attribute_t *supported = up_find(m, supported_name);
	const char *now = string_of(m, default_name);
	char first[256];
	ipp_tag_t tag;

	if (!supported || (now && ippContainsString(supported, now)))
		return;
	tag = ippGetValueTag(supported);
	(void)str_copy(first, sizeof(first), ippGetString(supported, 0, NULL));
	up_drop(m, default_name);
	ippAddString(m, IPP_TAG_PRINTER, tag, default_name, NULL, first);
}

static void settle_number(ipp_t *m, const char *default_name, const char *supported_name)
{
	ipp_attribute_t *supported = up_find(m, supported_name), *now = up_find(m, default_name);
	int first;

	if (!supported || (now && ippGetValueTag(now) == IPP_TAG_ENUM &&
	                   ippContainsInteger(supported, ippGetInteger(now, 0))))
		return;
	first = ippGetInteger(supported, 0);
	up_drop(m, default_name);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, default_name, first);
}

/* ---- copies ---- */

static void fit_copies(ipp_t *m)
{
	int upper = 1, lower = 1;

	if (up_find(m, "copies-supported"))
		lower = ippGetRange(up_find(m, "copies-supported"), 0, &upper);
	if (lower < 1 || upper < lower) {
		up_drop(m, "copies-supported");
		upper = 1;
	}
	if (!up_find(m, "copies-supported"))
		ippAddRange(m, IPP_TAG_PRINTER, "copies-supported", 1, upper);
	if (ipp_get_int(m, IPP_TAG_PRINTER, "copies-default", 0) < 1) {
		up_drop(m, "copies-default");
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "copies-default", 1);
	}
}

static bool copies_default_holds(ipp_t *m)
{
	return ipp_get_int(m, IPP_TAG_PRINTER, "copies-default", 0) > 0;
}

static bool copies_supported_holds(ipp_t *m)
{
	return ippFindAttribute(m, "copies-supported", IPP_TAG_RANGE);
}

/* ---- formats ---- */

static bool has_all(ipp_t *m, const char *const *names)
{
	for (; *names; names++)
		if (!up_find(m, *names))
			return false;
	return true;
}

static const char *const pdf_names[] = { "pdf-k-octets-supported", "pdf-versions-supported",
	                                 "print-scaling-default", "print-scaling-supported", NULL };
static const char *const pwg_names[] = { "pwg-raster-document-resolution-supported",
	                                 "pwg-raster-document-sheet-back",
	                                 "pwg-raster-document-type-supported",
	                                 "print-scaling-default",
	                                 "print-scaling-supported",
	                                 NULL };
static const char *const pclm_names[] = { "page-ranges-supported",
	                                  "pclm-raster-back-side",
	                                  "pclm-source-resolution-supported",
	                                  "pclm-strip-height-preferred",
	                                  "pclm-strip-height-supported",
	                                  NULL };

static void drop_format(ipp_t *m, const char *format)
{
	filter_strings(m, "document-format-supported", keep_others, format);
	if (!up_find(m, "document-format-supported"))
		up_drop(m, "document-format-default");
}

static void fit_scaling(ipp_t *m)
{
	if (!up_find(m, "print-scaling-supported"))
		add_keyword(m, "print-scaling-supported", "auto"); /* as the printer likes */
	settle_string(m, "print-scaling-default", "print-scaling-supported");
}

static void fit_pdf(ipp_t *m)
{
	/* what CUPS' own filters read, and any printer that takes PDF */
	static const char *const versions[] = { "adobe-1.4", "adobe-1.5", "adobe-1.6" };

	if (!up_find(m, "pdf-k-octets-supported"))
		ippAddRange(m, IPP_TAG_PRINTER, "pdf-k-octets-supported", 0, JOB_SIZE_KB);
	if (!up_find(m, "pdf-versions-supported"))
		ippAddStrings(m, IPP_TAG_PRINTER, IPP_CONST_TAG(IPP_TAG_KEYWORD),
		              "pdf-versions-supported", ARRAY_SIZE(versions), NULL, versions);
}

static void fit_formats(ipp_t *m)
{
	fit_scaling(m);
	if (has_string(m, "document-format-supported", "application/pdf"))
		fit_pdf(m);
	if (has_string(m, "document-format-supported", "image/pwg-raster") &&
	    !up_find(m, "pwg-raster-document-sheet-back"))
		add_keyword(m, "pwg-raster-document-sheet-back",
		            "normal"); /* PWG 5102.4: if absent */
	if (!has_all(m, pwg_names))
		drop_format(m, "image/pwg-raster");
	if (!has_all(m, pclm_names))
		drop_format(m, "application/PCLm");
	settle_string(m, "document-format-default", "document-format-supported");
}

static bool formats_hold(ipp_t *m)
{
	return ippFindAttribute(m, "document-format-supported", IPP_TAG_MIMETYPE);
}

static bool format_default_holds(ipp_t *m)
{
	const char *format = string_of(m, "document-format-default");

	return format && has_string(m, "document-format-supported", format);
}

static bool pdf_holds(ipp_t *m)
{
	return !has_string(m, "document-format-supported", "application/pdf") ||
	       has_all(m, pdf_names);
}

static bool pwg_holds(ipp_t *m)
{
	return !has_string(m, "document-format-supported", "image/pwg-raster") ||
	       has_all(m, pwg_names);
}

static bool pclm_holds(ipp_t *m)
{
	return !has_string(m, "document-format-supported", "application/PCLm") ||
	       has_all(m, pclm_names);
}

/* ---- finishings, orientation, quality, numbers ---- */

static void fit_finishings(ipp_t *m)
{
	ipp_attribute_t *a = up_find(m, "finishings-supported");

	if (!a)
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "finishings-supported",
		              IPP_FINISHINGS_NONE);
	else if (!ippContainsInteger(a, IPP_FINISHINGS_NONE))
		ippSetInteger(m, &a, ippGetCount(a), IPP_FINISHINGS_NONE);
	if (up_find(m, "finishings-default") &&
	    has_number(m, "finishings-supported",
	               ipp_get_int(m, IPP_TAG_PRINTER, "finishings-default", 0)))
		return;
	up_drop(m, "finishings-default");
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "finishings-default", IPP_FINISHINGS_NONE);
}

static bool finishings_hold(ipp_t *m)
{
	return has_number(m, "finishings-supported", IPP_FINISHINGS_NONE);
}

static bool enum_default_holds(ipp_t *m, const char *default_name, const char *supported_name)
{
	return up_find(m, default_name) &&
	       has_number(m, supported_name, ipp_get_int(m, IPP_TAG_PRINTER, default_name, 0));
}

static bool finishings_default_holds(ipp_t *m)
{
	return enum_default_holds(m, "finishings-default", "finishings-supported");
}

static void fit_orientation(ipp_t *m)
{
	keep_numbers(m, "orientation-requested-supported", 3, 6);
	if (!up_find(m, "orientation-requested-supported"))
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "orientation-requested-supported",
		              IPP_ORIENT_PORTRAIT);
	settle_number(m, "orientation-requested-default", "orientation-requested-supported");
}

static bool numbers_hold(ipp_t *m, const char *name, int least, int most)
{
	ipp_attribute_t *a = up_find(m, name);

	for (int i = 0; a && i < ippGetCount(a); i++)
		if (ippGetInteger(a, i) < least || ippGetInteger(a, i) > most)
			return false;
	return a;
}

static bool orientation_holds(ipp_t *m)
{
	return numbers_hold(m, "orientation-requested-supported", 3, 6);
}

static bool orientation_default_holds(ipp_t *m)
{
	return enum_default_holds(m, "orientation-requested-default",
	                          "orientation-requested-supported");
}

static void fit_quality(ipp_t *m)
{
	keep_numbers(m, "print-quality-supported", 3, 5);
	if (!up_find(m, "print-quality-supported"))
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "print-quality-supported",
		              IPP_QUALITY_NORMAL);
	settle_number(m, "print-quality-default", "print-quality-supported");
}

static bool quality_holds(ipp_t *m)
{
	return numbers_hold(m, "print-quality-supported", 3, 5);
}

static bool quality_default_holds(ipp_t *m)
{
	return enum_default_holds(m, "print-quality-default", "print-quality-supported");
}

static void fit_number_up(ipp_t *m)
{
	ipp_attribute_t *range = ippFindAttribute(m, "number-up-supported", IPP_TAG_RANGE);
	int low, high;

	for (int i = 0; range && i < ippGetCount(range); i++) {
		low = ippGetRange(range, i, &high);
		(void)ippSetRange(m, &range, i, low < 1 ? 1 : low, high < 1 ? 1 : high);
	}
	keep_numbers(m, "number-up-supported", 1, 1000);
	keep_numbers(m, "number-up-default", 1, 1000);
	if (!up_find(m, "number-up-supported"))
		up_drop(m, "number-up-default");
}

static bool number_up_holds(ipp_t *m)
{
	return !up_find(m, "number-up-default") || numbers_hold(m, "number-up-default", 1, 1000);
}

/* ---- keywords with a fixed list ---- */

static const char *const sides[] = { "one-sided", "two-sided-long-edge", "two-sided-short-edge",
	                             NULL };
static const char *const colors[] = {
	"auto",      "auto-monochrome",  "bi-level",           "monochrome", "color",
	"highlight", "process-bi-level", "process-monochrome", NULL
};

static void fit_sides(ipp_t *m)
{
	keep_strings(m, "sides-supported", sides);
	if (!up_find(m, "sides-supported"))
		add_keyword(m, "sides-supported", sides[0]);
	settle_string(m, "sides-default", "sides-supported");
}

static bool strings_hold(ipp_t *m, const char *name, const char *const *list)
{
	ipp_attribute_t *a = up_find(m, name);

	for (int i = 0; a && i < ippGetCount(a); i++)
		if (!is_listed(ippGetString(a, i, NULL), list))
			return false;
	return a;
}

static bool default_holds(ipp_t *m, const char *default_name, const char *supported_name)
{
	const char *now = string_of(m, default_name);

	return now && has_string(m, supported_name, now);
}

static bool sides_hold(ipp_t *m)
{
	return strings_hold(m, "sides-supported", sides);
}

static bool sides_default_holds(ipp_t *m)
{
	return default_holds(m, "sides-default", "sides-supported");
}

static void fit_color(ipp_t *m)
{
	ipp_attribute_t *color = ippFindAttribute(m, "color-supported", IPP_TAG_BOOLEAN);
	ipp_attribute_t *a;

	keep_strings(m, "print-color-mode-supported", colors);
	a = up_find(m, "print-color-mode-supported");
	/* a printer without colors prints in one, whatever it calls that; with colors only, the
	   service takes it no more than without, and who asks for grey is told that it was lost */
	if (!a && color && !ippGetBoolean(color, 0))
		add_keyword(m, "print-color-mode-supported", "monochrome");
	else if (a && !ippContainsString(a, "monochrome"))
		ippSetString(m, &a, ippGetCount(a), "monochrome");
	settle_string(m, "print-color-mode-default", "print-color-mode-supported");
	if (!up_find(m, "print-color-mode-supported"))
		up_drop(m, "print-color-mode-default");
}

static bool color_holds(ipp_t *m)
{
	return strings_hold(m, "print-color-mode-supported", colors) &&
	       has_string(m, "print-color-mode-supported", "monochrome");
}

static bool color_default_holds(ipp_t *m)
{
	return default_holds(m, "print-color-mode-default", "print-color-mode-supported");
}

static void fit_bins(ipp_t *m)
{
	settle_string(m, "output-bin-default", "output-bin-supported");
}

static bool bins_hold(ipp_t *m)
{
	return up_find(m, "output-bin-supported");
}

static bool bin_default_holds(ipp_t *m)
{
	return default_holds(m, "output-bin-default", "output-bin-supported");
}

/* ---- texts, languages ---- */

static void shorten(ipp_t *m, const char *name)
{
	const char *text = string_of(m, name);
	char cut[SHORT_TEXT + 1];

	if (!text || strlen(text) <= SHORT_TEXT)
		return;
	(void)str_copy(cut, sizeof(cut), text);
	up_drop(m, name);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, name, NULL, cut);
}

static void fit_texts(ipp_t *m)
{
	const char *model = string_of(m, "printer-make-and-model");

	if (model && !*model)
		up_drop(m, "printer-make-and-model");
	shorten(m, "printer-make-and-model");
	shorten(m, "printer-location");
}

static bool model_holds(ipp_t *m)
{
	const char *text = string_of(m, "printer-make-and-model");

	return text && *text && strlen(text) <= SHORT_TEXT;
}

static bool location_holds(ipp_t *m)
{
	const char *text = string_of(m, "printer-location");

	return !text || strlen(text) <= SHORT_TEXT;
}

/* The connector itself speaks so, whatever the queue's own server prefers. */
static void fit_languages(ipp_t *m)
{
	up_drop(m, "charset-configured");
	up_drop(m, "charset-supported");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_CHARSET, "charset-configured", NULL, "utf-8");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_CHARSET, "charset-supported", NULL, "utf-8");
	if (!up_find(m, "natural-language-configured"))
		ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_LANGUAGE, "natural-language-configured",
		             NULL, "en");
	if (!up_find(m, "generated-natural-language-supported"))
		ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_LANGUAGE,
		             "generated-natural-language-supported", NULL, "en");
}

static bool charset_holds(ipp_t *m)
{
	return has_string(m, "charset-configured", "utf-8") &&
	       has_string(m, "charset-supported", "utf-8");
}

static bool language_holds(ipp_t *m)
{
	return up_find(m, "natural-language-configured") &&
	       up_find(m, "generated-natural-language-supported");
}

/* ---- resolution, state ---- */

static void fit_resolution(ipp_t *m)
{
	ipp_attribute_t *supported = up_find(m, "printer-resolution-supported");
	ipp_res_t units;
	int x, y;

	if (!supported || up_find(m, "printer-resolution-default"))
		return;
	x = ippGetResolution(supported, 0, &y, &units);
	ippAddResolution(m, IPP_TAG_PRINTER, "printer-resolution-default", units, x, y);
}

static bool resolution_holds(ipp_t *m)
{
	return ippFindAttribute(m, "printer-resolution-supported", IPP_TAG_RESOLUTION) &&
	       ippFindAttribute(m, "printer-resolution-default", IPP_TAG_RESOLUTION);
}

static void fit_state(ipp_t *m)
{
	keep_numbers(m, "printer-state", 3, 5);
	if (up_find(m, "printer-state") && !up_find(m, "printer-state-reasons"))
		add_keyword(m, "printer-state-reasons", "none");
}

static bool accepting_holds(ipp_t *m)
{
	return ippFindAttribute(m, "printer-is-accepting-jobs", IPP_TAG_BOOLEAN);
}

static bool state_holds(ipp_t *m)
{
	return numbers_hold(m, "printer-state", 3, 5);
}

static bool reasons_hold(ipp_t *m)
{
	return ippFindAttribute(m, "printer-state-reasons", IPP_TAG_KEYWORD);
}

/* ---- all ---- */

void up_rules_apply(ipp_t *set)
{
	fit_copies(set);
	fit_formats(set);
	fit_finishings(set);
	up_media_fit(set);
	fit_number_up(set);
	fit_orientation(set);
	fit_bins(set);
	fit_color(set);
	fit_quality(set);
	fit_state(set);
	fit_texts(set);
	fit_resolution(set);
	fit_sides(set);
	fit_languages(set);
}

static const struct rule {
	const char *name;
	bool (*holds)(ipp_t *m);
} rules[] = {
	{ "copies-default", copies_default_holds },
	{ "copies-supported", copies_supported_holds },
	{ "document-format-default", format_default_holds },
	{ "document-format-supported", formats_hold },
	{ "finishings-default", finishings_default_holds },
	{ "finishings-supported", finishings_hold },
	{ "media-col-database", up_media_database_holds },
	{ "media-col-default", up_media_default_holds },
	{ "media-col-supported", up_media_members_hold },
	{ "media-supported", up_media_names_hold },
	{ "media-type-supported", up_media_types_hold },
	{ "number-up-default", number_up_holds },
	{ "orientation-requested-default", orientation_default_holds },
	{ "orientation-requested-supported", orientation_holds },
	{ "output-bin-default", bin_default_holds },
	{ "output-bin-supported", bins_hold },
	{ "print-color-mode-default", color_default_holds },
	{ "print-color-mode-supported", color_holds },
	{ "print-quality-default", quality_default_holds },
	{ "print-quality-supported", quality_holds },
	{ "printer-is-accepting-jobs", accepting_holds },
	{ "printer-make-and-model", model_holds },
	{ "printer-resolution-supported", resolution_holds },
	{ "printer-state", state_holds },
	{ "printer-state-reasons", reasons_hold },
	{ "printer-location", location_holds },
	{ "sides-default", sides_default_holds },
	{ "sides-supported", sides_hold },
	{ "charset-configured", charset_holds },
	{ "natural-language-configured", language_holds },
	{ "pdf-versions-supported", pdf_holds },
	{ "pwg-raster-document-resolution-supported", pwg_holds },
	{ "pclm-raster-back-side", pclm_holds },
};

size_t up_rules_check(ipp_t *set, const char **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules) && n < max; i++)
		if (!rules[i].holds(set))
			ret[n++] = rules[i].name;
	return n;
}
