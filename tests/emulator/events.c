/* events.c - every event gets a number per subscription and is kept for ippget-event-life.
 *
 * Get-Notifications with notify-wait waits until there is an event that this subscription was not
 * given yet, so that a recipient may pass the highest number it has seen (RFC 3996 5.1.2) or the
 * next one and does not spin in either case. */
#include "tests/emulator/events.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up.h"

#define BIT(e)                    (1u << (e))
#define LEASE_DEFAULT             86400
#define EVENTS_KEPT               20000
#define SUBSCRIPTIONS_PER_PRINTER 100
#define EARLY_US                  200000 /* what a poll may come too early */
#define DOCUMENT_EVENTS                                                                            \
	(BIT(EVENT_DOCUMENT_FETCHABLE) | BIT(EVENT_DOCUMENT_COMPLETED) |                           \
	 BIT(EVENT_DOCUMENT_CREATED) | BIT(EVENT_DOCUMENT_CONFIG) | BIT(EVENT_DOCUMENT_STATE))

static int next_subscription_id = 1;

static const char *const names[] = {
#define EVENT_NAME(id, name) [EVENT_##id] = name,
	EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

const char *event_name(enum event e)
{
	return names[e];
}

/* What a subscriber to one name also gets: RFC 3995 5.3.3.5, sub-events. */
static unsigned int parents(enum event e)
{
	switch (e) {
	case EVENT_JOB_CREATED:
	case EVENT_JOB_FETCHABLE:
	case EVENT_JOB_COMPLETED:
	case EVENT_JOB_STOPPED:
		return BIT(EVENT_JOB_STATE);
	case EVENT_PRINTER_STOPPED:
		return BIT(EVENT_PRINTER_STATE);
	case EVENT_PRINTER_MEDIA:
	case EVENT_PRINTER_FINISHINGS:
		return BIT(EVENT_PRINTER_CONFIG);
	case EVENT_DOCUMENT_COMPLETED:
	case EVENT_DOCUMENT_CREATED:
	case EVENT_DOCUMENT_FETCHABLE:
		return BIT(EVENT_DOCUMENT_STATE);
	case EVENT_JOB_CONFIG:
	case EVENT_JOB_PROGRESS:
	case EVENT_JOB_STATE:
	case EVENT_PRINTER_CONFIG:
	case EVENT_PRINTER_QUEUE_ORDER:
	case EVENT_PRINTER_STATE:
	case EVENT_DOCUMENT_CONFIG:
	case EVENT_DOCUMENT_STATE:
	case EVENT_COUNT:
		return 0;
	}
	return 0;
}

static void subscription_expire_events(struct subscription *s, int64_t now)
{
	int64_t life_us = s->printer->event_life_s * 1000000;
	int kept = printer_quirk(s->printer, QUIRK_IPPSERVER_2) ? 100 : EVENTS_KEPT;
	int old = 0;

	while (old < s->count && (s->count - old > kept || s->records[old].us + life_us < now))
		old++;
	if (old == 0)
		return;
	s->count -= old;
	memmove(s->records, s->records + old, (size_t)s->count * sizeof(*s->records));
}

static void subscription_add(struct subscription *s, const struct event_record *r)
{
	if (s->count == s->cap) {
		subscription_expire_events(s, r->us);
		if (s->count > s->cap / 2 || s->cap == 0) {
			s->cap = s->cap ? s->cap * 2 : 16;
			s->records = xrealloc(s->records, (size_t)s->cap * sizeof(*s->records));
		}
	}
	s->records[s->count] = *r;
	s->records[s->count++].sequence = s->next_sequence++;
}

static void wake(struct printer *p)
{
	struct exchange *x, *after;

	for (x = TAILQ_FIRST(&p->waiters); x != NULL; x = after) {
		after = TAILQ_NEXT(x, waiter);
		exchange_wake(x);
	}
}

static void publish(struct printer *p, struct event_record *r, enum event specific)
{
	struct subscription *s;
	struct printer *other;
	int times = 1;

	record_changes++;
	if (p->drop_events > 0) {
		p->drop_events--;
		return;
	}
	if (p->repeat_events > 0) {
		p->repeat_events--;
		times = 2;
	}
	r->us = clock_us();
	TAILQ_FOREACH(s, &p->subscriptions, entry)
	{
		unsigned int hit = s->events & (BIT(specific) | parents(specific));
		int n;

		if (hit == 0)
			continue;
		r->name = (hit & BIT(specific)) ? specific : (enum event)__builtin_ctz(hit);
		for (n = 0; n < times; n++)
			subscription_add(s, r);
	}
	wake(p);
	for (other = printers_first(); other != NULL; other = printer_next(other)) {
		if (other != p && printer_quirk(other, QUIRK_IPPSERVER_6) && other->waiting > 0)
			wake(other);
	}
}

void events_job(struct job *j, enum event specific)
{
	struct event_record r = { .job_id = j->id,
		                  .state = j->state,
		                  .reasons = j->reasons,
		                  .impressions = j->impressions };

	memcpy(r.uuid, j->uuid, sizeof(r.uuid));
	publish(j->printer, &r, specific);
}

void events_printer(struct printer *p, enum event name)
{
	struct event_record r = { .state = printer_state(p) };

	publish(p, &r, name);
}

void subscription_free(struct subscription *s)
{
	TAILQ_REMOVE(&s->printer->subscriptions, s, entry);
	free(s->records);
	free(s->user);
	free(s->device);
	free(s);
}

static struct subscription *subscription_find(struct printer *p, int id)
{
	int64_t now = clock_us();
	struct subscription *s, *after;

	for (s = TAILQ_FIRST(&p->subscriptions); s != NULL; s = after) {
		after = TAILQ_NEXT(s, entry);
		if (s->expires_us != 0 && s->expires_us < now)
			subscription_free(s);
		else if (s->id == id)
			return s;
	}
	return NULL;
}

static void set_lease(struct subscription *s, int64_t lease_s)
{
	if (s->printer->up != NULL && up.lease_max > 0 && (lease_s == 0 || lease_s > up.lease_max))
		lease_s = up.lease_max;
	s->lease_s = lease_s;
	s->expires_us = lease_s ? clock_us() + lease_s * 1000000 : 0;
}

void subscriptions_write(struct printer *p, struct buffer *b)
{
	struct subscription *s;
	int i;

	json_open(b, "subscriptions", '[');
	TAILQ_FOREACH(s, &p->subscriptions, entry)
	{
		json_open(b, NULL, '{');
		json_number(b, "id", s->id);
		json_string(b, "device", s->device);
		json_number(b, "lease", s->lease_s);
		json_number(b, "next_sequence", s->next_sequence);
		json_number(b, "kept", s->count);
		json_open(b, "events", '[');
		for (i = 0; i < EVENT_COUNT; i++) {
			if (s->events >> i & 1)
				json_string(b, NULL, names[i]);
		}
		json_close(b, ']');
		json_close(b, '}');
	}
	json_close(b, ']');
}

static unsigned int parse_events(ipp_attribute_t *a, int *unknown)
{
	unsigned int set = 0;
	int i, e;

	*unknown = 0;
	for (i = 0; i < ippGetCount(a); i++) {
		const char *value = ippGetString(a, i, NULL);

		for (e = 0; e < EVENT_COUNT; e++) {
			if (strcmp(value, names[e]) == 0)
				break;
		}
		if (e == EVENT_COUNT)
			++*unknown;
		else
			set |= BIT(e);
	}
	return set;
}

static ipp_attribute_t *group_attribute(struct exchange *x, const char *name, ipp_tag_t tag,
                                        ipp_tag_t group)
{
	ipp_attribute_t *a = ippFindAttribute(x->request, name, tag);

	while (a != NULL && ippGetGroupTag(a) != group)
		a = ippFindNextAttribute(x->request, name, tag);
	return a;
}

int events_create_subscriptions(struct exchange *x)
{
	ipp_attribute_t *pull, *names_given, *lease;
	struct subscription *s;
	unsigned int set;
	int unknown, count = 0;

	pull = group_attribute(x, "notify-pull-method", IPP_TAG_KEYWORD, IPP_TAG_SUBSCRIPTION);
	names_given = group_attribute(x, "notify-events", IPP_TAG_KEYWORD, IPP_TAG_SUBSCRIPTION);
	lease = group_attribute(x, "notify-lease-duration", IPP_TAG_INTEGER, IPP_TAG_SUBSCRIPTION);
	if (pull == NULL || strcmp(ippGetString(pull, 0, NULL), "ippget") != 0) {
		if (pull == NULL)
			record_violation(x, "missing-attribute",
			                 "no notify-pull-method in a subscription group");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "want notify-pull-method=ippget in the subscription group");
	}
	set = names_given ? parse_events(names_given, &unknown) : BIT(EVENT_JOB_COMPLETED);
	if (names_given == NULL)
		unknown = 0;
	if (x->printer->up != NULL && (set & DOCUMENT_EVENTS) != 0)
		record_notice(x, "document-events", "the service knows no document events");
	if (set == 0)
		return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
		                       "none of these notify-events is supported");
	if (lease != NULL && ippGetInteger(lease, 0) < 0)
		return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
		                       "notify-lease-duration below 0");
	TAILQ_FOREACH(s, &x->printer->subscriptions, entry)
	count++;
	if (count >= SUBSCRIPTIONS_PER_PRINTER)
		return exchange_refuse(x, IPP_STATUS_ERROR_TOO_MANY_SUBSCRIPTIONS,
		                       "%d subscriptions already", count);
	s = xcalloc(1, sizeof(*s));
	s->printer = x->printer;
	s->id = next_subscription_id++;
	s->events = set;
	s->next_sequence = 1;
	s->device = xstrdup(x->uuid);
	set_lease(s, lease ? ippGetInteger(lease, 0) : LEASE_DEFAULT);
	TAILQ_INSERT_TAIL(&x->printer->subscriptions, s, entry);
	if (x->printer->up != NULL)
		x->printer->up->polled_us = 0; /* no interval was told for this one */
	ippAddInteger(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id",
	              s->id);
	ippAddInteger(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              (int)s->lease_s);
	return unknown > 0 ? IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED : IPP_STATUS_OK;
}

static struct subscription *named_subscription(struct exchange *x, int *status)
{
	int64_t id = exchange_integer(x, "notify-subscription-id", -1);
	struct subscription *s;

	if (id < 0) {
		record_violation(x, "missing-attribute", "no notify-subscription-id");
		*status = exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                          "want notify-subscription-id");
		return NULL;
	}
	s = subscription_find(x->printer, (int)id);
	if (s == NULL)
		*status = exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "no subscription %d",
		                          (int)id);
	return s;
}

int events_renew_subscription(struct exchange *x)
{
	int status = 0;
	struct subscription *s = named_subscription(x, &status);
	ipp_attribute_t *lease =
		group_attribute(x, "notify-lease-duration", IPP_TAG_INTEGER, IPP_TAG_SUBSCRIPTION);

	if (s == NULL)
		return status;
	set_lease(s, lease ? ippGetInteger(lease, 0) : LEASE_DEFAULT);
	ippAddInteger(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration",
	              (int)s->lease_s);
	return IPP_STATUS_OK;
}

int events_cancel_subscription(struct exchange *x)
{
	int status = 0;
	struct subscription *s = named_subscription(x, &status);

	if (s == NULL)
		return status;
	subscription_free(s);
	wake(x->printer);
	return IPP_STATUS_OK;
}

int events_get_subscriptions(struct exchange *x)
{
	const char *values[EVENT_COUNT];
	struct subscription *s;
	bool first = true;
	int i, n;

	TAILQ_FOREACH(s, &x->printer->subscriptions, entry)
	{
		if (!first)
			ippAddSeparator(x->answer);
		first = false;
		for (i = 0, n = 0; i < EVENT_COUNT; i++) {
			if (s->events >> i & 1)
				values[n++] = names[i];
		}
		ippAddInteger(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
		              "notify-subscription-id", s->id);
		ippAddInteger(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER,
		              "notify-lease-duration", (int)s->lease_s);
		ippAddStrings(x->answer, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-events", n,
		              NULL, values);
	}
	return first ? exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "no subscriptions")
	             : IPP_STATUS_OK;
}

static bool want_all(const char *name, void *data)
{
	(void)data;
	return strcmp(name, "job-state-reasons") == 0;
}

static void event_write(struct exchange *x, struct subscription *s, const struct event_record *r)
{
	const struct printer *p = s->printer;
	const char *host = printer_quirk(p, QUIRK_IPPSERVER_7) ? "server.invalid:8631"
	                   : x->host != NULL                   ? x->host
	                                                       : "localhost";
	const char *name = printer_quirk(p, QUIRK_PAPPL_6) ? "" : names[r->name];
	int up_time = (int)((r->us - p->started_us) / 1000000) + 1;

	AUTO(free_str)
	char *uri = p->up ? xstrdup(p->up->uri) : xprintf("ipp://%s%s", host, p->path);
	AUTO(free_str)
	char *text = r->job_id ? xprintf("job %d is %s", r->job_id, job_state_name(r->state))
	                       : xprintf("printer changed");

	ippAddSeparator(x->answer);
	ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
	              "notify-subscription-id", s->id);
	ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_URI, "notify-printer-uri", NULL,
	             uri);
	ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD,
	             "notify-subscribed-event", NULL, name);
	ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "printer-up-time",
	              up_time);
	ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
	              "notify-sequence-number", r->sequence);
	ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_CHARSET, "notify-charset", NULL,
	             "utf-8");
	ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_LANGUAGE,
	             "notify-natural-language", NULL, "en");
	ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_TEXT, "notify-text", NULL,
	             text);
	if (r->job_id == 0) {
		ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_ENUM, "printer-state",
		              r->state);
		ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_KEYWORD,
		             "printer-state-reasons", NULL,
		             p->identify.pending ? "identify-printer-requested" : "none");
		ippAddBoolean(x->answer, IPP_TAG_EVENT_NOTIFICATION, "printer-is-accepting-jobs",
		              1);
	} else {
		struct job then = { .printer = s->printer,
			            .state = r->state,
			            .reasons = r->reasons,
			            .attrs = ippNew() };

		ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "job-id",
		              r->job_id);
		ippAddString(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_URI, "job-uuid", NULL,
		             r->uuid);
		ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_ENUM, "job-state",
		              r->state);
		job_write_ipp(&then, x->answer, IPP_TAG_EVENT_NOTIFICATION, want_all, NULL);
		ippAddInteger(x->answer, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
		              "job-impressions-completed",
		              r->impressions < 0 ? 0 : (int)r->impressions);
		ippDelete(then.attrs);
	}
}

/* How many events of `s` from number `from` on there are, and whether one of them is new. */
static int count_events(const struct subscription *s, int from, bool *fresh)
{
	int i, n = 0;

	for (i = s->count; i > 0 && s->records[i - 1].sequence >= from; i--) {
		n++;
		if (s->records[i - 1].sequence > from || s->records[i - 1].sequence > s->delivered)
			*fresh = true;
	}
	return n;
}

static void write_events(struct exchange *x, struct subscription *s, int from)
{
	struct up_printer *u = x->printer->up;
	bool backwards = u != NULL && u->reverse > 0;
	int i;

	if (backwards)
		u->reverse--;
	for (i = 0; i < s->count; i++) {
		const struct event_record *r = &s->records[backwards ? s->count - 1 - i : i];

		if (r->sequence < from)
			continue;
		event_write(x, s, r);
		if (r->sequence > s->delivered)
			s->delivered = r->sequence;
	}
}

/* The notification host of Universal Print answers at once and says when to come again. */
static void answer_interval(struct exchange *x, const struct up_printer *u, bool waits)
{
	int64_t now = clock_us();

	if (waits)
		record_notice(x, "notify-wait", "notify-wait is not waited for");
	if (u->polled_us != 0 && now - u->polled_us < up.notify_interval * 1000000 - EARLY_US)
		record_notice(x, "polled-early", "%d ms after the last answer, interval %d s",
		              (int)((now - u->polled_us) / 1000), (int)up.notify_interval);
	x->printer->up->polled_us = now;
	ippAddInteger(x->answer, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-get-interval",
	              (int)up.notify_interval);
}

/* The lowest number wanted of the i-th subscription. */
static int lowest_wanted(struct exchange *x, ipp_attribute_t *numbers, int i)
{
	int from = numbers != NULL && i < ippGetCount(numbers) ? ippGetInteger(numbers, i) : 0;

	if (printer_quirk(x->printer, QUIRK_IPPSERVER_1))
		return from + 1;
	return from;
}

static bool should_wait(struct exchange *x, int available, bool fresh)
{
	if (x->phase == PHASE_WAITING) {
		if (printer_quirk(x->printer, QUIRK_IPPSERVER_6))
			return false; /* any wake is answered */
		if (x->sleeper.expired)
			return false;
	}
	if (clock_steady_us() >= x->wait_until_us)
		return false;
	if (printer_quirk(x->printer, QUIRK_PAPPL_14))
		return available == 0;
	return !fresh;
}

int events_get_notifications(struct exchange *x)
{
	ipp_attribute_t *ids = exchange_find(x, "notify-subscription-ids", IPP_TAG_INTEGER);
	ipp_attribute_t *numbers = exchange_find(x, "notify-sequence-numbers", IPP_TAG_INTEGER);
	ipp_attribute_t *wait = exchange_find(x, "notify-wait", IPP_TAG_BOOLEAN);
	bool waits = wait != NULL && ippGetBoolean(wait, 0), fresh = false;
	int i, available = 0, missing = 0;

	if (ids == NULL) {
		record_violation(x, "missing-attribute", "no notify-subscription-ids");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "want notify-subscription-ids");
	}
	for (i = 0; i < ippGetCount(ids); i++) {
		struct subscription *s = subscription_find(x->printer, ippGetInteger(ids, i));

		if (s == NULL) {
			missing++;
			continue;
		}
		subscription_expire_events(s, clock_us());
		available += count_events(s, lowest_wanted(x, numbers, i), &fresh);
	}
	if (missing > 0) {
		ipp_status_t gone = x->phase == PHASE_WAITING ? IPP_STATUS_OK_EVENTS_COMPLETE
		                                              : IPP_STATUS_ERROR_NOT_FOUND;
		return exchange_refuse(x, gone, "no such subscription");
	}
	if (x->wait_until_us == 0)
		x->wait_until_us = clock_steady_us() + x->printer->wait_ms * 1000;
	if (waits && x->printer->up == NULL && x->printer->wait_ms > 0 &&
	    should_wait(x, available, fresh))
		return EXCHANGE_WAIT;
	if (!fresh && x->printer->up == NULL)
		x->printer->polls_wasted++;
	ippAddInteger(x->answer, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "printer-up-time",
	              (int)((clock_us() - x->printer->started_us) / 1000000) + 1);
	if (x->printer->up != NULL) {
		answer_interval(x, x->printer->up, waits);
	} else if (printer_quirk(x->printer, QUIRK_IPPSERVER_6)) {
		if (available > 0)
			ippAddInteger(x->answer, IPP_TAG_OPERATION, IPP_TAG_INTEGER,
			              "notify-get-interval", 30);
	} else if (!waits || x->printer->wait_ms == 0) {
		int64_t half = x->printer->event_life_s / 2;

		ippAddInteger(x->answer, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-get-interval",
		              half > 30 ? 30 : (half < 1 ? 1 : (int)half));
	}
	for (i = 0; i < ippGetCount(ids); i++) {
		struct subscription *s = subscription_find(x->printer, ippGetInteger(ids, i));

		if (s != NULL)
			write_events(x, s, lowest_wanted(x, numbers, i));
	}
	return IPP_STATUS_OK;
}
