/* store_printers.c - printers in state.db. */
#include <stdlib.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/store/printer_files.h"
#include "connector/store/store_private.h"

static int run_save(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, STMT_PRINTER_SAVE, &q, err) < 0)
		return -1;
	store_bind_record(q, printer_columns, printer_column_count, &r->printer);
	if (store_step(r->s, q, err) < 0)
		return -1;
	return printer_file_save(r->s, r->printer.id, err);
}

void store_printer_save(struct store *s, struct store_op *op, const struct printer_record *p)
{
	struct store_request *r = store_request_new(s, op, run_save);

	r->writes = true;
	r->printer = *p;
	store_request_submit(r);
}

static int run_drop(struct store_request *r, struct err *err)
{
	AUTO(store_statement_done) sqlite3_stmt *q = NULL;

	if (store_statement(r->s, STMT_PRINTER_DELETE, &q, err) < 0)
		return -1;
	(void)sqlite3_bind_text(q, 1, r->printer.id, -1, SQLITE_STATIC);
	if (store_step(r->s, q, err) < 0)
		return -1;
	if (sqlite3_changes(r->s->db) == 0)
		return err_set(err, ERR_GONE, 0, "there is no printer %s", r->printer.id);
	return printer_file_remove(r->s, r->printer.id, err);
}

void store_printer_drop(struct store *s, struct store_op *op, const char *id)
{
	struct store_request *r = store_request_new(s, op, run_drop);

	r->writes = true;
	(void)str_copy(r->printer.id, sizeof(r->printer.id), id);
	store_request_submit(r);
}

int store_load_printers(struct store *s, struct printer_record **ret, size_t *ret_count,
                        struct err *err)
{
	AUTO(store_finalize) sqlite3_stmt *q = NULL;
	struct printer_record *list = NULL;
	size_t count = 0;
	int rc;

	if (store_prepare(s, "SELECT " PRINTER_NAMES " FROM printers ORDER BY created, id", &q,
	                  err) < 0)
		return -1;
	while ((rc = store_step(s, q, err)) > 0) {
		if (store_grow(&list, count, sizeof(*list), err) < 0 ||
		    store_read_record(q, 0, printer_columns, printer_column_count, &list[count],
		                      err) < 0) {
			rc = -1;
			break;
		}
		count++;
	}
	if (rc < 0) {
		free(list);
		return store_unsound(s, err);
	}
	*ret = list;
	*ret_count = count;
	return 0;
}
