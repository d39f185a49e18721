/* trust.c - the key that an ipps printer shows now is believed from now on.
 *
 * Happy path: the printer is asked anew, as at its registration, and tells its key or shows that a
 * CA vouches for it; the record is committed; the queue goes on with that key and the printer
 * begins anew.
 *
 * What can fail: the printer does not answer (all stays); the commit (all stays). */
#include "connector/core/core_private.h"

#include <string.h>

#include "common/str.h"
#include "connector/base/journal.h"

static void end(struct core_trust *op, const struct err *err)
{
	struct core *c = op->core;
	struct printer *p = core_find_printer(c, op->record.id, NULL, &(struct err){ 0 });

	if (p)
		p->changing = false;
	c->trust = NULL;
	c->pending--;
	c->set.queue_ops->op_clear(&op->local);
	op->done(op, err);
	core_check_drained(c);
}

static void on_saved(struct store_op *store, const struct err *err)
{
	struct core_trust *op = store->data;
	struct core *c = op->core;
	struct printer *p = core_find_printer(c, op->record.id, NULL, &(struct err){ 0 });
	const struct log_about about = { .queue = op->record.queue, .cloud = op->record.cloud };
	struct err ignored;

	core_store_result(c, err);
	if (p && !err) {
		log_event(LOG_LEVEL_INFO, &about, "%.100s is trusted by %s%s from now on",
		          op->record.queue, *op->record.pinned_key ? "its key " : "its authority",
		          op->record.pinned_key);
		(void)str_copy(p->record.pinned_key, sizeof(p->record.pinned_key),
		               op->record.pinned_key);
		c->set.queue_ops->trust(p->queue, p->record.pinned_key);
		(void)core_reset(c, op->record.id, NULL, &ignored);
	}
	end(op, err);
}

static void on_probed(struct local_op *local, const struct err *err)
{
	struct core_trust *op = local->data;
	struct core *c = op->core;
	const struct printer *p = core_find_printer(c, op->record.id, NULL, &(struct err){ 0 });
	struct err why;

	op->asking = false;
	if (err || c->stopping || !p) {
		why = (struct err){ .kind = ERR_CANCELED, .text = "the connector is stopping" };
		if (err)
			why = *err; /* it may be of the operation that is cleared */
		end(op, &why);
		return;
	}
	op->record = p->record;
	(void)str_copy(op->record.pinned_key, sizeof(op->record.pinned_key), local->learned);
	op->store.data = op;
	op->store.done = on_saved;
	c->set.store_ops->printer_save(c->set.store, &op->store, &op->record);
}

int core_trust(struct core *c, struct core_trust *op, const char *printer, const char *cloud,
               struct err *err)
{
	struct printer *p = core_find_printer(c, printer, cloud, err);

	if (!p)
		return -1;
	if (strncmp(p->record.queue, "ipps://", 7) != 0)
		return err_set(err, ERR_REJECTED, 0,
		               "%.80s shows no key; only printers with an ipps:// URI do",
		               p->record.queue);
	if (!printer_is_mine(p) || p->record.registering)
		return err_set(err, ERR_REJECTED, 0, "%s", WHY_NOT(p));
	if (p->leaving || p->changing || c->trust)
		return err_set(err, ERR_TEMPORARY, 0, "a printer is being changed; try again");
	if (core_check_running(c, err) < 0)
		return -1;
	op->core = c;
	op->record = p->record;
	op->local.data = op;
	op->local.done = on_probed;
	if (c->set.queue_ops->probe(c->queues, op->record.queue, &op->local, err) < 0)
		return -1;
	op->asking = true;
	p->changing = true;
	c->trust = op;
	c->pending++;
	return 0;
}

void trust_abort(struct core *c)
{
	if (c->trust && c->trust->asking)
		c->set.queue_ops->op_cancel(&c->trust->local);
}
