/* Written from the table, so that the file and the program cannot disagree. */
#include "common/config.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/config_table.h"
#include "common/str.h"

#define WIDTH 96

static const char head[] =
	"# Settings of print-connector. Everything that is commented out shows the default.\n"
	"# print-connectord --check-config shows what holds and every mistake at once; then:\n"
	"#   systemctl reload print-connector\n"
	"# Files *.conf in conf.d beside this one are read after it. print-connector.conf(5)\n";

/* Words of a text, in comment lines of at most WIDTH. */
static void comment(FILE *out, const char *text)
{
	size_t used = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!used || used + 1 + len > WIDTH)
			used = (size_t)fprintf(out, "%s#", used ? "\n" : "");
		used += (size_t)fprintf(out, " %.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	(void)fputc('\n', out);
}

static void item_write(FILE *out, const struct config_item *item)
{
	struct config_help help;

	(void)config_help((size_t)(item - config_items), &help);
	(void)fputc('\n', out);
	comment(out, help.text);
	if (*help.allowed)
		(void)fprintf(out, "# (%s)\n", help.allowed);
	(void)fprintf(out, "#%s =%s%s\n", help.key, *help.fallback ? " " : "", help.fallback);
}

void config_sample(FILE *out)
{
	(void)fputs(head, out);
	for (size_t s = 0; s < CONFIG_SECTIONS; s++) {
		const struct config_section *section = &config_sections[s];

		if (section->of)
			(void)fprintf(out, "\n\n# NAME: %s. There may be several.\n#[%s NAME]\n",
			              section->of, section->name);
		else
			(void)fprintf(out, "\n\n[%s]\n", section->name);
		for (size_t i = 0; i < CONFIG_ITEMS; i++)
			if (strcmp(config_items[i].section, section->name) == 0)
				item_write(out, &config_items[i]);
	}
}
