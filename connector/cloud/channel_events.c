#include "connector/cloud/channel_events.h"

#include <string.h>

#include "connector/base/ipp_codec.h"
#include "connector/cloud/offers.h"

#define WAITED_MS    1000 /* an answer later than this was waited for */
#define PACE_MIN_MS  20
#define PACE_MAX_MS  1000
#define PACE_PATIENT 8    /* hasty answers after which a server is taken at its own interval */
#define INTERVAL_MAX 60   /* of a server that was to wait */
#define INTERVAL_TOP 3600 /* of any */
#define INTERVAL_S   30

struct event {
	bool any; /* has attributes */
	int32_t sequence, job;
	int state;       /* job-state; 0: not told */
	int32_t up_time; /* of the printer, when it happened; 0: not told */
	bool fetchable, printer, reasons, canceled, identify;
};

static int integer(ipp_attribute_t *a)
{
	ipp_tag_t tag = ippGetValueTag(a);

	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM ? ippGetInteger(a, 0) : 0;
}

static void read_name(struct event *e, ipp_attribute_t *a)
{
	const char *name = ippGetValueTag(a) == IPP_TAG_KEYWORD ? ippGetString(a, 0, NULL) : NULL;

	if (!name)
		return;
	e->fetchable = e->fetchable || strstr(name, "fetchable");
	e->printer = strncmp(name, "printer-", 8) == 0;
}

static void read_attribute(struct event *e, const char *name, ipp_attribute_t *a)
{
	e->any = true;
	if (strcmp(name, "notify-sequence-number") == 0) {
		e->sequence = integer(a);
	} else if (strcmp(name, "job-id") == 0 || strcmp(name, "notify-job-id") == 0) {
		e->job = integer(a);
	} else if (strcmp(name, "job-state") == 0) {
		e->state = integer(a);
	} else if (strcmp(name, "printer-up-time") == 0) {
		e->up_time = integer(a);
	} else if (strcmp(name, "notify-subscribed-event") == 0) {
		read_name(e, a);
	} else if (strcmp(name, "job-state-reasons") == 0) {
		e->reasons = true;
		e->fetchable = e->fetchable || offers_reasons_have(a, "job-fetchable");
		e->canceled = offers_reasons_canceled(a);
	} else if (strcmp(name, "printer-state-reasons") == 0) {
		e->identify = offers_reasons_have(a, "identify-printer-requested");
	}
}

/* An event that tells of a job at work, held or ended, or of the printer, makes no list worth its
 * time: our own reports come back as events. One that tells too little does. */
static bool wants_list(const struct event *e)
{
	if (e->fetchable)
		return true;
	if (e->state)
		return (e->state == IPP_JSTATE_PENDING || e->state == IPP_JSTATE_STOPPED) &&
		       !e->reasons;
	return e->job > 0 || !e->printer;
}

/* now: printer-up-time of the answer (RFC 3996 5.2.1); 0: not told */
static void take(struct channel_events *r, const struct event *e, int32_t seen, int32_t now)
{
	if (!e->any)
		return;
	if (e->sequence > 0 && e->sequence <= seen) {
		r->repeated++;
		return;
	}
	r->count++;
	if (e->up_time > 0 && now >= e->up_time && now - e->up_time > r->lag_s)
		r->lag_s = now - e->up_time;
	if (e->sequence > r->highest)
		r->highest = e->sequence;
	r->identify = r->identify || e->identify;
	if (e->job > 0 && (e->state == IPP_JSTATE_CANCELED || e->canceled)) {
		if (r->canceled_count < CHANNEL_EVENTS_CANCELED_MAX)
			r->canceled[r->canceled_count++] = e->job;
		else
			r->list = true;
	}
	r->list = r->list || wants_list(e);
}

void channel_events_decode(ipp_t *answer, int32_t seen, struct channel_events *ret)
{
	struct channel_events r = { .highest = seen, .lag_s = -1 };
	int32_t now = ipp_get_int(answer, IPP_TAG_OPERATION, "printer-up-time", 0);
	struct event e = { 0 };

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);

		/* groups of one kind in a row are parted by an attribute without a name */
		if (!name || ippGetGroupTag(a) != IPP_TAG_EVENT_NOTIFICATION) {
			take(&r, &e, seen, now);
			e = (struct event){ 0 };
		} else {
			read_attribute(&e, name, a);
		}
	}
	take(&r, &e, seen, now);
	r.interval_s = ipp_get_int(answer, IPP_TAG_OPERATION, "notify-get-interval", 0);
	if (r.interval_s < 0)
		r.interval_s = 0;
	if (r.interval_s > INTERVAL_TOP)
		r.interval_s = INTERVAL_TOP;
	r.lost = r.highest > seen && (size_t)(r.highest - seen) > r.count;
	r.complete = ippGetStatusCode(answer) == IPP_STATUS_OK_EVENTS_COMPLETE;
	*ret = r;
}

int64_t channel_pace_next(struct channel_pace *p, const struct channel_events *e,
                          int64_t elapsed_ms)
{
	int64_t delay = PACE_MIN_MS;

	/* Asked for the highest seen, RFC 3996 gives that event again and so never waits;
	 * ippserver gives what comes after it. Who repeats may be asked for the next one without
	 * losing any. */
	if (e->repeated)
		p->repeats = true;
	if (e->count > 0) /* its notify-get-interval would cost each job that long */
		return 0;
	if (elapsed_ms >= WAITED_MS) {
		p->hasty = 0;
		return 0;
	}
	if (p->hasty < PACE_PATIENT)
		p->hasty++;
	if (p->hasty == PACE_PATIENT && e->interval_s)
		return (e->interval_s < INTERVAL_MAX ? e->interval_s : INTERVAL_MAX) *
		       INT64_C(1000);
	for (unsigned i = 1; i < p->hasty && delay < PACE_MAX_MS; i++)
		delay *= 2;
	return delay < PACE_MAX_MS ? delay : PACE_MAX_MS;
}

int64_t channel_pace_interval(const struct channel_events *e)
{
	bool fits = e->interval_s > 0 && e->interval_s < INTERVAL_TOP;

	return (fits ? e->interval_s : INTERVAL_S) * INT64_C(1000);
}

int32_t channel_pace_from(const struct channel_pace *p, int32_t seen)
{
	return seen > 0 && seen < INT32_MAX && p->repeats ? seen + 1 : seen;
}
