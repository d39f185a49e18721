/* unregister.c - a printer is forgotten: its row, its key, its certificate.
 *
 * What can fail: it has open jobs, or is just being registered (refused); the commit (all stays). A
 * crash after the commit leaves key files that nothing uses. */

#include "common/messages.h"
#include "connector/base/journal.h"
#include "connector/core/core_private.h"
#include "connector/store/keys.h"

/* Both pairs: a renewal may have been cut. */
static void remove_keys(struct core *c, const char *id, const struct log_about *about)
{
	char pair[ID_SIZE];
	struct err err;

	for (int second = 0; second < 2; second++) {
		keys_pair_id(id, second, pair);
		if (keys_remove(c->set.state_directory, pair, &err) < 0)
			log_event(LOG_LEVEL_WARNING, about, "%s", err.text);
	}
}

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
		remove_keys(c, op->record.id, &about);
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
	if (core_is_registering(c, p->record.id))
		return err_set(err, ERR_REJECTED, 0,
		               "%s is being registered; wait for that, or cancel it", queue);
	if (core_check_running(c, err) < 0)
		return -1;
	p->leaving = true;
	c->pending++;
	op->core = c;
	op->record = p->record;
	op->store.data = op;
	op->store.done = on_unregistered;
	c->set.store_ops->printer_drop(c->set.store, &op->store, p->record.id);
	return 0;
}
