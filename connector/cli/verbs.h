/* verbs.h - what can be typed: one row for each verb and each option. Parser, help, completions and
 * the test of the manual pages read these tables, nobody else knows a verb by name. */
#ifndef CONNECTOR_CLI_VERBS_H
#define CONNECTOR_CLI_VERBS_H

#include <stddef.h>

struct cli;

enum flag {
	FLAG_NONE, /* ends a list */
	/* the first ones go with every verb */
	FLAG_CONFIG,
	FLAG_SOCKET,
	FLAG_JSON,
	FLAG_YES,
	FLAG_HELP,
	FLAG_VERSION,
	/* the others with those that name them */
	FLAG_CLOUD,
	FLAG_CLOUD_URI,
	FLAG_NAME,
	FLAG_CERTIFICATE,
	FLAG_KEY,
	FLAG_USERNAME,
	FLAG_PASSWORD_FILE,
	FLAG_DRY_RUN,
	FLAG_PRINTER,
	FLAG_ALL,
	FLAG_ALL_QUEUES,
	FLAG_LIMIT,
	FLAG_RENEW,
	FLAG_NO_QR,
	FLAG_AVAILABLE,
	FLAG_WRITE,
	FLAG_TICKET,
	FLAG_PASSPHRASE_FILE,
	FLAG_TAKEOVER,
	FLAG_PRINTED,
	FLAG_PRINT_AGAIN,
	FLAG_ABORT,
	FLAG_TRUST_NEW_KEY,
	FLAG_COUNT
};

#define FLAG_OF_VERBS FLAG_CLOUD /* the first that does not go with every verb */

struct flag_row {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	size_t offset; /* in struct cli: of a const char *, or of a bool when it takes none */
};

struct verb {
	const char *topic; /* heading above the first one of its kind in --help */
	const char *name;
	const char *arguments; /* NULL: none */
	const char *help;      /* a line */
	const char *more;      /* in VERB --help; NULL: nothing */
	int min, max;          /* arguments */
	enum flag takes[12];
	int (*run)(struct cli *cli); /* returns the exit code */
};

extern const struct flag_row flags[FLAG_COUNT];
extern const struct verb verbs[];
extern const size_t verb_count;

/* Whether the verb (NULL: what stands before it) has the option. */
int verb_takes(const struct verb *verb, enum flag flag);

/* help.c */
void help_print(const struct cli *cli);
void help_print_verb(const struct cli *cli, const struct verb *verb);

#endif
