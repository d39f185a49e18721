/* ticket_explain.c - how a ticket would be sent, and what a queue can do. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/printer/printer_text.h"
#include "connector/printer/queue_impl.h"

#define VALUES_TEXT 4096

static void value_text(ipp_attribute_t *attr, const char *name, int i, char out[TICKET_TEXT])
{
	/* the words of an enum are those of the attribute, not of its -supported */
	if (ippGetValueTag(attr) == IPP_TAG_ENUM)
		printer_text_copy(out, TICKET_TEXT, ippEnumString(name, ippGetInteger(attr, i)));
	else
		(void)ticket_value_text(attr, i, out);
}

/* One after the other, each once; PPDs name some trays twice. */
static void values_text(ipp_attribute_t *attr, const char *name, struct buf *out)
{
	char one[TICKET_TEXT], other[TICKET_TEXT];
	int i, j;

	for (i = 0; i < ippGetCount(attr); i++) {
		value_text(attr, name, i, one);
		for (j = 0; j < i; j++) {
			value_text(attr, name, j, other);
			if (strcmp(one, other) == 0)
				break;
		}
		if (j == i && *one != '\0')
			(void)buf_printf(out, "%s%s", out->len > 0 ? ", " : "", one);
	}
}

/* Where each value would do, or none, there is no list of them. */
static void boolean_text(ipp_attribute_t *attr, struct buf *out)
{
	if (ippGetBoolean(attr, 0))
		(void)buf_printf(out, "any");
}

static void directions_text(ipp_t *capabilities, bool cups, struct buf *out)
{
	const char *word;

	for (size_t i = 0; (word = ticket_direction(capabilities, cups, i)) != NULL; i++)
		(void)buf_printf(out, "%s%s", i > 0 ? ", " : "", word);
}

static void tell_choice(const struct ticket_explained *to, ipp_t *capabilities, bool cups,
                        const char *name)
{
	char full[IPP_MAX_NAME], usual[TICKET_TEXT] = "";
	ipp_attribute_t *list, *fallback;
	struct buf values;

	(void)snprintf(full, sizeof(full), "%s-supported", name);
	list = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);
	(void)snprintf(full, sizeof(full), "%s-default", name);
	fallback = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);
	if (fallback != NULL && ippGetCount(fallback) > 0)
		value_text(fallback, name, 0, usual);
	buf_init(&values, VALUES_TEXT);
	if (list != NULL && ippGetValueTag(list) == IPP_TAG_BOOLEAN)
		boolean_text(list, &values);
	else if (list != NULL)
		values_text(list, name, &values);
	else if (strcmp(name, "presentation-direction-number-up") == 0)
		directions_text(capabilities, cups, &values);
	to->choice(to->data, name, values.len > 0 ? buf_text(&values) : NULL,
	           *usual != '\0' ? usual : NULL);
	buf_clear(&values);
}

static void tell_request(const struct ticket_explained *to, ipp_t *request)
{
	ipp_attribute_t *attr;
	char text[512], line[640], clean[640];

	for (attr = ippFirstAttribute(request); attr != NULL; attr = ippNextAttribute(request)) {
		(void)ippAttributeString(attr, text, sizeof(text));
		(void)snprintf(line, sizeof(line), "%.100s=%s", ippGetName(attr), text);
		printer_text_copy(clean, sizeof(clean), line);
		to->attribute(to->data, clean);
	}
}

int queue_explain(const char *queue, const struct attrs *capabilities,
                  const struct mappings *mappings, const char *ticket,
                  const struct ticket_explained *to, struct err *err)
{
	AUTO(ticket_free) ipp_t *known = ippNew();
	AUTO(ticket_free) ipp_t *request = ippNew();
	AUTO(ticket_free) ipp_t *wish = NULL;
	struct mapping rules;
	struct ticket_source from = { .capabilities = known,
		                      .rules = &rules,
		                      .cups = !queue_is_uri(queue) };
	struct err refused;

	if (ticket != NULL && ticket_parse(ticket, &wish, err) < 0)
		return -1;
	mapping_of(mappings, queue, &rules);
	ippCopyAttributes(known, attrs_ipp(capabilities), 0, NULL, NULL);
	ticket_announce(known, &rules);
	for (size_t i = 0; mapping_attribute(i) != NULL; i++)
		tell_choice(to, known, from.cups, mapping_attribute(i));
	from.ticket = wish;
	if (ticket_apply(request, &from, to->option, to->data, &refused) < 0)
		to->refused(to->data, refused.text);
	else
		tell_request(to, request);
	return 0;
}
