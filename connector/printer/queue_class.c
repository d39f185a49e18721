/* queue_class.c - the members of a class of CUPS, read one after the other behind the class itself,
 * in the exchange of queue_read.c or queue_probe.c. A member that is a class of its own stands for
 * its members; one that is gone is left out; any other failure is one of the whole read. */
#include "connector/printer/queue_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capability_class.h"

#define MEMBERS_MAX 64

struct class_reading {
	ipp_t *own;                  /* the class's answer */
	char *names[MEMBERS_MAX];    /* of its members */
	ipp_t *answers[MEMBERS_MAX]; /* theirs */
	size_t count, asked, answered;
};

static ipp_attribute_t *members_of(ipp_t *answer)
{
	int type = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-type", 0);

	return type & (int)CUPS_PRINTER_CLASS
	               ? ippFindAttribute(answer, "member-names", IPP_TAG_NAME)
	               : NULL;
}

static void add_names(struct class_reading *c, ipp_attribute_t *members)
{
	for (int i = 0; i < ippGetCount(members) && c->count < MEMBERS_MAX; i++) {
		const char *name = ippGetString(members, i, NULL);
		size_t n;

		for (n = 0; name != NULL && n < c->count && strcasecmp(c->names[n], name) != 0; n++)
			;
		if (name != NULL && n == c->count)
			c->names[c->count++] = xstrdup(name);
	}
}

void queue_class_clear(struct queue *q)
{
	struct class_reading *c = TAKE(q->class_reading);

	if (c == NULL)
		return;
	ippDelete(c->own);
	for (size_t i = 0; i < c->count; i++)
		free(c->names[i]);
	for (size_t i = 0; i < c->answered; i++)
		ippDelete(c->answers[i]);
	free(c);
}

/* "/one/two/", for queue_class_has(). */
static void note_members(struct queue *q)
{
	const struct class_reading *c = q->class_reading;
	char *list = xstrdup("/"), *longer;

	for (size_t i = 0; i < c->count; i++) {
		longer = xasprintf("%s%s/", list, c->names[i]);
		free(list);
		list = longer;
	}
	free(q->members);
	q->members = list;
}

bool queue_class_has(const struct queue *q, const char *name)
{
	char wanted[NAME_SIZE + 2];

	if (q->members == NULL || name[0] == '\0')
		return false;
	(void)snprintf(wanted, sizeof(wanted), "/%s/", name);
	return strcasestr(q->members, wanted) != NULL;
}

static void take_member(struct class_reading *c, struct ipp_op *op)
{
	ipp_attribute_t *members = members_of(op->response);

	if (members != NULL)
		add_names(c, members);
	else
		c->answers[c->answered++] = TAKE(op->response);
}

const char *queue_class_asked(const struct queue *q)
{
	const struct class_reading *c = q->class_reading;

	return c != NULL && c->asked > 0 ? c->names[c->asked - 1] : q->name;
}

enum more_step queue_class_step(struct queue *q, struct ipp_op *op, const struct err *err)
{
	static const char *const whole[] = { "all", "media-col-database" };
	struct class_reading *c = q->class_reading;
	void (*done)(struct ipp_op *, const struct err *) = op->done;
	void *data = op->data;
	ipp_t *request;
	char uri[URI_SIZE];
	struct err none;

	if (c == NULL && (err != NULL || !q->cups || members_of(op->response) == NULL))
		return MORE_NONE;
	if (c == NULL) {
		c = q->class_reading = xcalloc(1, sizeof(*c));
		c->own = TAKE(op->response);
		add_names(c, members_of(c->own));
	} else if (err == NULL) {
		take_member(c, op);
	} else if (err->kind != ERR_GONE) {
		return MORE_NONE;
	}
	note_members(q);
	while (c->asked < c->count) {
		queue_cups_uri(c->names[c->asked++], uri);
		request = ipp_request(IPP_OP_GET_PRINTER_ATTRIBUTES, "printer-uri", uri);
		queue_add_user(request, NULL);
		queue_ask_for(request, whole, ARRAY_SIZE(whole));
		ipp_op_clear(op);
		if (queue_start(q, op, request, done, data, &none) == 0)
			return MORE_ASKING;
	}
	ipp_op_clear(op);
	op->response = TAKE(c->own);
	return MORE_READ;
}

struct attrs *queue_class_capabilities(const struct queue *q, ipp_t *own)
{
	const struct class_reading *c = q->class_reading;

	if (c->answered > 0)
		driver_grey_withdraw(&q->grey, c->answers[0]);
	return capability_class_new(own, c->answers, c->answered, &q->listener);
}
