/* cli.h - the print-connector command: what its files share. Blocks freely; one thread. */
#ifndef CONNECTOR_CLI_CLI_H
#define CONNECTOR_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cJSON.h>

struct client;

enum cli_exit {
	CLI_DONE,
	CLI_FAILED,
	CLI_USAGE,       /* wrong arguments */
	CLI_UNREACHABLE, /* daemon not reachable, or it does not permit it */
	CLI_ATTENTION,   /* done, but something needs attention */
};

struct cli {
	/* options, borrowed from argv */
	const char *config, *socket;
	bool json, yes, help, version;
	const char *cloud, *cloud_uri, *name, *certificate, *key, *username, *password_file;
	const char *printer, *write, *passphrase_file;
	const char *ticket, *limit;
	bool all, available, dry_run, renew, no_qr, takeover;
	bool printed, print_again, abort; /* of resolve */
	bool trust_new_key;
	/* arguments of the verb, borrowed */
	char **arguments;
	int n;

	struct client *client; /* NULL: not connected yet */
	/* Once a second while an answer is waited for; false: it is not waited for any longer.
	 * NULL: none. */
	bool (*tick)(void *data);
	void *tick_data;
	int64_t patience_ms;    /* for the next answer of cli_call_more(); 0: as for a sign-in */
	unsigned waited;        /* seconds, for the answer in hand */
	bool status_shown;      /* terminal.h */
	bool colours, terminal; /* stdout is one that can be drawn on */
	unsigned width, height; /* of the terminal */
};

/* Why a verb did not do it; for people and for --json. */
struct failure {
	enum cli_exit exit;
	char kind[24]; /* an err_kind_name() */
	int code;
	char text[320];
	char remedy[320]; /* "" none */
};

/* Returns -1. */
int failure_set(struct failure *f, enum cli_exit exit, const char *kind, const char *remedy,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));
cJSON *failure_json(const struct failure *f); /* {"kind", "code", "text", "remedy"} */
/* On stderr, or with --json on stdout. Returns its exit code. */
int failure_show(const struct cli *cli, const struct failure *f);

/* Calls a method of the daemon, connecting first when needed. *ret: the reply's parameters, to be
 * deleted. parameters are consumed; NULL: none. */
int cli_call(struct cli *cli, const char *method, cJSON *parameters, cJSON **ret,
             struct failure *f);
/* The same with more: event() gets each answer, borrowed. */
int cli_call_more(struct cli *cli, const char *method, cJSON *parameters,
                  void (*event)(void *data, const cJSON *answer), void *data, struct failure *f);
/* Prints {"schema":1, …} with the members of object, which is consumed. */
void cli_print_json(cJSON *object);

/* Text of an object's member, "" when null or absent; borrowed. */
const char *member_text(const cJSON *object, const char *name);
/* fallback when null or absent. */
int64_t member_number(const cJSON *object, const char *name, int64_t fallback);
bool member_true(const cJSON *object, const char *name);

/* How it is, in at most so many lines. */
/* In so many lines. watched: by watch, which is not what comes next then. */
void status_print(FILE *out, const struct cli *cli, const cJSON *status, unsigned lines,
                  bool watched);
void jobs_print(FILE *out, const struct cli *cli, const cJSON *jobs);

int verb_status(struct cli *cli); /* return exit codes */
int verb_watch(struct cli *cli);
int verb_metrics(struct cli *cli);
int verb_printers(struct cli *cli);
int verb_register(struct cli *cli);
int verb_unregister(struct cli *cli);
int verb_explain(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_rebind(struct cli *cli);
int verb_reset(struct cli *cli);
int verb_backup(struct cli *cli);
int verb_restore(struct cli *cli);
int verb_jobs(struct cli *cli);
int verb_job(struct cli *cli);
int verb_cancel(struct cli *cli);
int verb_retry(struct cli *cli);
int verb_resolve(struct cli *cli);
int verb_pause(struct cli *cli);
int verb_resume(struct cli *cli);
int verb_drain(struct cli *cli);

/* The only argument as a job's id; and {"id": ID}. */
int cli_parse_id(const struct cli *cli, int64_t *ret, struct failure *f);
cJSON *cli_id_new(int64_t id);

#endif
