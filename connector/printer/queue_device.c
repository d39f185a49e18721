/* The IPP printer behind a queue of CUPS (device-uri ipp or ipps), asked itself: CUPS hands its
 * severities, supplies and paper on incompletely or not at all, and cannot ask it to identify
 * itself. It is asked once at the start, after each event of the queue but not more often than once
 * a second, every two seconds while something prints, every ten while it is in trouble, and every
 * five minutes else. One level only: what is behind it in turn is its own affair.
 *
 * What can fail: it does not answer, or not us (a certificate that nobody vouches for, a password,
 * another network). That changes nothing: CUPS decides what it can print, its words are what is
 * told. What the printer said stays for three failures, since some are silent while they print.
 * A device that is the queue itself is left alone. */
#include "connector/printer/queue_impl.h"

#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_table.h"
#include "connector/printer/printer_reasons.h"

#define ANSWER_MS    10000 /* an exchange */
#define GAP_MS       1000  /* between two at least */
#define SPREAD_MS    10    /* for each printer at the start */
#define BUSY_MS      2000
#define TROUBLE_MS   10000
#define IDLE_MS      300000
#define RETRY_MIN_MS 10000
#define RETRY_MAX_MS 600000
#define FORGET       3 /* failures */

static const char *const wanted[] = {
	"printer-state",
	"printer-state-reasons",
	"printer-state-message",
	"printer-alert",
	"printer-alert-description",
	"printer-supply",
	"printer-supply-description",
	"printer-input-tray",
	"printer-output-tray",
	"media-ready",
	"media-col-ready",
	"identify-actions-default",
	"identify-actions-supported",
	"operations-supported",
	"printer-uuid",
};

struct device {
	struct queue *queue; /* NULL: let go, freed with the last pin */
	unsigned pins;       /* the queue, an exchange, what uses it to identify */
	char *uri, *url;
	struct http_peer *peer;
	struct ipp_op op;
	struct timer timer;
	struct attrs
		*said; /* state, paper, supplies, what it can do to be found; NULL: not known */
	bool identifies, itself, asking, again;
	int64_t asked_at; /* loop ms */
	unsigned failures;
};

static void on_answer(struct ipp_op *op, const struct err *err);

void queue_device_put(struct device *d)
{
	if (--d->pins > 0)
		return;
	ipp_op_clear(&d->op);
	http_peer_free(d->peer);
	attrs_unref(d->said);
	free(d->uri);
	free(d->url);
	free(d);
}

/* ---- when ----------------------------------------------------------------------------------- */

static int64_t now(const struct device *d)
{
	return d->queue->qs->clock->now_ms(d->queue->qs->clock);
}

static int64_t random_below(const struct device *d, int64_t most)
{
	struct clock *clock = d->queue->qs->clock;

	return (int64_t)(clock->random(clock) % (uint64_t)most);
}

static bool is_in_trouble(const struct device *d)
{
	struct printer_reasons reasons;

	if (d->said == NULL)
		return false;
	printer_reasons_read(attrs_ipp(d->said), false, &reasons);
	return printer_reasons_have_error(&reasons) ||
	       ipp_get_int(attrs_ipp(d->said), IPP_TAG_ZERO, "printer-state", 0) ==
	               IPP_PSTATE_STOPPED;
}

static int64_t next_delay(const struct device *d)
{
	const struct queue *q = d->queue;
	int64_t most = RETRY_MIN_MS << (d->failures < 7 ? d->failures : 7);

	if (d->failures > 0) {
		most = most < RETRY_MAX_MS ? most : RETRY_MAX_MS;
		return RETRY_MIN_MS + random_below(d, most - RETRY_MIN_MS + 1);
	}
	if (d->again)
		return GAP_MS;
	if (q->printer_state == IPP_PSTATE_PROCESSING || q->follows != NULL)
		return BUSY_MS;
	if (is_in_trouble(d))
		return TROUBLE_MS;
	return IDLE_MS - IDLE_MS / 4 + random_below(d, IDLE_MS / 2);
}

static void on_timer(struct timer *t)
{
	struct device *d = t->data;
	struct err err;

	ipp_op_clear(&d->op);
	d->again = false;
	d->asked_at = now(d);
	d->op.http = d->queue->qs->http;
	d->op.peer = d->peer;
	d->op.url = d->url;
	d->op.request = ipp_request(IPP_OP_GET_PRINTER_ATTRIBUTES, "printer-uri", d->uri);
	queue_add_user(d->op.request, NULL);
	queue_ask_for(d->op.request, wanted, ARRAY_SIZE(wanted));
	d->op.timeout_ms = ANSWER_MS;
	d->op.done = on_answer;
	d->op.data = d;
	d->asking = ipp_op_start(&d->op, &err) == 0;
	if (d->asking)
		d->pins++;
	else
		timer_start(&d->timer, RETRY_MAX_MS);
}

void queue_device_ask(struct queue *q)
{
	struct device *d = q->device;
	int64_t due;

	if (d == NULL || d->itself)
		return;
	d->again = true;
	if (d->asking || d->said == NULL || d->failures > 0)
		return; /* the first time, and of a silent one the next, comes by itself */
	due = d->asked_at + GAP_MS - now(d);
	timer_start(&d->timer, due > 0 ? due : 0);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_wanted(const char *name)
{
	return str_is_listed(name, wanted, ARRAY_SIZE(wanted));
}

/* What is worth keeping of it, checked like everything that printers say. */
static struct attrs *clean(ipp_t *answer)
{
	ipp_t *out = ippNew();

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a != NULL;
	     a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);
		const struct capability *as = name != NULL ? capability_find(name) : NULL;

		if (as != NULL && ippGetGroupTag(a) == IPP_TAG_PRINTER && is_wanted(name) &&
		    ippFindAttribute(out, name, IPP_TAG_ZERO) == NULL)
			capability_copy(out, as, a);
	}
	return attrs_new(out);
}

static bool is_itself(const struct device *d, ipp_t *answer)
{
	const char *uuid = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-uuid", "");

	return uuid[0] != '\0' && strcasecmp(uuid, d->queue->status.printer_uuid) == 0;
}

/* Takes what it says now (consumed, NULL: nothing); the queue is looked at again when it is other
 * than before. */
static void set_said(struct device *d, struct attrs *said, bool identifies)
{
	bool other = !attrs_equal(d->said, said), able = d->identifies != identifies;

	attrs_unref(d->said);
	d->said = said;
	d->identifies = identifies;
	if (other || able)
		queue_want(d->queue, able ? WANT_ALL : WANT_STATE);
}

static void take_answer(struct device *d, ipp_t *answer)
{
	ipp_attribute_t *ops = ippFindAttribute(answer, "operations-supported", IPP_TAG_ENUM);

	d->failures = 0;
	d->itself = is_itself(d, answer);
	if (d->itself)
		set_said(d, NULL, false);
	else
		set_said(d, clean(answer),
		         ops != NULL && ippContainsInteger(ops, IPP_OP_IDENTIFY_PRINTER));
}

static void on_answer(struct ipp_op *op, const struct err *err)
{
	struct device *d = op->data;

	d->asking = false;
	if (d->queue != NULL && (err == NULL || err->kind != ERR_CANCELED)) {
		if (err == NULL)
			take_answer(d, op->response);
		else if (++d->failures >= FORGET)
			set_said(d, NULL, false);
		if (!d->itself)
			timer_start(&d->timer, next_delay(d));
	}
	ipp_op_clear(op);
	queue_device_put(d);
}

/* ---- from outside --------------------------------------------------------------------------- */

void queue_device_close(struct queue *q)
{
	struct device *d = TAKE(q->device);

	if (d == NULL)
		return;
	q->qs->devices--;
	d->queue = NULL;
	timer_stop(&d->timer);
	if (d->asking)
		ipp_op_cancel(&d->op);
	queue_device_put(d);
}

/* Without the options of CUPS' backend; NULL: no IPP printer, or one that wants a password. */
static char *address(ipp_t *answer, char url[static URI_SIZE])
{
	char *uri = xstrdup(ipp_get_text(answer, IPP_TAG_PRINTER, "device-uri", ""));
	struct err err;

	uri[strcspn(uri, "?")] = '\0';
	if (!queue_is_uri(uri) || ipp_http_url(uri, url, URI_SIZE, &err) < 0)
		free(TAKE(uri));
	return uri;
}

void queue_device_find(struct queue *q, ipp_t *answer)
{
	const struct http_peer_settings settings = { .proxy = "", .max_active = 2 };
	char url[URI_SIZE];
	char *uri = q->cups ? address(answer, url) : NULL;
	struct device *d;

	if (uri != NULL && q->device != NULL && strcmp(q->device->uri, uri) == 0) {
		free(uri);
		return;
	}
	queue_device_close(q);
	if (uri == NULL)
		return;
	d = q->device = xcalloc(1, sizeof(*d));
	d->queue = q;
	d->pins = 1;
	d->uri = uri;
	d->url = xstrdup(url);
	d->peer = http_peer_new(q->qs->http, &settings);
	timer_init(&d->timer, q->qs->clock, on_timer, d);
	timer_start(&d->timer, random_below(d, (int64_t)++q->qs->devices * SPREAD_MS));
}

ipp_t *queue_device_says(const struct queue *q)
{
	return q->device != NULL && q->device->said != NULL ? attrs_ipp(q->device->said) : NULL;
}

bool queue_device_identifies(const struct queue *q)
{
	return q->device != NULL && q->device->identifies;
}

struct device *queue_device_use(struct queue *q, struct ipp_op *op, const char **ret_uri)
{
	struct device *d = q->device;

	d->pins++;
	op->peer = d->peer;
	op->url = d->url;
	*ret_uri = d->uri;
	return d;
}
