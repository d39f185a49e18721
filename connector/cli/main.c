/* main.c - arguments of the print-connector command. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/client.h"
#include "connector/cli/table.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     40

enum flag {
	FLAG_CONFIG = 256,
	FLAG_SOCKET,
	FLAG_JSON,
	FLAG_YES,
	FLAG_HELP,
	FLAG_VERSION,
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
	FLAG_RENEW,
	FLAG_NO_QR,
	FLAG_AVAILABLE,
};

static const struct {
	enum flag flag;
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
} flags[] = {
	{ FLAG_CONFIG, "config", "FILE", "settings that say where the daemon listens" },
	{ FLAG_SOCKET, "socket", "PATH", "the daemon's control socket itself" },
	{ FLAG_JSON, "json", NULL, "print JSON" },
	{ FLAG_YES, "yes", NULL, "do not ask" },
	{ FLAG_HELP, "help", NULL, "this text" },
	{ FLAG_VERSION, "version", NULL, "print the version" },
	{ FLAG_CLOUD, "cloud", "NAME", "the cloud; may be left out when there is only one" },
	{ FLAG_CLOUD_URI, "cloud-uri", "URI", "the printer in the cloud, when it exists there" },
	{ FLAG_NAME, "name", "NAME", "how the cloud shows it (the queue's description)" },
	{ FLAG_CERTIFICATE, "certificate", "FILE", "TLS client certificate of this printer" },
	{ FLAG_KEY, "key", "FILE", "and its private key" },
	{ FLAG_USERNAME, "username", "NAME", "user name at the cloud" },
	{ FLAG_PASSWORD_FILE, "password-file", "FILE", "file with the password" },
	{ FLAG_DRY_RUN, "dry-run", NULL, "only try whether it would work" },
	{ FLAG_PRINTER, "printer", "QUEUE", "of this queue or printer id only" },
	{ FLAG_ALL, "all", NULL, "finished jobs too" },
	{ FLAG_ALL_QUEUES, "all", NULL, "all queues that [printers] includes" },
	{ FLAG_RENEW, "renew", NULL, "another key and certificate for registered queues" },
	{ FLAG_NO_QR, "no-qr", NULL, "no QR code of the address to sign in at" },
	{ FLAG_AVAILABLE, "available", NULL, "local queues that could be registered" },
};

#define FLAGS_OF_ALL 6 /* the first ones go with every verb */

static const struct verb {
	const char *name;
	const char *arguments;
	const char *help; /* a line */
	const char *more; /* in VERB --help */
	int min, max;     /* arguments */
	const enum flag *takes;
	int (*run)(struct cli *cli);
} verbs[] = {
	{ "status", "", "how the daemon, its clouds, printers and jobs are",
	  "Exits with 4 when something needs attention.", 0, 0, NULL, verb_status },
	{ "printers", "[--available]", "registered printers, or local queues that could be", "", 0,
	  0, (const enum flag[]){ FLAG_AVAILABLE, 0 }, verb_printers },
	{ "register", "QUEUE… | --all [OPTIONS]", "make local queues printers of a cloud",
	  "A QUEUE is the name of a CUPS queue or the ipp:// or ipps:// URI of a printer. "
	  "Universal Print asks for one sign-in, however many queues there are. With ipp-infra "
	  "the cloud's system-uri (see the settings) makes a new printer, unless --cloud-uri names "
	  "one. What succeeded stays when another queue fails; the same command again goes on "
	  "with what was begun.",
	  0, INT16_MAX,
	  (const enum flag[]){ FLAG_ALL_QUEUES, FLAG_CLOUD, FLAG_CLOUD_URI, FLAG_NAME,
	                       FLAG_CERTIFICATE, FLAG_KEY, FLAG_USERNAME, FLAG_PASSWORD_FILE,
	                       FLAG_RENEW, FLAG_DRY_RUN, FLAG_NO_QR, 0 },
	  verb_register },
	{ "unregister", "QUEUE… [--cloud NAME]", "forget printers, their keys and certificates",
	  "A QUEUE may be a printer's id too. Asks first, unless --yes says not to.", 1, INT16_MAX,
	  (const enum flag[]){ FLAG_CLOUD, 0 }, verb_unregister },
	{ "jobs", "[--printer QUEUE] [--all]", "open jobs, or all that are remembered", "", 0, 0,
	  (const enum flag[]){ FLAG_PRINTER, FLAG_ALL, 0 }, verb_jobs },
	{ "job", "ID", "what happened to one job, in cloud, connector and queue", "", 1, 1, NULL,
	  verb_job },
	{ "cancel", "ID", "end a job", "", 1, 1, NULL, verb_cancel },
	{ "metrics", "", "counters as OpenMetrics text", "", 0, 0, NULL, verb_metrics },
};

static bool takes(const struct verb *verb, size_t i)
{
	if (i < FLAGS_OF_ALL)
		return true;
	for (const enum flag *f = verb ? verb->takes : NULL; f && *f; f++)
		if (*f == flags[i].flag)
			return true;
	return false;
}

/* ---- help ---- */

static void help_flags(const struct cli *cli, const struct verb *verb, bool own)
{
	char label[64];

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!takes(verb, i) || (i >= FLAGS_OF_ALL) != own)
			continue;
		(void)snprintf(label, sizeof(label), "  --%s%s%s", flags[i].name,
		               flags[i].argument ? " " : "",
		               flags[i].argument ? flags[i].argument : "");
		print_wrapped(stdout, 24, cli->width, label, STYLE_PLAIN, flags[i].help, false);
	}
}

static void help(const struct cli *cli)
{
	(void)puts("Usage: print-connector [OPTIONS] VERB …\n\n"
	           "Connects local print queues with a cloud print service.\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		AUTO(free_str) char *label = xasprintf("  %s", verbs[i].name);

		print_wrapped(stdout, 16, cli->width, label, STYLE_BOLD, verbs[i].help,
		              cli->colours);
	}
	(void)puts("");
	help_flags(cli, NULL, false);
	(void)puts("\nprint-connector VERB --help tells more about one.\n"
	           "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 daemon not reachable or not\n"
	           "permitted, 4 done but something needs attention.");
}

static void help_verb(const struct cli *cli, const struct verb *verb)
{
	(void)printf("Usage: print-connector %s%s%s\n\n", verb->name, *verb->arguments ? " " : "",
	             verb->arguments);
	print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, verb->help, false);
	if (*verb->more)
		print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, verb->more, false);
	(void)puts("");
	help_flags(cli, verb, true);
	help_flags(cli, verb, false);
}

/* ---- arguments ---- */

static void set_flag(struct cli *cli, enum flag flag, const char *value)
{
	switch (flag) {
	case FLAG_CONFIG:
		cli->config = value;
		return;
	case FLAG_SOCKET:
		cli->socket = value;
		return;
	case FLAG_JSON:
		cli->json = true;
		return;
	case FLAG_YES:
		cli->yes = true;
		return;
	case FLAG_HELP:
		cli->help = true;
		return;
	case FLAG_VERSION:
		cli->version = true;
		return;
	case FLAG_CLOUD:
		cli->cloud = value;
		return;
	case FLAG_CLOUD_URI:
		cli->cloud_uri = value;
		return;
	case FLAG_NAME:
		cli->name = value;
		return;
	case FLAG_CERTIFICATE:
		cli->certificate = value;
		return;
	case FLAG_KEY:
		cli->key = value;
		return;
	case FLAG_USERNAME:
		cli->username = value;
		return;
	case FLAG_PASSWORD_FILE:
		cli->password_file = value;
		return;
	case FLAG_DRY_RUN:
		cli->dry_run = true;
		return;
	case FLAG_PRINTER:
		cli->printer = value;
		return;
	case FLAG_ALL:
	case FLAG_ALL_QUEUES:
		cli->all = true;
		return;
	case FLAG_RENEW:
		cli->renew = true;
		return;
	case FLAG_NO_QR:
		cli->no_qr = true;
		return;
	case FLAG_AVAILABLE:
		cli->available = true;
		return;
	}
}

/* What is wrong with the option that getopt stumbled over. */
static int fail_option(const struct verb *verb, const char *text, bool misses, struct failure *f)
{
	const char *known[ARRAY_SIZE(flags)], *near = NULL;
	char shown[80], word[80], hint[96] = "print-connector --help lists all";
	size_t n = 0;

	str_clean(text, shown, sizeof(shown));
	if (verb)
		(void)snprintf(hint, sizeof(hint), "print-connector %s --help lists all",
		               verb->name);
	if (misses)
		return failure_set(f, CLI_USAGE, "rejected", hint, "%s needs a value", shown);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (takes(verb, i))
			known[n++] = flags[i].name;
	if (strncmp(shown, "--", 2) == 0) {
		(void)str_copy(word, sizeof(word), shown + 2);
		word[strcspn(word, "=")] = '\0';
		near = str_nearest(word, known, n);
	}
	if (near)
		(void)snprintf(hint, sizeof(hint), "did you mean --%s?", near);
	return failure_set(f, CLI_USAGE, "rejected", hint, "unknown option %s%s%s", shown,
	                   verb ? " of " : "", verb ? verb->name : "");
}

/* Index of the first argument that is no option, or -1. */
static int parse(struct cli *cli, const struct verb *verb, int argc, char **argv, struct failure *f)
{
	struct option options[ARRAY_SIZE(flags) + 1] = { 0 };
	size_t n = 0;
	int c, at;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (takes(verb, i))
			options[n++] = (struct option){ .name = flags[i].name,
				                        .has_arg = flags[i].argument != NULL,
				                        .val = (int)flags[i].flag };
	optind = 0; /* GNU: start anew */
	opterr = 0;
	for (;;) {
		at = optind ? optind : 1;
		c = getopt_long(argc, argv, verb ? ":h" : "+:h", options, NULL);
		if (c < 0)
			return optind;
		if (c == '?' || c == ':') {
			const char *text = optind > 1 && optind <= argc ? argv[optind - 1] : "";

			if (c == '?' && at < argc && optind == at)
				text = argv[at];
			return fail_option(verb, text, c == ':', f);
		}
		set_flag(cli, c == 'h' ? FLAG_HELP : (enum flag)c, optarg);
	}
}

static const struct verb *find_verb(const char *name, struct failure *f)
{
	const char *known[ARRAY_SIZE(verbs)], *near;
	char shown[48], hint[80] = "print-connector --help lists all";

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
		known[i] = verbs[i].name;
	}
	near = str_nearest(name, known, ARRAY_SIZE(known));
	if (near)
		(void)snprintf(hint, sizeof(hint), "did you mean %s?", near);
	str_clean(name, shown, sizeof(shown));
	(void)failure_set(f, CLI_USAGE, "rejected", hint, "unknown verb %s", shown);
	return NULL;
}

static int run(struct cli *cli, int argc, char **argv, struct failure *f)
{
	const struct verb *verb;
	int first, rest;

	for (int i = 1; i < argc; i++) {
		if (str_is_utf8(argv[i]))
			continue;
		(void)failure_set(f, CLI_USAGE, "rejected", "use names and paths that are",
		                  "argument %d is not UTF-8", i);
		return failure_show(cli, f);
	}
	first = parse(cli, NULL, argc, argv, f);
	if (first < 0)
		return failure_show(cli, f);
	if (cli->version) {
		(void)puts("print-connector " VERSION);
		return CLI_DONE;
	}
	if (first == argc) {
		if (cli->help) {
			help(cli);
			return CLI_DONE;
		}
		(void)failure_set(f, CLI_USAGE, "rejected", "print-connector --help lists all",
		                  "say what to do");
		return failure_show(cli, f);
	}
	verb = find_verb(argv[first], f);
	if (!verb)
		return failure_show(cli, f);
	rest = parse(cli, verb, argc - first, argv + first, f);
	if (rest < 0)
		return failure_show(cli, f);
	if (cli->help) {
		help_verb(cli, verb);
		return CLI_DONE;
	}
	cli->arguments = argv + first + rest;
	cli->n = argc - first - rest;
	if (cli->n < verb->min || cli->n > verb->max) {
		AUTO(free_str)
		char *usage = xasprintf("usage: print-connector %s%s%s", verb->name,
		                        *verb->arguments ? " " : "", verb->arguments);

		(void)failure_set(f, CLI_USAGE, "rejected", usage, "%s: too %s arguments",
		                  verb->name, cli->n < verb->min ? "few" : "many");
		return failure_show(cli, f);
	}
	return verb->run(cli);
}

static void look_at_terminal(struct cli *cli)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR"), *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	int64_t width;

	cli->width = WIDTH_DEFAULT;
	if (columns && str_number_parse(columns, WIDTH_MIN, 1000, &width) == 0)
		cli->width = (unsigned)width;
	if (!isatty(STDOUT_FILENO))
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN)
		cli->width = size.ws_col;
	cli->colours = !(no && *no) && term && strcmp(term, "dumb") != 0;
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct failure f;
	int rc;

	/* what comes from the daemon is UTF-8; times are shown by the user's own zone */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		(void)setlocale(LC_CTYPE, "");
	look_at_terminal(&cli);
	rc = run(&cli, argc, argv, &f);
	client_close(cli.client);
	if (fflush(stdout) != 0 || ferror(stdout))
		return rc == CLI_DONE ? CLI_FAILED : rc;
	return rc;
}
