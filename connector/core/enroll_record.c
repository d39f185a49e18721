/* enroll_record.c - what a registration begins with: the printer's record, filled from the command,
 * the settings and the queue; refused before anything is begun when it cannot be. */
#include "connector/core/register_private.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/fs.h"
#include "common/intern.h"
#include "common/str.h"
#include "connector/base/crypto.h"

/* "ACME LaserMaker 3000": the maker's name is the first word. */
static void take_model(struct enrolment *e, const char *make_and_model)
{
	size_t len = strcspn(make_and_model, " ");
	const char *model = make_and_model[len] ? make_and_model + len + 1 : make_and_model;

	(void)snprintf(e->manufacturer, sizeof(e->manufacturer), "%.*s", (int)len, make_and_model);
	(void)str_copy(e->model, sizeof(e->model), model);
	if (!*e->manufacturer)
		(void)str_copy(e->manufacturer, sizeof(e->manufacturer), "unknown");
	if (!*e->model)
		(void)str_copy(e->model, sizeof(e->model), "unknown");
}

void enrolment_describe(struct enrolment *e, const struct queue_status *status)
{
	take_model(e, status->make_and_model);
	if (!*e->record.name)
		(void)str_copy(e->record.name, sizeof(e->record.name),
		               *status->info ? status->info : e->record.queue);
}

static int copy(char *to, size_t size, const char *from, const char *what, struct err *err)
{
	if (from && str_copy(to, size, from) < 0)
		return err_set(err, ERR_REJECTED, 0, "%s is longer than %zu bytes", what, size - 1);
	return 0;
}

static int fill_from_command(struct enrolment *e, const char *queue,
                             const struct config_cloud *cloud, struct err *err)
{
	const struct core_register *op = e->batch->op;
	struct printer_record *r = &e->record;
	const char *password = op->password_file ? op->password_file : cloud->password_file;

	if (copy(r->queue, sizeof(r->queue), queue, "the queue's name", err) < 0 ||
	    copy(r->cloud, sizeof(r->cloud), cloud->name, "the cloud's name", err) < 0 ||
	    copy(r->name, sizeof(r->name), op->name, "the name", err) < 0 ||
	    copy(r->cloud_uri, sizeof(r->cloud_uri), op->cloud_uri, "the cloud URI", err) < 0)
		return -1;
	r->certificate_file = intern(op->certificate_file);
	r->key_file = intern(op->key_file);
	r->username = intern(op->username ? op->username : cloud->username);
	r->password_file = intern(password);
	if (r->username && !r->password_file)
		return err_set(err, ERR_REJECTED, 0, "a user name needs a password file");
	if (r->password_file &&
	    fs_secret_read(r->password_file, ENROLMENT_PASSWORD_MAX, &e->password, err) < 0)
		return -1;
	return 0;
}

/* Neither the queue nor the printer in the cloud may have another one, now or soon. */
static int check_free(const struct enrolment *e, const char *queue, struct err *err)
{
	const char *uri = e->batch->op->cloud_uri, *cloud = e->batch->service->name;

	for (const struct batch *b = e->core->batches; b; b = b->next)
		for (const struct enrolment *o = b->enrolments; o; o = o->next)
			if (o != e && strcmp(o->record.cloud, cloud) == 0 &&
			    (strcmp(o->record.queue, queue) == 0 ||
			     (uri && strcmp(o->record.cloud_uri, uri) == 0)))
				return err_set(err, ERR_REJECTED, 0,
				               "queue %s is being registered with cloud %s already",
				               o->record.queue, cloud);
	for (const struct printer *p = e->core->printers; uri && p; p = p->next)
		if (strcmp(p->record.cloud, cloud) == 0 && strcmp(p->record.queue, queue) != 0 &&
		    strcmp(p->record.cloud_uri, uri) == 0)
			return err_set(err, ERR_REJECTED, 0,
			               "that cloud printer is bound to queue %s already; "
			               "print-connector rebind moves it to another one",
			               p->record.queue);
	return 0;
}

static int begin_renewal(struct enrolment *e, const struct printer *p, struct err *err)
{
	const struct printer_record *r = &p->record;

	if (!printer_is_mine(p))
		return err_set(err, ERR_REJECTED, 0, "%s", WHY_NOT(p));
	if (r->registering)
		return err_set(err, ERR_REJECTED, 0,
		               "queue %s is not registered yet; leave --renew out", r->queue);
	if (!r->own_certificate && !r->certificate_file)
		return err_set(err, ERR_REJECTED, 0,
		               "%s has no certificate, so there is none to renew", r->queue);
	if (!r->own_certificate)
		return err_set(
			err, ERR_REJECTED, 0,
			"the certificate of %s is not of our making; replace its file, then: "
			"systemctl restart print-connector",
			r->queue);
	e->renews = true;
	e->record = *r;
	enrolment_describe(e, e->core->set.queue_ops->status(p->queue));
	return 0;
}

int enrolment_fill(struct enrolment *e, const char *queue, struct err *err)
{
	const struct core_register *op = e->batch->op;
	const struct config_cloud *cloud =
		config_cloud(e->core->set.config, e->batch->service->name);
	struct printer *p;
	struct err none;

	if (!cloud)
		return err_set(err, ERR_GONE, 0, "no [cloud %s] in the settings any more",
		               e->batch->service->name);
	(void)str_copy(e->record.queue, sizeof(e->record.queue), queue);
	(void)str_copy(e->record.cloud, sizeof(e->record.cloud), cloud->name);
	if (check_free(e, queue, err) < 0)
		return -1;
	p = core_find_printer(e->core, queue, cloud->name, op->renew ? err : &none);
	if (op->renew)
		return p ? begin_renewal(e, p, err) : -1;
	if (p && !p->record.registering)
		return err_set(err, ERR_REJECTED, 0,
		               "queue %s is registered with cloud %s already; print-connector "
		               "printers shows it",
		               queue, cloud->name);
	if (p) {
		e->record = p->record; /* its id above all */
	} else {
		crypto_uuid_random(e->record.id);
		e->record.created = e->core->set.clock->wall_ms(e->core->set.clock);
		e->record.epoch = 1;
		(void)str_copy(e->record.owner, sizeof(e->record.owner), e->core->machine);
	}
	return fill_from_command(e, queue, cloud, err);
}
