/* One ippget subscription.
 *
 * Happy path: Create-Printer-Subscriptions with a lease of ten minutes, Get-Notifications again
 * and again, Renew-Subscription when half of the lease is over.
 *
 * What can fail: no answer (told once, asked again with jitter, from a second up to a minute; then
 * everything is read again); the subscription is gone, e.g. after a restart (a new one, everything
 * is read again); a gap in the numbers (cupsd keeps 100 events: everything is read again); the
 * other side does not want it (no events; tried again after ten minutes). */
#include "connector/printer/queue_events.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/ipp_client.h"
#include "connector/printer/queue_impl.h"

#define LEASE_S      600
#define REFUSED_MS   600000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

enum step { STEP_SUBSCRIBE, STEP_FETCH, STEP_RENEW };

struct events {
	struct events_target target;
	struct ipp_op op;
	struct timer timer;
	enum step step;
	int id;            /* notify-subscription-id; 0: none */
	int expected;      /* the next notify-sequence-number */
	int64_t renew_at;  /* loop ms */
	int64_t asked_at;  /* loop ms */
	unsigned failures; /* in a row */
	bool running, watched, closed, refused;
};

static const char *const printer_events[] = {
	"printer-state-changed", "printer-stopped",  "printer-config-changed", "printer-added",
	"printer-deleted",       "printer-modified", "job-state-changed",      "job-completed",
};
/* An IPP printer (RFC 3995 5.3.3.4.3) has not heard of CUPS' three. */
static const char *const ipp_events[] = {
	"printer-state-changed", "printer-stopped", "printer-config-changed",
	"job-state-changed",     "job-completed",
};

static void on_done(struct ipp_op *op, const struct err *err);

static int64_t now(struct events *e)
{
	return e->target.clock->now_ms(e->target.clock);
}

/* ---- requests ------------------------------------------------------------------------------- */

static ipp_t *new_request(struct events *e, ipp_op_t code)
{
	ipp_t *request = ipp_request(code, "printer-uri", e->target.uri);

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL,
	             QUEUE_USER);
	return request;
}

static ipp_t *subscribe_request(struct events *e)
{
	ipp_t *request = new_request(e, IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS);
	bool cups = strcmp(e->target.uri, "ipp://localhost/") == 0;

	ippAddString(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-pull-method", NULL,
	             "ippget");
	ippAddStrings(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-events",
	              cups ? (int)ARRAY_SIZE(printer_events) : (int)ARRAY_SIZE(ipp_events), NULL,
	              cups ? printer_events : ipp_events);
	ippAddInteger(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              LEASE_S);
	return request;
}

static ipp_t *fetch_request(struct events *e)
{
	ipp_t *request = new_request(e, IPP_OP_GET_NOTIFICATIONS);

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-ids",
	              e->id);
	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-sequence-numbers",
	              e->expected);
	ippAddBoolean(request, IPP_TAG_OPERATION, "notify-wait", 0);
	return request;
}

static ipp_t *renew_request(struct events *e)
{
	ipp_t *request = new_request(e, IPP_OP_RENEW_SUBSCRIPTION);

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-id", e->id);
	ippAddInteger(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              LEASE_S);
	return request;
}

static ipp_t *request_of(struct events *e)
{
	if (e->id == 0)
		e->step = STEP_SUBSCRIBE;
	else if (now(e) >= e->renew_at)
		e->step = STEP_RENEW;
	else
		e->step = STEP_FETCH;
	switch (e->step) {
	case STEP_SUBSCRIBE:
		return subscribe_request(e);
	case STEP_RENEW:
		return renew_request(e);
	case STEP_FETCH:
		break;
	}
	return fetch_request(e);
}

static void on_timer(struct timer *t)
{
	struct events *e = t->data;
	struct err err;

	ipp_op_clear(&e->op);
	e->asked_at = now(e);
	e->op.http = e->target.http;
	e->op.peer = e->target.peer;
	e->op.url = e->target.url;
	e->op.request = request_of(e);
	e->op.timeout_ms = QUEUE_ASK_MS;
	e->op.done = on_done;
	e->op.data = e;
	e->running = ipp_op_start(&e->op, &err) == 0;
	if (!e->running)
		timer_start(&e->timer, RETRY_MAX_MS);
}

/* ---- answers -------------------------------------------------------------------------------- */

struct event {
	const char *name, *queue;
	int number, job;
};

static void take_attribute(struct event *event, ipp_attribute_t *attr)
{
	const char *name = ippGetName(attr);
	ipp_tag_t tag = ippGetValueTag(attr);

	if (strcmp(name, "notify-subscribed-event") == 0 && tag == IPP_TAG_KEYWORD)
		event->name = ippGetString(attr, 0, NULL);
	else if (strcmp(name, "printer-name") == 0 && tag == IPP_TAG_NAME)
		event->queue = ippGetString(attr, 0, NULL);
	else if (strcmp(name, "notify-sequence-number") == 0 && tag == IPP_TAG_INTEGER)
		event->number = ippGetInteger(attr, 0);
	else if ((strcmp(name, "notify-job-id") == 0 || strcmp(name, "job-id") == 0) &&
	         tag == IPP_TAG_INTEGER)
		event->job = ippGetInteger(attr, 0);
}

/* false: there is a gap before it. */
static bool tell_event(struct events *e, const struct event *event)
{
	bool whole = event->number <= e->expected;

	if (event->number < e->expected)
		return true; /* known */
	e->expected = event->number + 1;
	if (strncmp(event->name, "job-", 4) == 0)
		e->target.on_job(e->target.data, event->queue, event->job);
	else
		e->target.on_printer(e->target.data, event->queue,
		                     strcmp(event->name, "printer-state-changed") != 0 &&
		                             strcmp(event->name, "printer-stopped") != 0);
	return whole;
}

static void take_events(struct events *e, ipp_t *answer)
{
	ipp_attribute_t *attr = ippFirstAttribute(answer);
	bool whole = true;

	while (attr != NULL) {
		struct event event = { .name = "", .queue = "" };

		for (; attr != NULL && ippGetName(attr) != NULL &&
		       ippGetGroupTag(attr) == IPP_TAG_EVENT_NOTIFICATION;
		     attr = ippNextAttribute(answer))
			take_attribute(&event, attr);
		if (event.number > 0)
			whole = tell_event(e, &event) && whole;
		else if (attr != NULL)
			attr = ippNextAttribute(answer);
	}
	if (!whole)
		e->target.on_lost(e->target.data);
}

static void take_subscription(struct events *e, ipp_t *answer)
{
	e->id = ipp_get_int(answer, IPP_TAG_SUBSCRIPTION, "notify-subscription-id", 0);
	e->expected = 1;
	e->renew_at = now(e) + LEASE_S * 1000 / 2;
	if (e->id == 0)
		e->refused = true;
	else
		e->refused = false;
	/* what happened before it began, and whoever polls may stop */
	e->target.on_lost(e->target.data);
}

static void take_answer(struct events *e, ipp_t *answer)
{
	if (e->failures > 0 && e->step != STEP_SUBSCRIBE)
		e->target.on_lost(e->target.data);
	e->failures = 0;
	switch (e->step) {
	case STEP_SUBSCRIBE:
		take_subscription(e, answer);
		break;
	case STEP_FETCH:
		take_events(e, answer);
		break;
	case STEP_RENEW:
		e->renew_at = now(e) + LEASE_S * 1000 / 2;
		break;
	}
}

/* Whether the other side is there and says no, or is not there. */
static void take_failure(struct events *e, const struct err *err)
{
	bool answered = e->op.response != NULL;

	if (answered && e->id != 0) {
		e->id = 0; /* gone, expired or not ours any more: a new one */
	} else if (answered || err->kind == ERR_DENIED || err->kind == ERR_REJECTED) {
		if (!e->refused)
			e->target.on_lost(e->target.data);
		e->refused = true;
		e->id = 0;
	} else {
		if (e->failures++ == 0)
			e->target.on_down(e->target.data, err);
	}
}

static int64_t next_delay(struct events *e)
{
	int64_t most = RETRY_MIN_MS << (e->failures < 7 ? e->failures : 7);

	if (e->failures > 0) {
		most = most < RETRY_MAX_MS ? most : RETRY_MAX_MS;
		return RETRY_MIN_MS + (int64_t)(e->target.clock->random(e->target.clock) %
		                                (uint64_t)(most - RETRY_MIN_MS + 1));
	}
	if (e->refused)
		return REFUSED_MS;
	if (e->id == 0)
		return 0;
	if (e->watched || e->target.idle_delay == NULL)
		return e->target.watched_ms;
	return e->target.idle_delay(e->target.data, now(e) - e->asked_at);
}

static void on_done(struct ipp_op *op, const struct err *err)
{
	struct events *e = op->data;

	e->running = false;
	if (!e->closed && (err == NULL || err->kind != ERR_CANCELED)) {
		if (err == NULL)
			take_answer(e, op->response);
		else
			take_failure(e, err);
		timer_start(&e->timer, next_delay(e));
	}
	ipp_op_clear(op);
	if (e->closed) {
		e->target.closed(e->target.data);
		free(e);
	}
}

/* ---- from outside --------------------------------------------------------------------------- */

struct events *events_open(const struct events_target *target)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->target = *target;
	timer_init(&e->timer, target->clock, on_timer, e);
	timer_start(&e->timer, 0);
	return e;
}

void events_close(struct events *e)
{
	if (e == NULL)
		return;
	e->closed = true;
	timer_stop(&e->timer);
	if (e->running) {
		ipp_op_cancel(&e->op);
		return;
	}
	ipp_op_clear(&e->op);
	e->target.closed(e->target.data);
	free(e);
}

void events_watched(struct events *e, bool watched)
{
	bool sooner = e != NULL && watched && !e->watched && e->target.idle_delay != NULL;

	if (e == NULL)
		return;
	e->watched = watched;
	if (sooner && !e->running && e->failures == 0 && e->id != 0)
		timer_start(&e->timer, e->target.watched_ms);
}

bool events_work(const struct events *e)
{
	return e != NULL && e->id != 0;
}
