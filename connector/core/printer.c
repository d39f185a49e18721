/* printer.c - a registered printer: what brings its queue, its line to the cloud
 * (printer_channel.c) and its jobs (printer_offers.c) together.
 *
 * Happy path: the queue tells what it can do and how it is; the channel passes that on and brings
 * offers; offers are claimed while there is room.
 *
 * What can fail: the queue (the cloud is told why, nothing is claimed), the cloud (the channel
 * retries, jobs that print go on), the store (nothing is claimed), our own certificate or password
 * file (offline with that reason). A printer is never removed by any of these. */
#include "connector/core/core_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/convert.h"
#include "connector/base/journal.h"
#include "connector/core/defaults.h"

#define RECONNECT_MS 200 /* looks again whether a job asks the cloud */

bool printer_is_mine(const struct printer *p)
{
	return strcmp(p->record.owner, p->core->machine) == 0;
}

static const struct queue_status *queue_status(const struct printer *p)
{
	return p->core->set.queue_ops->status(p->queue);
}

__attribute__((format(printf, 2, 3))) static const char *said(char ret[static TEXT_SIZE],
                                                              const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret, TEXT_SIZE, format, args);
	va_end(args);
	return ret;
}

bool printer_can_print(const struct printer *p)
{
	return printer_is_mine(p) && !p->record.paused && p->channel &&
	       p->channel_state == CHANNEL_ONLINE && queue_status(p)->health == QUEUE_READY;
}

const char *printer_why_not(const struct printer *p, char ret[static TEXT_SIZE])
{
	const struct queue_status *status = queue_status(p);
	const char *queue = p->record.queue;

	if (!printer_is_mine(p))
		return "this state directory belongs to another machine; print-connector restore "
		       "--takeover moves it here";
	if (p->record.paused)
		return said(ret, "paused; print-connector resume %.100s lets it go on", WORDS(p));
	if (!p->service)
		return said(ret,
		            "its cloud is not in the settings any more; put it back and restart "
		            "the service, or print-connector unregister %.100s",
		            WORDS(p));
	if (p->record.registering && core_is_registering(p->core, p->record.id))
		return "it is being registered";
	if (p->record.registering)
		return said(ret,
		            "its registration was not finished; print-connector register %.60s "
		            "goes on with it",
		            queue);
	if (p->channel_state != CHANNEL_ONLINE)
		return *p->channel_err.text ? p->channel_err.text : "connecting to the cloud";
	if (status->health == QUEUE_UNKNOWN)
		return "the queue has not answered yet";
	if (status->health != QUEUE_READY)
		return status->text;
	return "";
}

const char *printer_state_name(const struct printer *p)
{
	if (p->record.registering)
		return "registering";
	if (p->record.paused)
		return "paused";
	if (p->channel && p->channel_state == CHANNEL_REFUSED)
		return "refused";
	return printer_can_print(p) ? "online" : "offline";
}

/* Says once that it is online, offline or refused now. */
static void announce(struct printer *p)
{
	const char *state = printer_state_name(p);
	struct log_about about = { .queue = p->record.queue,
		                   .cloud = p->record.cloud,
		                   .state = state };
	bool online = strcmp(state, "online") == 0;

	if (!p->announced && !online && p->channel_state == CHANNEL_CONNECTING)
		return; /* starting */
	if (strcmp(p->said, state) == 0)
		return;
	(void)str_copy(p->said, sizeof(p->said), state);
	p->announced = true;
	p->since = p->core->set.clock->wall_ms(p->core->set.clock);
	if (online) {
		about.message_id = message_id(MESSAGE_PRINTER_ONLINE);
		log_event(LOG_LEVEL_INFO, &about, "printer %s is online", p->record.queue);
		return;
	}
	about.message_id =
		message_id(p->channel_state == CHANNEL_REFUSED ? MESSAGE_PRINTER_REFUSED
	                                                       : MESSAGE_PRINTER_OFFLINE);
	log_event(LOG_LEVEL_WARNING, &about, "printer %s is %s: %s", p->record.queue, state,
	          WHY_NOT(p));
}

static bool is_asking_cloud(const struct job *j)
{
	return j->cloud || j->tell || j->transfer || j->probe;
}

/* False: a job is asking the cloud over the channel. */
static bool reconnect(struct printer *p)
{
	for (const struct job *j = p->jobs; j; j = j->next)
		if (is_asking_cloud(j))
			return false;
	p->reconnect = false;
	printer_disconnect(p);
	printer_take_offers(p, NULL, 0);
	printer_start(p);
	return true;
}

static void on_kick(struct timer *t)
{
	struct printer *p = t->data;

	if (p->reconnect && !p->core->stopping && !reconnect(p))
		timer_start(&p->kick, RECONNECT_MS);
	for (struct job *j = p->jobs; j; j = j->next)
		job_run(j);
	if (!p->core->stopping)
		printer_claim(p);
	core_check_drained(p->core);
}

void printer_pass_turn(struct printer *p)
{
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.state == JOB_HANDING)
			job_run(j);
}

void printer_next(struct printer *p)
{
	timer_start(&p->kick, 0);
}

/* What waits is tried at once when it can be printed
 * again, but not because of each small change meanwhile. */
void printer_moved(struct printer *p)
{
	bool can = printer_can_print(p);

	for (struct job *j = can && !p->could_print ? p->jobs : NULL; j; j = j->next) {
		if (j->rec.state == JOB_WAITING && !j->reclaimed)
			j->try_at = 0;
		if (j->rec.state == JOB_HANDING)
			j->backing_off = false;
	}
	p->could_print = can;
	announce(p);
	printer_next(p);
}

/* ---- the queue ---- */

static bool allows_format(void *data, const char *format)
{
	struct printer *p = data;

	return config_allows(config_queue(p->core->set.config, p->record.queue), format);
}

static const struct mappings *mappings_of(void *data)
{
	struct printer *p = data;

	return &p->core->set.config->mappings;
}

static bool names_format(void *data, const char *format)
{
	struct printer *p = data;

	return config_names(p->core->set.config, p->record.queue, format);
}

static bool converts(void *data)
{
	struct printer *p = data;

	return convert_is_there(p->core->set.convert);
}

static void on_queue_changed(void *data)
{
	struct printer *p = data;
	const struct queue_ops *ops = p->core->set.queue_ops;

	p->asking = false;
	if (queue_status(p)->health == QUEUE_UNKNOWN)
		return;
	defaults_look(p);
	if (p->channel && p->record.paused) {
		struct attrs *state = attrs_stopped(ops->state(p->queue), "paused",
		                                    "paused by the administrator");

		p->core->set.cloud_ops->update(p->channel, ops->capabilities(p->queue), state);
		attrs_unref(state);
	} else if (p->channel) {
		p->core->set.cloud_ops->update(p->channel, ops->capabilities(p->queue),
		                               ops->state(p->queue));
	}
	printer_moved(p);
}

void printer_set_paused(struct printer *p, bool paused)
{
	bool other = p->record.paused != paused;

	p->record.paused = paused;
	if (other)
		on_queue_changed(p);
}

/* ---- life ---- */

void printer_free(struct printer *p)
{
	struct core *c = p->core;

	c->set.queue_ops->close(p->queue);
	defaults_forget(p);
	if (p->identify)
		c->set.queue_ops->op_clear(p->identify);
	free(p->identify);
	free(p);
}

static void open_queue(struct printer *p)
{
	const struct queue_listener listener = {
		.changed = on_queue_changed,
		.allows = allows_format,
		.names = names_format,
		.converts = converts,
		.mappings = mappings_of,
		.data = p,
	};

	p->queue = p->core->set.queue_ops->open(p->core->queues, p->record.queue,
	                                        p->record.pinned_key, &listener);
}

struct printer *printer_open(struct core *c, const struct printer_record *record)
{
	struct printer *p = xcalloc(1, sizeof(*p));
	struct printer **at = &c->printers;

	p->core = c;
	p->record = *record;
	p->since = c->set.clock->wall_ms(c->set.clock);
	timer_init(&p->kick, c->set.clock, on_kick, p);
	printer_offers_init(p);
	while (*at)
		at = &(*at)->next;
	*at = p;
	c->printer_count++;
	p->service = service_find(c, record->cloud);
	open_queue(p);
	return p;
}

void printer_move(struct printer *p, const struct printer_record *record)
{
	p->core->set.queue_ops->close(p->queue);
	defaults_forget(p);
	p->record = *record;
	p->asking = p->one_at_a_time = false;
	open_queue(p);
	printer_moved(p);
}

void printer_start(struct printer *p)
{
	struct err err;

	if (p->record.registering)
		return;
	if (!printer_is_mine(p) || !p->service) {
		announce(p);
		return;
	}
	err_clear(&p->channel_err);
	p->channel_state = CHANNEL_CONNECTING;
	if (printer_connect(p, &err) < 0) {
		p->channel = NULL;
		p->channel_state = CHANNEL_OFFLINE;
		p->channel_err = err;
		announce(p);
		return;
	}
	service_channel_moved(p->service, CHANNEL_OFFLINE, CHANNEL_CONNECTING, NULL);
	certificate_changed(p);
	on_queue_changed(p);
}

void printer_reconnect(struct printer *p)
{
	p->reconnect = true;
	printer_next(p);
}

void printer_stop_jobs(struct printer *p)
{
	if (p->identifying)
		p->core->set.queue_ops->op_cancel(p->identify);
	for (struct job *j = p->jobs; j; j = j->next)
		job_free(j);
}

void printer_close(struct printer *p)
{
	struct printer **at = &p->core->printers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->core->printer_count--;
	timer_stop(&p->kick);
	printer_offers_clear(p);
	printer_disconnect(p);
	p->closed = true;
	if (!p->identifying) {
		printer_free(p);
		return;
	}
	p->core->pending++;
	p->core->set.queue_ops->op_cancel(p->identify); /* the queue stays until its end */
}
