/* printer_offers.c - which jobs that its cloud offers a printer takes, and the jobs it has in hand.
 *
 * Happy path: the cloud's list comes; each job of it is claimed, in its order, as long as there is
 * room; what ends makes room.
 *
 * What can fail: an offer that cannot be taken for now; the cloud is asked for its list again after
 * a back-off. One of a job that is known is accepted again, or is older than the job's last word.
 */
#include "connector/core/core_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/util.h"
#include "connector/core/retry.h"

#define SEEN_MS 1000 /* a printer that answered within this is taken to be on */

/* An offer that could not be fetched comes again with the next list at the latest. */
static const struct retry look_retry = { .base_ms = 1000, .cap_ms = 60000 };

/* ---- the list is asked for again ---- */

static void on_look(struct timer *t)
{
	struct printer *p = t->data;

	if (p->channel_state == CHANNEL_ONLINE)
		p->core->set.cloud_ops->list(p->channel);
}

void printer_look_again(struct printer *p, const struct err *err)
{
	struct clock *clock = p->core->set.clock;

	if (!p->look.armed)
		timer_start(&p->look,
		            retry_delay_ms(&look_retry, ++p->look_tries,
		                           err ? err->retry_after_s : 0, clock->random(clock)));
}

/* A list made before the job was told finished may still offer it; a server that really
 * offers a finished one does so in the next list too. */
static void forget_offer(struct printer *p, const struct job *j)
{
	for (size_t i = p->offer_next; i < p->offer_count; i++)
		if (p->offers[i].job == j->rec.cloud_job) {
			p->offers[i].job = 0;
			printer_look_again(p, NULL);
		}
}

/* ---- jobs in hand ---- */

/* Kept in the order of ids; one that has none yet is last. */
void printer_add_job(struct printer *p, struct job *j)
{
	j->place = p->jobs_end;
	*p->jobs_end = j;
	p->jobs_end = &j->next;
}

void printer_remove_job(struct printer *p, struct job *j)
{
	p->reclaimed -= j->reclaimed;
	*j->place = j->next;
	if (j->next)
		j->next->place = j->place;
	else
		p->jobs_end = j->place;
	if (j->rec.state == JOB_DONE)
		forget_offer(p, j);
	printer_next(p);
}

/* ---- what is offered ---- */

void printer_offers_init(struct printer *p)
{
	p->jobs_end = &p->jobs;
	timer_init(&p->look, p->core->set.clock, on_look, p);
}

void printer_offers_clear(struct printer *p)
{
	timer_stop(&p->look);
	free(TAKE(p->offers));
	p->offer_count = p->offer_next = 0;
}

static unsigned jobs_in_hand(const struct printer *p)
{
	unsigned n = 0;

	for (const struct job *j = p->jobs; j; j = j->next)
		n += !j->dead && !j->reclaimed && j->rec.state != JOB_REPORTING &&
		     j->rec.state != JOB_DONE && j->rec.state != JOB_HELD;
	return n;
}

static struct job *find_offered(const struct printer *p, const struct cloud_offer *offer)
{
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.cloud_job == offer->job && !job_is_another(j, offer->uuid))
			return j;
	return NULL;
}

bool printer_meets_again(const struct printer *p, int32_t cloud_job)
{
	for (const struct job *j = p->jobs; j; j = j->next)
		if (j->reclaimed && j->rec.cloud_job == cloud_job)
			return true;
	return false;
}

/* An IPP printer that was switched off shows it only when asked; CUPS' own queues are there as
 * long as CUPS is. */
static bool is_seen(struct printer *p)
{
	const struct queue_status *status = p->core->set.queue_ops->status(p->queue);
	struct clock *clock = p->core->set.clock;

	if (!status->whole || clock->now_ms(clock) - status->answered_at <= SEEN_MS)
		return true;
	if (!p->asking)
		p->core->set.queue_ops->refresh(p->queue);
	p->asking = true; /* until it has answered, or failed to */
	return false;
}

static bool has_room(const struct printer *p)
{
	struct core *c = p->core;

	return !p->leaving && !p->reconnect && !core_holds_back(c) && !c->store_failing &&
	       printer_can_print(p) &&
	       jobs_in_hand(p) <
	               config_queue(c->set.config, p->record.queue)->max_jobs_per_printer &&
	       !core_is_short(c);
}

void printer_claim(struct printer *p)
{

	if (p->offer_next < p->offer_count && printer_can_print(p) && !is_seen(p))
		return;
	while (p->offer_next < p->offer_count && has_room(p)) {
		const struct cloud_offer *offer = &p->offers[p->offer_next];
		struct job *known = offer->job ? find_offered(p, offer) : NULL;

		if (known && known->dead)
			return; /* run again when it is gone */
		p->offer_next++;
		if (!offer->job)
			continue;
		if (!known)
			job_run(job_claim(p, offer));
		else if (known->rec.state == JOB_REPORTING || known->rec.state == JOB_DONE)
			printer_look_again(p, NULL); /* after its last word it is not offered */
		else if (known->rec.acknowledged && !printer_meets_again(p, offer->job))
			job_accept_again(known);
	}
}

/* Nothing more is told of the old job. */
static void note_other_jobs(struct printer *p, const struct cloud_offer *offer)
{
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.cloud_job == offer->job && job_is_another(j, offer->uuid))
			j->another_there = true;
}

void printer_take_offers(struct printer *p, const struct cloud_offer *offers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		note_other_jobs(p, &offers[i]);

	free(TAKE(p->offers));
	p->offer_count = p->offer_next = 0;
	if (count) {
		p->offers = xcalloc(count, sizeof(*offers));
		memcpy(p->offers, offers, count * sizeof(*offers));
		p->offer_count = count;
	}
	printer_claim(p);
}
