/* channel.c - the life of one printer's line to its cloud.
 *
 *   idle --first update()--> waiting (spread) --> attributes --> active --> subscribing
 *                               ^                                               |
 *                               | outage: back-off, refused: rarely             v
 *                               +------------------------------ listening <-- listing
 *
 * Happy path: Update-Output-Device-Attributes (all), Update-Active-Jobs (when there are any),
 * Create-Printer-Subscriptions, Get-Jobs fetchable, then Get-Notifications for ever. While that
 * long poll runs, lists, changed attributes, heartbeats and renewals go beside it.
 *
 * What can fail, in any phase:
 * - no answer, or a temporary error: offline; again with back-off and full jitter (outage.h).
 * - 401, 403, 404, 410 of HTTP, not-authenticated and the like of IPP, twice in a row: refused;
 *   again every 15 to 30 minutes.
 * - not-found of IPP while listening: the server has forgotten device or subscription. The whole
 *   sequence again, at once the first time.
 * - the connection drops on Update-Active-Jobs: never sent to this cloud again.
 * - an answer that comes after its exchange was given up: dropped. No new try before all of them
 *   have come. */
#include "connector/cloud/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"

#define CONTROL_MS   30000 /* one exchange that has no reason to wait */
#define SPREAD_ABOVE 50    /* large: more channels than this */
#define POLL_MS      75000 /* servers hold Get-Notifications for 30 s */
#define TO(phase)    (1u << PHASE_##phase)

struct phase {
	const char *name;
	unsigned allowed;
	enum channel_state state;
	void (*enter)(struct channel *ch);
};

static void enter_idle(struct channel *ch);
static void enter_waiting(struct channel *ch);
static void enter_listening(struct channel *ch);

static const struct phase phases[PHASE_COUNT] = {
	[PHASE_IDLE] = { "idle", TO(WAITING), CHANNEL_CONNECTING, enter_idle },
	[PHASE_ATTRIBUTES] = { "attributes", TO(ACTIVE) | TO(SUBSCRIBING) | TO(WAITING),
	                       CHANNEL_CONNECTING, channel_connect_attributes },
	[PHASE_ACTIVE] = { "active", TO(SUBSCRIBING) | TO(WAITING), CHANNEL_CONNECTING,
	                   channel_connect_active },
	[PHASE_SUBSCRIBING] = { "subscribing", TO(LISTING) | TO(WAITING), CHANNEL_CONNECTING,
	                        channel_connect_subscribe },
	[PHASE_LISTING] = { "listing", TO(LISTENING) | TO(WAITING), CHANNEL_CONNECTING,
	                    channel_listen_list },
	[PHASE_LISTENING] = { "listening", TO(WAITING), CHANNEL_ONLINE, enter_listening },
	[PHASE_WAITING] = { "waiting", TO(ATTRIBUTES), CHANNEL_OFFLINE, enter_waiting },
};

static void ref(struct channel *ch)
{
	ch->refs++;
}

void channel_unref(struct channel *ch)
{
	if (--ch->refs)
		return;
	channel_connect_clear(ch);
	attrs_unref(ch->capabilities);
	attrs_unref(ch->state);
	token_free(ch->token);
	if (ch->events)
		target_clear(ch->events);
	free(ch->events);
	target_clear(&ch->target);
	service_peer_release(ch->cloud, ch->peer);
	service_unref(ch->cloud);
	free(ch);
}

int64_t channel_now(const struct channel *ch)
{
	return ch->cloud->clock->now_ms(ch->cloud->clock);
}

/* ---- phases ---- */

static void tell(struct channel *ch, enum channel_state state)
{
	bool trouble = state == CHANNEL_OFFLINE || state == CHANNEL_REFUSED;
	bool other =
		trouble && (ch->trouble.kind != ch->told_kind || ch->trouble.code != ch->told_code);

	/* a try in the middle of an outage is nobody's business */
	if (state == CHANNEL_CONNECTING && ch->told_any && ch->outage.failures > 0 &&
	    ch->told != CHANNEL_ONLINE)
		return;
	if (ch->told_any && ch->told == state && !other)
		return;
	ch->told = state;
	ch->told_kind = ch->trouble.kind;
	ch->told_code = ch->trouble.code;
	ch->told_any = true;
	if (!ch->closing && ch->listener.state)
		ch->listener.state(ch->listener.data, state, trouble ? &ch->trouble : NULL);
}

void channel_move(struct channel *ch, enum channel_phase to)
{
	if (ch->closing)
		return;
	assert(phases[ch->phase].allowed >> to & 1);
	ch->phase = to;
	ref(ch);
	if (to != PHASE_WAITING)
		tell(ch, phases[to].state);
	if (!ch->closing && ch->phase == to)
		phases[to].enter(ch);
	channel_unref(ch);
}

static void enter_idle(struct channel *ch)
{
	(void)ch;
}

/* channel_fail() and channel_update() have started the timer. */
static void enter_waiting(struct channel *ch)
{
	ch->due = false;
}

static void enter_listening(struct channel *ch)
{
	ch->online_since = channel_now(ch);
	channel_listen_start(ch);
}

/* ---- exchanges ---- */

/* Subscriptions and their events have a host of their own at some clouds. */
static enum host host_of(const struct channel *ch, ipp_t *request)
{
	if (!ch->events)
		return HOST_PRINT;
	switch ((int)ippGetOperation(request)) {
	case IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS:
	case IPP_OP_RENEW_SUBSCRIPTION:
	case IPP_OP_CANCEL_SUBSCRIPTION:
	case IPP_OP_GET_NOTIFICATIONS:
		return HOST_NOTIFICATION;
	}
	return HOST_PRINT;
}

void channel_prepare(struct channel *ch, struct talk *t, ipp_t *request, enum host host)
{
	const struct universal *u = ch->cloud->universal;
	bool events = host == HOST_NOTIFICATION;

	*t = (struct talk){
		.ipp = {
			.http = ch->cloud->http,
			.peer = !u ? ch->peer->http : events ? u->notification : u->print,
			.url = events ? ch->events->url : ch->target.url,
			.request = request,
			.tally = ch->cloud->stats.requests,
		},
		.cloud = ch->cloud,
		.token = ch->token,
		.host = host,
	};
}

void channel_ask(struct channel *ch, struct channel_call *call, ipp_t *request,
                 void (*done)(struct ipp_op *op, const struct err *err))
{
	struct err err;

	assert(!call->busy);
	channel_prepare(ch, &call->talk, request, host_of(ch, request));
	call->talk.ipp.timeout_ms = call == &ch->poll ? POLL_MS : CONTROL_MS;
	call->talk.ipp.done = done;
	call->talk.ipp.data = ch;
	if (talk_start(&call->talk, &err) < 0) {
		talk_clear(&call->talk);
		channel_fail(ch, &err);
		return;
	}
	call->busy = true;
	ref(ch);
}

static bool is_busy(const struct channel *ch)
{
	return ch->control.busy || ch->list.busy || ch->poll.busy;
}

static void give_up(struct channel_call *call)
{
	if (!call->busy || call->abandoned)
		return;
	call->abandoned = true;
	talk_cancel(&call->talk);
}

bool channel_answered(struct channel *ch, struct channel_call *call)
{
	bool counts = !call->abandoned && !ch->closing;

	call->busy = false;
	call->abandoned = false;
	if (!counts) {
		talk_clear(&call->talk);
		if (ch->due && !is_busy(ch) && ch->phase == PHASE_WAITING)
			channel_move(ch, PHASE_ATTRIBUTES);
	}
	if (!counts)
		channel_unref(ch);
	return counts;
}

/* ---- outages ---- */

static void stop(struct channel *ch)
{
	channel_listen_stop(ch);
	give_up(&ch->control);
	give_up(&ch->list);
	give_up(&ch->poll);
}

void channel_fail(struct channel *ch, const struct err *err)
{
	struct outage_plan plan;
	int64_t online_ms = ch->online_since ? channel_now(ch) - ch->online_since + 1 : 0;

	if (ch->closing || ch->phase == PHASE_WAITING)
		return;
	plan = outage_after(&ch->outage, err, online_ms,
	                    ch->cloud->clock->random(ch->cloud->clock));
	ch->trouble = *err;
	if (plan.state == CHANNEL_REFUSED && ch->cloud->universal)
		universal_explain(err, &ch->trouble);
	else if (plan.state == CHANNEL_REFUSED)
		outage_explain(err, &ch->trouble);
	ch->online_since = 0;
	stop(ch);
	timer_start(&ch->wait, plan.delay_ms);
	ref(ch);
	channel_move(ch, PHASE_WAITING);
	tell(ch, plan.state);
	channel_unref(ch);
}

static void on_wait(struct timer *t)
{
	struct channel *ch = t->data;

	ch->due = true;
	if (!is_busy(ch))
		channel_move(ch, PHASE_ATTRIBUTES);
}

/* ---- for core ---- */

/* Where it is, and with what it shows who it is. */
static int find_place(struct channel *ch, const struct channel_settings *settings, struct err *err)
{
	const struct universal *u = ch->cloud->universal;

	if (!u) {
		if (target_set(&ch->target, settings->uri, settings->device_uuid,
		               settings->username, err) < 0)
			return -1;
		ch->peer = service_peer(ch->cloud, settings);
		return 0;
	}
	if (token_new(&ch->token, ch->cloud, settings, err) < 0)
		return -1;
	ch->events = xcalloc(1, sizeof(*ch->events));
	return universal_targets(u, settings->uri, settings->identity->device, &ch->target,
	                         ch->events, err);
}

int channel_open(struct channel **ret, struct cloud *c, const struct channel_settings *settings,
                 const struct channel_listener *listener, struct err *err)
{
	struct channel *ch = xcalloc(1, sizeof(*ch));

	ch->refs = 1;
	ch->listener = *listener;
	ch->cloud = c;
	service_ref(c);
	if (find_place(ch, settings, err) < 0) {
		channel_unref(ch);
		return -1;
	}
	ch->outage.strict = c->universal;
	ch->no_document_status = !c->dialect->document_status;
	ch->no_document_acknowledge = !c->dialect->document_acknowledge;
	c->channels++;
	timer_init(&ch->wait, c->clock, on_wait, ch);
	channel_listen_init(ch);
	*ret = ch;
	return 0;
}

void channel_close(struct channel *ch)
{
	if (!ch)
		return;
	ch->closing = true;
	ch->cloud->channels--;
	timer_stop(&ch->wait);
	stop(ch);
	channel_unref(ch);
}

static int64_t spread(const struct channel *ch)
{
	struct clock *clock = ch->cloud->clock;
	int64_t pause_ms = ch->cloud->start_ms - clock->now_ms(clock);

	if (pause_ms < 0)
		pause_ms = 0;
	if (ch->cloud->channels > SPREAD_ABOVE)
		pause_ms +=
			(int64_t)(clock->random(clock) % (uint64_t)ch->cloud->dialect->spread_ms);
	return pause_ms;
}

static void replace(struct attrs **old, struct attrs *new)
{
	struct attrs *was = *old;

	*old = new ? attrs_ref(new) : NULL;
	attrs_unref(was);
}

void channel_update(struct channel *ch, struct attrs *capabilities, struct attrs *state)
{
	replace(&ch->capabilities, capabilities);
	replace(&ch->state, state);
	if (ch->phase == PHASE_IDLE) {
		timer_start(&ch->wait, spread(ch));
		channel_move(ch, PHASE_WAITING);
	} else if (ch->phase == PHASE_LISTENING) {
		channel_listen_errands(ch);
	}
}

void channel_list(struct channel *ch)
{
	if (ch->list.busy)
		ch->list_again = true;
	else if (ch->phase == PHASE_LISTENING)
		timer_start(&ch->relist, 0);
}

void channel_doubt(struct channel *ch)
{
	if (ch->phase != PHASE_LISTENING)
		return;
	ch->wants_heartbeat = true;
	channel_listen_errands(ch);
}
