#include "connector/cloud/offers.h"

#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cloud/dialect.h"

struct listed { /* one job of the answer */
	struct cloud_offer offer;
	int state; /* 0: not told */
	bool fetchable, canceled;
	bool reasons; /* were told */
};

static bool is_strings(ipp_attribute_t *a)
{
	ipp_tag_t tag = a ? ippGetValueTag(a) : IPP_TAG_ZERO;

	return tag == IPP_TAG_KEYWORD || tag == IPP_TAG_NAME || tag == IPP_TAG_URI;
}

bool offers_reasons_have(ipp_attribute_t *reasons, const char *keyword)
{
	for (int i = 0; is_strings(reasons) && i < ippGetCount(reasons); i++) {
		const char *s = ippGetString(reasons, i, NULL);

		if (s && strcmp(s, keyword) == 0)
			return true;
	}
	return false;
}

bool offers_reasons_canceled(ipp_attribute_t *reasons)
{
	return offers_reasons_have(reasons, "job-canceled-by-user") ||
	       offers_reasons_have(reasons, "job-canceled-by-operator");
}

static int integer(ipp_attribute_t *a, int fallback)
{
	ipp_tag_t tag = ippGetValueTag(a);

	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM ? ippGetInteger(a, 0) : fallback;
}

static void read_attribute(struct listed *j, const char *name, ipp_attribute_t *a)
{
	struct cloud_offer *o = &j->offer;

	if (strcmp(name, "job-id") == 0) {
		o->job = integer(a, 0);
	} else if (strcmp(name, "job-state") == 0) {
		j->state = integer(a, 0);
	} else if (strcmp(name, "job-priority") == 0) {
		o->priority = integer(a, 0);
	} else if (strcmp(name, "job-uuid") == 0 && ippGetValueTag(a) == IPP_TAG_URI) {
		str_clean(ippGetString(a, 0, NULL), o->uuid, sizeof(o->uuid));
	} else if (strcmp(name, "date-time-at-creation") == 0 &&
	           ippGetValueTag(a) == IPP_TAG_DATE) {
		o->created = ippDateToTime(ippGetDate(a, 0));
	} else if (strcmp(name, "job-state-reasons") == 0) {
		j->reasons = true;
		j->fetchable = offers_reasons_have(a, "job-fetchable");
		j->canceled = offers_reasons_canceled(a);
	}
}

static void take(struct offers *o, const struct dialect *d, struct listed *j)
{
	bool canceled = j->state == IPP_JSTATE_CANCELED || (j->canceled && j->state < 7);

	if (j->offer.job < 1 || o->count + o->canceled_count >= OFFERS_MAX)
		return;
	if (canceled) {
		o->canceled[o->canceled_count++] = j->offer.job;
		return;
	}
	if (j->state < 1 || j->state >= IPP_JSTATE_CANCELED ||
	    !(d->fetchable_states >> j->state & 1) || (j->reasons && !j->fetchable))
		return;
	if (j->offer.priority < 1 || j->offer.priority > 100)
		j->offer.priority = 50;
	if (j->offer.created < 0)
		j->offer.created = 0;
	o->jobs[o->count++] = j->offer;
}

static int compare(const void *a, const void *b)
{
	const struct cloud_offer *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->job < y->job ? -1 : x->job > y->job;
}

/* Some servers list a job twice. */
static void drop_doubles(struct offers *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->count; i++)
		if (n == 0 || o->jobs[n - 1].job != o->jobs[i].job)
			o->jobs[n++] = o->jobs[i];
	o->count = n;
}

static size_t count_jobs(ipp_t *answer)
{
	size_t n = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer))
		if (ippGetName(a) && strcmp(ippGetName(a), "job-id") == 0)
			n++;
	return n < OFFERS_MAX ? n : OFFERS_MAX;
}

void offers_decode(ipp_t *answer, const struct dialect *d, struct offers *ret)
{
	size_t room = count_jobs(answer);
	struct offers o = { .jobs = xcalloc(room, sizeof(*o.jobs)),
		            .canceled = xcalloc(room, sizeof(*o.canceled)) };
	struct listed job = { 0 };

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);

		/* groups of one kind in a row are parted by an attribute without a name */
		if (!name || ippGetGroupTag(a) != IPP_TAG_JOB) {
			take(&o, d, &job);
			job = (struct listed){ 0 };
		} else {
			read_attribute(&job, name, a);
		}
	}
	take(&o, d, &job);
	qsort(o.jobs, o.count, sizeof(*o.jobs), compare);
	drop_doubles(&o);
	*ret = o;
}

void offers_clear(struct offers *o)
{
	free(o->jobs);
	free(o->canceled);
	*o = (struct offers){ 0 };
}
