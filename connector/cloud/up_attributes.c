#include "connector/cloud/up_attributes.h"

#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/up_rules.h"
#include "connector/cloud/up_table.h"

#define TEXT_BYTES    1023 /* bytes that the service takes of a text or URI */
#define KEYWORD_BYTES 255  /* and of other strings */
#define VALUES_MAX    512

/* Facts of the service's own printer, which it states itself. Sorted (strcmp). */
static const char *const of_the_service[] = {
	"ipp-features-supported",
	"ipp-versions-supported",
	"ippget-event-life",
	"job-creation-attributes-supported",
	"job-ids-supported",
	"multiple-document-jobs-supported",
	"multiple-operation-time-out",
	"multiple-operation-time-out-action",
	"operations-supported",
	"printer-get-attributes-supported",
	"printer-icons",
	"printer-more-info",
	"printer-name",
	"printer-supply-info-uri",
	"printer-uri-supported",
	"printer-uuid",
	"uri-authentication-supported",
	"uri-security-supported",
	"which-jobs-supported",
};

static bool is_of_the_service(const char *name)
{
	return str_is_listed(name, of_the_service, ARRAY_SIZE(of_the_service));
}

/* ---- syntaxes ---- */

static bool is_keyword(const char *text)
{
	return text && *text &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
	                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")];
}

/* Strings under another tag, where each of them can stand under it. */
static void add_strings(ipp_t *m, const struct up_attribute *to, ipp_tag_t tag,
                        ipp_attribute_t *from)
{
	const char *values[VALUES_MAX];
	int n = 0, count = ippGetCount(from);

	for (int i = 0; i < count && n < VALUES_MAX && (to->many || n == 0); i++) {
		const char *text = ippGetString(from, i, NULL);

		if (text && *text && (tag != IPP_TAG_KEYWORD || is_keyword(text)) &&
		    strlen(text) <= (tag == IPP_TAG_TEXT ? TEXT_BYTES : KEYWORD_BYTES))
			values[n++] = text;
	}
	if (n)
		ippAddStrings(m, IPP_TAG_PRINTER, tag, to->name, n, NULL, values);
}

/* Close relatives; anything else is left out. */
static void convert(ipp_t *m, const struct up_attribute *to, ipp_attribute_t *from)
{
	unsigned is = up_table_syntax(ippGetValueTag(from));

	if (is & (UP_TEXT | UP_NAME | UP_KEYWORD)) {
		if (to->syntaxes & UP_KEYWORD)
			add_strings(m, to, IPP_TAG_KEYWORD, from);
		else if (to->syntaxes & UP_TEXT)
			add_strings(m, to, IPP_TAG_TEXT, from);
		else if (to->syntaxes & UP_NAME)
			add_strings(m, to, IPP_TAG_NAME, from);
	} else if (is == UP_INTEGER && to->syntaxes == UP_RANGE) {
		int most = ippGetInteger(from, 0);

		if (most > 0) /* copies, kilobytes: up to so many */
			ippAddRange(m, IPP_TAG_PRINTER, to->name,
			            strcmp(to->name, "copies-supported") == 0, most);
	} else if (is == UP_INTEGER && to->syntaxes & UP_ENUM) {
		ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, to->name, ippGetInteger(from, 0));
	}
}

/* The first value of an attribute that may have one only. */
static void take_first(ipp_t *m, const char *name, ipp_attribute_t *a)
{
	unsigned is = up_table_syntax(ippGetValueTag(a));
	ipp_tag_t tag = ippGetValueTag(a);
	ipp_res_t units;
	int x, y;

	if (is & (UP_INTEGER | UP_ENUM)) {
		ippAddInteger(m, IPP_TAG_PRINTER, tag, name, ippGetInteger(a, 0));
	} else if (is & UP_BOOLEAN) {
		ippAddBoolean(m, IPP_TAG_PRINTER, name, (char)ippGetBoolean(a, 0));
	} else if (is & UP_RANGE) {
		x = ippGetRange(a, 0, &y);
		ippAddRange(m, IPP_TAG_PRINTER, name, x, y);
	} else if (is & UP_RESOLUTION) {
		x = ippGetResolution(a, 0, &y, &units);
		ippAddResolution(m, IPP_TAG_PRINTER, name, units, x, y);
	} else if (is & UP_COLLECTION) {
		ippAddCollection(m, IPP_TAG_PRINTER, name, ippGetCollection(a, 0));
	} else if (is & UP_DATE) {
		ippAddDate(m, IPP_TAG_PRINTER, name, ippGetDate(a, 0));
	} else if (!(is & UP_OCTETS)) {
		ippAddString(m, IPP_TAG_PRINTER, tag, name, NULL, ippGetString(a, 0, NULL));
	}
}

static bool is_too_long(ipp_attribute_t *a)
{
	unsigned is = up_table_syntax(ippGetValueTag(a));
	size_t most = is & (UP_TEXT | UP_URI) ? TEXT_BYTES : KEYWORD_BYTES;

	if (!(is & (UP_TEXT | UP_NAME | UP_KEYWORD | UP_URI | UP_CHARSET | UP_LANGUAGE | UP_MIME)))
		return false;
	for (int i = 0; i < ippGetCount(a); i++) {
		const char *text = ippGetString(a, i, NULL);

		if (!text || strlen(text) > most)
			return true;
	}
	return false;
}

static void take(ipp_t *m, ipp_attribute_t *a)
{
	const char *name = ippGetName(a);
	const struct up_attribute *to = name ? up_table_find(name) : NULL;
	ipp_attribute_t *copy;

	if (!to || is_of_the_service(name) || ippFindAttribute(m, name, IPP_TAG_ZERO))
		return;
	if (!(to->syntaxes & up_table_syntax(ippGetValueTag(a)))) {
		convert(m, to, a);
		return;
	}
	if (is_too_long(a))
		return;
	if (!to->many && ippGetCount(a) > 1) {
		take_first(m, name, a);
		return;
	}
	copy = ippCopyAttribute(m, a, 0);
	if (copy)
		ippSetGroupTag(m, &copy, IPP_TAG_PRINTER);
}

static void take_all(ipp_t *m, struct attrs *from)
{
	ipp_t *src = attrs_ipp(from);

	for (ipp_attribute_t *a = ippFirstAttribute(src); a; a = ippNextAttribute(src))
		take(m, a);
}

/* ---- the connector ---- */

static void add_text(ipp_t *m, const char *name, const char *text)
{
	char safe[128];

	str_clean(text ? text : "", safe, sizeof(safe));
	if (safe[0])
		ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, name, NULL, safe);
}

static void add_connector(ipp_t *m, const struct up_host *host)
{
	char model[128];

	str_clean(ipp_get_text(m, IPP_TAG_PRINTER, "printer-make-and-model", ""), model,
	          sizeof(model));
	add_text(m, "microsoft-universal-print-connector-app-version", host->version);
	add_text(m, "microsoft-universal-print-connector-operating-system", host->system);
	add_text(m, "microsoft-universal-print-connector-id", host->id);
	add_text(m, "microsoft-universal-printer-driver-name", model);
}

ipp_t *up_attributes_new(struct attrs *capabilities, struct attrs *state,
                         const struct up_host *host)
{
	ipp_t *m = ippNew();

	if (state) /* what is now goes before what was once */
		take_all(m, state);
	if (!capabilities)
		return m;
	take_all(m, capabilities);
	up_rules_apply(m);
	add_connector(m, host);
	return m;
}

size_t up_attributes_check(ipp_t *set, const char **ret, size_t max)
{
	return up_rules_check(set, ret, max);
}
