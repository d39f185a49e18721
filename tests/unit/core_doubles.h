/* core_doubles.h - what core/ calls by name rather than through a struct of functions, in its
 * place: transit files, the work queue, the making of keys and the loading of the store. Included
 * once by each program that tests core/ as a whole. */
#ifndef TESTS_UNIT_CORE_DOUBLES_H
#define TESTS_UNIT_CORE_DOUBLES_H

#include "common/buf.h"
#include "connector/base/crypto.h"
#include "tests/lib/fake_cert.h"
#include "tests/lib/fake_world.h"

int store_load_printers(struct store *s, struct printer_record **ret, size_t *ret_count,
                        struct err *err)
{
	(void)s;
	(void)err;
	return fake_load_printers(ret, ret_count);
}

int store_load_open_jobs(struct store *s, struct stored_job **ret, size_t *ret_count,
                         struct err *err)
{
	(void)s;
	(void)err;
	return fake_load_open_jobs(ret, ret_count);
}

int transit_create(struct transit *t, uint64_t limit, struct transit_file **ret, struct err *err)
{
	(void)t;
	return fake_transit_create(limit, ret, err);
}

void transit_free(struct transit_file *f)
{
	fake_transit_free(f);
}

uint64_t transit_size(const struct transit_file *f)
{
	return fake_transit_size(f);
}

int transit_fill(struct transit_op *op, struct err *err)
{
	return fake_transit_move(op, true, err);
}

int transit_drain(struct transit_op *op, struct err *err)
{
	return fake_transit_move(op, false, err);
}

void transit_cancel(struct transit_op *op)
{
	fake_transit_cancel(op);
}

/* Real keys, of a kind that is made quickly. */
int crypto_key_new(struct buf *out, struct err *err)
{
	char *pem = fake_cert_key();
	int rc = buf_append(out, pem, strlen(pem));

	(void)err;
	free(pem);
	return rc;
}

void work_submit(struct work *w, struct work_item *item)
{
	(void)w;
	fake_work_submit(item);
}

#endif
