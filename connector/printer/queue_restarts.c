/* When cupsd was started last: by a subscription to "server-started" alone, so that no other event
 * pushes that one out of the hundred which cupsd keeps. It lasts for a day and is found again by
 * its user data, so that it tells of starts while we were not there.
 *
 * Happy path: Get-Subscriptions, ours is there, Renew-Subscription, Get-Notifications. Asked again
 * whenever somebody got a new connection to cupsd, since no connection outlives it.
 *
 * cupsd forgets its events with each start, so that only the latest is told: what began since it
 * was asked the time before may have begun twice as well. Times are whole seconds: a job of the
 * same second counts as there before the start.
 *
 * What can fail: ours is not there, because it is our first life, we were away for a day, or cupsd
 * was killed before it had written it down (a new one; up to now it may have been started at any
 * time); cupsd wants none (then nothing is known, and nobody waits for it); no answer (who waits
 * asks again). */
#include "connector/printer/queue_restarts.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/http.h"
#include "connector/base/ipp_client.h"
#include "connector/printer/queue_impl.h"

#define LEASE_S 86400
#define AGAIN_S (LEASE_S / 2)

enum step { STEP_LIST, STEP_SUBSCRIBE, STEP_RENEW, STEP_FETCH };

struct restarts {
	struct restarts_target target;
	struct ipp_op op;
	enum step step;
	char id[33];          /* ours */
	int number;           /* notify-subscription-id; 0: none */
	unsigned connections; /* to cupsd when it was asked last */
	int64_t renewed;      /* clock's ms; 0: not yet */
	int64_t last;         /* start of cupsd that is known; its seconds, 0: none */
	int64_t asked;        /* when it was asked last; seconds, 0: never */
	int64_t seen;         /* ... before `last` was known: between them there may be others */
	int64_t unclear;      /* before that there may have been others; seconds */
	bool known, running, refused, closed;
};

static void on_done(struct ipp_op *op, const struct err *err);

static int64_t now(const struct restarts *r)
{
	return r->target.clock->now_ms(r->target.clock);
}

/* ---- requests ------------------------------------------------------------------------------- */

static ipp_t *make_request(const struct restarts *r)
{
	static const ipp_op_t codes[] = {
		[STEP_LIST] = IPP_OP_GET_SUBSCRIPTIONS,
		[STEP_SUBSCRIBE] = IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS,
		[STEP_RENEW] = IPP_OP_RENEW_SUBSCRIPTION,
		[STEP_FETCH] = IPP_OP_GET_NOTIFICATIONS,
	};
	ipp_t *request = ipp_request(codes[r->step], "printer-uri", "ipp://localhost/");

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL,
	             QUEUE_USER);
	switch (r->step) {
	case STEP_LIST:
		ippAddBoolean(request, IPP_TAG_OPERATION, "my-subscriptions", 1);
		break;
	case STEP_SUBSCRIBE:
		ippAddString(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-pull-method",
		             NULL, "ippget");
		ippAddString(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-events", NULL,
		             "server-started");
		ippAddOctetString(request, IPP_TAG_SUBSCRIPTION, "notify-user-data", r->id,
		                  (int)strlen(r->id));
		break;
	case STEP_RENEW:
		ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-id",
		              r->number);
		break;
	case STEP_FETCH:
		ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER,
		              "notify-subscription-ids", r->number);
		ippAddBoolean(request, IPP_TAG_OPERATION, "notify-wait", 0);
		break;
	}
	if (r->step == STEP_SUBSCRIBE || r->step == STEP_RENEW)
		ippAddInteger(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
		              "notify-lease-duration", LEASE_S);
	return request;
}

static void tell(struct restarts *r)
{
	r->target.known(r->target.data);
}

static void start(struct restarts *r, enum step step)
{
	struct err err;

	r->step = step;
	ipp_op_clear(&r->op);
	r->op.http = r->target.http;
	r->op.peer = r->target.peer;
	r->op.url = r->target.url;
	r->op.request = make_request(r);
	r->op.timeout_ms = QUEUE_ASK_MS;
	r->op.done = on_done;
	r->op.data = r;
	r->running = ipp_op_start(&r->op, &err) == 0;
}

static void ask(struct restarts *r)
{
	if (r->number == 0)
		start(r, STEP_LIST);
	else if (r->renewed == 0 || now(r) - r->renewed > AGAIN_S * 1000)
		start(r, STEP_RENEW);
	else
		start(r, STEP_FETCH);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* The subscription with our user data. */
static int find_ours(const struct restarts *r, ipp_t *answer)
{
	int number = 0, ours = 0;
	bool mine = false;

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a != NULL;
	     a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);
		int len = 0;
		const void *data;

		if (name == NULL) {
			number = 0;
			mine = false;
		} else if (strcmp(name, "notify-subscription-id") == 0 &&
		           ippGetValueTag(a) == IPP_TAG_INTEGER) {
			number = ippGetInteger(a, 0);
		} else if (strcmp(name, "notify-user-data") == 0 &&
		           ippGetValueTag(a) == IPP_TAG_STRING) {
			data = ippGetOctetString(a, 0, &len);
			mine = data != NULL && (size_t)len == strlen(r->id) &&
			       memcmp(data, r->id, (size_t)len) == 0;
		}
		if (mine && number > 0)
			ours = number;
	}
	return ours;
}

static int64_t wall_s(const struct restarts *r)
{
	return r->target.clock->wall_ms(r->target.clock) / 1000;
}

static void take_starts(struct restarts *r, ipp_t *answer)
{
	int64_t before = r->last;

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a != NULL;
	     a = ippNextAttribute(answer)) {
		if (ippGetName(a) == NULL || ippGetGroupTag(a) != IPP_TAG_EVENT_NOTIFICATION ||
		    strcmp(ippGetName(a), "printer-up-time") != 0 ||
		    ippGetValueTag(a) != IPP_TAG_INTEGER)
			continue;
		if (ippGetInteger(a, 0) > r->last)
			r->last = ippGetInteger(a, 0);
	}
	if (r->last != before)
		r->seen = r->asked;
	r->asked = wall_s(r);
}

/* Whatever is to be known is known. */
static void settle(struct restarts *r, bool known)
{
	r->known = known;
	r->connections = http_peer_connections(r->target.peer);
	tell(r);
}

static void take_answer(struct restarts *r, ipp_t *answer)
{
	switch (r->step) {
	case STEP_LIST:
		r->number = find_ours(r, answer);
		if (r->number == 0)
			start(r, STEP_SUBSCRIBE);
		else
			start(r, STEP_RENEW);
		return;
	case STEP_SUBSCRIBE:
		r->number = ipp_get_int(answer, IPP_TAG_SUBSCRIPTION, "notify-subscription-id", 0);
		r->renewed = now(r);
		r->refused = r->number == 0;
		r->unclear = r->asked = wall_s(r);
		settle(r, true);
		return;
	case STEP_RENEW:
		r->renewed = now(r);
		start(r, STEP_FETCH);
		return;
	case STEP_FETCH:
		take_starts(r, answer);
		settle(r, true);
		return;
	}
}

static void take_failure(struct restarts *r, const struct err *err)
{
	bool answered = r->op.response != NULL;

	if (r->step == STEP_LIST && err->kind == ERR_GONE) { /* so cupsd says that there is none */
		start(r, STEP_SUBSCRIBE);
		return;
	}
	if (answered && r->number != 0) {
		r->number = 0; /* gone: a new one */
		start(r, STEP_LIST);
		return;
	}
	r->refused = answered || err->kind == ERR_DENIED || err->kind == ERR_REJECTED;
	settle(r, r->refused);
}

static void on_done(struct ipp_op *op, const struct err *err)
{
	struct restarts *r = op->data;

	r->running = false;
	if (!r->closed && (err == NULL || err->kind != ERR_CANCELED)) {
		if (err == NULL)
			take_answer(r, op->response);
		else
			take_failure(r, err);
	}
	if (!r->running)
		ipp_op_clear(op);
	if (r->closed) {
		r->target.closed(r->target.data);
		free(r);
	}
}

/* ---- from outside --------------------------------------------------------------------------- */

struct restarts *restarts_open(const struct restarts_target *target)
{
	struct restarts *r = xcalloc(1, sizeof(*r));

	r->target = *target;
	(void)snprintf(r->id, sizeof(r->id), "%s", target->id);
	ask(r);
	return r;
}

void restarts_close(struct restarts *r)
{
	if (r == NULL)
		return;
	r->closed = true;
	if (r->running) {
		ipp_op_cancel(&r->op);
		return;
	}
	ipp_op_clear(&r->op);
	r->target.closed(r->target.data);
	free(r);
}

bool restarts_known(struct restarts *r)
{
	if (r == NULL)
		return true;
	if (r->running)
		return false;
	if (r->known && r->connections == http_peer_connections(r->target.peer))
		return true;
	ask(r);
	return false;
}

bool restarts_since(const struct restarts *r, int64_t processing)
{
	return r != NULL && processing <= r->last;
}

bool restarts_between(const struct restarts *r, int64_t created, int64_t processing)
{
	if (r == NULL || r->refused || created == 0 || processing == 0)
		return false;
	return (created <= r->last && (r->last <= processing || r->seen <= processing)) ||
	       (created < r->unclear && created < processing);
}

int64_t restarts_latest(const struct restarts *r)
{
	if (r == NULL)
		return 0;
	return r->last > r->unclear ? r->last : r->unclear;
}
