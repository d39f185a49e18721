/* register.c - queues become printers of a cloud, any number of them under one sign-in.
 *
 * Happy path: the queues are begun (enroll.c); the first one that could be read asks for the
 * sign-in, and all get their keys meanwhile; then a few dozen at a time are registered; each ends
 * by itself; when none is left the administrator is signed out.
 *
 * What can fail: one queue (the others go on); the sign-in, or the cloud does not let this
 * administrator register printers (nothing more is begun, it is told once); the caller goes away
 * (the sign-in and what is under way are canceled). What was registered stays so in all cases. */
#include "connector/core/register_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"

#define BEGUN_MAX  64     /* queues whose turn has not come are read and get their keys meanwhile */
#define ACTIVE_MAX 32     /* registrations that the cloud has in hand */
#define QUEUES_MAX 100000 /* names of one call */

bool batch_wants_sign_in(const struct batch *b)
{
	return b->core->set.cloud_ops->wants_sign_in(b->service->cloud);
}

static void batch_end(struct batch *b)
{
	struct core *c = b->core;
	struct core_register *op = b->op;
	struct batch **at = &c->batches;
	struct err err = b->err;
	bool failed = b->failed;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	timer_stop(&b->pump);
	c->set.cloud_ops->sign_out(b->session);
	c->set.cloud_ops->op_clear(&b->sign_in);
	c->set.queue_ops->op_clear(&b->list);
	for (size_t i = 0; i < b->count; i++)
		free(b->names[i]);
	free(b->names);
	free(b);
	op->private = NULL;
	op->done(op, failed ? &err : NULL);
	core_check_drained(c);
}

/* To those that have waited longest. */
static void give_turns(struct batch *b)
{
	if (b->failed || (batch_wants_sign_in(b) && !b->session))
		return;
	for (struct enrolment *e = b->enrolments; e && b->turns < ACTIVE_MAX; e = e->next)
		if (e->waits) {
			b->turns++;
			enrolment_turn(e);
		}
}

/* Those who wait for a turn that will not come. */
static void send_home(struct batch *b)
{
	for (struct enrolment *e = b->enrolments; e; e = e->next)
		if (e->waits) {
			e->silent = true;
			enrolment_cancel(e);
		}
}

static void on_pump(struct timer *t)
{
	struct batch *b = t->data;

	if (b->listing)
		return;
	if (b->failed)
		send_home(b);
	while (!b->failed && b->begun < b->count && b->active < BEGUN_MAX) {
		b->active++;
		enrolment_start(b, b->names[b->begun++]);
	}
	give_turns(b);
	if (b->active)
		return;
	if (b->signing)
		b->core->set.cloud_ops->op_cancel(&b->sign_in); /* nobody waits for it */
	else
		batch_end(b);
}

void batch_fail(struct batch *b, const struct err *err)
{
	if (!b->failed) {
		b->failed = true;
		b->err = *err;
		b->op->failed += (unsigned)(b->count - b->begun);
	}
	send_home(b);
	timer_start(&b->pump, 0);
}

void batch_ended(struct enrolment *e)
{
	struct batch *b = e->batch;
	struct enrolment **at = &b->enrolments;
	const struct core_enrolled result = {
		.queue = e->record.queue,
		.record = e->failed ? NULL : &e->record,
		.warning = e->warning,
		.err = e->failed ? &e->err : NULL,
	};

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (e->failed)
		b->op->failed++;
	else
		b->op->registered++;
	b->turns -= e->has_turn;
	if (!e->silent)
		b->op->ended(b->op, &result);
	enrolment_free(e);
	b->active--;
	timer_start(&b->pump, 0);
}

/* ---- the sign-in ---- */

/* Told to the caller alone, and never to the log. */
static void on_code(struct cloud_op *op)
{
	struct batch *b = op->data;
	struct clock *clock = b->core->set.clock;

	b->op->code(b->op, &(struct core_code){
				   .user_code = op->user_code,
				   .verification_uri = op->verification_uri,
				   .expires = clock->wall_ms(clock) + op->expires_s * 1000,
			   });
}

static void on_signed_in(struct cloud_op *op, const struct err *err)
{
	struct batch *b = op->data;

	b->signing = false;
	wipe(op->user_code, sizeof(op->user_code));
	if (err) {
		if (b->active) /* else canceled: all have ended without it */
			batch_fail(b, err);
		timer_start(&b->pump, 0);
		return;
	}
	b->session = TAKE(op->session);
	b->op->progress(b->op, NULL, "signed in");
	timer_start(&b->pump, 0);
}

void batch_want_turn(struct batch *b)
{
	timer_start(&b->pump, 0);
}

void batch_want_sign_in(struct batch *b)
{
	struct err err;

	if (b->session || b->signing || b->failed || !batch_wants_sign_in(b))
		return;
	b->op->progress(b->op, NULL, "asking for a code to sign in with");
	b->sign_in.data = b;
	b->sign_in.code = on_code;
	b->sign_in.done = on_signed_in;
	b->signing = true;
	if (b->core->set.cloud_ops->sign_in(b->service->cloud, &b->sign_in, &err) < 0) {
		b->signing = false;
		batch_fail(b, &err);
	}
}

/* ---- all queues ---- */

static void add_name(struct batch *b, const char *name)
{
	if (b->count == QUEUES_MAX)
		return;
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->names[i], name) == 0)
			return;
	b->names = xrealloc(b->names, (b->count + 1) * sizeof(*b->names));
	b->names[b->count++] = xstrdup(name);
}

static const struct printer *find_printer(const struct batch *b, const char *queue)
{
	for (const struct printer *p = b->core->printers; p; p = p->next)
		if (strcmp(p->record.cloud, b->service->name) == 0 &&
		    strcmp(p->record.queue, queue) == 0)
			return p;
	return NULL;
}

static void on_queue(void *data, const char *name, const char *info, const char *make_and_model)
{
	struct batch *b = data;
	const struct printer *p = find_printer(b, name);

	(void)info;
	(void)make_and_model;
	if (config_includes(b->core->set.config, name) && (!p || p->record.registering))
		add_name(b, name);
}

static void on_listed(struct local_op *op, const struct err *err)
{
	struct batch *b = op->data;

	b->listing = false;
	if (err)
		batch_fail(b, err);
	timer_start(&b->pump, 0);
}

/* Printers that this call goes on with: half registered ones, or those to renew. */
static void add_own(struct batch *b)
{
	for (const struct printer *p = b->core->printers; p; p = p->next)
		if (strcmp(p->record.cloud, b->service->name) == 0 && printer_is_mine(p) &&
		    config_includes(b->core->set.config, p->record.queue) &&
		    (b->op->renew ? p->record.own_certificate && !p->record.registering
		                  : p->record.registering))
			add_name(b, p->record.queue);
}

static int find_queues(struct batch *b, struct err *err)
{
	add_own(b);
	if (b->op->renew)
		return 0;
	b->list.data = b;
	b->list.done = on_listed;
	if (b->core->set.queue_ops->list(b->core->queues, &b->list, on_queue, b, err) < 0)
		return -1;
	b->listing = true;
	return 0;
}

/* ---- start ---- */

static int choose_cloud(struct core *c, const struct core_register *op,
                        const struct config_cloud **ret, struct err *err)
{
	const struct config *config = c->set.config;
	const char *name = op->cloud;

	if (!name && config->n_clouds != 1)
		return err_set(err, ERR_REJECTED, 0, "%s; name one with --cloud",
		               config->n_clouds ? "there are several clouds"
		                                : "no [cloud NAME] is in the settings");
	if (!name)
		name = config->clouds[0].name;
	*ret = config_cloud(config, name);
	if (!*ret)
		return err_set(err, ERR_GONE, 0,
		               "no [cloud %s] is in the settings; print-connector status shows "
		               "those that are",
		               name);
	if (!service_find(c, name))
		return err_set(err, ERR_REJECTED, 0,
		               "[cloud %s] is new in the settings; first: systemctl restart "
		               "print-connector",
		               name);
	return 0;
}

static int check_options(const struct core_register *op, const struct config_cloud *cloud,
                         struct err *err)
{
	bool one = !op->all && op->count == 1;

	if (!op->all && !op->count)
		return err_set(err, ERR_REJECTED, 0, "no queue is named");
	if ((op->cloud_uri || op->name) && !one)
		return err_set(err, ERR_REJECTED, 0,
		               "%s is for one queue; register them one by one",
		               op->cloud_uri ? "--cloud-uri" : "--name");
	if (!op->key_file != !op->certificate_file)
		return err_set(err, ERR_REJECTED, 0, "--certificate and --key go together");
	if (op->renew && (op->cloud_uri || op->name || op->key_file || op->username))
		return err_set(err, ERR_REJECTED, 0,
		               "--renew changes key and certificate only; leave the rest out");
	if (cloud->type == CONFIG_CLOUD_UNIVERSAL_PRINT) {
		if (op->cloud_uri || op->key_file || op->username || op->password_file)
			return err_set(
				err, ERR_REJECTED, 0,
				"Universal Print gives each printer its URI and certificate; "
				"leave --cloud-uri, --certificate, --key and --username out");
		if (!op->dry_run && !op->code)
			return err_set(err, ERR_REJECTED, 0,
			               "signing in needs a caller that can show a code; call "
			               "Register with more");
		return 0;
	}
	if (!op->renew && !op->cloud_uri && !*cloud->system_uri)
		return err_set(
			err, ERR_REJECTED, 0,
			"cloud %s has no system-uri to register printers with; set it, or name "
			"one printer with --cloud-uri",
			cloud->name);
	return 0;
}

int core_register(struct core *c, struct core_register *op, struct err *err)
{
	const struct config_cloud *cloud = NULL;
	struct batch *b;

	if (core_check_running(c, err) < 0)
		return -1;
	if (choose_cloud(c, op, &cloud, err) < 0 || check_options(op, cloud, err) < 0)
		return -1;
	b = xcalloc(1, sizeof(*b));
	b->core = c;
	b->op = op;
	b->service = service_find(c, cloud->name);
	timer_init(&b->pump, c->set.clock, on_pump, b);
	op->registered = op->failed = 0;
	for (size_t i = 0; !op->all && i < op->count; i++)
		add_name(b, op->queues[i]);
	if (op->all && find_queues(b, err) < 0) {
		for (size_t i = 0; i < b->count; i++)
			free(b->names[i]);
		free(b->names);
		free(b);
		return -1;
	}
	op->private = b;
	b->next = c->batches;
	c->batches = b;
	timer_start(&b->pump, 0);
	return 0;
}

void core_register_cancel(struct core_register *op)
{
	struct batch *b = op->private;
	struct err err;

	if (!b || b->canceled)
		return;
	b->canceled = true;
	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	batch_fail(b, &err);
	if (b->listing)
		b->core->set.queue_ops->op_cancel(&b->list);
	if (b->signing)
		b->core->set.cloud_ops->op_cancel(&b->sign_in);
	for (struct enrolment *e = b->enrolments; e; e = e->next)
		enrolment_cancel(e);
}

void batches_abort(struct core *c)
{
	for (struct batch *b = c->batches; b; b = b->next)
		core_register_cancel(b->op);
}

bool core_is_registering(const struct core *c, const char *id)
{
	for (const struct batch *b = c->batches; b; b = b->next)
		for (const struct enrolment *e = b->enrolments; e; e = e->next)
			if (strcmp(e->record.id, id) == 0)
				return true;
	return false;
}
