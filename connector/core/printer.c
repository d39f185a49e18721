/* printer.c - a registered printer: its line to the cloud, its queue, its jobs in order.
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
#include <strings.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/fs.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/convert.h"
#include "connector/base/journal.h"
#include "connector/core/retry.h"
#include "connector/store/keys.h"

#define PASSWORD_MAX 1024
#define RECONNECT_MS 200  /* looks again whether a job asks the cloud */
#define SEEN_MS      1000 /* a printer that answered within this is taken to be on */

/* An offer that could not be fetched comes again with the next list at the latest. */
static const struct retry look_retry = { .base_ms = 1000, .cap_ms = 60000 };

bool printer_is_mine(const struct printer *p)
{
	return strcmp(p->record.owner, p->core->machine) == 0;
}

static const struct queue_status *queue_status(const struct printer *p)
{
	return p->core->set.queue_ops->status(p->queue);
}

bool printer_can_print(const struct printer *p)
{
	return printer_is_mine(p) && !p->record.paused && p->channel &&
	       p->channel_state == CHANNEL_ONLINE && queue_status(p)->health == QUEUE_READY;
}

const char *printer_why_not(const struct printer *p)
{
	const struct queue_status *status = queue_status(p);

	if (!printer_is_mine(p))
		return "this state directory belongs to another machine; print-connector restore "
		       "--takeover moves it here";
	if (p->record.paused)
		return "paused; print-connector resume lets it go on";
	if (!p->service)
		return "its cloud is not in the configuration any more";
	if (p->record.registering)
		return core_is_registering(p->core, p->record.id)
		               ? "it is being registered"
		               : "its registration was not finished; print-connector register "
		                 "goes on with it";
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
	          printer_why_not(p));
}

/* ---- jobs ---- */

/* Kept in the order of ids; one that has none yet is last. */
void printer_add_job(struct printer *p, struct job *j)
{
	j->place = p->jobs_end;
	*p->jobs_end = j;
	p->jobs_end = &j->next;
}

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
		if (j->rec.cloud_job == offer->job && (!*offer->uuid || !*j->rec.cloud_uuid ||
		                                       strcmp(j->rec.cloud_uuid, offer->uuid) == 0))
			return j;
	return NULL;
}

/* Whether a finished or open job is being accepted again already. */
static bool is_met_again(const struct printer *p, int32_t cloud_job)
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
	const struct queue_status *status = queue_status(p);
	struct clock *clock = p->core->set.clock;

	if (!status->whole || clock->now_ms(clock) - status->answered_at <= SEEN_MS)
		return true;
	if (!p->asking)
		p->core->set.queue_ops->refresh(p->queue);
	p->asking = true; /* until it has answered, or failed to */
	return false;
}

void printer_claim(struct printer *p)
{
	struct core *c = p->core;

	if (p->offer_next < p->offer_count && printer_can_print(p) && !is_seen(p))
		return;
	while (p->offer_next < p->offer_count && !p->leaving && !p->reconnect &&
	       !core_holds_back(c) && !c->store_failing && printer_can_print(p) &&
	       jobs_in_hand(p) <
	               config_queue(c->set.config, p->record.queue)->max_jobs_per_printer &&
	       !core_is_short(c)) {
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
		else if (known->rec.acknowledged && !is_met_again(p, offer->job))
			job_accept_again(known);
	}
}

static bool reconnect(struct printer *p);

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

/* The channel or the queue is other than before. What waits is tried at once when it can be printed
 * again, but not because of each small change meanwhile. */
static void moved(struct printer *p)
{
	bool can = printer_can_print(p);

	if (can && !p->could_print)
		for (struct job *j = p->jobs; j; j = j->next)
			if (j->rec.state == JOB_WAITING && !j->reclaimed)
				j->try_at = 0;
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
	if (p->channel && p->record.paused) {
		struct attrs *state = attrs_stopped(ops->state(p->queue), "paused",
		                                    "paused by the administrator");

		p->core->set.cloud_ops->update(p->channel, ops->capabilities(p->queue), state);
		attrs_unref(state);
	} else if (p->channel) {
		p->core->set.cloud_ops->update(p->channel, ops->capabilities(p->queue),
		                               ops->state(p->queue));
	}
	moved(p);
}

void printer_set_paused(struct printer *p, bool paused)
{
	bool other = p->record.paused != paused;

	p->record.paused = paused;
	if (other)
		on_queue_changed(p);
}

/* ---- the channel ---- */

static void on_channel_state(void *data, enum channel_state state, const struct err *err)
{
	struct printer *p = data;

	if (err)
		p->channel_err = *err;
	else
		err_clear(&p->channel_err);
	service_channel_moved(p->service, p->channel_state, state, err);
	p->channel_state = state;
	for (struct job *j = state == CHANNEL_ONLINE ? p->jobs : NULL; j; j = j->next)
		job_count_past(j);
	if (state == CHANNEL_ONLINE)
		for (struct job *j = p->jobs; j; j = j->next)
			if (j->rec.state == JOB_REPORTING || j->rec.state == JOB_CLAIMING)
				j->backing_off = false;
	moved(p);
}

/* A cloud that lost its memory gives numbers out again: nothing more is told of the old job. */
static void note_other_jobs(struct printer *p, const struct cloud_offer *offer)
{
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.cloud_job == offer->job && *offer->uuid && *j->rec.cloud_uuid &&
		    strcasecmp(j->rec.cloud_uuid, offer->uuid) != 0)
			j->another_there = true;
}

static void on_offers(void *data, const struct cloud_offer *offers, size_t count)
{
	struct printer *p = data;

	for (size_t i = 0; i < count; i++)
		note_other_jobs(p, &offers[i]);

	free(p->offers);
	p->offers = NULL;
	p->offer_count = p->offer_next = 0;
	if (count) {
		p->offers = xcalloc(count, sizeof(*offers));
		memcpy(p->offers, offers, count * sizeof(*offers));
		p->offer_count = count;
	}
	printer_claim(p);
}

static struct job *find_cloud_job(const struct printer *p, int32_t cloud_job)
{
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.cloud_job == cloud_job && !j->reclaimed && !j->dead)
			return j;
	return NULL;
}

static void on_cloud_canceled(void *data, int32_t cloud_job)
{
	struct job *j = find_cloud_job(data, cloud_job);

	if (j)
		job_request_cancel(j, "cloud");
}

static void on_assigned(void *data, int32_t cloud_job)
{
	struct printer *p = data;

	if (!p->leaving && !p->core->draining && !find_cloud_job(p, cloud_job) &&
	    !is_met_again(p, cloud_job))
		job_remember(p, cloud_job);
}

/* Off the list already. */
static void free_printer(struct printer *p)
{
	struct core *c = p->core;

	c->set.queue_ops->close(p->queue);
	if (p->identify)
		c->set.queue_ops->op_clear(p->identify);
	free(p->identify);
	free(p->offers);
	free(p);
}

static void say_identified(const struct printer *p, const struct err *err)
{
	struct log_about about = { .queue = p->record.queue, .cloud = p->record.cloud };

	if (err)
		log_event(LOG_LEVEL_INFO, &about,
		          "printer %s cannot identify itself as the cloud asks: %s",
		          p->record.queue, err->text);
	else
		log_event(LOG_LEVEL_INFO, &about, "printer %s identifies itself: the cloud asked",
		          p->record.queue);
}

static void on_identified(struct local_op *op, const struct err *err)
{
	struct printer *p = op->data;

	p->identifying = false;
	if (p->closed) {
		struct core *c = p->core;

		free_printer(p);
		c->pending--;
		core_check_drained(c);
		return;
	}
	say_identified(p, err);
	core_check_drained(p->core);
}

static void on_identify(void *data, const char *actions, const char *message)
{
	struct printer *p = data;
	struct err err;

	if (p->identifying || p->leaving || p->core->draining)
		return;
	if (!p->identify)
		p->identify = xcalloc(1, sizeof(*p->identify));
	p->core->set.queue_ops->op_clear(p->identify);
	p->identify->data = p;
	p->identify->done = on_identified;
	p->identify->user_name = "print-connector";
	p->identifying = p->core->set.queue_ops->identify(p->queue, p->identify, actions, message,
	                                                  &err) == 0;
	if (!p->identifying)
		say_identified(p, &err);
}

static size_t on_active(void *data, struct cloud_active *out, size_t max)
{
	const struct printer *p = data;
	size_t n = 0;

	for (const struct job *j = p->jobs; j && n < max; j = j->next)
		if (j->rec.acknowledged && j->rec.state != JOB_DONE && !j->reclaimed)
			out[n++] = (struct cloud_active){
				.job = j->rec.cloud_job,
				.state = j->rec.state == JOB_PRINTING ? IPP_JSTATE_PROCESSING
				                                      : IPP_JSTATE_STOPPED,
			};
	return n;
}

/* ---- life ---- */

static int read_password(const struct printer *p, struct buf *out, struct err *err)
{
	const char *path = p->record.password_file;

	buf_init(out, PASSWORD_MAX);
	return path ? fs_secret_read(path, PASSWORD_MAX, out, err) : 0;
}

void printer_credentials(const struct core *c, const struct printer_record *r,
                         const struct config_cloud *cloud, char key[URI_SIZE],
                         char certificate[URI_SIZE])
{
	char pair[ID_SIZE];

	*key = *certificate = '\0';
	if (r->own_certificate) {
		keys_pair_id(r->id, r->second_pair, pair);
		keys_path(c->set.state_directory, pair, key, URI_SIZE);
		keys_certificate_path(c->set.state_directory, pair, certificate, URI_SIZE);
	} else if (r->key_file) {
		(void)str_copy(key, URI_SIZE, r->key_file);
		(void)str_copy(certificate, URI_SIZE, r->certificate_file);
	} else if (cloud) {
		(void)str_copy(key, URI_SIZE, cloud->key_file);
		(void)str_copy(certificate, URI_SIZE, cloud->certificate_file);
	}
}

static int connect_channel(struct printer *p, struct err *err)
{
	static const struct channel_listener template = {
		.state = on_channel_state,
		.offers = on_offers,
		.canceled = on_cloud_canceled,
		.assigned = on_assigned,
		.identify = on_identify,
		.active = on_active,
	};
	static const struct config_cloud none = { .key_file = "", .certificate_file = "" };
	const struct config_cloud *cloud = config_cloud(p->core->set.config, p->record.cloud);
	char key[URI_SIZE], certificate[URI_SIZE];
	AUTO(buf_wipe) struct buf password = { 0 };
	AUTO(free_str) char *uri = NULL;
	struct channel_listener listener = template;
	struct channel_settings settings = {
		.uri = p->record.cloud_uri,
		.device_uuid = p->record.id,
	};

	if (!cloud)
		cloud = &none; /* it went with a reload, which takes effect at the next start */
	printer_credentials(p->core, &p->record, cloud, key, certificate);
	if (*p->record.identity.device) {
		settings.identity = &p->record.identity;
		if (cloud) { /* where it is now, should the settings have changed */
			uri = xasprintf("%s/printers/%s", cloud->print_url,
			                p->record.identity.device);
			settings.uri = uri;
		}
	}
	if (read_password(p, &password, err) < 0)
		return err_wrap(err, "printer %s", p->record.queue);
	settings.certificate_file = *certificate ? certificate : NULL;
	settings.key_file = *key ? key : NULL;
	settings.username = p->record.username;
	settings.password = settings.username ? buf_text(&password) : NULL;
	listener.data = p;
	return p->core->set.cloud_ops->channel_open(&p->channel, p->service->cloud, &settings,
	                                            &listener, err);
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
	p->jobs_end = &p->jobs;
	p->record = *record;
	p->since = c->set.clock->wall_ms(c->set.clock);
	timer_init(&p->kick, c->set.clock, on_kick, p);
	timer_init(&p->look, c->set.clock, on_look, p);
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
	p->record = *record;
	p->asking = p->one_at_a_time = false;
	open_queue(p);
	moved(p);
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
	if (connect_channel(p, &err) < 0) {
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

static void close_channel(struct printer *p)
{
	if (!p->channel)
		return;
	service_channel_moved(p->service, p->channel_state, CHANNEL_OFFLINE, NULL);
	p->core->set.cloud_ops->channel_close(TAKE(p->channel));
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
	close_channel(p);
	on_offers(p, NULL, 0);
	printer_start(p);
	return true;
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
	timer_stop(&p->look);
	close_channel(p);
	p->closed = true;
	if (!p->identifying) {
		free_printer(p);
		return;
	}
	p->core->pending++;
	p->core->set.queue_ops->op_cancel(p->identify); /* the queue stays until its end */
}
