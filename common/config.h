/* config.h - the settings: one table with parser, default, range and a sentence of help,
 * from which loading, checking, printing and the manual page come. A struct config is complete and
 * checked, and never changes after loading: reload makes a new one and drops the old one.
 * config_load() blocks (reads files): at start and at reload only. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/mapping.h"

struct buf;
struct err;

#define CONFIG_FILE_MAX    (1024 * 1024) /* bytes of one file */
#define CONFIG_CLOUDS_MAX  64
#define CONFIG_QUEUES_MAX  4000
#define CONFIG_PROBLEM_MAX 8192 /* bytes of all problems told at once */

enum config_cloud_type { CONFIG_CLOUD_NONE, CONFIG_CLOUD_IPP_INFRA, CONFIG_CLOUD_UNIVERSAL_PRINT };
enum config_environment {
	CONFIG_ENVIRONMENT_COMMERCIAL,
	CONFIG_ENVIRONMENT_GCC,
	CONFIG_ENVIRONMENT_GCC_HIGH,
	CONFIG_ENVIRONMENT_DOD
};
enum config_x5c { CONFIG_X5C_ARRAY, CONFIG_X5C_STRING };
enum config_host { CONFIG_HOST_NOTIFICATION, CONFIG_HOST_PRINT };
enum config_unknown { CONFIG_UNKNOWN_HOLD, CONFIG_UNKNOWN_PRINT_AGAIN, CONFIG_UNKNOWN_ABORT };
enum config_user_how { CONFIG_USER_UPN, CONFIG_USER_LOCAL_PART, CONFIG_USER_FIXED };
enum config_job_name { CONFIG_JOB_NAME_REAL, CONFIG_JOB_NAME_HIDDEN };
enum config_names { CONFIG_NAMES_SHOWN, CONFIG_NAMES_HASHED, CONFIG_NAMES_HIDDEN };
/* syslog's numbers, as in enum log_level. */
enum config_level {
	CONFIG_LEVEL_ERROR = 3,
	CONFIG_LEVEL_WARNING = 4,
	CONFIG_LEVEL_INFO = 6,
	CONFIG_LEVEL_DEBUG = 7
};

struct config_list {
	char **items;
	size_t n;
};

struct config_user {
	enum config_user_how how;
	char *fixed; /* of CONFIG_USER_FIXED, else "" */
};

/* Texts are never NULL; "" = not set. */
struct config_cloud {
	char *name;
	enum config_cloud_type type;
	/* ipp-infra */
	char *uri;
	char *system_uri;
	char *username;
	char *password_file;
	char *certificate_file;
	char *key_file;
	/* universal-print: what is not set is as the environment has it. URLs have no slash at
	 * their end */
	enum config_environment environment;
	char *client_id;
	char *tenant;
	char *login_url;
	char *registration_url;
	char *print_url;
	char *notification_url;
	char *graph_url;
	char *resource;
	char *scope;
	enum config_x5c x5c;
	char *notification_path;
	enum config_host notification_printer_uri; /* whose host printer-uri has there */
	int64_t registration_timeout_ms;
	/* both */
	int64_t heartbeat_ms;
	char *ca_file; /* "": the system's */
	char *proxy;   /* "": from the environment; "none": none */
	char *where;   /* FILE:LINE of its section */
};

/* How one queue is treated: [jobs], overridden by [queue NAME]. */
struct config_queue {
	char *name;                       /* "": all that have no section of their own */
	struct config_list allow_formats; /* besides those always allowed: ask config_allows() */
	enum config_unknown when_unknown;
	struct config_user user_name;
	enum config_job_name job_name;
	int64_t max_jobs_per_printer;
	uint64_t set; /* bits of the settings that its own section has */
};

struct config {
	char *path; /* the main file, "" when there was none */
	char *name;
	char *state_directory;
	char *runtime_directory;
	char *cache_directory;
	char *control_group;
	char *status_group; /* as control_group when not set */
	int64_t crash_pause_ms;
	char *cups_server; /* absolute path of a socket, or host:port */
	int64_t state_interval_ms;
	struct config_list include;
	struct config_list exclude;
	int64_t max_transfers;
	int64_t max_document_size; /* bytes */
	char *xps_converter;       /* "": none */
	int64_t give_up_after_ms;
	int64_t keep_history_ms;
	int64_t quarantine_after;
	enum config_names names;
	enum config_level level;
	struct config_cloud *clouds;
	size_t n_clouds;
	struct config_queue queue; /* [jobs] */
	struct config_queue *queues;
	size_t n_queues;
	struct mappings mappings; /* of print options */
};

/* path NULL: print-connector.conf in $CONFIGURATION_DIRECTORY, else in /etc/print-connector, and no
 * such file is fine. Then the files *.conf in conf.d beside it, in the order of their names, and
 * those in mapping.d (mapping.h). */
int config_load(const char *path, struct config **ret, struct err *err);
/* The same; every problem (the first 20) is a line in problems, whether it succeeds or not. */
int config_check(const char *path, struct config **ret, struct buf *problems, struct err *err);
void config_free(struct config *config); /* NULL is fine */
/* The effective values, as a settings file. */
void config_print(const struct config *config, FILE *out);

/* A settings file with every setting there is, explained and commented out. */
void config_sample(FILE *out);

/* Borrowed. NULL: not configured. */
const struct config_cloud *config_cloud(const struct config *config, const char *name);
/* Borrowed, never NULL: what holds for this queue (name or URI). */
const struct config_queue *config_queue(const struct config *config, const char *queue);
/* May this format, as the cloud declares it, reach the queue? */
bool config_allows(const struct config_queue *queue, const char *format);
/* Does a queue without a driver take this format: one of its own allow-formats; of those of [jobs]
 * or application/pdf, when it has no section? */
bool config_names(const struct config *config, const char *queue, const char *format);
/* By [printers] include and exclude. */
bool config_includes(const struct config *config, const char *queue);

/* The table, for the manual's test: the i-th setting, or -1 behind the last. Borrowed. */
struct config_help {
	const char *section;
	const char *key;
	const char *fallback; /* the default as text, "" when there is none */
	char allowed[160];    /* "a number from 1 to 1000" */
	const char *text;
};
int config_help(size_t i, struct config_help *ret);

#endif
