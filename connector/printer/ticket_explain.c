/* ticket_explain.c - how a ticket would be sent, what a queue can do, and which defaults of mapping
 * files it does not have. */
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
#define OFFERS_TEXT 72

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

/* What a queue, and its mapping, can do with an option; nothing: "". */
static void choices_text(ipp_t *capabilities, bool cups, const char *name, struct buf *out)
{
	char full[IPP_MAX_NAME];
	ipp_attribute_t *list;

	(void)snprintf(full, sizeof(full), "%s-supported", name);
	list = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);
	if (list != NULL && ippGetValueTag(list) == IPP_TAG_BOOLEAN)
		boolean_text(list, out);
	else if (list != NULL && strcmp(name, "job-priority") == 0)
		(void)buf_printf(out, "1-100"); /* what it says is the number of its levels */
	else if (list != NULL)
		values_text(list, name, out);
	else if (strcmp(name, "presentation-direction-number-up") == 0)
		directions_text(capabilities, cups, out);
}

static void tell_choice(const struct ticket_explained *to, ipp_t *capabilities, bool cups,
                        const char *name)
{
	char full[IPP_MAX_NAME], usual[TICKET_TEXT] = "";
	ipp_attribute_t *fallback;
	struct buf values;

	(void)snprintf(full, sizeof(full), "%s-default", name);
	fallback = ippFindAttribute(capabilities, full, IPP_TAG_ZERO);
	if (fallback != NULL && ippGetCount(fallback) > 0)
		value_text(fallback, name, 0, usual);
	buf_init(&values, VALUES_TEXT);
	choices_text(capabilities, cups, name, &values);
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
                  const struct driver_grey *grey, const struct mappings *mappings,
                  const char *ticket, const struct ticket_explained *to, struct err *err)
{
	AUTO(ticket_free) ipp_t *known = ippNew();
	AUTO(ticket_free) ipp_t *request = ippNew();
	AUTO(ticket_free) ipp_t *wish = NULL;
	struct mapping rules;
	struct ticket_source from = {
		.capabilities = known, .rules = &rules, .grey = grey, .cups = !queue_is_uri(queue)
	};
	struct err refused;

	if (ticket != NULL && ticket_parse(ticket, &wish, err) < 0)
		return -1;
	mapping_of(mappings, queue, &rules);
	ippCopyAttributes(known, attrs_ipp(capabilities), 0, NULL, NULL);
	ticket_announce(known, &rules, from.cups);
	for (size_t i = 0; mapping_attribute(i) != NULL; i++)
		tell_choice(to, known, from.cups, mapping_attribute(i));
	from.ticket = wish;
	if (ticket_apply(request, &from, to->option, to->data, &refused) < 0)
		to->refused(to->data, refused.text);
	else
		tell_request(to, request);
	return 0;
}

/* ---- defaults ------------------------------------------------------------------------------- */

struct lost_defaults {
	const struct ticket_source *from;
	void (*lost)(void *data, const struct ticket_note *note);
	void *data;
};

/* "iso_a4_210x297mm, iso_a5_148x210mm, ..." in so much room. */
static void shorten(char *text, size_t room)
{
	char *end = text;

	if (strlen(text) < room)
		return;
	for (char *comma = text; (comma = strstr(comma, ", ")) != NULL; comma++)
		if ((size_t)(comma - text) + sizeof(", ...") <= room)
			end = comma;
	memcpy(end, ", ...", end > text ? sizeof(", ...") : 1);
}

static void on_default(void *data, const struct ticket_note *note)
{
	const struct lost_defaults *to = data;
	char why[TICKET_TEXT], offers[VALUES_TEXT];
	struct ticket_note told = *note;
	struct buf values;

	if (!note->site || note->fate == TICKET_SENT)
		return;
	buf_init(&values, VALUES_TEXT);
	choices_text(to->from->capabilities, to->from->cups, note->name, &values);
	(void)snprintf(offers, sizeof(offers), "%s", buf_text(&values));
	buf_clear(&values);
	shorten(offers, OFFERS_TEXT);
	if (strcmp(note->why, TICKET_LACKS) == 0 && *offers != '\0')
		(void)snprintf(why, sizeof(why), "it has %.*s", OFFERS_TEXT, offers);
	else if (strcmp(note->why, TICKET_LACKS) == 0)
		(void)snprintf(why, sizeof(why), "it has no choice of that");
	else
		(void)snprintf(why, sizeof(why), "%s", note->why);
	told.why = why;
	to->lost(to->data, &told);
}

void queue_defaults(const struct queue *q, void (*lost)(void *data, const struct ticket_note *note),
                    void *data)
{
	AUTO(ticket_free) ipp_t *request = NULL;
	struct mapping rules = { .n = 0 };
	struct ticket_source from = { .rules = &rules, .cups = q->cups };
	struct lost_defaults to = { .from = &from, .lost = lost, .data = data };
	struct err err;

	if (q->listener.mappings != NULL)
		mapping_of(q->listener.mappings(q->listener.data), q->name, &rules);
	if (rules.n == 0 || q->capabilities == NULL)
		return;
	request = ippNew();
	from.capabilities = attrs_ipp(q->capabilities);
	(void)ticket_apply(request, &from, on_default, &to, &err); /* nobody insists */
}
