/* register.c - a queue becomes a printer of a cloud, and ceases to be one.
 *
 * Happy path: the queue is read once; where the cloud registers printers itself, a key is made and
 * a certificate asked for, else the given printer is asked whether it takes us; the record is
 * committed; the printer is served.
 *
 * What can fail: every step ends it with the reason and the remedy; before the commit nothing stays
 * but a key file without a printer, which is removed. */
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
#include "connector/base/work.h"
#include "connector/store/keys.h"

#define PEM_MAX      (64u * 1024)
#define PASSWORD_MAX 1024

struct enrolment {
	struct core *core;
	struct enrolment *next;
	struct core_register *op;
	struct service *service;
	struct printer_record record;
	struct local_op local;
	struct cloud_op cloud;
	struct store_op store;
	struct work_item work;
	struct timer end; /* done() never runs from inside another call */
	struct buf key, request, password;
	struct err err;
	bool failed, local_busy, cloud_busy, keys_saved, canceled;
};

static void on_end(struct timer *t)
{
	struct enrolment *e = t->data;
	struct core_register *op = e->op;
	struct core *c = e->core;
	struct enrolment **at = &c->enrolments;
	struct err err = e->err;
	bool failed = e->failed;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (failed && e->keys_saved) {
		struct err ignored;

		(void)keys_remove(c->set.state_directory, e->record.id, &ignored);
	}
	c->set.queue_ops->op_clear(&e->local);
	c->set.cloud_ops->op_clear(&e->cloud);
	c->set.store_ops->op_clear(&e->store);
	buf_wipe(&e->key);
	buf_wipe(&e->request);
	buf_wipe(&e->password);
	op->record = e->record;
	op->private = NULL;
	free(e);
	op->done(op, failed ? &err : NULL);
	core_check_drained(c);
}

static void end(struct enrolment *e, const struct err *err)
{
	e->failed = err != NULL;
	if (err)
		e->err = *err;
	timer_start(&e->end, 0);
}

/* True when it was canceled: then it has ended. */
static bool was_canceled(struct enrolment *e)
{
	struct err err;

	if (!e->canceled)
		return false;
	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	end(e, &err);
	return true;
}

/* ---- commit ---- */

static void on_saved(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;
	struct log_about about = {
		.queue = e->record.queue,
		.cloud = e->record.cloud,
		.message_id = message_id(MESSAGE_PRINTER_REGISTERED),
	};

	core_store_result(e->core, err);
	if (err) {
		end(e, err);
		return;
	}
	log_event(LOG_LEVEL_INFO, &about, "registered queue %s as printer %s", e->record.queue,
	          e->record.name);
	if (!e->core->stopping)
		printer_start(printer_open(e->core, &e->record));
	end(e, NULL);
}

static void save(struct enrolment *e)
{
	e->store.data = e;
	e->store.done = on_saved;
	e->core->set.store_ops->printer_save(e->core->set.store, &e->store, &e->record);
}

/* ---- cloud ---- */

static void on_probed(struct cloud_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->cloud_busy = false;
	if (was_canceled(e))
		return;
	if (err) {
		end(e, err);
		return;
	}
	(void)str_copy(e->record.cloud_printer, sizeof(e->record.cloud_printer), op->printer_uuid);
	if (e->op->dry_run)
		end(e, NULL);
	else
		save(e);
}

/* Asks the printer in the cloud with the credentials that will be used. */
static void probe_cloud(struct enrolment *e)
{
	const struct config_cloud *cloud = config_cloud(e->core->set.config, e->record.cloud);
	char key[URI_SIZE], certificate[URI_SIZE];
	struct channel_settings settings = {
		.uri = e->record.cloud_uri,
		.device_uuid = e->record.id,
		.username = *e->record.username ? e->record.username : NULL,
	};
	struct err err;

	if (!cloud) {
		(void)err_set(&err, ERR_GONE, 0, "cloud %s went from the settings meanwhile",
		              e->record.cloud);
		end(e, &err);
		return;
	}
	(void)str_copy(key, sizeof(key),
	               *e->record.key_file ? e->record.key_file : cloud->key_file);
	(void)str_copy(certificate, sizeof(certificate),
	               *e->record.certificate_file ? e->record.certificate_file
	                                           : cloud->certificate_file);
	if (e->record.own_certificate) {
		keys_path(e->core->set.state_directory, e->record.id, key, sizeof(key));
		keys_certificate_path(e->core->set.state_directory, e->record.id, certificate,
		                      sizeof(certificate));
	}
	settings.key_file = *key ? key : NULL;
	settings.certificate_file = *certificate ? certificate : NULL;
	settings.password = settings.username ? buf_text(&e->password) : NULL;
	e->op->progress(e->op, "asking the cloud");
	e->core->set.cloud_ops->op_clear(&e->cloud);
	e->cloud.data = e;
	e->cloud.done = on_probed;
	e->cloud_busy = true;
	if (e->core->set.cloud_ops->probe(e->service->cloud, &e->cloud, &settings, &err) < 0) {
		e->cloud_busy = false;
		end(e, &err);
	}
}

static void on_enrolled(struct cloud_op *op, const struct err *err)
{
	const char *dir;
	struct enrolment *e = op->data;
	struct err why;

	e->cloud_busy = false;
	if (was_canceled(e))
		return;
	if (err) {
		end(e, err);
		return;
	}
	dir = e->core->set.state_directory;
	(void)str_copy(e->record.cloud_uri, sizeof(e->record.cloud_uri), op->printer_uri);
	(void)str_copy(e->record.cloud_printer, sizeof(e->record.cloud_printer), op->printer_uuid);
	if (op->certificate.len) {
		e->keys_saved = true;
		if (crypto_certificate_matches(buf_text(&op->certificate), buf_text(&e->key),
		                               &why) < 0 ||
		    keys_save(dir, e->record.id, buf_text(&e->key), &why) < 0 ||
		    keys_save_certificate(dir, e->record.id, buf_text(&op->certificate), &why) <
		            0) {
			end(e, &why);
			return;
		}
		e->record.own_certificate = true;
	}
	save(e);
}

static int run_make_key(struct work_item *item, struct err *err)
{
	struct enrolment *e = item->data;

	if (crypto_key_new(&e->key, err) < 0)
		return -1;
	return crypto_request_new(buf_text(&e->key), e->record.id, &e->request, err);
}

static void on_key_made(struct work_item *item, const struct err *err)
{
	struct enrolment *e = item->data;
	struct cloud_enrolment what = {
		.device_uuid = e->record.id,
		.name = e->record.name,
		.request_pem = buf_text(&e->request),
		.registration_id = "",
	};
	struct err why;

	if (was_canceled(e))
		return;
	if (err) {
		end(e, err);
		return;
	}
	e->op->progress(e->op, "registering with the cloud");
	e->cloud.data = e;
	e->cloud.done = on_enrolled;
	e->cloud_busy = true;
	if (e->core->set.cloud_ops->enroll(e->service->cloud, &e->cloud, &what, &why) < 0) {
		e->cloud_busy = false;
		end(e, &why);
	}
}

/* ---- queue ---- */

static void on_queue_probed(struct local_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->local_busy = false;
	if (was_canceled(e))
		return;
	if (err) {
		end(e, err);
		return;
	}
	(void)str_copy(e->op->warning, sizeof(e->op->warning), op->status.text);
	if (!*e->record.name)
		(void)str_copy(e->record.name, sizeof(e->record.name),
		               *op->status.info ? op->status.info : e->record.queue);
	if (*e->record.cloud_uri) {
		probe_cloud(e);
		return;
	}
	if (e->op->dry_run) {
		end(e, NULL);
		return;
	}
	e->op->progress(e->op, "making a key");
	e->work.data = e;
	e->work.run = run_make_key;
	e->work.done = on_key_made;
	work_submit(e->core->set.work, &e->work);
}

/* ---- start ---- */

static int choose_cloud(struct core *c, const struct core_register *op,
                        const struct config_cloud **ret, struct err *err)
{
	const struct config *config = c->set.config;

	if (op->cloud) {
		*ret = config_cloud(config, op->cloud);
		if (!*ret || !service_find(c, op->cloud))
			return err_set(err, ERR_GONE, 0,
			               "no [cloud %s] is in the settings; print-connector status "
			               "shows those that are",
			               op->cloud);
		return 0;
	}
	if (config->n_clouds != 1)
		return err_set(err, ERR_REJECTED, 0, "%s; name one with --cloud",
		               config->n_clouds ? "there are several clouds"
		                                : "no [cloud NAME] is in the settings");
	*ret = &config->clouds[0];
	return 0;
}

static int check(struct core *c, const struct core_register *op, const struct config_cloud *cloud,
                 struct err *err)
{
	for (const struct printer *p = c->printers; p; p = p->next) {
		if (strcmp(p->record.cloud, cloud->name) != 0)
			continue;
		if (strcmp(p->record.queue, op->queue) == 0)
			return err_set(err, ERR_REJECTED, 0,
			               "queue %s is registered with cloud %s already", op->queue,
			               cloud->name);
		if (op->cloud_uri && strcmp(p->record.cloud_uri, op->cloud_uri) == 0)
			return err_set(err, ERR_REJECTED, 0,
			               "that cloud printer is bound to queue %s already",
			               p->record.queue);
	}
	for (const struct enrolment *e = c->enrolments; e; e = e->next)
		if (strcmp(e->record.cloud, cloud->name) == 0 &&
		    (strcmp(e->record.queue, op->queue) == 0 ||
		     (op->cloud_uri && strcmp(e->record.cloud_uri, op->cloud_uri) == 0)))
			return err_set(err, ERR_REJECTED, 0,
			               "queue %s is being registered with cloud %s already",
			               e->record.queue, cloud->name);
	if (!op->cloud_uri && !*cloud->system_uri)
		return err_set(err, ERR_REJECTED, 0,
		               "cloud %s has no system-uri to register printers with; name the "
		               "printer with --cloud-uri",
		               cloud->name);
	if (!op->key_file != !op->certificate_file)
		return err_set(err, ERR_REJECTED, 0, "--certificate and --key go together");
	return 0;
}

static int copy(char *to, size_t size, const char *from, const char *what, struct err *err)
{
	if (from && str_copy(to, size, from) < 0)
		return err_set(err, ERR_REJECTED, 0, "%s is longer than %zu bytes", what, size - 1);
	return 0;
}

static int fill(struct printer_record *r, const struct core_register *op,
                const struct config_cloud *cloud, struct err *err)
{
	const char *user = op->username ? op->username : *cloud->username ? cloud->username : NULL;
	const char *password = op->password_file       ? op->password_file
	                       : *cloud->password_file ? cloud->password_file
	                                               : NULL;

	if (copy(r->queue, sizeof(r->queue), op->queue, "the queue's name", err) < 0 ||
	    copy(r->cloud, sizeof(r->cloud), cloud->name, "the cloud's name", err) < 0 ||
	    copy(r->name, sizeof(r->name), op->name, "the name", err) < 0 ||
	    copy(r->cloud_uri, sizeof(r->cloud_uri), op->cloud_uri, "the cloud URI", err) < 0 ||
	    copy(r->certificate_file, sizeof(r->certificate_file), op->certificate_file,
	         "the certificate's path", err) < 0 ||
	    copy(r->key_file, sizeof(r->key_file), op->key_file, "the key's path", err) < 0 ||
	    copy(r->username, sizeof(r->username), user, "the user name", err) < 0 ||
	    copy(r->password_file, sizeof(r->password_file), password, "the password's path", err) <
	            0)
		return -1;
	if (user && !password)
		return err_set(err, ERR_REJECTED, 0, "a user name needs a password file");
	return 0;
}

int core_register(struct core *c, struct core_register *op, struct err *err)
{
	const struct config_cloud *cloud = NULL;
	struct printer_record record = { 0 };
	struct enrolment *e;

	if (c->draining)
		return err_set(err, ERR_TEMPORARY, 0, "the connector is stopping");
	if (choose_cloud(c, op, &cloud, err) < 0 || check(c, op, cloud, err) < 0 ||
	    fill(&record, op, cloud, err) < 0)
		return -1;
	e = xcalloc(1, sizeof(*e));
	buf_init(&e->key, PEM_MAX);
	buf_init(&e->request, PEM_MAX);
	buf_init(&e->password, PASSWORD_MAX);
	if (*record.password_file &&
	    fs_secret_read(record.password_file, PASSWORD_MAX, &e->password, err) < 0) {
		buf_wipe(&e->password);
		free(e);
		return -1;
	}
	crypto_uuid_random(record.id);
	record.created = c->set.clock->wall_ms(c->set.clock);
	(void)str_copy(record.owner, sizeof(record.owner), c->machine);
	record.epoch = 1;
	e->core = c;
	e->op = op;
	e->record = record;
	e->service = service_find(c, record.cloud);
	timer_init(&e->end, c->set.clock, on_end, e);
	op->private = e;
	*op->warning = '\0';
	e->local.data = e;
	e->local.done = on_queue_probed;
	e->local.user_name = "print-connector";
	if (c->set.queue_ops->probe(c->queues, e->record.queue, &e->local, err) < 0) {
		buf_wipe(&e->password);
		free(e);
		op->private = NULL;
		return -1;
	}
	e->local_busy = true;
	e->next = c->enrolments;
	c->enrolments = e;
	return 0;
}

void core_register_cancel(struct core_register *op)
{
	struct enrolment *e = op->private;

	if (!e)
		return;
	e->canceled = true;
	if (e->local_busy)
		e->core->set.queue_ops->op_cancel(&e->local);
	if (e->cloud_busy)
		e->core->set.cloud_ops->op_cancel(&e->cloud);
}

void enrolments_abort(struct core *c)
{
	for (struct enrolment *e = c->enrolments; e; e = e->next)
		core_register_cancel(e->op);
}

/* ---- unregister ---- */

static void on_unregistered(struct store_op *store, const struct err *err)
{
	struct core_unregister *op = store->data;
	struct core *c = op->core;
	struct log_about about = {
		.queue = op->record.queue,
		.cloud = op->record.cloud,
		.message_id = message_id(MESSAGE_PRINTER_UNREGISTERED),
	};
	struct printer *p = core_find_printer(c, op->record.id, NULL, &(struct err){ 0 });

	c->pending--;
	core_store_result(c, err);
	if (err) {
		p->leaving = false;
	} else {
		struct err ignored;

		if (keys_remove(c->set.state_directory, op->record.id, &ignored) < 0)
			log_event(LOG_LEVEL_WARNING, &about, "%s", ignored.text);
		log_event(LOG_LEVEL_INFO, &about, "unregistered queue %s", op->record.queue);
		printer_close(p);
	}
	op->done(op, err);
	core_check_drained(c);
}

int core_unregister(struct core *c, struct core_unregister *op, const char *queue,
                    const char *cloud, struct err *err)
{
	struct printer *p = core_find_printer(c, queue, cloud, err);

	if (!p)
		return -1;
	if (p->jobs)
		return err_set(err, ERR_REJECTED, 0,
		               "%s has open jobs; wait for them or cancel them first", queue);
	if (p->leaving)
		return err_set(err, ERR_REJECTED, 0, "%s is being unregistered already", queue);
	if (c->draining)
		return err_set(err, ERR_TEMPORARY, 0, "the connector is stopping");
	p->leaving = true;
	c->pending++;
	op->core = c;
	op->record = p->record;
	op->store.data = op;
	op->store.done = on_unregistered;
	c->set.store_ops->printer_drop(c->set.store, &op->store, p->record.id);
	return 0;
}
