/* enroll.c - one queue becomes a printer of a cloud, or a printer gets another key.
 *
 * Happy path: the queue is read; a key is made; when somebody has signed in the printer's row is
 * committed as registering and the key is kept; the cloud is asked for a certificate; the number of
 * the registration is committed as soon as it is known; the certificate is checked against the key
 * and kept; the row is committed as registered; the printer is served. Where the printer exists in
 * the cloud already it is only asked whether it takes us, then the row is committed.
 *
 * What can fail: before the cloud was asked nothing stays. A refusal leaves nothing either. After
 * an answer that did not come, a cancel or a crash the row stays as registering: the next run goes
 * on with the same id, the same key and the registration that was begun, or begins another one when
 * the cloud does not know it any more.
 *
 * A renewal writes its pair beside the one in use; the commit that changes over is one write, so
 * that either pair is whole at any time. */
#include "connector/core/register_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/base/secret.h"
#include "connector/store/keys.h"

#define PEM_MAX (64u * 1024)

/* Of the core's workers: a key that was made is kept while others are still being made. */
enum { KEEPER, FIRST_MAKER };

static void on_end(struct timer *t)
{
	batch_ended(t->data);
}

static void end(struct enrolment *e, const struct err *err)
{
	e->failed = err != NULL;
	if (err)
		e->err = *err;
	timer_start(&e->end, 0);
}

void enrolment_free(struct enrolment *e)
{
	const struct core_settings *set = &e->core->set;

	timer_stop(&e->end);
	set->queue_ops->op_clear(&e->local);
	set->cloud_ops->op_clear(&e->cloud);
	set->store_ops->op_clear(&e->store);
	secret_free(e->key);
	buf_wipe(&e->request);
	buf_wipe(&e->password);
	free(e);
}

static void say(struct enrolment *e, const char *text)
{
	e->batch->op->progress(e->batch->op, e->record.queue, text);
}

static struct printer *live(const struct enrolment *e)
{
	struct err ignored;

	return core_find_printer(e->core, e->record.id, NULL, &ignored);
}

static void commit(struct enrolment *e, const struct printer_record *record,
                   void (*done)(struct store_op *op, const struct err *err))
{
	e->saving = true;
	e->store.data = e;
	e->store.done = done;
	e->core->set.store_ops->printer_save(e->core->set.store, &e->store, record);
}

/* ---- it did not work ---- */

static void on_dropped(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;
	struct err ignored;

	e->saving = false;
	core_store_result(e->core, err);
	if (!err) {
		struct printer *p = live(e);

		(void)keys_remove(e->directory, e->record.id, &ignored);
		if (p)
			printer_close(p);
	}
	end(e, &e->err);
}

static void on_given_up(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->saving = false;
	core_store_result(e->core, err);
	end(e, &e->err);
}

static bool is_refusal(const struct err *err)
{
	return err->kind == ERR_DENIED || err->kind == ERR_REJECTED || err->kind == ERR_GONE;
}

/* Leaves what a next run goes on with, or nothing. */
static void fail(struct enrolment *e, const struct err *err)
{
	struct printer *p = live(e);
	struct err why = *err, ignored;

	if (why.kind == ERR_DENIED && e->batch->session) {
		e->silent = true;
		batch_fail(e->batch, &why);
	}
	e->failed = true;
	e->err = why;
	if (e->created && (!e->posted || is_refusal(&why))) {
		e->saving = true;
		e->store.data = e;
		e->store.done = on_dropped;
		e->core->set.store_ops->printer_drop(e->core->set.store, &e->store, e->record.id);
		return;
	}
	if (e->posted && (why.kind == ERR_CORRUPT || (e->renews && is_refusal(&why)))) {
		/* the printer is there: the next run asks for it again under the same id */
		*e->record.identity.registration_id = '\0';
		if (p)
			*p->record.identity.registration_id = '\0';
		if (e->renews)
			(void)keys_remove(e->directory, e->pair, &ignored);
		commit(e, &e->record, on_given_up);
		return;
	}
	end(e, &why);
}

/* True when it was canceled: then it has ended. */
static bool was_canceled(struct enrolment *e)
{
	struct err err;

	if (!e->canceled)
		return false;
	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	fail(e, &err);
	return true;
}

/* True when it has ended. */
static bool went_wrong(struct enrolment *e, const struct err *err)
{
	if (was_canceled(e))
		return true;
	if (err)
		fail(e, err);
	return err;
}

/* What takes long or writes files, on one of the core's workers. */
static void work_on(struct enrolment *e, unsigned worker,
                    int (*run)(struct work_item *item, struct err *err),
                    void (*done)(struct work_item *item, const struct err *err))
{
	e->work.run = run;
	e->work.done = done;
	work_submit(e->core->set.work[worker], &e->work);
}

/* ---- it worked ---- */

static void serve(struct enrolment *e)
{
	struct printer *p = live(e);
	char other[ID_SIZE];
	struct err ignored;

	if (e->renews) {
		keys_pair_id(e->record.id, !e->record.second_pair, other);
		(void)keys_remove(e->directory, other, &ignored);
	}
	if (e->core->stopping)
		return;
	if (!p)
		p = printer_open(e->core, &e->record);
	p->record = e->record;
	if (e->renews)
		printer_reconnect(p);
	else
		printer_start(p);
}

static void on_saved(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;
	struct log_about about = {
		.queue = e->record.queue,
		.cloud = e->record.cloud,
		.message_id = message_id(e->renews ? MESSAGE_CERTIFICATE_RENEWED
		                                   : MESSAGE_PRINTER_REGISTERED),
	};

	e->saving = false;
	core_store_result(e->core, err);
	if (err) {
		fail(e, err);
		return;
	}
	if (e->renews)
		log_event(LOG_LEVEL_INFO, &about, "printer %s has a new key and certificate",
		          e->record.queue);
	else
		log_event(LOG_LEVEL_INFO, &about, "registered queue %s as printer %s",
		          e->record.queue, e->record.name);
	serve(e);
	end(e, NULL);
}

/* ---- a printer that is there already ---- */

static void on_probed(struct cloud_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->cloud_busy = false;
	if (went_wrong(e, err))
		return;
	(void)str_copy(e->record.cloud_printer, sizeof(e->record.cloud_printer), op->printer_uuid);
	e->record.registering = false;
	if (e->batch->op->dry_run)
		end(e, NULL);
	else
		commit(e, &e->record, on_saved);
}

/* Asks the printer in the cloud with the credentials that will be used. */
static void probe_cloud(struct enrolment *e)
{
	const struct config_cloud *cloud = config_cloud(e->core->set.config, e->record.cloud);
	char key[URI_SIZE], certificate[URI_SIZE];
	struct channel_settings settings = {
		.uri = e->record.cloud_uri,
		.device_uuid = e->record.id,
		.username = e->record.username,
	};
	struct err err;

	printer_credentials(e->core->set.state_directory, &e->record, cloud, key, certificate);
	settings.key_file = *key ? key : NULL;
	settings.certificate_file = *certificate ? certificate : NULL;
	settings.password = settings.username ? buf_text(&e->password) : NULL;
	say(e, "asking the cloud");
	e->core->set.cloud_ops->op_clear(&e->cloud);
	e->cloud.data = e;
	e->cloud.done = on_probed;
	e->cloud_busy = true;
	if (e->core->set.cloud_ops->probe(e->batch->service->cloud, &e->cloud, &settings, &err) <
	    0) {
		e->cloud_busy = false;
		fail(e, &err);
	}
}

/* ---- the certificate ---- */

static int run_keep_certificate(struct work_item *item, struct err *err)
{
	struct enrolment *e = item->data;
	const char *pem = buf_text(&e->cloud.certificate);

	if (crypto_certificate_matches(pem, e->key, err) < 0)
		return -1;
	return keys_save_certificate(e->directory, e->pair, pem, err);
}

static void on_certificate_kept(struct work_item *item, const struct err *err)
{
	struct enrolment *e = item->data;

	if (err) {
		fail(e, err);
		return;
	}
	e->record.own_certificate = true;
	if (e->renews)
		e->record.second_pair = !e->record.second_pair;
	commit(e, &e->record, on_saved);
}

static int check_identity(const struct enrolment *e, struct err *err)
{
	const struct cloud_op *op = &e->cloud;

	if (!op->certificate.len && (batch_wants_sign_in(e->batch) || e->renews))
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud gave no certificate for queue %s; run the command again",
		               e->record.queue);
	if (e->renews && strcmp(op->identity.device, e->record.identity.device) != 0)
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud made another printer (%.36s) in place of a new "
		               "certificate; the old one is kept, remove the other in the portal",
		               op->identity.device);
	return 0;
}

/* The registration is done and the row of its number is committed. */
static void take_identity(struct enrolment *e)
{
	const struct cloud_op *op = &e->cloud;
	struct err err;

	if (check_identity(e, &err) < 0) {
		fail(e, &err);
		return;
	}
	e->record.identity = op->identity;
	*e->record.identity.registration_id = '\0';
	e->record.registering = false;
	if (*op->printer_uri)
		(void)str_copy(e->record.cloud_uri, sizeof(e->record.cloud_uri), op->printer_uri);
	if (*op->printer_uuid)
		(void)str_copy(e->record.cloud_printer, sizeof(e->record.cloud_printer),
		               op->printer_uuid);
	if (!op->certificate.len) {
		commit(e, &e->record, on_saved);
		return;
	}
	work_on(e, KEEPER, run_keep_certificate, on_certificate_kept);
}

/* ---- the registration ---- */

static void ask_cloud(struct enrolment *e);

static void on_enrolled(struct cloud_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->cloud_busy = false;
	if (e->saving) { /* begun() was just now: after its commit */
		e->enrolled = true;
		if (err)
			e->err = *err;
		else
			err_clear(&e->err);
		return;
	}
	if (!err) { /* what is there is kept, also when it was canceled meanwhile */
		take_identity(e);
		return;
	}
	if (was_canceled(e))
		return;
	if (*e->record.identity.registration_id && !e->posted &&
	    (err->kind == ERR_GONE || err->kind == ERR_REJECTED)) {
		/* the registration of an earlier run is not known any more */
		*e->record.identity.registration_id = '\0';
		ask_cloud(e);
		return;
	}
	e->posted = true;
	fail(e, err);
}

static void on_begun_saved(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->saving = false;
	core_store_result(e->core, err);
	if (e->enrolled) {
		struct err why = e->err;

		e->enrolled = false;
		on_enrolled(&e->cloud, why.kind != ERR_NONE ? &why : NULL);
	}
}

/* From here on a run that is cut can be gone on with. */
static void on_begun(struct cloud_op *op)
{
	struct enrolment *e = op->data;
	struct printer *p = live(e);

	(void)str_copy(e->record.identity.registration_id,
	               sizeof(e->record.identity.registration_id), op->identity.registration_id);
	e->posted = true;
	if (p)
		p->record.identity = e->record.identity;
	commit(e, &e->record, on_begun_saved);
	say(e, "waiting for the certificate");
}

static void ask_cloud(struct enrolment *e)
{
	const struct cloud_enrolment what = {
		.session = e->batch->session,
		.device_uuid = e->record.id,
		.name = e->record.name,
		.manufacturer = e->manufacturer,
		.model = e->model,
		.request_pem = buf_text(&e->request),
		.registration_id = e->record.identity.registration_id,
	};
	struct err err;

	say(e, "registering with the cloud");
	e->core->set.cloud_ops->op_clear(&e->cloud);
	e->cloud.data = e;
	e->cloud.begun = on_begun;
	e->cloud.done = on_enrolled;
	e->cloud_busy = true;
	e->posted = !*what.registration_id;
	if (e->core->set.cloud_ops->enroll(e->batch->service->cloud, &e->cloud, &what, &err) < 0) {
		e->cloud_busy = false;
		e->posted = false;
		fail(e, &err);
	}
}

/* ---- the key ---- */

static int run_keep_key(struct work_item *item, struct err *err)
{
	struct enrolment *e = item->data;

	if (!e->key_kept && keys_save(e->directory, e->pair, e->key, err) < 0)
		return -1;
	return crypto_request_new(e->key, e->record.id, &e->request, err);
}

static void on_key_kept(struct work_item *item, const struct err *err)
{
	if (!went_wrong(item->data, err))
		ask_cloud(item->data);
}

static void keep_key(struct enrolment *e)
{
	work_on(e, KEEPER, run_keep_key, on_key_kept);
}

/* ---- the row ---- */

static void on_row_saved(struct store_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->saving = false;
	core_store_result(e->core, err);
	if (err) {
		e->created = false; /* there is none */
		fail(e, err);
		return;
	}
	if (!e->core->stopping && !live(e))
		(void)printer_open(e->core, &e->record);
	if (!was_canceled(e))
		keep_key(e);
}

/* What the cloud may ask has been asked. */
static void go_on(struct enrolment *e)
{
	if (e->renews || e->record.registering) {
		keep_key(e);
		return;
	}
	e->record.registering = true;
	e->created = true;
	commit(e, &e->record, on_row_saved);
}

void enrolment_turn(struct enrolment *e)
{
	e->waits = false;
	e->has_turn = true;
	go_on(e);
}

static void want_turn(struct enrolment *e)
{
	e->waits = true;
	if (batch_wants_sign_in(e->batch) && !e->batch->session)
		say(e, "waiting for the sign-in");
	batch_want_turn(e->batch);
}

/* In memory only, and before the sign-in: that takes people's time, a key takes the machine's. */
static int run_make_key(struct work_item *item, struct err *err)
{
	struct enrolment *e = item->data;
	AUTO(buf_wipe) struct buf key;
	struct err none;

	buf_init(&key, PEM_MAX);
	e->key_kept = e->keeps_key && keys_load(e->directory, e->pair, &key, &none) == 0;
	if (!e->key_kept) {
		buf_wipe(&key);
		if (crypto_key_new(&key, err) < 0)
			return -1;
	}
	e->key = secret_copy(buf_text(&key));
	return 0;
}

static void on_key_made(struct work_item *item, const struct err *err)
{
	if (!went_wrong(item->data, err))
		want_turn(item->data);
}

static void make_key(struct enrolment *e)
{
	const char *number = e->record.identity.registration_id;

	/* a registration that was begun was begun with that key */
	e->keeps_key = e->renews ? *number != '\0' : e->record.registering;
	keys_pair_id(e->record.id, e->record.second_pair != e->renews, e->pair);
	batch_want_sign_in(e->batch);
	say(e, "making a key");
	work_on(e, e->maker, run_make_key, on_key_made);
}

/* ---- queue ---- */

static void on_queue_probed(struct local_op *op, const struct err *err)
{
	struct enrolment *e = op->data;

	e->local_busy = false;
	if (went_wrong(e, err))
		return;
	(void)str_copy(e->warning, sizeof(e->warning), op->warning);
	(void)str_copy(e->record.pinned_key, sizeof(e->record.pinned_key), op->learned);
	if (*op->learned)
		say(e, "no authority vouches for it: its key is trusted from now on");
	enrolment_describe(e, &op->status);
	if (*e->record.cloud_uri)
		probe_cloud(e);
	else if (e->batch->op->dry_run)
		end(e, NULL);
	else
		make_key(e);
}

/* ---- start ---- */

static int start(struct enrolment *e, const char *queue, struct err *err)
{
	const struct core_settings *set = &e->core->set;

	if (enrolment_fill(e, queue, err) < 0)
		return -1;
	if (e->renews) {
		if (e->batch->op->dry_run)
			end(e, NULL);
		else
			make_key(e);
		return 0;
	}
	e->local.data = e;
	e->local.done = on_queue_probed;
	say(e, "reading the queue");
	if (set->queue_ops->probe(e->core->queues, e->record.queue, &e->local, err) < 0)
		return -1;
	e->local_busy = true;
	return 0;
}

void enrolment_start(struct batch *b, const char *queue)
{
	struct enrolment *e = xcalloc(1, sizeof(*e)), **at = &b->enrolments;
	struct err err;

	e->core = b->core;
	e->batch = b;
	e->directory = b->core->set.state_directory;
	e->work.data = e;
	e->maker = FIRST_MAKER + b->core->next_maker++ % (CORE_WORKERS - FIRST_MAKER);
	buf_init(&e->request, PEM_MAX);
	buf_init(&e->password, ENROLMENT_PASSWORD_MAX);
	timer_init(&e->end, b->core->set.clock, on_end, e);
	while (*at)
		at = &(*at)->next;
	*at = e;
	if (start(e, queue, &err) < 0)
		end(e, &err);
}

void enrolment_cancel(struct enrolment *e)
{
	if (e->canceled)
		return;
	e->canceled = true;
	if (e->local_busy)
		e->core->set.queue_ops->op_cancel(&e->local);
	if (e->cloud_busy)
		e->core->set.cloud_ops->op_cancel(&e->cloud);
	if (e->waits) {
		e->waits = false;
		(void)was_canceled(e);
	}
}
