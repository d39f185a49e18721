/* Looking at queues without looking after them: whether one could be registered, and which there
 * are. */
#include "connector/printer/queue_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/printer_text.h"

/* ---- probe: Get-Printer-Attributes, then Validate-Job as an ordinary user ------------------- */

/* The end: the queue was for this operation only. */
static void end_probe(struct local_op *op, const struct err *err)
{
	struct queue *q = TAKE(op->queue);
	struct err copy;

	if (err != NULL)
		copy = *err;
	queue_put(q);
	op->done(op, err != NULL ? &copy : NULL);
}

static void on_validated(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;
	struct queue *q = op->queue;
	struct err refused;

	if (err != NULL &&
	    (err->kind == ERR_DENIED || err->code == IPP_STATUS_ERROR_NOT_POSSIBLE)) {
		(void)err_set(&refused, ERR_REJECTED, err->code,
		              "queue %.50s does not let ordinary users print: %s%.40s%s", q->name,
		              q->cups ? "lpadmin -p " : "allow it at the printer",
		              q->cups ? q->name : "",
		              q->cups ? " -o printer-op-policy=default -u allow:all" : "");
		err = &refused;
	} else if (err != NULL && err->kind != ERR_CANCELED) {
		/* a stopped queue, a missing operation: no reason against registering it */
		err = NULL;
	}
	end_probe(op, err);
}

/* What whoever registers the queue should know before the first job. */
static void warn(struct local_op *op, ipp_t *answer)
{
	const struct queue *q = op->queue;
	ipp_t *can = attrs_ipp(op->capabilities);

	if (q->traits.file_device)
		printer_text_set(
			op->warning, sizeof(op->warning),
			"queue %.60s writes to a file: jobs will be called completed though "
			"nothing comes out on paper",
			q->name);
	else if (q->cups && capabilities_is_raw(answer))
		printer_text_set(
			op->warning, sizeof(op->warning),
			"queue %.60s has no driver: its device must understand application/pdf by "
			"itself, or what allow-formats in [queue %.60s] names instead",
			q->name, q->name);
	else if (ippFindAttribute(can, "document-format-supported", IPP_TAG_ZERO) == NULL)
		printer_text_set(op->warning, sizeof(op->warning),
		                 "%s %.60s takes neither PDF nor images: name what it takes in "
		                 "allow-formats "
		                 "of [queue %.60s]",
		                 q->cups ? "queue" : "printer", q->name, q->name);
	else
		(void)str_copy(op->warning, sizeof(op->warning), op->status.text);
}

/* While the queue prints, its device may take no second connection. */
static void read_device(struct local_op *op, ipp_t *answer)
{
	static const struct {
		const char *scheme;
		int port;
	} schemes[] = { { "socket", 9100 }, { "lpd", 515 }, { "ipp", 631 },
		        { "ipps", 631 },    { "http", 80 }, { "https", 443 } };
	int state = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-state", 0);
	struct uri uri;

	op->device_port = 0;
	if (!op->queue->cups || state != IPP_PSTATE_IDLE ||
	    uri_parse(ipp_get_text(answer, IPP_TAG_PRINTER, "device-uri", ""), &uri) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strcmp(uri.scheme, schemes[i].scheme) == 0)
			op->device_port = uri.port ? uri.port : schemes[i].port;
	if (str_copy(op->device_host, sizeof(op->device_host), uri.host) < 0)
		op->device_port = 0;
}

static void read_printer(struct local_op *op, ipp_t *answer)
{
	struct queue *q = op->queue;
	bool connecting;

	read_device(op, answer);
	printer_identity_read(answer, q->cups, &op->status);
	printer_traits_read(answer, q->cups, &q->traits);
	printer_state_read(answer, q->name, q->cups, &op->status, &connecting);
	attrs_unref(op->capabilities);
	op->grey = q->grey = q->grey_read;
	driver_grey_withdraw(&q->grey, answer);
	op->capabilities = q->class_reading != NULL ? queue_class_capabilities(q, answer)
	                                            : capabilities_new(answer, q->cups, NULL);
	warn(op, answer);
}

static void on_probed(struct ipp_op *ipp, const struct err *err);

static int ask(struct local_op *op, struct err *err)
{
	static const char *const whole[] = { "all", "media-col-database" };
	struct queue *q = op->queue;
	ipp_t *request = queue_request(q, IPP_OP_GET_PRINTER_ATTRIBUTES, op->user_name);

	queue_ask_for(request, whole, ARRAY_SIZE(whole));
	ipp_op_clear(&op->ipp);
	return queue_start(q, &op->ipp, request, on_probed, op, err);
}

/* True: it is asked again, and believed by its key. */
static bool learn(struct local_op *op, const struct err *err)
{
	const char *key = op->ipp.req.server_key;
	struct err ignored;

	if (op->pinned_key != NULL || op->queue->cups || *op->learned != '\0' || *key == '\0' ||
	    !http_is_untrusted(err))
		return false;
	(void)str_copy(op->learned, sizeof(op->learned), key);
	http_peer_pin(op->queue->control, op->learned);
	return ask(op, &ignored) == 0;
}

static void on_probed(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;
	struct queue *q = op->queue;
	enum more_step step = queue_more_step(q, ipp, err);
	struct err wrapped;
	ipp_t *request;

	if (step == MORE_ASKING || (err != NULL && learn(op, err)))
		return;
	if (err != NULL && step != MORE_READ) {
		wrapped = *err;
		if (err->kind == ERR_GONE && q->cups)
			(void)err_set(&wrapped, ERR_GONE, err->code,
			              "CUPS has no queue %.60s; print-connector printers "
			              "--available lists those it has",
			              q->name);
		else if (err->kind != ERR_CANCELED)
			(void)err_wrap(&wrapped, "%s %.60s", q->cups ? "queue" : "printer",
			               q->name);
		end_probe(op, &wrapped);
		return;
	}
	read_printer(op, ipp->response);
	request = queue_request(q, IPP_OP_VALIDATE_JOB, op->user_name);
	ipp_op_clear(ipp);
	if (queue_start(q, ipp, request, on_validated, op, &wrapped) < 0)
		end_probe(op, &wrapped);
}

int queue_probe(struct queues *qs, const char *name, struct local_op *op, struct err *err)
{
	struct queue *q = queue_new(qs, name, op->pinned_key);

	op->queue = q;
	op->status = (struct queue_status){ .whole = !q->cups };
	*op->learned = '\0';
	if (ask(op, err) == 0)
		return 0;
	queue_put(TAKE(op->queue));
	return -1;
}

/* ---- list ----------------------------------------------------------------------------------- */

struct listing {
	struct local_op *op;
	void (*each)(void *data, const char *name, const char *info, const char *make_and_model);
	void *data;
};

struct entry {
	char name[NAME_SIZE], info[NAME_SIZE], model[NAME_SIZE];
};

static void take_entry(struct entry *entry, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr), *text = ippGetString(attr, 0, NULL);

	if (strcmp(name, "printer-name") == 0)
		printer_text_copy(entry->name, sizeof(entry->name), text);
	else if (strcmp(name, "printer-info") == 0)
		printer_text_copy(entry->info, sizeof(entry->info), text);
	else if (strcmp(name, "printer-make-and-model") == 0)
		printer_text_copy(entry->model, sizeof(entry->model), text);
}

static void tell_entries(const struct listing *l, ipp_t *answer)
{
	ipp_attribute_t *attr = ippFirstAttribute(answer);
	struct entry entry;

	while (attr != NULL) {
		entry = (struct entry){ .name = "" };
		for (; attr != NULL && ippGetName(attr) != NULL &&
		       ippGetGroupTag(attr) == IPP_TAG_PRINTER;
		     attr = ippNextAttribute(answer))
			take_entry(&entry, attr);
		if (entry.name[0] != '\0')
			l->each(l->data, entry.name, entry.info, entry.model);
		if (attr != NULL)
			attr = ippNextAttribute(answer);
	}
}

static void on_listed(struct ipp_op *ipp, const struct err *err)
{
	struct listing l = *(struct listing *)ipp->data;
	struct err wrapped;

	free(ipp->data);
	ipp->data = NULL;
	/* CUPS without any queue answers not-found */
	if (err != NULL && err->code == IPP_STATUS_ERROR_NOT_FOUND)
		err = NULL;
	else if (err == NULL)
		tell_entries(&l, ipp->response);
	if (err != NULL) {
		wrapped = *err;
		if (err->kind != ERR_CANCELED)
			(void)err_wrap(&wrapped, "queues of CUPS");
		err = &wrapped;
	}
	l.op->done(l.op, err);
}

int queue_list(struct queues *qs, struct local_op *op,
               void (*each)(void *data, const char *name, const char *info,
                            const char *make_and_model),
               void *each_data, struct err *err)
{
	static const char *const names[] = { "printer-name", "printer-info",
		                             "printer-make-and-model" };
	struct listing *l = xcalloc(1, sizeof(*l));

	*l = (struct listing){ .op = op, .each = each, .data = each_data };
	ipp_op_clear(&op->ipp);
	op->ipp.http = qs->http;
	op->ipp.peer = qs->control;
	op->ipp.url = qs->url;
	op->ipp.request = ippNewRequest(IPP_OP_CUPS_GET_PRINTERS);
	ippAddString(op->ipp.request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL,
	             QUEUE_USER);
	queue_ask_for(op->ipp.request, names, ARRAY_SIZE(names));
	op->ipp.timeout_ms = QUEUE_ASK_MS;
	op->ipp.done = on_listed;
	op->ipp.data = l;
	if (ipp_op_start(&op->ipp, err) == 0)
		return 0;
	free(l);
	return -1;
}
