/* maintenance.h - what is done to a state directory without serving it: for `print-connector
 * backup` and `restore`, which run this program. The passphrase is the first line of stdin; a
 * backup goes to stdout, or comes behind that line; what became of it is a JSON object on stderr,
 * in the shape that the verbs show. Runs as the state directory's owner. */
#ifndef CONNECTOR_MAINTENANCE_H
#define CONNECTOR_MAINTENANCE_H

#include <stdbool.h>

struct maintenance {
	bool backup, restore; /* one of them, or only take_over */
	bool take_over;
};

struct err;

/* Root becomes who owns the state; for good. */
int maintenance_become_owner(const char *directory, struct err *err);

/* What the package says when it is purged: each registered printer, its cloud and its queue, a line
 * on stdout; whether the daemon runs or not. Exit status as below. */
int maintenance_list(const char *config_path);

/* Exit status: 0 done, 1 failed. */
int maintenance_main(const struct maintenance *what, const char *config_path);

#endif
