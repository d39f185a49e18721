/* Queues: how they begin and end, and how they are reached. queue_read.c keeps their state,
 * queue_jobs.c has the operations on jobs, queue_watch.c follows jobs. */
#include "connector/printer/queue.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/printer/queue_impl.h"
#include "connector/printer/printer_text.h"

#define CUPS_CONTROL   4 /* of the 16 connections to one cupsd */
#define CUPS_DOCUMENTS 12
#define IPP_ACTIVE     4
#define EVENTS_MS      1000

bool queue_is_uri(const char *name)
{
	return strncasecmp(name, "ipp://", 6) == 0 || strncasecmp(name, "ipps://", 7) == 0;
}

/* ---- all queues ----------------------------------------------------------------------------- */

static void note_event(struct queue *q, bool config)
{
	queue_want(q, config || !q->known ? WANT_ALL : WANT_STATE);
	queue_device_ask(q);
}

static void on_event_printer(void *data, const char *name, bool config)
{
	struct queues *qs = data;
	struct queue *q;

	for (q = qs->first; q != NULL; q = q->next)
		if (q->cups && (name[0] == '\0' || strcasecmp(q->name, name) == 0 ||
		                (config && queue_class_has(q, name))))
			note_event(q, config);
}

static void on_event_job(void *data, const char *name, int32_t job)
{
	struct queues *qs = data;
	struct queue *q;

	for (q = qs->first; q != NULL; q = q->next)
		if (q->cups && (name[0] == '\0' || strcasecmp(q->name, name) == 0))
			queue_watch_event(q, job);
}

static void on_events_lost(void *data)
{
	struct queues *qs = data;
	struct queue *q;

	for (q = qs->first; q != NULL; q = q->next) {
		if (!q->cups)
			continue;
		q->failures = 0;
		queue_want(q, WANT_ALL);
		queue_watch_event(q, 0);
	}
}

static void on_events_down(void *data, const struct err *err)
{
	struct queues *qs = data;
	struct queue *q;

	for (q = qs->first; q != NULL; q = q->next)
		if (q->cups)
			queue_is_down(q, err);
}

static void queues_put(struct queues *qs);

static void on_events_closed(void *data)
{
	queues_put(data);
}

static void on_restarts_known(void *data)
{
	struct queues *qs = data;

	for (struct queue *q = qs->first; q != NULL; q = q->next)
		if (q->cups)
			queue_watch_ready(q);
}

/* The begin of "host:port" is this machine. */
static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strncmp(server, "[::1]", 5) == 0 ||
	       strcmp(server, "localhost") == 0 || strncmp(server, "localhost:", 10) == 0;
}

static struct http_peer *cups_peer(struct queues *qs, unsigned max_active)
{
	struct http_peer_settings settings = {
		.unix_socket = qs->server[0] == '/' ? qs->server : NULL,
		.proxy = "",
		.max_active = max_active,
	};

	return http_peer_new(qs->http, &settings);
}

static int open_all(struct queues **ret, const struct queues_settings *settings, struct err *err)
{
	const char *server = settings->cups_server;
	struct queues *qs;

	if (server == NULL || server[0] == '\0')
		return err_set(err, ERR_REJECTED, 0, "cups-server is neither a path nor host:port");
	qs = xcalloc(1, sizeof(*qs));
	qs->http = settings->http;
	qs->clock = settings->clock;
	qs->server = xstrdup(server);
	qs->events_ms = settings->events_ms > 0 ? settings->events_ms : EVENTS_MS;
	qs->vault = settings->vault;
	qs->id = settings->id != NULL ? xstrdup(settings->id) : NULL;
	if (server[0] == '/')
		qs->url = xstrdup("http://localhost/");
	else
		qs->url = xasprintf("%s://%s/", is_loopback(server) ? "http" : "https", server);
	qs->control = cups_peer(qs, CUPS_CONTROL);
	qs->documents = cups_peer(qs, CUPS_DOCUMENTS);
	qs->waiting_end = &qs->waiting;
	qs->pins = 1;
	*ret = qs;
	return 0;
}

/* The first queue of CUPS brings the subscription, so that a host without CUPS is left alone. */
static void open_events(struct queues *qs)
{
	struct events_target target = {
		.http = qs->http,
		.clock = qs->clock,
		.peer = qs->control,
		.url = qs->url,
		.uri = "ipp://localhost/",
		.watched_ms = qs->events_ms,
		.data = qs,
		.on_printer = on_event_printer,
		.on_job = on_event_job,
		.on_lost = on_events_lost,
		.on_down = on_events_down,
		.closed = on_events_closed,
	};

	const struct restarts_target restarts = {
		.http = qs->http,
		.clock = qs->clock,
		.peer = qs->control,
		.url = qs->url,
		.id = qs->id,
		.data = qs,
		.known = on_restarts_known,
		.closed = on_events_closed,
	};

	if (qs->events != NULL)
		return;
	qs->pins++;
	qs->events = events_open(&target);
	if (qs->id == NULL)
		return;
	qs->pins++;
	qs->restarts = restarts_open(&restarts);
}

static void queues_put(struct queues *qs)
{
	if (--qs->pins > 0)
		return;
	http_peer_free(qs->control);
	http_peer_free(qs->documents);
	free_str(&qs->server);
	free_str(&qs->url);
	free_str(&qs->id);
	free(qs);
}

static void close_all(struct queues *qs)
{
	if (qs == NULL)
		return;
	qs->closed = true;
	events_close(TAKE(qs->events));
	restarts_close(TAKE(qs->restarts));
	queues_put(qs);
}

/* ---- one queue ------------------------------------------------------------------------------ */

void queue_cups_uri(const char *name, char ret[static URI_SIZE])
{
	if (httpAssembleURIf(HTTP_URI_CODING_ALL, ret, URI_SIZE, "ipp", NULL, "localhost", 0,
	                     "/printers/%s", name) < HTTP_URI_STATUS_OK)
		(void)snprintf(ret, URI_SIZE, "ipp://localhost/printers/");
}

static void reach_cups(struct queue *q)
{
	char uri[URI_SIZE];

	q->cups = true;
	q->url = xstrdup(q->qs->url);
	queue_cups_uri(q->name, uri);
	q->uri = xstrdup(uri);
	q->control = q->qs->control;
	q->documents = q->qs->documents;
}

static void reach_printer(struct queue *q, const char *pinned_key)
{
	struct http_peer_settings settings = {
		.pinned_key = pinned_key != NULL && pinned_key[0] != '\0' ? pinned_key : NULL,
		.proxy = "",
		.max_active = IPP_ACTIVE,
	};
	char url[URI_SIZE];
	struct err err;

	q->pinned = settings.pinned_key != NULL;
	q->uri = xstrdup(q->name);
	q->url = xstrdup(ipp_http_url(q->name, url, sizeof(url), &err) < 0 ? "" : url);
	q->control = q->documents = http_peer_new(q->qs->http, &settings);
}

struct queue *queue_new(struct queues *qs, const char *name, const char *pinned_key)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->qs = qs;
	qs->pins++;
	q->name = xstrdup(name);
	q->pins = 1;
	q->traits.create_job = q->traits.which_all = true; /* until it is known better */
	if (queue_is_uri(name))
		reach_printer(q, pinned_key);
	else
		reach_cups(q);
	q->status.whole = !q->cups;
	q->status.multiple_documents = q->cups;
	return q;
}

void queue_put(struct queue *q)
{
	struct queues *qs = q->qs;

	if (--q->pins > 0)
		return;
	if (!q->cups)
		http_peer_free(q->control);
	ipp_op_clear(&q->read);
	queue_class_clear(q);
	queue_driver_clear(q);
	free_str(&q->members);
	attrs_unref(q->capabilities);
	attrs_unref(q->state);
	attrs_unref(q->glance);
	free_str(&q->name);
	free_str(&q->uri);
	free_str(&q->url);
	free(q);
	queues_put(qs);
}

static struct queue *queue_open(struct queues *qs, const char *name, const char *pinned_key,
                                const struct queue_listener *listener)
{
	struct queue *q = queue_new(qs, name, pinned_key);

	q->listener = *listener;
	printer_text_set(q->status.text, sizeof(q->status.text), "%s %.100s was not asked yet",
	                 q->cups ? "queue" : "printer", name);
	q->state = printer_state_attrs(NULL, &q->status, NULL, NULL);
	q->next = qs->first;
	qs->first = q;
	if (q->cups) {
		open_events(qs);
	} else {
		qs->printers++;
		q->place = qs->places++;
	}
	queue_want(q, WANT_ALL);
	return q;
}

static void queue_close(struct queue *q)
{
	struct queue **at;

	if (q == NULL)
		return;
	for (at = &q->qs->first; *at != q; at = &(*at)->next)
		;
	*at = q->next;
	q->closed = true;
	q->qs->printers -= !q->cups;
	events_close(TAKE(q->events));
	queue_device_close(q);
	queue_read_stop(q);
	queue_put(q);
}

static const struct queue_status *queue_status(const struct queue *q)
{
	return &q->status;
}

static struct attrs *queue_capabilities(const struct queue *q)
{
	return q->capabilities;
}

static bool queue_takes(const struct queue *q, const char *format)
{
	ipp_t *known = q->capabilities != NULL ? attrs_ipp(q->capabilities) : NULL;
	ipp_attribute_t *list = ippFindAttribute(known, "document-format-supported", IPP_TAG_ZERO);

	for (int i = 0; i < ippGetCount(list); i++)
		if (strcasecmp(ippGetString(list, i, NULL), format) == 0)
			return true;
	return list == NULL;
}

static struct attrs *queue_state(const struct queue *q)
{
	return q->state;
}

static void queue_refresh(struct queue *q)
{
	q->failures = 0;
	q->untold = true;
	queue_want(q, q->known && q->status.health < QUEUE_MISSING ? WANT_STATE : WANT_ALL);
}

static void queue_reread(struct queue *q)
{
	q->untold = true;
	queue_want(q, WANT_ALL);
}

static void queue_trust(struct queue *q, const char *pinned_key)
{
	if (!q->cups)
		http_peer_pin(q->control, *pinned_key ? pinned_key : NULL);
	q->pinned = !q->cups && *pinned_key;
	q->failures = 0;
	queue_reread(q);
}

/* ---- requests ------------------------------------------------------------------------------- */

void queue_add_name(ipp_t *request, const char *name, const char *value)
{
	char clean[NAME_SIZE];

	printer_text_copy(clean, sizeof(clean), value);
	if (clean[0] != '\0')
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, name, NULL, clean);
}

void queue_add_user(ipp_t *request, const char *user_name)
{
	queue_add_name(request, "requesting-user-name",
	               user_name != NULL && user_name[0] != '\0' ? user_name : QUEUE_USER);
}

ipp_t *queue_request(const struct queue *q, ipp_op_t op, const char *user_name)
{
	ipp_t *request = ipp_request(op, "printer-uri", q->uri);

	queue_add_user(request, user_name);
	return request;
}

ipp_t *queue_job_request(const struct queue *q, ipp_op_t op, int32_t job, const char *user_name)
{
	ipp_t *request = ipp_request(op, "printer-uri", q->uri);

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-id", job);
	queue_add_user(request, user_name);
	return request;
}

void queue_ask_for(ipp_t *request, const char *const *names, int count)
{
	ippAddStrings(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", count,
	              NULL, names);
}

int queue_start(struct queue *q, struct ipp_op *op, ipp_t *request,
                void (*done)(struct ipp_op *op, const struct err *err), void *data, struct err *err)
{
	if (q->url[0] == '\0') {
		ippDelete(request);
		return err_set(err, ERR_REJECTED, 0, "%.100s is no address of a printer", q->name);
	}
	op->http = q->qs->http;
	op->peer = q->control;
	op->url = q->url;
	op->request = request;
	op->timeout_ms = QUEUE_ASK_MS;
	op->done = done;
	op->data = data;
	return ipp_op_start(op, err);
}

const struct queue_ops queue_ops = {
	.open_all = open_all,
	.close_all = close_all,
	.open = queue_open,
	.close = queue_close,
	.status = queue_status,
	.capabilities = queue_capabilities,
	.takes = queue_takes,
	.state = queue_state,
	.refresh = queue_refresh,
	.reread = queue_reread,
	.trust = queue_trust,
	.probe = queue_probe,
	.explain = queue_explain,
	.defaults = queue_defaults,
	.check = queue_check,
	.takes_document_password = queue_takes_document_password,
	.create = queue_create,
	.send = queue_send,
	.finish = queue_finish,
	.cancel = queue_cancel,
	.purge = queue_purge,
	.find = queue_find,
	.get = queue_get,
	.identify = queue_identify,
	.op_cancel = queue_op_cancel,
	.op_clear = queue_op_clear,
	.watch = queue_watch,
	.unwatch = queue_unwatch,
	.list = queue_list,
};
