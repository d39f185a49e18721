/* Which printer is it? It shows itself: Identify-Printer (PWG 5100.13 4.1) to an IPP printer, to
 * the one behind a queue of CUPS, since CUPS has no such operation. What can fail: there is nobody
 * who could (refused, saying so); the printer does not answer or does not want to. */
#include "connector/printer/queue_impl.h"

#include <string.h>

#include "connector/base/attrs.h"
#include "connector/printer/printer_text.h"

#define MESSAGE_SIZE 128 /* text(127) */
#define ACTIONS_MAX  8

static void on_identified(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;
	struct device *d = op->device;

	op->device = NULL;
	op->done(op, err);
	if (d != NULL)
		queue_device_put(d);
}

/* Those which it has of the wanted ones; none at all lets it choose. */
static void add_actions(const struct queue *q, ipp_t *request, const char *actions)
{
	ipp_attribute_t *able =
		q->capabilities != NULL
			? ippFindAttribute(attrs_ipp(q->capabilities), "identify-actions-supported",
	                                   IPP_TAG_KEYWORD)
			: NULL;
	const char *chosen[ACTIONS_MAX];
	int n = 0;

	for (int i = 0; i < ippGetCount(able) && n < ACTIONS_MAX; i++) {
		const char *word = ippGetString(able, i, NULL);

		if (word != NULL && printer_text_has(actions, word))
			chosen[n++] = word;
	}
	if (n > 0)
		ippAddStrings(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "identify-actions", n,
		              NULL, chosen);
}

int queue_identify(struct queue *q, struct local_op *op, const char *actions, const char *message,
                   struct err *err)
{
	const char *uri = q->uri;
	char clean[MESSAGE_SIZE];
	ipp_t *request;

	if (q->cups ? !queue_device_identifies(q) : !q->traits.identify)
		return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED,
		               "%s %.100s cannot identify itself%s", q->cups ? "queue" : "printer",
		               q->name, q->cups ? ": only an IPP printer that answers could" : "");
	ipp_op_clear(&op->ipp);
	op->queue = q;
	op->ipp.http = q->qs->http;
	op->ipp.peer = q->control;
	op->ipp.url = q->url;
	op->device = q->cups ? queue_device_use(q, &op->ipp, &uri) : NULL;
	request = ipp_request(IPP_OP_IDENTIFY_PRINTER, "printer-uri", uri);
	queue_add_user(request, op->user_name);
	if (actions != NULL)
		add_actions(q, request, actions);
	printer_text_copy(clean, sizeof(clean), message);
	if (clean[0] != '\0')
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_TEXT, "message", NULL, clean);
	op->ipp.request = request;
	op->ipp.timeout_ms = QUEUE_ASK_MS;
	op->ipp.done = on_identified;
	op->ipp.data = op;
	if (ipp_op_start(&op->ipp, err) == 0)
		return 0;
	if (op->device != NULL)
		queue_device_put(op->device);
	op->device = NULL;
	return -1;
}
