/* printer_files.h - each printer's row as a file of its own, DIR/printers/ID, written with the row:
 * what a damaged state.db cannot take along. "column=value" lines, the last one says "end". Keys
 * and certificates are files anyway (keys.h). Blocks: work queue, and before the loop runs. */
#ifndef CONNECTOR_STORE_PRINTER_FILES_H
#define CONNECTOR_STORE_PRINTER_FILES_H

#include "connector/store/store_private.h"

/* As the row is now, within its transaction. */
int printer_file_save(struct store *s, const char *id, struct err *err);
int printer_file_remove(struct store *s, const char *id, struct err *err);
/* Makes the files what the rows are: after an upgrade, or when a commit failed behind its file.
 * One slice, which changes one file at most. 1: there is more, 0: done, -1: the next slice begins
 * anew. */
int printer_files_sync(struct store *s, struct err *err);
/* Of what may be half done. */
void printer_files_sync_end(struct store *s);
/* Rows of all files that are whole. *ret_lost: how many were not, or have a key but no file. */
int printer_files_restore(struct store *s, unsigned *ret, unsigned *ret_lost, struct err *err);
/* Whether there is one. */
bool printer_files_exist(const struct store *s);

#endif
