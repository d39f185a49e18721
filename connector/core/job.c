/* job.c - the state machine of a job.
 *
 *           claim: Fetch-Job, commit row + ticket, Acknowledge-Job, commit
 * claiming ------------------------------------------> handing --> printing --> reporting --> done
 *     |                                                 |   ^         |             ^
 *     |  not ours / cannot be printed here              v   |         v             |
 *     +------------------------------> reporting      waiting        held ----------+
 *
 * Happy path: job_claim.c, job_hand.c, job_print.c, job_report.c, one after the other.
 *
 * What can fail, and what then:
 *   a commit             what should follow it does not happen (job_save.c)
 *   the cloud, claiming  nothing was promised: the job is left to be offered again
 *   either side, handing the local job is taken back; policy.c decides between another try and an
 *                        end. Once the closing Send-Document may have arrived nothing is sent again
 *   the queue, printing  it is asked again; a job that vanished may have printed: held
 *   the cloud, reporting tried until it has taken the outcome
 *   we die in the same state again and again
 *                        the job is quarantined: held before anything is done about it
 *   we die               the row says how far it had come; job_adopt() asks before it does anything
 *
 * One commit in flight per job: a cancel, a timer or an answer that arrives meanwhile is kept in
 * the job and decided after it. */
#include "connector/core/core_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/convert.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/core/retry.h"
#include "connector/core/tally.h"

#define TO(state) (1u << JOB_##state)

static const struct {
	unsigned allowed;
	void (*run)(struct job *j);
} states[] = {
	[JOB_CLAIMING] = { TO(HANDING) | TO(HELD) | TO(REPORTING), job_claiming_run },
	[JOB_HANDING] = { TO(HANDING) | TO(PRINTING) | TO(WAITING) | TO(HELD) | TO(REPORTING),
	                  job_handing_run },
	[JOB_PRINTING] = { TO(WAITING) | TO(HELD) | TO(REPORTING), job_printing_run },
	[JOB_WAITING] = { TO(HANDING) | TO(REPORTING), job_waiting_run },
	[JOB_HELD] = { TO(CLAIMING) | TO(HANDING) | TO(REPORTING), job_held_run },
	[JOB_REPORTING] = { TO(DONE), job_reporting_run },
	[JOB_DONE] = { 0, NULL },
};

#define NOT_FOUND_CODE 0x0406                  /* RFC 8011 B.1.4.7 */
#define BEAT_MS        (4 * 60 * 1000 - 15000) /* the cloud hears of open jobs every 4 minutes */

static const struct retry step_retry = { .base_ms = 1000, .cap_ms = BEAT_MS };
#define WAIT_CAP_MS 300000
static const struct retry wait_retry = { .base_ms = 2000, .cap_ms = WAIT_CAP_MS };
#define WAIT_MAX_MS (RETRY_AFTER_MAX_S * 1000LL + WAIT_CAP_MS)

int64_t job_wall_ms(const struct job *j)
{
	return j->core->set.clock->wall_ms(j->core->set.clock);
}

int64_t job_now_ms(const struct job *j)
{
	return j->core->set.clock->now_ms(j->core->set.clock);
}

int64_t job_age_ms(const struct job *j)
{
	return job_now_ms(j) - j->born;
}

/* ---- what it is about ---- */

const struct config_queue *job_settings(const struct job *j)
{
	return config_queue(j->core->set.config, j->printer->record.queue);
}

struct sniff_queue job_sniff_queue(const struct job *j)
{
	return (struct sniff_queue){
		.settings = job_settings(j),
		.queue = j->printer->queue,
		.takes = j->core->set.queue_ops->takes,
		.converts = convert_is_there(j->core->set.convert),
	};
}

/* ---- life ---- */

static void on_timer(struct timer *t);
static void on_beat(struct timer *t);

static struct job *job_new(struct printer *p)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->core = p->core;
	j->printer = p;
	j->rec.impressions = j->rec.sheets = -1;
	timer_init(&j->timer, p->core->set.clock, on_timer, j);
	timer_init(&j->beat, p->core->set.clock, on_beat, j);
	printer_add_job(p, j);
	return j;
}

struct job *job_claim(struct printer *p, const struct cloud_offer *offer)
{
	struct job *j = job_new(p);

	crypto_uuid_random(j->rec.uuid);
	(void)str_copy(j->rec.printer, sizeof(j->rec.printer), p->record.id);
	j->rec.cloud_job = offer->job;
	(void)str_copy(j->rec.cloud_uuid, sizeof(j->rec.cloud_uuid), offer->uuid);
	j->rec.received = job_wall_ms(j);
	j->born = job_now_ms(j);
	j->past_counts = true;
	return j;
}

/* Of the time that an earlier life wrote down: no later than it can have meant, since somebody may
 * have moved the clock back since. */
static int64_t try_at(const struct job *j)
{
	int64_t wait = j->rec.next_try - job_wall_ms(j);

	return wait > 0 && wait <= WAIT_MAX_MS ? job_now_ms(j) + wait : 0;
}

struct job *job_adopt(struct printer *p, const struct job_record *rec, struct attrs *ticket)
{
	struct job *j = job_new(p);

	j->rec = *rec;
	j->ticket = ticket;
	/* only these may have got further than the row says */
	j->adopted = rec->state == JOB_CLAIMING || rec->state == JOB_HANDING;
	j->from_store = true;
	j->took_back = rec->taken_back;
	/* it may be open there still, see job_print.c */
	j->take_back = rec->state == JOB_REPORTING && rec->outcome != OUTCOME_COMPLETED &&
	               rec->local_job > 0;
	j->born = job_now_ms(j);
	j->try_at = try_at(j);
	j->quarantine = rec->crashes >= p->core->set.config->quarantine_after &&
	                (j->adopted || rec->state == JOB_PRINTING);
	job_identify_try(j);
	for (struct job *o = p->jobs; o; o = o->next)
		if (o->rec.cloud_job == rec->cloud_job && o->rec.id < rec->id &&
		    job_is_another(o, rec->cloud_uuid))
			o->another_there = true;
	return j;
}

/* Our clock may be years off, or have been when the job came; so may one of the cloud's. What all
 * of them agree on has passed. */
void job_count_past(struct job *j)
{
	int64_t there = j->printer->service ? service_time(j->printer->service) : 0, past;

	if (j->past_counts || !there)
		return;
	j->past_counts = true;
	past = (job_wall_ms(j) < there ? job_wall_ms(j) : there) - j->rec.received;
	if (j->rec.cloud_created && there - j->rec.cloud_created * 1000 < past)
		past = there - j->rec.cloud_created * 1000;
	if (job_now_ms(j) - past < j->born)
		j->born = job_now_ms(j) - past;
}

bool job_is_quarantined(const struct job *j)
{
	return j->rec.crashes >= j->core->set.config->quarantine_after &&
	       (j->rec.state == JOB_HELD || j->rec.state == JOB_REPORTING);
}

/* Whether something is under way whose end runs the job. */
static bool is_busy(const struct job *j)
{
	return j->store || j->lazy || j->cloud || j->tell || j->local || j->cancel || j->transfer;
}

static void destroy(struct job *j)
{
	struct printer *p = j->printer;

	job_leave_line(j);
	if (j->watching)
		p->core->set.queue_ops->unwatch(&j->watch);
	timer_stop(&j->timer);
	timer_stop(&j->beat);
	job_hand_clear(j);
	free(j->seen);
	free(j->events);
	free(j->owner);
	attrs_unref(j->ticket);
	printer_remove_job(p, j);
	free(j);
}

void job_free(struct job *j)
{
	const struct core_settings *set = &j->core->set;

	timer_stop(&j->timer);
	timer_stop(&j->beat);
	j->dead = true;
	if (j->cloud)
		set->cloud_ops->op_cancel(j->cloud);
	if (j->tell)
		set->cloud_ops->op_cancel(j->tell);
	if (j->local)
		set->queue_ops->op_cancel(j->local);
	if (j->cancel)
		set->queue_ops->op_cancel(j->cancel);
	if (j->watching) {
		set->queue_ops->unwatch(&j->watch);
		j->watching = false;
	}
	job_hand_abort(j);
	timer_start(&j->timer, 0); /* goes when nothing is under way */
}

static void quarantine(struct job *j)
{
	j->quarantine = j->adopted = false;
	j->take_back = j->rec.state == JOB_HANDING && j->rec.local_job > 0 && !j->rec.closed;
	j->rec.error_kind = ERR_TEMPORARY;
	j->rec.error_code = 0;
	(void)snprintf(j->rec.error_text, sizeof(j->rec.error_text),
	               "unknown whether it printed: the connector crashed %s while it was %s",
	               COUNTED(j->rec.crashes, "time", "times"), job_state_name(j->rec.state));
	job_event(j, "connector", "quarantined: %s", j->rec.error_text);
	job_move(j, JOB_HELD);
}

void job_run(struct job *j)
{
	if (j->dead) {
		if (!is_busy(j))
			timer_start(&j->timer, 0);
		return;
	}
	if (j->saving) {
		j->again = true;
		return;
	}
	/* what another machine's state directory says is neither done nor aged here */
	if (j->backing_off || !printer_is_mine(j->printer))
		return;
	if (j->quarantine) {
		quarantine(j);
		return;
	}
	if (j->rec.state == JOB_HANDING && !j->reclaimed && !j->beat.armed)
		timer_start(&j->beat, BEAT_MS);
	if (j->reclaimed && (j->step == STEP_ACCEPT || j->rec.state != JOB_REPORTING))
		job_accept_run(j); /* the job itself is another object, or has ended */
	else if (states[j->rec.state].run)
		states[j->rec.state].run(j);
}

/* A hand-over can wait for long: for a slot, its turn, a busy printer, a queue that is asked. */
static void on_beat(struct timer *t)
{
	struct job *j = t->data;

	if (j->dead || j->rec.state != JOB_HANDING)
		return;
	timer_start(&j->beat, BEAT_MS);
	if (job_age_ms(j) >= j->core->set.config->give_up_after_ms)
		job_hand_give_up(j);
	if (j->rec.state == JOB_HANDING)
		(void)job_tell_in_time(j, CLOUD_JOB_PROCESSING, "job-queued", "");
}

/* ---- retries ---- */

static void on_timer(struct timer *t)
{
	struct job *j = t->data;

	if (j->dead) {
		if (!is_busy(j))
			destroy(j);
		return;
	}
	j->backing_off = false;
	if (!job_save_again(j))
		job_run(j);
}

void job_retry(struct job *j, const struct err *err)
{
	struct clock *clock = j->core->set.clock;

	if (j->tries++ == 0)
		printer_next(j->printer); /* the next one need not wait for it */
	j->backing_off = true;
	timer_start(&j->timer, retry_delay_ms(&step_retry, j->tries, err ? err->retry_after_s : 0,
	                                      clock->random(clock)));
}

bool job_is_unknown_there(struct job *j, const struct err *err)
{
	if (err->kind != ERR_GONE || err->code != NOT_FOUND_CODE)
		return err->kind == ERR_GONE || err->kind == ERR_REJECTED;
	return ++j->not_found >= JOB_NOT_FOUND_TIMES;
}

/* ---- moves ---- */

static void on_moved(struct job *j, const struct err *err)
{
	(void)err;
	job_log_move(j);
	printer_next(j->printer);
	job_run(j);
}

bool job_is_whole(const struct job *j)
{
	return j->core->set.queue_ops->status(j->printer->queue)->whole;
}

const char *job_uuid_at_queue(const struct job *j)
{
	if (!j->core->set.queue_ops->status(j->printer->queue)->whole)
		return j->local_uuid;
	return *j->rec.local_job_uuid ? j->rec.local_job_uuid : NULL;
}

bool job_is_not_ours(const struct job *j, const struct local_job *local)
{
	bool cups = !j->core->set.queue_ops->status(j->printer->queue)->whole;
	const char *ours = job_uuid_at_queue(j), *its = cups ? local->job_uuid : local->own_uuid;

	return ours && *ours && *its && strcasecmp(ours, its) != 0;
}

/* Whether nothing waits for the commit of this move. Printing: "closed" is durable, which says as
 * much, but for an IPP printer: there only this says that all of it arrived, and without it a
 * restart holds the job. Handing: the row is durable; the next commit, before the document's first
 * byte goes to the queue, takes this one along. Until then a restart finds the job claiming,
 * accepts it again and looks for what Create-Job may have made. */
static bool is_lazy(const struct job *j, enum job_state to)
{
	return to == JOB_PRINTING ? !job_is_whole(j)
	                          : to == JOB_HANDING && j->before == JOB_CLAIMING;
}

void job_move(struct job *j, enum job_state to)
{
	if (!(states[j->rec.state].allowed & (1u << to)))
		abort();
	j->before = j->rec.state;
	j->rec.state = to;
	j->step = STEP_IDLE;
	j->order = ORDER_NONE; /* was about the state before */
	j->entered = job_now_ms(j);
	j->news = true;
	if (to != JOB_HANDING)
		timer_stop(&j->beat);
	if (to == JOB_PRINTING || to == JOB_REPORTING)
		j->rec.crashes = 0; /* it got further */
	if (to == JOB_DONE) {
		struct printer *p = j->printer;

		timer_stop(&j->timer);
		if (!j->reclaimed)
			tally_job(&j->core->tally, &j->rec);
		if (!j->rec.id) {
			job_free(j); /* never was in the store */
			return;
		}
		job_save_end(j);
		printer_next(p);
		return;
	}
	if (is_lazy(j, to) && !j->lazy) {
		timer_stop(&j->timer);
		j->backing_off = false;
		j->tries = 0;
		job_save_lazily(j);
		on_moved(j, NULL);
		return;
	}
	if (j->before == JOB_PRINTING)
		printer_pass_turn(j->printer); /* its commit goes first: the printer waits for it */
	job_save(j, on_moved);
}

static void on_again(struct job *j, const struct err *err)
{
	(void)err;
	job_run(j);
}

/* Behind the reason stays what was said while it printed. */
static void say_why(struct job *j)
{
	char said[TEXT_SIZE], *message = j->rec.report_message;
	size_t room;

	(void)str_copy(said, sizeof(said), message);
	room = *said ? sizeof(said) - strlen(said) - 2 : sizeof(said);
	(void)str_copy(message, room, j->rec.error_text);
	if (*said)
		(void)snprintf(message + strlen(message), sizeof(said) - strlen(message), "; %s",
		               said);
}

void job_settle(struct job *j, enum policy_place place, const struct err *err,
                enum job_outcome outcome)
{
	const struct config *config = j->core->set.config;
	struct clock *clock = j->core->set.clock;
	int64_t age = job_age_ms(j), delay;
	const struct policy_in in = {
		.place = place,
		.err = err,
		.outcome = outcome,
		.cancel_requested = j->rec.cancel_requested,
		.refused = j->turned_away || j->rec.error_kind == ERR_REJECTED,
		.timed_out = age >= config->give_up_after_ms,
		.when_unknown = job_settings(j)->when_unknown,
		.age_ms = age,
		.give_up_ms = config->give_up_after_ms,
	};
	struct policy_out out = policy_after(&in);

	if (err) {
		j->turned_away = j->turned_away || err->kind == ERR_REJECTED;
		j->rec.error_kind = err->kind;
		j->rec.error_code = err->code;
		(void)str_copy(j->rec.error_text, sizeof(j->rec.error_text), err->text);
	}
	if (out.to != JOB_PRINTING && out.to != JOB_REPORTING && out.to != JOB_HELD) {
		j->rec.local_job = 0;
		j->rec.closed = false;
		j->rec.taken_back = false;
	}
	switch (out.to) {
	case JOB_HANDING:
		j->rec.attempt++;
		j->core->tally.retries++;
		j->step = STEP_IDLE;
		if (j->rec.state == JOB_HANDING)
			job_save(j, on_again);
		else
			job_move(j, JOB_HANDING);
		return;
	case JOB_WAITING:
		/* a cloud that has to be told of us again knows the job soon, or never again */
		delay = retry_delay_ms(&wait_retry,
		                       j->not_found ? j->not_found : (unsigned)j->rec.attempt,
		                       err ? err->retry_after_s : 0, clock->random(clock));
		j->rec.next_try = job_wall_ms(j) + delay;
		j->try_at = job_now_ms(j) + delay;
		job_event(j, "connector", "waiting: %s", j->rec.error_text);
		j->told = 0; /* the cloud hears of it at once */
		break;
	case JOB_HELD:
		job_event(j, "connector", "held: %s", j->rec.error_text);
		j->told = 0;
		break;
	case JOB_REPORTING:
		j->rec.outcome = out.outcome;
		j->rec.finished = job_wall_ms(j);
		(void)str_copy(j->rec.report_reasons, sizeof(j->rec.report_reasons), out.reasons);
		if (out.outcome == OUTCOME_ABORTED)
			say_why(j);
		job_event(j, place == POLICY_PRINTED ? "queue" : "connector", "%s%s%s",
		          job_outcome_name(out.outcome), *j->rec.report_message ? ": " : "",
		          j->rec.report_message);
		job_move(j, JOB_REPORTING);
		job_report_look(j);
		return;
	case JOB_CLAIMING:
	case JOB_PRINTING:
	case JOB_DONE:
	case JOB_STATE_COUNT:
		abort(); /* policy never says so */
	}
	job_move(j, out.to);
}

void job_request_cancel(struct job *j, const char *source)
{
	if (j->rec.cancel_requested || j->rec.state == JOB_REPORTING || j->rec.state == JOB_DONE)
		return;
	j->rec.cancel_requested = true;
	j->backing_off = false;
	job_event(j, source, "cancel requested");
	job_log(j, LOG_LEVEL_INFO, "cancel requested (%s)", source);
	if (j->rec.id)
		job_save_lazily(j); /* who asked here has been told that it is on its way */
	job_run(j);
}

bool job_is_open_at_queue(const struct job *j)
{
	return j->rec.state == JOB_PRINTING ||
	       (j->rec.state == JOB_HANDING && j->rec.local_job > 0);
}
