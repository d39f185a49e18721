/* ticket_map.c - the administrator's mapping applied to a ticket: values that are sent as something
 * else, and what is announced because of it. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/str.h"
#include "common/util.h"

#define WORD_SIZE 128

const char *ticket_place(const struct mapping_rule *rule, char out[TICKET_TEXT])
{
	const char *slash = strrchr(rule->where, '/');

	(void)snprintf(out, TICKET_TEXT, "%.100s", slash != NULL ? slash + 1 : rule->where);
	return out;
}

/* Whether the request has it already; with another value that is told. */
static bool is_said(struct ticket_pass *t, const char *name, const char *value)
{
	ipp_attribute_t *there = ippFindAttribute(t->request, name, IPP_TAG_ZERO);
	char text[TICKET_TEXT];

	if (there != NULL && strcmp(ticket_value_text(there, 0, text), value) != 0)
		ticket_note_dropped(t, name, value, "something else says it already");
	return there != NULL;
}

static void add_option(struct ticket_pass *t, const char *name, const char *value)
{
	if (!is_said(t, name, value))
		ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_NAME, name, NULL, value);
}

/* An attribute in place of another: it passes its own rule, but not the mapping again. */
static void add_attribute(struct ticket_pass *t, const char *name, const char *value)
{
	AUTO(ticket_free) ipp_t *scratch = ippNew();
	const struct ticket_rule *rule = ticket_rule(name);
	struct err err;

	if (rule == NULL || is_said(t, name, value))
		return;
	if (ticket_parse_value(scratch, name, value, &err) < 0) {
		ticket_note_dropped(t, name, value, err.text);
		return;
	}
	t->mapped = true;
	if (rule->check == CHECK_MEDIA)
		ticket_media(t, scratch);
	else
		ticket_translate(t, rule, ippFindAttribute(scratch, name, IPP_TAG_ZERO));
	t->mapped = false;
}

/* Without a driver; attributes in place of attributes a queue may well have. */
static bool is_possible(const char *lacks_driver, const struct mapping_rule *rule)
{
	char option[WORD_SIZE], choice[WORD_SIZE];
	const char *rest = rule->to;

	while (lacks_driver != NULL &&
	       mapping_next(&rest, option, sizeof(option), choice, sizeof(choice)))
		if (!mapping_is_attribute(option))
			return false;
	return true;
}

bool ticket_map(struct ticket_pass *t, const char *name, const char *value)
{
	const struct mapping_rule *rule = t->mapped ? NULL : mapping_value(t->rules, name, value);
	char option[WORD_SIZE], choice[WORD_SIZE], place[TICKET_TEXT];
	const char *rest, *lacks = ticket_lacks_driver(t->capabilities, t->cups);

	if (rule == NULL)
		return false;
	ticket_place(rule, place);
	if (*rule->to == '\0') {
		ticket_note_dropped(t, name, value, place);
		return true;
	}
	if (!is_possible(lacks, rule)) {
		ticket_note_dropped(t, name, value, lacks);
		return true;
	}
	ticket_note_sent(t, name, value, rule->to, place);
	for (rest = rule->to;
	     mapping_next(&rest, option, sizeof(option), choice, sizeof(choice));) {
		if (mapping_is_attribute(option))
			add_attribute(t, option, choice);
		else
			add_option(t, option, choice);
	}
	return true;
}

ipp_attribute_t *ticket_map_values(struct ticket_pass *t, ipp_t *scratch, ipp_attribute_t *attr)
{
	int left[TICKET_VALUES_MAX], n = 0, count = ippGetCount(attr);
	char text[TICKET_TEXT];

	if (t->rules == NULL || t->rules->n == 0)
		return attr;
	if (count == 1)
		return ticket_map(t, ippGetName(attr), ticket_value_text(attr, 0, text)) ? NULL
		                                                                         : attr;
	/* several are only finishings: one may be mapped and the next not */
	if (!ticket_is_number(attr) || count > TICKET_VALUES_MAX)
		return attr;
	for (int i = 0; i < count; i++)
		if (!ticket_map(t, ippGetName(attr), ticket_value_text(attr, i, text)))
			left[n++] = ippGetInteger(attr, i);
	return n == 0 ? NULL
	              : ippAddIntegers(scratch, IPP_TAG_JOB, ippGetValueTag(attr), ippGetName(attr),
	                               n, left);
}

/* ---- what is announced ---------------------------------------------------------------------- */

static void add_word(ipp_t *capabilities, const char *full, const char *word)
{
	ipp_attribute_t *list = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);

	if (list == NULL)
		ippAddString(capabilities, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, full, NULL, word);
	else if (ticket_is_text(list) && !ippContainsString(list, word))
		ippSetString(capabilities, &list, ippGetCount(list), word);
}

static void add_number(ipp_t *capabilities, const char *full, int number)
{
	ipp_attribute_t *list = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);

	if (list == NULL)
		ippAddInteger(capabilities, IPP_TAG_PRINTER, IPP_TAG_ENUM, full, number);
	else if (ticket_is_number(list) && !ippContainsInteger(list, number))
		ippSetInteger(capabilities, &list, ippGetCount(list), number);
}

void ticket_announce(ipp_t *capabilities, const struct mapping *rules, bool cups)
{
	const char *lacks = ticket_lacks_driver(capabilities, cups);
	char full[IPP_MAX_NAME];
	int number;

	for (size_t i = 0; i < rules->n; i++) {
		const struct mapping_rule *rule = rules->rules[i];
		const struct ticket_rule *known = ticket_rule(rule->name);

		if (rule->value == NULL || *rule->to == '\0' || known == NULL ||
		    !is_possible(lacks, rule))
			continue;
		(void)snprintf(full, sizeof(full), "%s-supported", rule->name);
		if (known->check == CHECK_WORD || strcmp(rule->name, "media-source") == 0 ||
		    strcmp(rule->name, "media-type") == 0) {
			add_word(capabilities, full, rule->value);
		} else if (strcmp(rule->name, "finishings") == 0 ||
		           strcmp(rule->name, "print-quality") == 0) {
			number = ippEnumValue(rule->name, rule->value);
			if (number > 0)
				add_number(capabilities, full, number);
		}
	}
}
