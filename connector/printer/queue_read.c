/* Keeping a queue's state and capabilities: Get-Printer-Attributes, whole at first, after an
 * outage and when the configuration changed, else of the state only.
 *
 * When: a CUPS queue after an event, and every five minutes in case one was missed; every ten
 * seconds where there are no events. An IPP printer every ten seconds, every second while it has
 * jobs; in between, where it has no events, it is glanced at (queue_tick.c): a few attributes, and
 * only when they are other than before the state. After a failure from one second on with jitter,
 * up to a minute. Of CUPS' queues two are read at a time, so that two thousand of them never keep a
 * job waiting.
 *
 * What can fail: no answer (DOWN), no such queue (MISSING). A device that CUPS cannot reach only
 * shows in words (printer_state.c), or in connecting for longer than five seconds. */
#include "connector/printer/queue_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/printer_text.h"
#include "connector/printer/ticket.h"

#define READS_MAX     2       /* of CUPS' queues at a time */
#define SAFETY_MS     300000  /* with events */
#define IDLE_MS       10000   /* without */
#define SLOW_MS       60000   /* what a glance does not tell */
#define WATCHED_MS    1000    /* an IPP printer with jobs */
#define WHOLE_MS      3600000 /* what it can do, though it says that this has not changed */
#define CONNECTING_MS 5000
#define RETRY_MIN_MS  1000
#define RETRY_MAX_MS  60000

/* They change whenever the state does; what is slow, such as supplies, need not be among them. */
static const char *const glanced[] = {
	"printer-state",
	"printer-state-reasons",
	"printer-state-message",
	"printer-state-change-time",
	"printer-is-accepting-jobs",
	"printer-config-change-time",
};

static void start_read(struct queue *q);

/* ---- when ----------------------------------------------------------------------------------- */

static int64_t retry_delay(struct queue *q)
{
	int64_t most = RETRY_MIN_MS << (q->failures < 7 ? q->failures : 7);
	uint64_t random = q->qs->clock->random(q->qs->clock);

	most = most < RETRY_MAX_MS ? most : RETRY_MAX_MS;
	return RETRY_MIN_MS + (int64_t)(random % (uint64_t)(most - RETRY_MIN_MS + 1));
}

static int64_t now_ms(const struct queue *q)
{
	return q->qs->clock->now_ms(q->qs->clock);
}

/* Nothing but looking at it tells that its state has changed. */
static bool is_glanced_at(const struct queue *q)
{
	return !q->cups && q->known && q->follows == NULL && q->connecting_since == 0 &&
	       !events_work(q->events);
}

static int64_t next_delay(struct queue *q)
{
	if (q->failures > 0)
		return retry_delay(q);
	if (q->connecting_since != 0)
		return CONNECTING_MS;
	if (is_glanced_at(q))
		return queue_tick_delay(q, now_ms(q) - q->asked_at);
	if (!q->cups)
		return q->follows != NULL ? WATCHED_MS : IDLE_MS;
	return events_work(q->qs->events) ? SAFETY_MS : IDLE_MS;
}

static void tell(struct queue *q)
{
	q->untold = false;
	if (!q->closed && q->listener.changed != NULL)
		q->listener.changed(q->listener.data);
}

static void on_timer(struct timer *t)
{
	struct queue *q = t->data;
	bool untold = q->untold;

	if (!q->known || q->status.health >= QUEUE_MISSING || now_ms(q) - q->whole_at > WHOLE_MS)
		queue_want(q, WANT_ALL);
	else if (is_glanced_at(q) && now_ms(q) - q->state_at < SLOW_MS)
		queue_want(q, WANT_GLANCE);
	else
		queue_want(q, WANT_STATE);
	if (untold)
		tell(q);
}

/* The next of CUPS' queues that waits in line. */
static void read_next(struct queues *qs)
{
	while (qs->waiting != NULL && qs->reads < READS_MAX) {
		struct queue *q = qs->waiting;

		qs->waiting = q->next_waiting;
		if (qs->waiting == NULL)
			qs->waiting_end = &qs->waiting;
		q->in_line = false;
		start_read(q);
	}
}

void queue_want(struct queue *q, enum queue_want want)
{
	if (q->closed)
		return;
	if (q->timer.clock == NULL)
		timer_init(&q->timer, q->qs->clock, on_timer, q);
	if (want > q->want)
		q->want = want;
	if (q->reading || q->in_line)
		return;
	timer_stop(&q->timer);
	if (!q->cups) {
		start_read(q);
		return;
	}
	q->in_line = true;
	q->next_waiting = NULL;
	*q->qs->waiting_end = q;
	q->qs->waiting_end = &q->next_waiting;
	read_next(q->qs);
}

void queue_watched(struct queue *q)
{
	/* not at once: most jobs are over before the printer's state is of any interest */
	if (q->closed || q->hurried || q->failures > 0 || !q->timer.armed)
		return;
	q->hurried = true;
	timer_start(&q->timer, next_delay(q));
}

static void leave_line(struct queue *q)
{
	struct queue **at;

	for (at = &q->qs->waiting; *at != NULL && *at != q; at = &(*at)->next_waiting)
		;
	if (*at == NULL)
		return;
	*at = q->next_waiting;
	if (*at == NULL)
		q->qs->waiting_end = at;
	q->in_line = false;
}

void queue_read_stop(struct queue *q)
{
	if (q->timer.clock != NULL)
		timer_stop(&q->timer);
	leave_line(q);
	if (q->reading)
		ipp_op_cancel(&q->read);
}

/* ---- what an answer changes ----------------------------------------------------------------- */

static bool is_same_status(const struct queue_status *a, const struct queue_status *b)
{
	return a->health == b->health && a->whole == b->whole &&
	       a->multiple_documents == b->multiple_documents &&
	       a->closes_after_s == b->closes_after_s && a->to_file == b->to_file &&
	       strcmp(a->text, b->text) == 0 && strcmp(a->info, b->info) == 0 &&
	       strcmp(a->make_and_model, b->make_and_model) == 0 &&
	       strcmp(a->printer_uuid, b->printer_uuid) == 0;
}

/* Takes the new state (consumed); true when it differs from the old. */
static bool set_attrs(struct attrs **slot, struct attrs *fresh)
{
	bool changed = !attrs_equal(*slot, fresh);

	if (changed) {
		attrs_unref(*slot);
		*slot = fresh;
	} else {
		attrs_unref(fresh);
	}
	return changed;
}

static bool set_status(struct queue *q, const struct queue_status *fresh, ipp_t *answer)
{
	bool changed = !is_same_status(&q->status, fresh);
	ipp_t *can = q->capabilities != NULL ? attrs_ipp(q->capabilities) : NULL;

	q->status = *fresh;
	return set_attrs(&q->state,
	                 printer_state_attrs(answer, fresh, can, queue_device_says(q))) ||
	       changed;
}

static void on_event_printer(void *data, const char *name, bool config)
{
	(void)name;
	queue_want(data, config ? WANT_ALL : WANT_STATE);
}

static void on_event_job(void *data, const char *name, int32_t job)
{
	(void)name;
	queue_watch_event(data, job);
}

static void on_events_lost(void *data)
{
	queue_want(data, WANT_ALL);
	queue_watch_event(data, 0);
}

static void on_events_down(void *data, const struct err *err)
{
	(void)err;
	queue_want(data, WANT_STATE); /* its own failure says it */
}

static void on_events_closed(void *data)
{
	queue_put(data);
}

static int64_t idle_delay(void *data, int64_t took_ms)
{
	return queue_tick_delay(data, took_ms);
}

static void open_events(struct queue *q)
{
	struct events_target target = {
		.http = q->qs->http,
		.clock = q->qs->clock,
		.peer = q->control,
		.url = q->url,
		.uri = q->uri,
		.watched_ms = WATCHED_MS,
		.idle_delay = idle_delay,
		.data = q,
		.on_printer = on_event_printer,
		.on_job = on_event_job,
		.on_lost = on_events_lost,
		.on_down = on_events_down,
		.closed = on_events_closed,
	};

	if (q->cups || q->events != NULL || !q->traits.ippget)
		return;
	q->pins++;
	q->events = events_open(&target);
	events_watched(q->events, q->follows != NULL);
}

/* Where the printer is that was asked to show itself. */
static void add_actions(ipp_t *to, ipp_t *device)
{
	static const char *const names[] = { "identify-actions-default",
		                             "identify-actions-supported" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ipp_attribute_t *attr = ippFindAttribute(device, names[i], IPP_TAG_KEYWORD);

		if (attr != NULL && ippFindAttribute(to, names[i], IPP_TAG_ZERO) == NULL)
			ippCopyAttribute(to, attr, 0);
	}
}

/* What the queue can do, what a mapping adds to it and what the printer behind it does. */
static struct attrs *read_capabilities(struct queue *q, ipp_t *answer)
{
	struct mapping mapping = { .n = 0 };
	struct attrs *own;
	ipp_t *more;

	q->grey = q->grey_read;
	driver_grey_withdraw(&q->grey, answer);
	own = q->class_reading != NULL ? queue_class_capabilities(q, answer)
	                               : capabilities_new(answer, q->cups, &q->listener);
	if (q->listener.mappings != NULL)
		mapping_of(q->listener.mappings(q->listener.data), q->name, &mapping);
	if (mapping.n == 0 && !queue_device_identifies(q))
		return own;
	more = ippNew();
	ippCopyAttributes(more, attrs_ipp(own), 0, NULL, NULL);
	attrs_unref(own);
	ticket_announce(more, &mapping, q->cups);
	if (queue_device_identifies(q))
		add_actions(more, queue_device_says(q));
	return attrs_new(more);
}

static bool take_all(struct queue *q, ipp_t *answer, struct queue_status *fresh)
{
	printer_identity_read(answer, q->cups, fresh);
	printer_traits_read(answer, q->cups, &q->traits);
	q->known = true;
	open_events(q);
	queue_device_find(q, answer);
	return set_attrs(&q->capabilities, read_capabilities(q, answer));
}

static void take_health(struct queue *q, ipp_t *answer, struct queue_status *fresh)
{
	int64_t now = now_ms(q);
	int state = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-state", 0);
	bool connecting;

	if (state != q->printer_state) {
		queue_watch_event(q, 0); /* a job began or ended */
		queue_device_ask(q);
	}
	q->printer_state = state;
	printer_state_read(answer, q->name, q->cups, fresh, &connecting);
	printer_state_behind(queue_device_says(q), q->name, fresh);
	if (!connecting || fresh->health != QUEUE_READY)
		q->connecting_since = 0;
	else if (q->connecting_since == 0)
		q->connecting_since = now > 0 ? now : 1;
	else if (now - q->connecting_since >= CONNECTING_MS)
		printer_state_unreachable(answer, q->name, fresh);
	if (q->traits.file_device && fresh->text[0] == '\0')
		printer_text_set(fresh->text, sizeof(fresh->text),
		                 "queue %.60s writes to a file: nothing comes out on paper",
		                 q->name);
}

/* What of an answer is glanced at; true when it is other than before. */
static bool set_glance(struct queue *q, ipp_t *answer)
{
	ipp_t *out;

	if (q->cups)
		return false;
	out = ippNew();
	for (size_t i = 0; i < ARRAY_SIZE(glanced); i++) {
		ipp_attribute_t *attr = ippFindAttribute(answer, glanced[i], IPP_TAG_ZERO);

		if (attr != NULL)
			ippCopyAttribute(out, attr, 0);
	}
	return set_attrs(&q->glance, attrs_new(out));
}

static bool take_answer(struct queue *q, ipp_t *answer)
{
	struct queue_status fresh = q->status;
	int config = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-config-change-time", 0);
	bool changed = set_glance(q, answer);

	q->failures = 0;
	if (q->cups)
		(void)restarts_known(q->qs->restarts); /* asked before it has a job of ours */
	if (q->asked == WANT_GLANCE) {
		q->status.answered_at = now_ms(q);
		if (changed && q->want < WANT_STATE)
			q->want = WANT_STATE;
		return false;
	}
	changed = false;
	fresh.answered_at = q->state_at = now_ms(q);
	if (q->asked == WANT_ALL) {
		q->whole_at = q->state_at;
		changed = take_all(q, answer, &fresh);
	} else if (config != q->config_changed)
		q->want = WANT_ALL;
	q->config_changed = config;
	take_health(q, answer, &fresh);
	return set_status(q, &fresh, answer) || changed;
}

static bool take_failure(struct queue *q, const struct err *err)
{
	struct queue_status fresh = q->status;

	if (q->failures < 100)
		q->failures++;
	q->connecting_since = 0;
	if (err->kind == ERR_GONE && q->cups) {
		fresh.health = QUEUE_MISSING;
		printer_text_set(fresh.text, sizeof(fresh.text),
		                 "CUPS has no queue %.40s; make it again under its name (lpadmin "
		                 "-p %.40s), or: print-connector unregister %.40s --yes",
		                 q->name, q->name, q->name);
	} else if (http_is_untrusted(err) && q->pinned) {
		fresh.health = QUEUE_UNTRUSTED;
		printer_text_set(fresh.text, sizeof(fresh.text),
		                 "printer %.100s does not show the key that it had", q->name);
	} else if (http_is_untrusted(err)) {
		fresh.health = QUEUE_UNTRUSTED;
		printer_text_set(fresh.text, sizeof(fresh.text),
		                 "printer %.60s cannot be trusted: %.100s", q->name, err->text);
	} else {
		fresh.health = QUEUE_DOWN;
		printer_text_set(fresh.text, sizeof(fresh.text), "%s%.60s does not answer: %.100s",
		                 q->cups ? "CUPS at " : "printer ",
		                 q->cups ? q->qs->server : q->name, err->text);
	}
	return set_status(q, &fresh, NULL);
}

void queue_is_down(struct queue *q, const struct err *err)
{
	if (q->status.health == QUEUE_DOWN || q->closed)
		return;
	if (!take_failure(q, err))
		return;
	/* told by the timer: whoever walks through all queues may not lose one meanwhile */
	q->untold = true;
	if (!q->reading && !q->in_line)
		timer_start(&q->timer, 0);
}

enum more_step queue_more_step(struct queue *q, struct ipp_op *op, const struct err *err)
{
	void (*done)(struct ipp_op *, const struct err *) = op->done;
	bool driver = q->driver_reading != NULL;
	void *data = op->data;
	enum more_step step;

	if (!driver && q->class_reading == NULL)
		q->grey_read = (struct driver_grey){ .known = false };
	if (driver && err != NULL && err->kind == ERR_CANCELED)
		return MORE_NONE;
	if (driver)
		queue_driver_take(q, op, err);
	else if (err == NULL && queue_driver_ask(q, op, queue_class_asked(q)))
		return MORE_ASKING;
	op->done = done; /* the next exchange is like this one */
	op->data = data;
	step = queue_class_step(q, op, driver ? NULL : err);
	return driver && step == MORE_NONE ? MORE_READ : step;
}

/* ---- the exchange --------------------------------------------------------------------------- */

static void after_read(struct queue *q, bool changed)
{
	if (q->want != WANT_NOTHING)
		queue_want(q, q->want);
	else
		timer_start(&q->timer, next_delay(q));
	read_next(q->qs);
	if (changed || q->untold)
		tell(q); /* may close the queue */
}

static void on_read(struct ipp_op *op, const struct err *err)
{
	struct queue *q = op->data;
	struct queues *qs = q->qs;
	bool first = !q->known && q->failures == 0, changed = false;
	enum more_step step = MORE_NONE;

	if (!q->closed && q->asked == WANT_ALL)
		step = queue_more_step(q, op, err);
	if (step == MORE_ASKING)
		return;
	q->reading = false;
	if (q->cups)
		qs->reads--;
	if (q->closed || (err != NULL && err->kind == ERR_CANCELED)) {
		if (q->cups && !qs->closed)
			read_next(qs);
		queue_put(q);
		return;
	}
	changed = err != NULL && step != MORE_READ ? take_failure(q, err)
	                                           : take_answer(q, op->response);
	queue_class_clear(q);
	ipp_op_clear(op);
	q->pins--; /* not the last: it is open */
	after_read(q, changed || first);
}

static void start_read(struct queue *q)
{
	static const char *const whole[] = { "all", "media-col-database" };
	ipp_t *request = queue_request(q, IPP_OP_GET_PRINTER_ATTRIBUTES, NULL);
	bool patient = is_glanced_at(q) && !q->hurried;
	struct err err;

	q->asked = q->want;
	q->asked_at = now_ms(q);
	q->want = WANT_NOTHING;
	q->hurried = false;
	if (q->asked == WANT_ALL)
		queue_ask_for(request, whole, ARRAY_SIZE(whole));
	else if (q->asked == WANT_GLANCE)
		queue_ask_for(request, glanced, ARRAY_SIZE(glanced));
	else
		queue_ask_for(request, printer_state_names, printer_state_name_count);
	ipp_op_clear(&q->read);
	q->read.patient = patient;
	if (queue_start(q, &q->read, request, on_read, q, &err) == 0) {
		q->reading = true;
		q->pins++;
		if (q->cups)
			q->qs->reads++;
		return;
	}
	/* told by the timer, since nobody expects it from inside open() or refresh() */
	q->untold = take_failure(q, &err) || q->untold;
	timer_start(&q->timer, retry_delay(q));
}
