/* printer_channel.c - a printer's line to its cloud: with what it is opened, and what it brings.
 *
 * What can fail: a password file that cannot be read (the printer is offline with that reason);
 * what the channel meets later it says itself, by its state. */
#include "connector/core/core_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/store/keys.h"

#define PASSWORD_MAX 1024

/* ---- what it brings ---- */

static void on_channel_state(void *data, enum channel_state state, const struct err *err)
{
	struct printer *p = data;

	if (err)
		p->channel_err = *err;
	else
		err_clear(&p->channel_err);
	service_channel_moved(p->service, p->channel_state, state, err);
	p->channel_state = state;
	for (struct job *j = state == CHANNEL_ONLINE ? p->jobs : NULL; j; j = j->next) {
		job_count_past(j);
		if (j->rec.state == JOB_REPORTING || j->rec.state == JOB_CLAIMING)
			j->backing_off = false;
	}
	printer_moved(p);
}

static void on_offers(void *data, const struct cloud_offer *offers, size_t count)
{
	printer_take_offers(data, offers, count);
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
	    !printer_meets_again(p, cloud_job))
		job_remember(p, cloud_job);
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

		printer_free(p);
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

/* ---- with what it is opened ---- */

static int read_password(const struct printer *p, struct buf *out, struct err *err)
{
	const char *path = p->record.password_file;

	buf_init(out, PASSWORD_MAX);
	return path ? fs_secret_read(path, PASSWORD_MAX, out, err) : 0;
}

void printer_credentials(const char *state_directory, const struct printer_record *r,
                         const struct config_cloud *cloud, char key[URI_SIZE],
                         char certificate[URI_SIZE])
{
	char pair[ID_SIZE];

	*key = *certificate = '\0';
	if (r->own_certificate) {
		keys_pair_id(r->id, r->second_pair, pair);
		keys_path(state_directory, pair, key, URI_SIZE);
		keys_certificate_path(state_directory, pair, certificate, URI_SIZE);
	} else if (r->key_file) {
		(void)str_copy(key, URI_SIZE, r->key_file);
		(void)str_copy(certificate, URI_SIZE, r->certificate_file);
	} else if (cloud) {
		(void)str_copy(key, URI_SIZE, cloud->key_file);
		(void)str_copy(certificate, URI_SIZE, cloud->certificate_file);
	}
}

int printer_connect(struct printer *p, struct err *err)
{
	static const struct channel_listener template = {
		.state = on_channel_state,
		.offers = on_offers,
		.canceled = on_cloud_canceled,
		.assigned = on_assigned,
		.identify = on_identify,
		.active = on_active,
	};
	const struct config_cloud *cloud = config_cloud(p->core->set.config, p->record.cloud);
	char key[URI_SIZE], certificate[URI_SIZE];
	AUTO(buf_wipe) struct buf password = { 0 };
	AUTO(free_str) char *uri = NULL;
	struct channel_listener listener = template;
	struct channel_settings settings = {
		.uri = p->record.cloud_uri,
		.device_uuid = p->record.id,
	};

	/* cloud NULL: it went with a reload, which takes effect at the next start */
	printer_credentials(p->core->set.state_directory, &p->record, cloud, key, certificate);
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

void printer_disconnect(struct printer *p)
{
	if (!p->channel)
		return;
	service_channel_moved(p->service, p->channel_state, CHANNEL_OFFLINE, NULL);
	p->core->set.cloud_ops->channel_close(TAKE(p->channel));
}
