/* main.c - arguments of the print-connector command. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/client.h"
#include "connector/cli/complete.h"
#include "connector/cli/terminal.h"
#include "connector/cli/verbs.h"

#define VERBS_MAX  64
#define FLAG_VALUE 256 /* above all characters, for getopt */

/* ---- arguments ---- */

static void set_flag(struct cli *cli, enum flag flag, const char *value)
{
	void *target = (char *)cli + flags[flag].offset;

	if (flags[flag].argument)
		*(const char **)target = value;
	else
		*(bool *)target = true;
}

/* What is wrong with the option that getopt stumbled over. */
static int fail_option(const struct verb *verb, const char *text, bool misses, struct failure *f)
{
	const char *known[FLAG_COUNT], *near = NULL;
	char shown[80], word[80], hint[96] = "print-connector --help lists all";
	size_t n = 0;

	str_clean(text, shown, sizeof(shown));
	if (verb)
		(void)snprintf(hint, sizeof(hint), "print-connector %s --help lists all",
		               verb->name);
	if (misses)
		return failure_set(f, CLI_USAGE, "rejected", hint, "%s needs a value", shown);
	for (enum flag i = FLAG_NONE + 1; i < FLAG_COUNT; i++)
		if (verb_takes(verb, i))
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
	struct option options[FLAG_COUNT + 1] = { 0 };
	size_t n = 0;
	int c, at;

	for (enum flag i = FLAG_NONE + 1; i < FLAG_COUNT; i++)
		if (verb_takes(verb, i))
			options[n++] = (struct option){ .name = flags[i].name,
				                        .has_arg = flags[i].argument != NULL,
				                        .val = FLAG_VALUE + (int)i };
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
		set_flag(cli, c == 'h' ? FLAG_HELP : (enum flag)(c - FLAG_VALUE), optarg);
	}
}

static const struct verb *find_verb(const char *name, struct failure *f)
{
	const char *known[VERBS_MAX], *near;
	char shown[48], hint[80] = "print-connector --help lists all";

	for (size_t i = 0; i < verb_count && i < VERBS_MAX; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
		known[i] = verbs[i].name;
	}
	near = str_nearest(name, known, verb_count);
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
	if (argc > 1 && strcmp(argv[1], COMPLETE_OPTION) == 0) {
		complete(cli, argc - 2, argv + 2);
		return CLI_DONE;
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
			help_print(cli);
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
		help_print_verb(cli, verb);
		return CLI_DONE;
	}
	cli->arguments = argv + first + rest;
	cli->n = argc - first - rest;
	if (cli->n < verb->min || cli->n > verb->max) {
		AUTO(free_str)
		char *usage = xasprintf("usage: print-connector %s%s%s", verb->name,
		                        verb->arguments ? " " : "",
		                        verb->arguments ? verb->arguments : "");

		(void)failure_set(f, CLI_USAGE, "rejected", usage, "%s: too %s arguments",
		                  verb->name, cli->n < verb->min ? "few" : "many");
		return failure_show(cli, f);
	}
	return verb->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct failure f;
	int rc;

	/* what comes from the daemon is UTF-8; times are shown by the user's own zone */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		(void)setlocale(LC_CTYPE, "");
	terminal_look(&cli);
	rc = run(&cli, argc, argv, &f);
	client_close(cli.client);
	if (fflush(stdout) != 0 || ferror(stdout))
		return rc == CLI_DONE ? CLI_FAILED : rc;
	return rc;
}
