/* verb_metrics.c - metrics, on stdout or into a file that is never seen half. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/fs.h"
#include "connector/cli/cli.h"

int verb_metrics(struct cli *cli)
{
	const char *text;
	struct failure f;
	cJSON *answer;
	struct err err;
	int rc = CLI_DONE;

	if (cli_call(cli, "GetMetrics", NULL, &answer, &f) < 0)
		return failure_show(cli, &f);
	text = member_text(answer, "text");
	if (cli->write && fs_replace(AT_FDCWD, cli->write, text, strlen(text), 0644, &err) < 0) {
		(void)failure_set(
			&f, CLI_FAILED, err_kind_name(err.kind),
			"--write wants a file in a directory that is there and can be written",
			"%s", err.text);
		rc = failure_show(cli, &f);
	} else if (cli->json) {
		cli_print_json(answer);
		return rc;
	} else if (!cli->write) {
		(void)fputs(text, stdout);
	}
	cJSON_Delete(answer);
	return rc;
}
