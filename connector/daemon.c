/* daemon.c - wires the layers together and runs them until SIGTERM or SIGINT.
 *
 * Happy path: settings, store, core and control open; READY; the loop runs; a signal drains; all
 * closes in the opposite order. What can fail at start ends the program with one line that names
 * the remedy; nothing that needs the network or CUPS is among it. A state.db that is found damaged,
 * at start or later, ends one life: all closes, the next opens it distrustfully. */
#include "connector/daemon.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/convert.h"
#include "connector/base/crypto.h"
#include "connector/base/crypto_vault.h"
#include "connector/base/http.h"
#include "connector/base/journal.h"
#include "connector/base/limits.h"
#include "connector/base/loop.h"
#include "connector/base/notify.h"
#include "connector/base/transit.h"
#include "connector/base/work.h"
#include "connector/control/control.h"
#include "connector/core/core.h"
#include "connector/doctor_offline.h"
#include "connector/machine.h"
#include "connector/maintenance.h"
#include "connector/store/keys.h"
#include "connector/summary.h"

#define DRAIN_MS   20000 /* below the service's TimeoutStopSec */
#define STATUS_MS  5000
#define SETTLED_MS (10 * 60 * 1000) /* who lives so long does not crash in a row */
#define LIVES_MAX  4                /* one more for each database that is found damaged */

struct daemon {
	const char *config_path;
	struct config *config;
	struct loop *loop;
	struct store *store;
	struct http *http;
	struct transit *transit;
	struct convert *convert;
	struct vault *vault;
	struct work *work[CORE_WORKERS];
	struct core *core;
	struct control *control;
	struct timer status, settled;
	char shown[SUMMARY_SIZE]; /* by systemctl status */
	char machine[MACHINE_SIZE];
	struct err damage; /* kind set: state.db is damaged, another one is begun */
	struct maintenance maintenance;
	const char *doctor_queue; /* NULL: all */
	bool doctor, registered, quiet, draining, stopped;
};

/* ---- options ---- */

static void usage(FILE *out)
{
	(void)fputs(
		"Usage: print-connectord [OPTION]...\n"
		"Connects local printers with a cloud print service.\n"
		"\n"
		"  --config FILE    settings; default /etc/print-connector/print-connector.conf\n"
		"  --check-config   show the effective settings and exit; 1 when one is wrong\n"
		"  --quiet          with --check-config: show only what is wrong\n"
		"  --sample-config  show every setting with its meaning and default, and exit\n"
		"  --version        show the version and exit\n"
		"  --help           show this and exit\n"
		"\n"
		"  --backup, --restore, --takeover, --doctor\n"
		"                   what print-connector runs for its verbs of these names\n"
		"  --registered     list the printers that are registered, and exit\n"
		"\n"
		"It runs in the foreground and logs to the journal or to the terminal.\n"
		"Printers are registered with: print-connector register QUEUE\n",
		out);
}

/* -1: go on; otherwise the exit status. */
static int parse_options(struct daemon *d, int argc, char **argv, bool *check)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "sample-config", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "backup", no_argument, NULL, 'b' }, /* maintenance.h */
		{ "restore", no_argument, NULL, 'r' },
		{ "takeover", no_argument, NULL, 't' },
		{ "doctor", optional_argument, NULL, 'd' }, /* doctor_offline.h */
		{ "registered", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};

	for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (opt) {
		case 'c':
			d->config_path = optarg;
			break;
		case 'k':
			*check = true;
			break;
		case 'q':
			d->quiet = true;
			break;
		case 's':
			config_sample(stdout);
			return 0;
		case 'v':
			(void)puts("print-connectord " VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		case 'b':
			d->maintenance.backup = true;
			break;
		case 'r':
			d->maintenance.restore = true;
			break;
		case 'd':
			d->doctor = true;
			d->doctor_queue = optarg;
			break;
		case 'l':
			d->registered = true;
			break;
		case 't':
			d->maintenance.take_over = true;
			break;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "print-connectord: unexpected argument %s\n", argv[optind]);
		usage(stderr);
		return 2;
	}
	return -1;
}

static int check_config(const struct daemon *d)
{
	AUTO(buf_clear) struct buf problems;
	struct config *config = NULL;
	struct err err;
	int rc;

	buf_init(&problems, CONFIG_PROBLEM_MAX);
	rc = config_check(d->config_path, &config, &problems, &err);
	(void)fputs(buf_text(&problems), stderr);
	if (rc < 0) {
		if (!problems.len)
			(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (!d->quiet)
		config_print(config, stdout);
	config_free(config);
	return problems.len ? 1 : 0;
}

/* ---- the process ---- */

/* Secrets stay out of core dumps and out of reach of other processes of the same user; sockets may
 * be as many as the system allows. */
static void harden(void)
{
	struct rlimit files;

	/* the pool's threads allocate little; an arena for each would cost more than they share */
	(void)mallopt(M_ARENA_MAX, 2);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* ---- state ---- */

static void say_recovered(const struct store_found *found)
{
	const struct log_about about = { .message_id = message_id(MESSAGE_STATE_DAMAGED) };

	if (!*found->aside)
		return;
	log_event(LOG_LEVEL_ERROR, &about, "%s: it was set aside as %s and another one is begun",
	          found->why, found->aside);
	log_event(LOG_LEVEL_ERROR, &about, "recovered: %s, %s and %s",
	          COUNTED(found->printers, "printer", "printers"),
	          COUNTED(found->jobs_open, "open job", "open jobs"),
	          COUNTED(found->jobs_done, "finished one", "finished ones"));
	if (found->printers_lost)
		log_event(LOG_LEVEL_ERROR, &about,
		          "not recovered: %s a key but no record; register again",
		          COUNTED(found->printers_lost, "printer that has", "printers that have"));
	log_event(
		LOG_LEVEL_ERROR, &about,
		"how many open jobs were not recovered cannot be known; their clouds go on showing "
		"them as not finished");
}

static int open_store(struct daemon *d, struct err *err)
{
	const struct err *distrust = d->damage.kind != ERR_NONE ? &d->damage : NULL;
	struct store_found found;

	if (store_open(&d->store, d->loop, d->config->state_directory, distrust, &found, err) < 0)
		return -1;
	err_clear(&d->damage);
	say_recovered(&found);
	return 0;
}

/* ---- running ---- */

static void show_status(struct daemon *d)
{
	char text[SUMMARY_SIZE];

	summary_write(d->core, text);
	if (strcmp(text, d->shown) == 0 || !notify_status("%s", text))
		return;
	(void)str_copy(d->shown, sizeof(d->shown), text);
}

static void on_status(struct timer *t)
{
	struct daemon *d = t->data;

	show_status(d);
	log_flush(false);
	timer_start(t, STATUS_MS);
}

/* Crashes from now on are not in a row with those before. */
static void on_settled(struct timer *t)
{
	store_settle(((struct daemon *)t->data)->store);
}

static void on_drained(void *data)
{
	struct daemon *d = data;

	loop_stop(d->loop);
}

static void drain(struct daemon *d, int limit_ms)
{
	d->draining = true;
	control_close(TAKE(d->control));
	core_drain(d->core, limit_ms, on_drained, d);
}

/* Nothing can be written any more: all is closed and opened again, as after a start. */
static void on_store_damaged(void *data, const struct err *err)
{
	struct daemon *d = data;

	d->damage = *err;
	if (d->draining)
		return;
	log_event(LOG_LEVEL_ERROR,
	          &(struct log_about){ .message_id = message_id(MESSAGE_STATE_DAMAGED) },
	          "%s; starting again with what can be recovered", err->text);
	drain(d, 0);
}

static void on_stop_signal(void *data, int number)
{
	struct daemon *d = data;

	d->stopped = true;
	if (d->draining) {
		core_drain(d->core, 0, on_drained, d); /* asked twice: now */
		return;
	}
	log_event(LOG_LEVEL_INFO, &(struct log_about){ .message_id = message_id(MESSAGE_STOP) },
	          "%s: stopping; jobs that print go on and are taken up again at the next start",
	          number == SIGTERM ? "SIGTERM" : "SIGINT");
	notify_stopping();
	drain(d, DRAIN_MS);
}

static void on_reload_signal(void *data, int number)
{
	struct daemon *d = data;
	struct config *config = NULL;
	struct config *old = d->config;
	struct err err;

	(void)number;
	if (d->draining)
		return;
	notify_reloading();
	if (config_load(d->config_path, &config, &err) < 0) {
		log_event(LOG_LEVEL_ERROR,
		          &(struct log_about){ .message_id = message_id(MESSAGE_SETTINGS_WRONG) },
		          "settings not reloaded, the old ones stay: %s", err.text);
		core_reload_failed(d->core);
	} else {
		d->config = config;
		convert_use(d->convert, config->xps_converter);
		core_reload(d->core, config);
		control_set_groups(d->control, config->control_group, config->status_group);
		log_set_level((enum log_level)config->level);
		config_free(old);
		log_event(LOG_LEVEL_INFO, NULL, "settings reloaded");
	}
	notify_ready();
}

/* A key that a crash left half written is of no use to anybody else either. */
static void sweep_keys(const struct daemon *d)
{
	struct err err;

	if (keys_sweep(d->config->state_directory, &err) < 0)
		log_event(LOG_LEVEL_WARNING, NULL,
		          "files of a crash are left: %s; remove *" FS_ASIDE " there", err.text);
}

/* Without it all but jobs with a PIN are printed. */
static void load_vault(struct daemon *d)
{
	AUTO(free_str) char *path = xasprintf("%s/passwords.key", d->config->state_directory);
	struct err err;

	if (vault_load(&d->vault, path, &err) < 0)
		log_event(LOG_LEVEL_ERROR,
		          &(struct log_about){ .message_id = message_id(MESSAGE_PASSWORDS_LOST) },
		          "jobs with a PIN cannot be printed: %s", err.text);
}

static int open_all(struct daemon *d, struct err *err)
{
	const struct config *config = d->config;
	struct core_settings core = { 0 };
	struct convert_settings converter = convert_defaults;
	struct control_settings control = {
		.runtime_directory = config->runtime_directory,
		.control_group = config->control_group,
		.status_group = config->status_group,
		.version = VERSION,
	};

	if (machine_id(d->machine, err) < 0 || loop_open(&d->loop, err) < 0 ||
	    open_store(d, err) < 0 || http_open(&d->http, d->loop, err) < 0 ||
	    transit_open(&d->transit, d->loop, config->cache_directory, err) < 0)
		return -1;
	for (size_t i = 0; i < CORE_WORKERS; i++) {
		if (work_open(&d->work[i], d->loop, NULL, 1, err) < 0)
			return -1;
		core.work[i] = d->work[i];
	}
	sweep_keys(d);
	load_vault(d);
	converter.program = config->xps_converter;
	convert_open(&d->convert, d->loop, &converter);
	control.http = d->http;
	core.config = d->config;
	core.clock = loop_clock(d->loop);
	core.loop = d->loop;
	core.http = d->http;
	core.transit = d->transit;
	core.convert = d->convert;
	core.vault = d->vault;
	core.store = d->store;
	core.store_ops = &store_ops;
	core.cloud_ops = &cloud_ops;
	core.queue_ops = &queue_ops;
	core.state_directory = config->state_directory;
	core.machine = d->machine;
	core.crashes = store_crashes(d->store);
	core.short_of = limits_short_of;
	if (core_open(&d->core, &core, err) < 0) {
		d->damage = store_distrust(d->store);
		return -1;
	}
	if (control_open(&d->control, d->loop, d->core, &control, err) < 0)
		return -1;
	store_start(d->store, on_store_damaged, d);
	return loop_on_signal(d->loop, SIGTERM, on_stop_signal, d, err) < 0 ||
	                       loop_on_signal(d->loop, SIGINT, on_stop_signal, d, err) < 0 ||
	                       loop_on_signal(d->loop, SIGHUP, on_reload_signal, d, err) < 0
	               ? -1
	               : 0;
}

static void close_all(struct daemon *d)
{
	control_close(TAKE(d->control));
	core_close(TAKE(d->core));
	for (size_t i = 0; i < CORE_WORKERS; i++)
		if (d->work[i])
			work_close(TAKE(d->work[i]));
	convert_close(TAKE(d->convert));
	vault_free(TAKE(d->vault));
	transit_close(TAKE(d->transit));
	if (d->http)
		http_close(TAKE(d->http));
	store_close(TAKE(d->store));
	if (d->loop)
		loop_close(TAKE(d->loop));
	d->draining = false;
}

static void run(struct daemon *d)
{
	struct clock *clock = loop_clock(d->loop);

	timer_init(&d->status, clock, on_status, d);
	timer_start(&d->status, STATUS_MS);
	timer_init(&d->settled, clock, on_settled, d);
	timer_start(&d->settled, SETTLED_MS);
	show_status(d);
	notify_watchdog_start(clock);
	notify_ready();
	log_event(LOG_LEVEL_INFO, &(struct log_about){ .message_id = message_id(MESSAGE_START) },
	          "print-connectord " VERSION " has started");
	loop_run(d->loop);
	notify_watchdog_stop();
	timer_stop(&d->settled);
	timer_stop(&d->status);
}

/* A disk that damages every database would be gone round for ever. */
static bool is_to_go_on(const struct daemon *d)
{
	return d->damage.kind != ERR_NONE && !d->stopped;
}

int daemon_main(int argc, char **argv)
{
	struct daemon d = { 0 };
	bool check = false;
	struct err err;
	int status = parse_options(&d, argc, argv, &check);

	crypto_wipe_freed();
	if (status >= 0)
		return status;
	if (check)
		return check_config(&d);
	if (d.doctor)
		return doctor_offline_main(d.config_path, d.doctor_queue);
	if (d.registered)
		return maintenance_list(d.config_path);
	if (d.maintenance.backup || d.maintenance.restore || d.maintenance.take_over) {
		harden();
		return maintenance_main(&d.maintenance, d.config_path);
	}
	log_open(LOG_LEVEL_INFO);
	if (config_load(d.config_path, &d.config, &err) < 0) {
		log_event(LOG_LEVEL_ERROR, NULL, "%s", err.text);
		return 1;
	}
	log_set_level((enum log_level)d.config->level);
	harden();
	for (int lives = 0; lives < LIVES_MAX && (lives == 0 || is_to_go_on(&d)); lives++) {
		status = 0;
		if (open_all(&d, &err) < 0) {
			log_event(LOG_LEVEL_ERROR,
			          &(struct log_about){ .message_id =
			                                       message_id(MESSAGE_START_FAILED) },
			          "cannot start: %s", err.text);
			status = 1;
		} else {
			run(&d);
		}
		close_all(&d);
		log_flush(true);
	}
	config_free(d.config);
	return is_to_go_on(&d) ? 1 : status;
}
