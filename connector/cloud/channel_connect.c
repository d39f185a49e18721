/* channel_connect.c - the exchanges that put a channel up: attributes, active jobs, subscription.
 * Attributes also go out while it is up, when they changed and as heartbeat.
 *
 * Attributes that the server does not take are remembered and left out until the next connection.
 * When a server takes none of it because of some that it names, it is asked once more without. */
#include "connector/cloud/channel.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"
#include "connector/cloud/up_attributes.h"

static void replace(struct attrs **old, struct attrs *new)
{
	struct attrs *was = *old;

	*old = new ? attrs_ref(new) : NULL;
	attrs_unref(was);
}

void channel_connect_unsent(struct channel *ch)
{
	replace(&ch->sent_capabilities, NULL);
	replace(&ch->sent_state, NULL);
}

static void forget(struct channel *ch)
{
	channel_connect_unsent(ch);
	for (size_t i = 0; i < ch->ignored.count; i++)
		free(ch->ignored.names[i]);
	free(ch->ignored.names);
	ch->ignored = (struct request_ignored){ 0 };
	ch->narrowed = false;
	ch->subscription = 0;
	ch->lease_ms = 0;
	ch->wants_subscription = false;
}

void channel_connect_clear(struct channel *ch)
{
	forget(ch);
	replace(&ch->way_capabilities, NULL);
	replace(&ch->way_state, NULL);
	free(ch->active);
	ch->active = NULL;
}

/* ---- attributes ---- */

bool channel_connect_differs(const struct channel *ch)
{
	return !attrs_equal(ch->capabilities, ch->sent_capabilities) ||
	       !attrs_equal(ch->state, ch->sent_state);
}

/* How many names were new. */
static size_t remember_ignored(struct channel *ch, ipp_t *answer)
{
	size_t before = ch->ignored.count;

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);

		if (!name || ippGetGroupTag(a) != IPP_TAG_UNSUPPORTED_GROUP ||
		    request_is_ignored(&ch->ignored, name))
			continue;
		if (ch->ignored.count == CHANNEL_IGNORED_MAX)
			break;
		if (!ch->ignored.names)
			ch->ignored.names =
				xcalloc(CHANNEL_IGNORED_MAX, sizeof(*ch->ignored.names));
		ch->ignored.names[ch->ignored.count++] = xstrdup(name);
	}
	return ch->ignored.count - before;
}

static void attributes_sent(struct channel *ch)
{
	replace(&ch->sent_capabilities, ch->way_capabilities);
	replace(&ch->sent_state, ch->way_state);
	ch->narrowed = false;
	if (ch->phase == PHASE_ATTRIBUTES)
		channel_move(ch, PHASE_ACTIVE);
	else
		channel_listen_errands(ch);
}

static void on_attributes(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct err failed = { 0 };
	size_t news;

	if (!channel_answered(ch, &ch->control))
		return;
	news = op->response ? remember_ignored(ch, op->response) : 0;
	if (err)
		failed = *err;
	talk_clear(talk_of(op));
	if (failed.kind == ERR_REJECTED && news && !ch->narrowed) {
		ch->narrowed = true;
		channel_connect_send(ch);
	} else if (!err || (failed.kind == ERR_REJECTED && ch->phase == PHASE_LISTENING)) {
		attributes_sent(ch); /* what is refused now is tried with the next change */
	} else {
		channel_fail(ch, &failed);
	}
	channel_unref(ch);
}

static ipp_t *attributes_request(const struct channel *ch, struct attrs *capabilities)
{
	const struct universal *u = ch->cloud->universal;
	struct up_host host;

	if (!u)
		return request_attributes(&ch->target, ch->cloud->dialect, capabilities, ch->state,
		                          &ch->ignored);
	host = (struct up_host){ VERSION, u->system, u->connector_name };
	return request_universal_attributes(&ch->target, &host, capabilities, ch->state,
	                                    &ch->ignored);
}

void channel_connect_send(struct channel *ch)
{
	bool whole = !attrs_equal(ch->capabilities, ch->sent_capabilities);
	struct attrs *capabilities = whole || !ch->state ? ch->capabilities : NULL;

	replace(&ch->way_capabilities, ch->capabilities);
	replace(&ch->way_state, ch->state);
	ch->wants_heartbeat = false;
	channel_ask(ch, &ch->control, attributes_request(ch, capabilities), on_attributes);
}

void channel_connect_attributes(struct channel *ch)
{
	forget(ch);
	channel_connect_send(ch);
}

/* ---- active jobs ---- */

static bool is_told(const struct channel *ch, int32_t job)
{
	for (size_t i = 0; i < ch->active_count; i++)
		if (ch->active[i].job == job)
			return true;
	return false;
}

static ipp_attribute_t *find(ipp_t *answer, const char *name, ipp_tag_t tag)
{
	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer))
		if (ippGetName(a) && strcmp(ippGetName(a), name) == 0 &&
		    ippGetGroupTag(a) == IPP_TAG_OPERATION && ippGetValueTag(a) == tag)
			return a;
	return NULL;
}

/* The jobs which the server believes to be ours: those that it wants canceled, and those that we
 * did not tell of. Finished ones, which ippserver lists too, are no news. */
static void read_active(struct channel *ch, ipp_t *answer)
{
	ipp_attribute_t *ids = find(answer, "job-ids", IPP_TAG_INTEGER);
	ipp_attribute_t *states = find(answer, "output-device-job-states", IPP_TAG_ENUM);

	for (int i = 0; ids && i < ippGetCount(ids) && !ch->closing; i++) {
		int32_t job = ippGetInteger(ids, i);
		int state = states && i < ippGetCount(states) ? ippGetInteger(states, i) : 0;

		if (job < 1)
			continue;
		if (is_told(ch, job)) {
			if (state == IPP_JSTATE_CANCELED)
				ch->listener.canceled(ch->listener.data, job);
		} else if (state < IPP_JSTATE_CANCELED) {
			ch->listener.assigned(ch->listener.data, job);
		}
	}
}

/* By curl's numbers: the connection was there and broke before the answer was whole. */
static bool is_dropped(const struct err *err)
{
	switch (err->code) {
	case 16: /* CURLE_HTTP2 */
	case 18: /* CURLE_PARTIAL_FILE */
	case 52: /* CURLE_GOT_NOTHING */
	case 55: /* CURLE_SEND_ERROR */
	case 56: /* CURLE_RECV_ERROR */
	case 92: /* CURLE_HTTP2_STREAM */
		return err->kind == ERR_TEMPORARY;
	}
	return false;
}

static void on_active(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct err failed = { 0 };

	if (!channel_answered(ch, &ch->control))
		return;
	if (err && !op->response)
		failed = *err;
	if (!err)
		read_active(ch, op->response);
	talk_clear(talk_of(op));
	if (failed.kind == ERR_NONE) { /* whoever does not understand it, works without */
		channel_move(ch, PHASE_SUBSCRIBING);
	} else {
		if (is_dropped(&failed))
			ch->cloud->active_breaks = true;
		channel_fail(ch, &failed);
	}
	channel_unref(ch);
}

void channel_connect_active(struct channel *ch)
{
	ch->active_count = 0;
	if (ch->cloud->dialect->active_jobs && !ch->cloud->active_breaks) {
		free(ch->active);
		ch->active = xcalloc(CHANNEL_ACTIVE_MAX, sizeof(*ch->active));
		ch->active_count =
			ch->listener.active(ch->listener.data, ch->active, CHANNEL_ACTIVE_MAX);
		if (ch->active_count == 0) {
			free(ch->active);
			ch->active = NULL;
		}
	}
	if (ch->active_count == 0)
		channel_move(ch, PHASE_SUBSCRIBING);
	else
		channel_ask(ch, &ch->control,
		            request_active(&ch->target, ch->active, ch->active_count), on_active);
}

/* ---- subscription ---- */

static void read_subscription(struct channel *ch, ipp_t *answer)
{
	int lease_s = ipp_get_int(answer, IPP_TAG_SUBSCRIPTION, "notify-lease-duration", 0);

	ch->subscription = ipp_get_int(answer, IPP_TAG_SUBSCRIPTION, "notify-subscription-id", 0);
	if (ch->subscription < 0)
		ch->subscription = 0;
	ch->lease_ms = lease_s > 0 ? (int64_t)lease_s * 1000 : 0;
	ch->seen = 0;
	ch->pace = (struct channel_pace){ 0 };
}

/* A host of notifications that fails does not keep the printer from its jobs. */
static void subscribe_apart(struct channel *ch, const struct err *failed)
{
	bool connecting = ch->phase == PHASE_SUBSCRIBING;

	if (failed->kind != ERR_NONE)
		channel_listen_deaf(ch, failed);
	else
		channel_listen_hears(ch);
	if (connecting)
		channel_move(ch, PHASE_LISTING);
	else
		channel_listen_errands(ch);
}

static void on_subscribe(struct ipp_op *op, const struct err *err)
{
	struct channel *ch = op->data;
	struct err failed = { 0 };
	bool unable;

	if (!channel_answered(ch, &ch->control))
		return;
	unable = err && op->response &&
	         (err->kind == ERR_REJECTED ||
	          op->ipp_status == IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED);
	/* A server that gives no subscription is asked for its list more often. */
	if (err && (ch->events || !unable))
		failed = *err;
	if (!err)
		read_subscription(ch, op->response);
	talk_clear(talk_of(op));
	if (ch->events && !err && !ch->subscription)
		(void)err_set(&failed, ERR_TEMPORARY, 0, "it gave no subscription");
	if (ch->events)
		subscribe_apart(ch, &failed);
	else if (failed.kind == ERR_NONE)
		channel_move(ch, PHASE_LISTING);
	else
		channel_fail(ch, &failed);
	channel_unref(ch);
}

void channel_connect_subscribe(struct channel *ch)
{
	channel_ask(ch, &ch->control,
	            request_subscribe(ch->events ? ch->events : &ch->target, ch->cloud->dialect),
	            on_subscribe);
}
