/* core.c - start, stop, settings; clouds; what is shared by all printers. */
#include "connector/core/core_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/fs.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/core/defaults.h"
#include "connector/core/doctor.h"
#include "connector/core/retry.h"
#include "connector/core/transfer.h"

#define PASSWORD_MAX   1024
#define DAY_MS         (24LL * 3600 * 1000)
#define IDENTITY_DAYS  30 /* finished jobs are known for so long to clouds that offer them again */
#define TRIM_EVERY_MS  (6LL * 3600 * 1000)
#define STORE_RETRY_MS 5000
#define SHORT_RETRY_MS 2000

/* ---- clouds ---- */

struct service *service_find(struct core *c, const char *name)
{
	for (struct service *s = c->services; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

int64_t service_time(const struct service *s)
{
	const struct cloud_stats *stats = s->core->set.cloud_ops->stats(s->cloud);
	struct clock *clock = s->core->set.clock;

	return stats->server_time ? stats->server_time + clock->now_ms(clock) - stats->heard_at : 0;
}

static bool answers(enum channel_state state)
{
	return state == CHANNEL_ONLINE || state == CHANNEL_REFUSED;
}

void service_channel_moved(struct service *s, enum channel_state from, enum channel_state to,
                           const struct err *err)
{
	bool before = s->answering > 0;
	const struct log_about about = { .cloud = s->name,
		                         .message_id = message_id(MESSAGE_CLOUD_UNREACHABLE) };

	if (answers(from))
		s->answering--;
	if (answers(to))
		s->answering++;
	if (err)
		s->err = *err;
	if (before == (s->answering > 0) && s->since)
		return;
	if (!before && !s->answering && !err)
		return;
	s->since = s->core->set.clock->wall_ms(s->core->set.clock);
	if (s->answering)
		log_event(LOG_LEVEL_INFO, &(struct log_about){ .cloud = s->name },
		          "cloud %s answers", s->name);
	else if (err)
		log_event(LOG_LEVEL_WARNING, &about, "cloud %s does not answer: %s", s->name,
		          err->text);
}

/* A crash that contact with a cloud brings about would else be one burst of requests after another.
 */
static int64_t crash_pause_ms(const struct core *c)
{
	return retry_crash_pause_ms(c->set.crashes, c->set.config->crash_pause_ms);
}

static int open_service(struct core *c, const struct config_cloud *cloud, struct err *err)
{
	bool universal = cloud->type == CONFIG_CLOUD_UNIVERSAL_PRINT;
	AUTO(buf_wipe) struct buf password;
	struct service *s;
	struct cloud_settings settings = {
		.name = cloud->name,
		.system_uri = *cloud->system_uri ? cloud->system_uri : NULL,
		.ca_file = *cloud->ca_file ? cloud->ca_file : NULL,
		.proxy = !*cloud->proxy                      ? NULL
		         : strcmp(cloud->proxy, "none") == 0 ? ""
		                                             : cloud->proxy,
		.username = *cloud->username ? cloud->username : NULL,
		.certificate_file = *cloud->certificate_file ? cloud->certificate_file : NULL,
		.key_file = *cloud->key_file ? cloud->key_file : NULL,
		.type = universal ? CLOUD_UNIVERSAL_PRINT : CLOUD_IPP_INFRA,
		.connector_name = c->set.config->name,
		.heartbeat_ms = cloud->heartbeat_ms,
		.pause_ms = crash_pause_ms(c),
		.http = c->set.http,
		.clock = c->set.clock,
		.vault = c->set.vault,
	};

	if (universal) {
		settings.login_url = cloud->login_url;
		settings.registration_url = cloud->registration_url;
		settings.print_url = cloud->print_url;
		settings.notification_url = cloud->notification_url;
		settings.tenant = cloud->tenant;
		settings.client_id = cloud->client_id;
		settings.scope = cloud->scope;
		settings.resource = cloud->resource;
		settings.x5c_string = cloud->x5c == CONFIG_X5C_STRING;
		settings.notification_path = cloud->notification_path;
		settings.notification_names_print =
			cloud->notification_printer_uri == CONFIG_HOST_PRINT;
		settings.registration_timeout_ms = cloud->registration_timeout_ms;
	}
	buf_init(&password, PASSWORD_MAX);
	/* its printers say the same of their own password files; the others are served */
	if (settings.username &&
	    fs_secret_read(cloud->password_file, PASSWORD_MAX, &password, err) < 0) {
		log_event(LOG_LEVEL_ERROR, &(struct log_about){ .cloud = cloud->name },
		          "cloud %s: %s", cloud->name, err->text);
		settings.username = NULL;
	}
	settings.password = settings.username ? buf_text(&password) : NULL;
	s = xcalloc(1, sizeof(*s));
	s->core = c;
	s->type = universal ? "universal-print" : "ipp-infra";
	(void)str_copy(s->name, sizeof(s->name), cloud->name);
	if (c->set.cloud_ops->open(&s->cloud, &settings, err) < 0) {
		free(s);
		return err_wrap(err, "cloud %s", cloud->name);
	}
	s->next = c->services;
	c->services = s;
	return 0;
}

/* ---- shared by the jobs ---- */

void core_wake(struct core *c)
{
	for (struct printer *p = c->printers; p; p = p->next)
		printer_next(p);
}

bool core_transfer_begin(struct core *c)
{
	if (c->transfers >= (unsigned)c->set.config->max_transfers)
		return false;
	c->transfers++;
	return true;
}

void core_transfer_end(struct core *c)
{
	if (c->transfers-- == (unsigned)c->set.config->max_transfers)
		core_wake(c); /* somebody may have waited */
}

void core_store_result(struct core *c, const struct err *err)
{
	const struct log_about about = { .message_id = message_id(MESSAGE_STORE_FAILING) };

	if (!!err == c->store_failing)
		return;
	c->store_failing = err != NULL;
	if (err) {
		log_event(LOG_LEVEL_ERROR, &about,
		          "the job store cannot be written, no jobs are taken until it can: %s",
		          err->text);
		if (!c->stopping)
			timer_start(&c->store_timer, STORE_RETRY_MS);
	} else {
		log_event(LOG_LEVEL_INFO, NULL, "the job store can be written again");
		for (struct printer *p = c->printers; p; p = p->next)
			if (p->channel && !c->draining)
				c->set.cloud_ops->list(p->channel); /* claims were dropped */
		core_wake(c);
	}
}

bool core_is_short(struct core *c)
{
	const char *what = c->set.short_of ? c->set.short_of() : NULL;

	if (what && !c->short_of)
		log_event(LOG_LEVEL_ERROR,
		          &(struct log_about){ .message_id = message_id(MESSAGE_LIMIT_REACHED) },
		          "short of %s, no jobs are taken until there is enough", what);
	else if (!what && c->short_of)
		log_event(LOG_LEVEL_INFO, NULL, "there is enough %s again", c->short_of);
	c->short_of = what;
	if (what && !c->stopping)
		timer_start(&c->short_timer, SHORT_RETRY_MS);
	return what != NULL;
}

static void on_short_timer(struct timer *t)
{
	struct core *c = t->data;

	if (!core_is_short(c))
		core_wake(c);
}

/* While the store fails nothing is claimed, so that something must try it now and then. */
static void on_store_tried(struct store_op *op, const struct err *err)
{
	struct core *c = op->data;

	c->trimming = false;
	core_store_result(c, err);
	if (err && !c->stopping)
		timer_start(&c->store_timer, STORE_RETRY_MS);
	core_check_drained(c);
}

/* Identities that a clock moved ahead makes old would be missed when it is put right: nothing is
 * older than each clock says, and those of the clouds must have been heard. */
static int64_t time_to_forget_by(const struct core *c)
{
	int64_t steady = c->started + c->set.clock->now_ms(c->set.clock) - c->started_at;
	int64_t now = c->set.clock->wall_ms(c->set.clock), heard = 0;

	now = steady < now ? steady : now;
	for (const struct service *s = c->services; s; s = s->next) {
		int64_t there = service_time(s);

		heard = there > heard ? there : heard;
		now = there && there < now ? there : now;
	}
	return heard ? now : 0;
}

static void trim(struct core *c)
{
	int64_t now = time_to_forget_by(c);

	if (c->trimming || c->stopping)
		return;
	c->trimming = true;
	c->trim.data = c;
	c->trim.done = on_store_tried;
	c->set.store_ops->jobs_trim(c->set.store, &c->trim, now - c->set.config->keep_history_ms,
	                            now - IDENTITY_DAYS * DAY_MS);
}

static void on_store_timer(struct timer *t)
{
	trim(t->data);
}

static void on_trim_timer(struct timer *t)
{
	trim(t->data);
	timer_start(t, TRIM_EVERY_MS);
}

/* ---- start ---- */

static struct printer *find_by_id(struct core *c, const char *id)
{
	for (struct printer *p = c->printers; p; p = p->next)
		if (strcmp(p->record.id, id) == 0)
			return p;
	return NULL;
}

static int load_printers(struct core *c, struct err *err)
{
	struct printer_record *records = NULL;
	size_t count;

	if (store_load_printers(c->set.store, &records, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		(void)printer_open(c, &records[i]);
	free(records);
	return 0;
}

static int load_jobs(struct core *c, struct err *err)
{
	struct stored_job *jobs = NULL;
	size_t count;

	if (store_load_open_jobs(c->set.store, &jobs, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct printer *p = find_by_id(c, jobs[i].job.printer);

		if (p) {
			(void)job_adopt(p, &jobs[i].job, jobs[i].ticket);
			continue;
		}
		log_event(LOG_LEVEL_WARNING, NULL,
		          "job %lld belongs to a printer that is not registered",
		          (long long)jobs[i].job.id);
		attrs_unref(jobs[i].ticket);
	}
	if (count)
		log_event(LOG_LEVEL_INFO, NULL, "%s taken up again",
		          COUNTED(count, "open job is", "open jobs are"));
	free(jobs);
	return 0;
}

static void tell_pause(const struct core *c)
{
	int64_t pause_ms = crash_pause_ms(c);

	if (pause_ms && c->services)
		log_event(LOG_LEVEL_WARNING,
		          &(struct log_about){ .message_id = message_id(MESSAGE_CRASHING) },
		          "the daemon crashed %u times in a row: no cloud is asked for %lld s "
		          "(crash-pause); report it: coredumpctl list",
		          c->set.crashes, (long long)((pause_ms + 999) / 1000));
}

static void on_drain_timer(struct timer *t);

/* In every life the same, and no other's: the state directory on this machine. */
static void identify(const struct core_settings *settings, char id[33])
{
	uint8_t digest[32];
	char *text = xasprintf("%s %s", settings->machine, settings->state_directory);

	crypto_sha256(text, strlen(text), digest);
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", digest[i]);
	free(text);
}

int core_open(struct core **ret, const struct core_settings *settings, struct err *err)
{
	char id[33];
	const struct queues_settings queues = {
		.http = settings->http,
		.clock = settings->clock,
		.cups_server = settings->config->cups_server,
		.vault = settings->vault,
		.events_ms = settings->config->state_interval_ms,
		.id = id,
	};
	struct core *c = xcalloc(1, sizeof(*c));

	identify(settings, id);
	c->set = *settings;
	TAILQ_INIT(&c->line);
	(void)str_copy(c->machine, sizeof(c->machine), settings->machine);
	c->started = settings->clock->wall_ms(settings->clock);
	c->started_at = settings->clock->now_ms(settings->clock);
	timer_init(&c->drain_timer, settings->clock, on_drain_timer, c);
	timer_init(&c->store_timer, settings->clock, on_store_timer, c);
	timer_init(&c->trim_timer, settings->clock, on_trim_timer, c);
	timer_init(&c->short_timer, settings->clock, on_short_timer, c);
	if (settings->queue_ops->open_all(&c->queues, &queues, err) < 0)
		goto fail;
	for (size_t i = 0; i < settings->config->n_clouds; i++)
		if (open_service(c, &settings->config->clouds[i], err) < 0)
			goto fail;
	if (load_printers(c, err) < 0 || load_jobs(c, err) < 0)
		goto fail;
	tell_pause(c);
	certificates_watch(c);
	for (struct printer *p = c->printers; p; p = p->next)
		printer_start(p);
	timer_start(&c->trim_timer, 60000);
	*ret = c;
	return 0;
fail:
	core_close(c);
	return -1;
}

/* ---- stop ---- */

int core_check_running(const struct core *c, struct err *err)
{
	return c->draining ? err_set(err, ERR_TEMPORARY, 0,
	                             "the connector is stopping; try again when it has started")
	                   : 0;
}

bool core_holds_back(const struct core *c)
{
	return c->draining || c->resting;
}

bool job_is_handing_over(const struct job *j)
{
	/* a word to the cloud in between is not waited for */
	return (j->rec.state == JOB_CLAIMING || j->rec.state == JOB_HANDING) &&
	       (j->store || j->cloud || j->local || j->cancel || j->transfer);
}

static bool is_handing_over(const struct core *c)
{
	for (const struct printer *p = c->printers; p; p = p->next)
		for (const struct job *j = p->jobs; j; j = j->next)
			if (job_is_handing_over(j) && j->step != STEP_FETCH) /* no promise yet */
				return true;
	return false;
}

static bool has_jobs(const struct core *c)
{
	for (const struct printer *p = c->printers; p; p = p->next)
		if (p->jobs || p->identifying)
			return true;
	return false;
}

static void stop_timers(struct core *c)
{
	timer_stop(&c->drain_timer);
	timer_stop(&c->store_timer);
	timer_stop(&c->short_timer);
	timer_stop(&c->trim_timer);
	timer_stop(&c->certificate_timer);
	timer_stop(&c->certificate_reader);
}

static void stop_jobs(struct core *c)
{
	c->stopping = true;
	stop_timers(c);
	for (struct printer *p = c->printers; p; p = p->next)
		printer_stop_jobs(p);
	batches_abort(c);
	rebind_abort(c);
	trust_abort(c);
	if (c->doctor)
		doctor_cancel(c->doctor);
}

void core_check_drained(struct core *c)
{
	if (!c->draining || !c->drained)
		return;
	if (!c->stopping && !is_handing_over(c))
		stop_jobs(c);
	if (c->stopping && !has_jobs(c) && !c->batches && !c->trimming && !c->pending) {
		void (*drained)(void *) = TAKE(c->drained);

		drained(c->drained_data);
	}
}

static void on_drain_timer(struct timer *t)
{
	struct core *c = t->data;

	if (c->printers)
		log_event(LOG_LEVEL_WARNING, NULL,
		          "hand-overs that take too long are taken up again at the "
		          "next start");
	stop_jobs(c);
	core_check_drained(c);
}

void core_drain(struct core *c, int64_t limit_ms, void (*drained)(void *data), void *data)
{
	if (c->stopping)
		return; /* it is as fast as it can */
	c->draining = true;
	c->drained = drained;
	c->drained_data = data;
	timer_start(&c->drain_timer, limit_ms);
	if (!c->printers)
		timer_start(&c->drain_timer, 0);
	core_wake(c);
}

void core_close(struct core *c)
{
	if (!c)
		return;
	stop_timers(c);
	while (c->printers)
		printer_close(c->printers);
	while (c->services) {
		struct service *s = c->services;

		c->services = s->next;
		c->set.cloud_ops->close(s->cloud);
		free(s);
	}
	if (c->queues)
		c->set.queue_ops->close_all(c->queues);
	c->set.store_ops->op_clear(&c->trim);
	free(c);
}

static bool same_cloud(const struct config_cloud *a, const struct config_cloud *b)
{
	return b && strcmp(a->uri, b->uri) == 0 && strcmp(a->system_uri, b->system_uri) == 0 &&
	       strcmp(a->username, b->username) == 0 &&
	       strcmp(a->password_file, b->password_file) == 0 &&
	       strcmp(a->certificate_file, b->certificate_file) == 0 &&
	       strcmp(a->key_file, b->key_file) == 0 && strcmp(a->ca_file, b->ca_file) == 0 &&
	       strcmp(a->proxy, b->proxy) == 0 && a->type == b->type && a->x5c == b->x5c &&
	       strcmp(a->client_id, b->client_id) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
	       strcmp(a->login_url, b->login_url) == 0 &&
	       strcmp(a->registration_url, b->registration_url) == 0 &&
	       strcmp(a->print_url, b->print_url) == 0 &&
	       strcmp(a->notification_url, b->notification_url) == 0 &&
	       strcmp(a->resource, b->resource) == 0 && strcmp(a->scope, b->scope) == 0 &&
	       strcmp(a->notification_path, b->notification_path) == 0 &&
	       a->notification_printer_uri == b->notification_printer_uri &&
	       a->registration_timeout_ms == b->registration_timeout_ms &&
	       a->heartbeat_ms == b->heartbeat_ms;
}

void core_reload(struct core *c, struct config *config)
{
	bool same = config->n_clouds == c->set.config->n_clouds;

	for (size_t i = 0; same && i < config->n_clouds; i++)
		same = same_cloud(&config->clouds[i],
		                  config_cloud(c->set.config, config->clouds[i].name));
	if (!same)
		log_event(LOG_LEVEL_WARNING, NULL,
		          "clouds changed in the settings: restart print-connectord to use them");
	c->set.config = config;
	c->settings_wrong = false;
	for (struct printer *p = c->printers; p; p = p->next)
		for (struct job *j = p->jobs; j; j = j->next) {
			j->sent_ticket.mappings = &config->mappings;
			if (j->transfer)
				j->transfer->to = job_sniff_queue(j);
		}
	/* what mapping files, allowed formats and a converter add to a queue is announced */
	for (struct printer *p = c->printers; p; p = p->next) {
		defaults_forget(p);
		c->set.queue_ops->reread(p->queue);
	}
	/* what kept it from its cloud, a missing password file perhaps, may be repaired */
	for (struct printer *p = c->printers; p; p = p->next)
		if (!p->channel && p->service && printer_is_mine(p) && !c->draining)
			printer_start(p);
	core_wake(c);
}

void core_reload_failed(struct core *c)
{
	c->settings_wrong = true;
}

/* ---- asked by control ---- */

struct printer *core_find_printer(struct core *c, const char *queue, const char *cloud,
                                  struct err *err)
{
	struct printer *found = NULL;

	for (struct printer *p = c->printers; p; p = p->next) {
		if (strcmp(p->record.queue, queue) != 0 && strcmp(p->record.id, queue) != 0)
			continue;
		if (cloud && strcmp(p->record.cloud, cloud) != 0)
			continue;
		if (found) {
			(void)err_set(err, ERR_REJECTED, 0,
			              "%.80s is registered with several clouds; name one: "
			              "--cloud %.30s, --cloud %.30s",
			              queue, found->record.cloud, p->record.cloud);
			return NULL;
		}
		found = p;
	}
	if (!found && cloud)
		(void)err_set(err, ERR_GONE, 0,
		              "%s is not registered with cloud %s; print-connector printers shows "
		              "what is",
		              queue, cloud);
	else if (!found)
		(void)err_set(err, ERR_GONE, 0,
		              "%s is not registered; print-connector printers shows what is",
		              queue);
	return found;
}

struct job *core_find_job(struct core *c, int64_t id)
{
	for (struct printer *p = c->printers; p; p = p->next)
		for (struct job *j = p->jobs; j; j = j->next)
			if (j->rec.id == id && !j->reclaimed && !j->dead)
				return j;
	return NULL;
}

const struct job_record *core_job(struct core *c, int64_t id)
{
	struct job *j = core_find_job(c, id);

	return j ? &j->rec : NULL;
}

int core_cancel(struct core *c, int64_t id, struct err *err)
{
	struct job *j = core_find_job(c, id);

	if (!j)
		return err_set(err, ERR_GONE, 0,
		               "no open job %lld; print-connector jobs --all shows finished ones",
		               (long long)id);
	if (j->rec.state == JOB_REPORTING || j->rec.state == JOB_DONE)
		return err_set(err, ERR_REJECTED, 0, "job %lld has ended: %s", (long long)id,
		               job_outcome_name(j->rec.outcome));
	if (!printer_is_mine(j->printer))
		return err_set(err, ERR_REJECTED, 0, "job %lld: %s", (long long)id,
		               WHY_NOT(j->printer));
	job_request_cancel(j, "connector");
	return 0;
}

struct store *core_store(struct core *c)
{
	return c->set.store;
}

const struct config *core_config(const struct core *c)
{
	return c->set.config;
}

bool core_is_registered(struct core *c, const char *queue)
{
	for (struct printer *p = c->printers; p; p = p->next)
		if (strcmp(p->record.queue, queue) == 0 && !p->record.registering)
			return true;
	return false;
}

int core_list_queues(struct core *c, struct local_op *op,
                     void (*each)(void *data, const char *name, const char *info,
                                  const char *make_and_model),
                     void *each_data, struct err *err)
{
	return c->set.queue_ops->list(c->queues, op, each, each_data, err);
}

void core_list_queues_clear(struct core *c, struct local_op *op)
{
	c->set.queue_ops->op_clear(op);
}

int core_probe(struct core *c, struct local_op *op, const char *queue, struct err *err)
{
	return c->set.queue_ops->probe(c->queues, queue, op, err);
}

int core_explain(struct core *c, const struct local_op *op, const char *queue, const char *ticket,
                 const struct ticket_explained *to, struct err *err)
{
	const struct attrs *can = op->capabilities;

	/* of a class a single look shows nothing of its members */
	for (struct printer *p = c->printers; p; p = p->next)
		if (strcmp(p->record.queue, queue) == 0 && c->set.queue_ops->capabilities(p->queue))
			can = c->set.queue_ops->capabilities(p->queue);
	return c->set.queue_ops->explain(queue, can, &op->grey, &c->set.config->mappings, ticket,
	                                 to, err);
}

const char *core_queue_of(struct core *c, const char *name)
{
	for (struct printer *p = c->printers; p; p = p->next)
		if (strcmp(p->record.id, name) == 0)
			return p->record.queue;
	return name;
}
