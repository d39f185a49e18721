/* channel_listen.c - what runs while a channel is up: the long poll, lists, and errands.
 *
 * Get-Notifications is always under way, but for the pauses that channel_pace_next() wants. Events
 * are hints: a list follows those that may mean something fetchable, every minute too, and when
 * core asks; one under way, at most one more after it. Errands go one after another: identify,
 * renewal of the lease, attributes. Attributes that keep changing are told a few times at once,
 * then as they are every few seconds; a printer that is merely busy does not use up what its
 * troubles may take.
 *
 * What can fail: everything ends in channel_fail(), but for
 * - a long poll that breaks after it had waited: something in between does not like idle
 *   connections. A list takes its place, and shows whether the cloud is there.
 * - notifications from a host of their own: the printer stays on line, lists find its jobs, and the
 *   subscription is made again with back-off. */
#include "connector/cloud/channel.h"

#include <string.h>

#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/base/journal.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/offers.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"

#define CHANGES_MS  10000 /* between changes that go on and on: of reasons, */
#define DETAILS_MS  3000  /* of the rest */
#define FORGIVEN_MS 1000  /* a poll that broke after so long had waited: forgiven once, */
#define PATIENT_MS  10000 /* after so long: each time */

static uint64_t random_of(const struct channel *ch)
{
	return ch->cloud->clock->random(ch->cloud->clock);
}

/* Three quarters to five quarters of it. */
static int64_t jittered(const struct channel *ch, int64_t ms)
{
	return ms - ms / 4 + (int64_t)(random_of(ch) % (uint64_t)(ms / 2 + 1));
}

/* ---- lists ---- */

static void list_soon(struct channel *ch)
{
	if (ch->list.busy)
		ch->list_again = true;
	else
		channel_listen_list(ch);
}

static void plan_list(struct channel *ch)
{
	const struct dialect *d = ch->cloud->dialect;

	if (ch->phase != PHASE_LISTENING || ch->list.busy)
		return;
	if (ch->list_again)
		channel_listen_list(ch);
	else
		timer_start(&ch->relist,
		            jittered(ch, ch->subscription ? d->relist_ms : d->relist_all_ms));
}

static void tell_canceled(struct channel *ch, const int32_t *jobs, size_t count)
{
	for (size_t i = 0; i < count && !ch->closing; i++)
		ch->listener.canceled(ch->listener.data, jobs[i]);
}

static void on_list(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct offers offers = { 0 };
	struct err failed = { 0 };

	if (!channel_answered(ch, &ch->list))
		return;
	if (err)
		failed = *err;
	else
		offers_decode(op->response, ch->cloud->dialect, &offers);
	talk_clear(talk_of(op));
	if (err) {
		channel_fail(ch, &failed);
	} else {
		if (ch->phase == PHASE_LISTING)
			channel_move(ch, PHASE_LISTENING);
		tell_canceled(ch, offers.canceled, offers.canceled_count);
		if (!ch->closing)
			ch->listener.offers(ch->listener.data, offers.jobs, offers.count);
		if (!ch->closing)
			plan_list(ch);
	}
	offers_clear(&offers);
	channel_unref(ch);
}

void channel_listen_list(struct channel *ch)
{
	ch->list_again = false;
	timer_stop(&ch->relist);
	channel_ask(ch, &ch->list, request_list(&ch->target, ch->cloud->dialect), on_list);
}

static void on_relist(struct timer *t)
{
	struct channel *ch = t->data;

	if (ch->phase == PHASE_LISTENING)
		list_soon(ch);
}

/* ---- notifications ---- */

static void start_poll(struct channel *ch);

static void poll_after(struct channel *ch, int64_t delay_ms)
{
	if (ch->phase != PHASE_LISTENING || ch->closing)
		return;
	if (delay_ms > 0)
		timer_start(&ch->poll_delay, delay_ms);
	else
		start_poll(ch);
}

static void poll_fails(struct channel *ch, const struct err *err)
{
	if (ch->events)
		channel_listen_deaf(ch, err);
	else
		channel_fail(ch, err);
}

static void take_events(struct channel *ch, const struct channel_events *events, int64_t delay_ms)
{
	struct err ended;

	if (events->lag_s >= 0)
		histogram_add(&ch->cloud->stats.lag, events->lag_s * INT64_C(1000000));
	ch->seen = events->highest;
	ch->poll_failed = false;
	ch->deafness = (struct outage){ 0 };
	tell_canceled(ch, events->canceled, events->canceled_count);
	if (ch->closing)
		return;
	if (events->identify) {
		ch->wants_identify = true;
		channel_listen_errands(ch);
	}
	if (events->complete) {
		(void)err_set(&ended, ERR_GONE, IPP_STATUS_OK_EVENTS_COMPLETE,
		              "the cloud has ended the subscription");
		poll_fails(ch, &ended);
		return;
	}
	if (events->list || (events->lost && ch->events))
		list_soon(ch);
	poll_after(ch, delay_ms);
}

/* False: it is an outage. */
static bool is_forgiven(struct channel *ch, const struct err *err, bool answered,
                        int64_t elapsed_ms)
{
	if (answered &&
	    (err->kind == ERR_REJECTED || err->code == IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED)) {
		ch->subscription = 0; /* a server without Get-Notifications */
		list_soon(ch);
		return true;
	}
	if (answered || err->kind != ERR_TEMPORARY || err->retry_after_s ||
	    elapsed_ms < (ch->poll_failed ? PATIENT_MS : FORGIVEN_MS))
		return false;
	ch->poll_failed = true;
	list_soon(ch);
	poll_after(ch, 0);
	return true;
}

static void on_poll(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct channel_events events;
	struct err failed = { 0 };
	bool answered = op->response;
	int64_t elapsed_ms = channel_now(ch) - ch->poll_started;

	if (!channel_answered(ch, &ch->poll))
		return;
	if (err)
		failed = *err;
	else
		channel_events_decode(op->response, ch->seen, &events);
	talk_clear(talk_of(op));
	if (ch->polled != ch->subscription) /* of a subscription that was given up meanwhile */
		start_poll(ch);
	else if (!err)
		take_events(ch, &events,
		            ch->cloud->dialect->notify_wait
		                    ? channel_pace_next(&ch->pace, &events, elapsed_ms)
		                    : channel_pace_interval(&events));
	else if (ch->events || !is_forgiven(ch, &failed, answered, elapsed_ms))
		poll_fails(ch, &failed);
	channel_unref(ch);
}

/* Who waits for the next event is asked for what comes after the last one seen. */
static int32_t next_number(const struct channel *ch)
{
	if (ch->cloud->dialect->notify_wait)
		return channel_pace_from(&ch->pace, ch->seen);
	return ch->seen < INT32_MAX ? ch->seen + 1 : ch->seen;
}

static void start_poll(struct channel *ch)
{
	if (!ch->subscription || ch->poll.busy)
		return;
	ch->poll_started = channel_now(ch);
	ch->polled = ch->subscription;
	channel_ask(ch, &ch->poll,
	            request_notifications(ch->events ? ch->events : &ch->target, ch->cloud->dialect,
	                                  ch->subscription, next_number(ch)),
	            on_poll);
}

static void on_poll_delay(struct timer *t)
{
	poll_after(t->data, 0);
}

/* ---- errands ---- */

static void on_identify(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	char actions[NAME_SIZE], message[TEXT_SIZE];
	struct err failed = { 0 };

	if (!channel_answered(ch, &ch->control))
		return;
	if (!err) {
		ipp_join_text(op->response, IPP_TAG_OPERATION, "identify-actions", actions,
		              sizeof(actions));
		str_clean(ipp_get_text(op->response, IPP_TAG_OPERATION, "message", ""), message,
		          sizeof(message));
		str_clean(actions, actions, sizeof(actions));
	} else if (!op->response) {
		failed = *err; /* an IPP error only means that there is nothing to do any more */
	}
	talk_clear(talk_of(op));
	if (!err)
		ch->listener.identify(ch->listener.data, actions, message);
	if (failed.kind != ERR_NONE)
		channel_fail(ch, &failed);
	else
		channel_listen_errands(ch);
	channel_unref(ch);
}

static void renew(struct channel *ch)
{
	if (ch->lease_ms)
		timer_start(&ch->lease, ch->lease_ms / 2);
}

static void on_renew(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct err failed = { 0 };
	int lease_s = 0;

	if (!channel_answered(ch, &ch->control))
		return;
	if (err && op->response) /* whatever it is called: a new one is needed */
		(void)err_set(&failed, ERR_GONE, err->code, "%s", err->text);
	else if (err)
		failed = *err;
	else
		lease_s = ipp_get_int(op->response, IPP_TAG_SUBSCRIPTION, "notify-lease-duration",
		                      (int)(ch->lease_ms / 1000));
	talk_clear(talk_of(op));
	if (failed.kind != ERR_NONE && ch->events) {
		channel_listen_deaf(ch, &failed);
		channel_listen_errands(ch);
	} else if (failed.kind != ERR_NONE) {
		channel_fail(ch, &failed);
	} else {
		ch->lease_ms = lease_s > 0 ? (int64_t)lease_s * 1000 : 0;
		renew(ch);
		channel_listen_errands(ch);
	}
	channel_unref(ch);
}

static void join_reasons(const struct attrs *state, char text[static TEXT_SIZE])
{
	text[0] = '\0';
	if (state)
		ipp_join_text(attrs_ipp(state), IPP_TAG_ZERO, "printer-state-reasons", text,
		              TEXT_SIZE);
}

static bool has_other_reasons(const struct channel *ch)
{
	char now[TEXT_SIZE], sent[TEXT_SIZE];

	join_reasons(ch->state, now);
	join_reasons(ch->sent_state, sent);
	return strcmp(now, sent) != 0;
}

static bool may_tell_changes(struct channel *ch)
{
	struct allowance *a = has_other_reasons(ch) ? &ch->changes : &ch->details;
	int64_t now = channel_now(ch), wait = allowance_wait(a, now);

	if (wait > 0)
		timer_start(&ch->patience, wait);
	else
		allowance_use(a, now);
	return wait == 0;
}

static void on_errands(struct timer *t)
{
	struct channel *ch = t->data;

	if (ch->phase != PHASE_LISTENING || ch->control.busy)
		return;
	if (ch->wants_identify) {
		ch->wants_identify = false;
		channel_ask(ch, &ch->control,
		            request_new(&ch->target, IPP_OP_ACKNOWLEDGE_IDENTIFY_PRINTER),
		            on_identify);
	} else if (ch->wants_subscription) {
		ch->wants_subscription = false;
		channel_connect_subscribe(ch);
	} else if (ch->wants_lease) {
		ch->wants_lease = false;
		if (ch->subscription)
			channel_ask(ch, &ch->control,
			            request_renew(ch->events ? ch->events : &ch->target,
			                          ch->cloud->dialect, ch->subscription),
			            on_renew);
	} else if (ch->wants_heartbeat || (channel_connect_differs(ch) && may_tell_changes(ch))) {
		channel_connect_send(ch);
	}
}

void channel_listen_errands(struct channel *ch)
{
	if (ch->phase == PHASE_LISTENING && !ch->closing)
		timer_start(&ch->errands, 0);
}

static void on_heartbeat(struct timer *t)
{
	struct channel *ch = t->data;

	ch->wants_heartbeat = true;
	timer_start(&ch->heartbeat, jittered(ch, ch->cloud->heartbeat_ms));
	channel_listen_errands(ch);
}

static void on_lease(struct timer *t)
{
	struct channel *ch = t->data;

	ch->wants_lease = true;
	channel_listen_errands(ch);
}

static void on_resubscribe(struct timer *t)
{
	struct channel *ch = t->data;

	ch->wants_subscription = true;
	channel_listen_errands(ch);
}

/* ---- without ears ---- */

static struct log_about about(const struct channel *ch)
{
	return (struct log_about){ .cloud = ch->cloud->name };
}

void channel_listen_deaf(struct channel *ch, const struct err *err)
{
	struct universal *u = ch->cloud->universal;
	struct log_about cloud = about(ch);
	struct outage_plan plan;

	/* a subscription that is not known any more is made again at once, the first time */
	plan = outage_after(&ch->deafness, err, ch->subscription ? 1 : 0, random_of(ch));
	/* who has forgotten the one may have forgotten the other */
	if (err->kind == ERR_GONE && ch->subscription)
		channel_connect_unsent(ch);
	ch->subscription = 0;
	ch->lease_ms = 0;
	timer_stop(&ch->poll_delay);
	timer_stop(&ch->lease);
	timer_start(&ch->resubscribe, plan.delay_ms);
	if (plan.state != CHANNEL_CONNECTING && !ch->deaf) {
		ch->deaf = true;
		cloud.message_id = message_id(MESSAGE_NOTIFICATIONS_LOST);
		if (u->deaf++ == 0)
			log_event(LOG_LEVEL_WARNING, &cloud,
			          "no notifications from %s: %s; jobs are looked for every %d s "
			          "instead",
			          u->notification_url, err->text,
			          (int)(ch->cloud->dialect->relist_all_ms / 1000));
	}
	if (ch->phase == PHASE_LISTENING)
		list_soon(ch);
}

void channel_listen_hears(struct channel *ch)
{
	struct log_about cloud = about(ch);

	timer_stop(&ch->resubscribe);
	if (ch->deaf && --ch->cloud->universal->deaf == 0)
		log_event(LOG_LEVEL_INFO, &cloud, "notifications come from %s again",
		          ch->cloud->universal->notification_url);
	ch->deaf = false;
	if (ch->phase != PHASE_LISTENING)
		return;
	renew(ch);
	start_poll(ch);
}

/* ---- up and down ---- */

void channel_listen_init(struct channel *ch)
{
	struct clock *clock = ch->cloud->clock;

	ch->changes.step_ms = CHANGES_MS;
	ch->details.step_ms = DETAILS_MS;
	timer_init(&ch->poll_delay, clock, on_poll_delay, ch);
	timer_init(&ch->relist, clock, on_relist, ch);
	timer_init(&ch->errands, clock, on_errands, ch);
	timer_init(&ch->patience, clock, on_errands, ch);
	timer_init(&ch->heartbeat, clock, on_heartbeat, ch);
	timer_init(&ch->lease, clock, on_lease, ch);
	timer_init(&ch->resubscribe, clock, on_resubscribe, ch);
}

void channel_listen_start(struct channel *ch)
{
	ch->poll_failed = false;
	ch->wants_heartbeat = false;
	ch->wants_identify = false;
	ch->wants_lease = false;
	timer_start(&ch->heartbeat, jittered(ch, ch->cloud->heartbeat_ms));
	renew(ch);
	channel_listen_errands(ch);
	start_poll(ch);
}

void channel_listen_stop(struct channel *ch)
{
	timer_stop(&ch->poll_delay);
	timer_stop(&ch->relist);
	timer_stop(&ch->errands);
	timer_stop(&ch->patience);
	timer_stop(&ch->heartbeat);
	timer_stop(&ch->lease);
	timer_stop(&ch->resubscribe);
	if (ch->deaf)
		ch->cloud->universal->deaf--;
	ch->deaf = false;
}
