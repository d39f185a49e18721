/* help.c - --help and VERB --help, from the tables of verbs.h. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"
#include "connector/cli/verbs.h"

#define VERB_INDENT 14
#define FLAG_INDENT 25

static void print_flags(const struct cli *cli, const struct verb *verb, bool own)
{
	char label[64];

	for (enum flag i = FLAG_NONE + 1; i < FLAG_COUNT; i++) {
		const struct flag_row *flag = &flags[i];

		if (!verb_takes(verb, i) || (i >= FLAG_OF_VERBS) != own)
			continue;
		(void)snprintf(label, sizeof(label), "  --%s%s%s", flag->name,
		               flag->argument ? " " : "", flag->argument ? flag->argument : "");
		print_wrapped(stdout, FLAG_INDENT, cli->width, label, STYLE_PLAIN, flag->help,
		              false);
	}
}

static void print_heading(const struct cli *cli, const char *text)
{
	(void)putchar('\n');
	style_begin(stdout, STYLE_BOLD, cli->colours);
	(void)printf("%s:", text);
	style_end(stdout, STYLE_BOLD, cli->colours);
	(void)putchar('\n');
}

void help_print(const struct cli *cli)
{
	const char *topic = "";

	(void)puts("Usage: print-connector [OPTIONS] VERB …\n\n"
	           "Connects local print queues with a cloud print service.");
	for (size_t i = 0; i < verb_count; i++) {
		AUTO(free_str) char *label = xasprintf("  %s", verbs[i].name);

		if (strcmp(topic, verbs[i].topic) != 0)
			print_heading(cli, verbs[i].topic);
		topic = verbs[i].topic;
		print_wrapped(stdout, VERB_INDENT, cli->width, label, STYLE_BOLD, verbs[i].help,
		              cli->colours);
	}
	print_heading(cli, "Options");
	print_flags(cli, NULL, false);
	(void)puts("\nprint-connector VERB --help tells more about one.\n"
	           "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 daemon not reachable or not\n"
	           "permitted, 4 done but something needs attention.");
}

void help_print_verb(const struct cli *cli, const struct verb *verb)
{
	(void)printf("Usage: print-connector %s%s%s\n\n", verb->name, verb->arguments ? " " : "",
	             verb->arguments ? verb->arguments : "");
	print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, verb->help, false);
	if (verb->more) {
		(void)putchar('\n');
		print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, verb->more, false);
	}
	print_heading(cli, "Options");
	print_flags(cli, verb, true);
	print_flags(cli, verb, false);
}
