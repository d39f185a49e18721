/* ticket_default.c - the site's defaults, where a ticket does not ask for something else. */
#include "connector/printer/ticket_private.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"

/* Options of drivers that CUPS, or ticket_driver.c, sets for an attribute of a job. CUPS leaves the
 * attribute alone when the option comes with the job as well. */
static const struct {
	const char *option, *attribute;
} twins[] = {
	{ "BRMonoColor", "print-color-mode" },
	{ "CNIJSGrayScale", "print-color-mode" },
	{ "CNRes_PGP", "printer-resolution" },
	{ "Collate", "multiple-document-handling" },
	{ "ColorMode", "print-color-mode" },
	{ "ColorModel", "print-color-mode" },
	{ "Duplex", "sides" },
	{ "EFDuplex", "sides" },
	{ "HPColorAsGray", "print-color-mode" },
	{ "HPColorMode", "print-color-mode" },
	{ "HPPaperSource", "media-source" },
	{ "Ink", "print-color-mode" },
	{ "InputSlot", "media-source" },
	{ "JCLDuplex", "sides" },
	{ "JCLResolution", "printer-resolution" },
	{ "KD03Duplex", "sides" },
	{ "MediaType", "media-type" },
	{ "OutputBin", "output-bin" },
	{ "OutputMode", "print-quality" },
	{ "PageRegion", "media" },
	{ "PageSize", "media" },
	{ "PrintoutMode", "print-color-mode" },
	{ "ProcessColorModel", "print-color-mode" },
	{ "Resolution", "printer-resolution" },
	{ "SetResolution", "printer-resolution" },
	{ "cupsPrintQuality", "print-quality" },
};

/* CUPS' twin, else the attribute for which the mapping sends the option; NULL: none. */
static const char *twin_of(const struct mapping *rules, const char *option)
{
	char name[128], choice[128];

	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		if (strcasecmp(twins[i].option, option) == 0)
			return twins[i].attribute;
	for (size_t i = 0; i < rules->n; i++) {
		const char *rest = rules->rules[i]->to;

		while (rules->rules[i]->value != NULL &&
		       mapping_next(&rest, name, sizeof(name), choice, sizeof(choice)))
			if (strcmp(name, option) == 0)
				return rules->rules[i]->name;
	}
	return NULL;
}

static bool asks_for(ipp_t *wish, const char *name)
{
	ipp_attribute_t *col = ippFindAttribute(wish, "media-col", IPP_TAG_BEGIN_COLLECTION);
	bool size = strcmp(name, "media") == 0;

	if (ippFindAttribute(wish, name, IPP_TAG_ZERO) != NULL)
		return true;
	return col != NULL && ippFindAttribute(ippGetCollection(col, 0), size ? "media-size" : name,
	                                       IPP_TAG_ZERO) != NULL;
}

/* By the words that drivers have for it, and by switches that are named after it. */
static bool is_grey(const char *option, const char *choice)
{
	static const char *const words[] = { "gray", "grey", "mono", "black" };
	static const char *const on[] = { "1", "On", "True", "Yes" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(choice, words[i]) != NULL)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(on); i++)
		if (strcasecmp(choice, on[i]) == 0)
			return strcasestr(option, "gray") != NULL;
	return false;
}

/* A default of grey stays where grey is asked for: its word may be the only one that the driver
 * knows. Who leaves the colour to the printer asks for nothing. */
static bool agrees(ipp_t *ticket, const char *attribute, const struct mapping_rule *rule)
{
	const char *mode;

	if (strcmp(attribute, "print-color-mode") != 0)
		return false;
	mode = ipp_get_text(ticket, IPP_TAG_ZERO, attribute, "");
	return strcmp(mode, "auto") == 0 ||
	       (strcmp(mode, "color") != 0) == is_grey(rule->name, rule->to);
}

static bool gives_way(struct ticket_pass *t, ipp_t *ticket, const struct mapping_rule *rule)
{
	const char *attribute = twin_of(t->rules, rule->name);

	if (ippFindAttribute(t->request, rule->name, IPP_TAG_ZERO) != NULL)
		return true;
	return attribute != NULL && asks_for(ticket, attribute) &&
	       asks_for(t->request, attribute) && !agrees(ticket, attribute, rule);
}

/* The default of that kind which counts; NULL: it is none. */
static const struct mapping_rule *default_at(struct ticket_pass *t, size_t i, bool attribute)
{
	const struct mapping_rule *rule = t->rules->rules[i];

	return rule->value == NULL && mapping_is_attribute(rule->name) == attribute &&
	                       mapping_default(t->rules, rule->name) == rule
	               ? rule
	               : NULL;
}

void ticket_default_attributes(struct ticket_pass *t, ipp_t *wish)
{
	struct err err;

	t->site = true;
	for (size_t i = 0; t->rules != NULL && i < t->rules->n; i++) {
		const struct mapping_rule *rule = default_at(t, i, true);

		if (rule != NULL && !asks_for(wish, rule->name) &&
		    ticket_parse_value(wish, rule->name, rule->to, &err) < 0)
			ticket_note_dropped(t, rule->name, rule->to, err.text);
	}
	t->site = false;
}

void ticket_default_options(struct ticket_pass *t, ipp_t *ticket)
{
	const char *lacks = ticket_lacks_driver(t->capabilities, t->cups);

	t->site = true;
	for (size_t i = 0; t->rules != NULL && i < t->rules->n; i++) {
		const struct mapping_rule *rule = default_at(t, i, false);

		if (rule == NULL)
			continue;
		if (lacks != NULL) {
			ticket_note_dropped(t, rule->name, rule->to, lacks);
		} else if (gives_way(t, ticket, rule)) {
			ticket_note_dropped(t, rule->name, rule->to, "the job asks for its own");
		} else {
			ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_NAME, rule->name, NULL,
			             rule->to);
			ticket_note_sent(t, rule->name, "", rule->to, "");
		}
	}
	t->site = false;
}
