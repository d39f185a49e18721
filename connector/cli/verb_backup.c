/* verb_backup.c - backup and restore. The work is done by print-connectord, started for it with a
 * pipe on each side: keys leave it sealed only, and it needs no right but to read the state. Here
 * are the passphrase, the file and what people see. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/helper.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define PASSPHRASE_SIZE 1024
#define ROOT            "it is for root and the daemon's own user: sudo print-connector …"

static int fail_file(struct failure *f, const char *path)
{
	return failure_set(f, CLI_FAILED, "rejected", "", "%s: %s", path, strerror(errno));
}

/* ---- passphrase ---- */

static int passphrase_of_file(const char *path, char ret[PASSPHRASE_SIZE], struct failure *f)
{
	AUTO(buf_wipe) struct buf text;
	struct err err;

	buf_init(&text, PASSPHRASE_SIZE - 1);
	if (fs_secret_read(path, text.limit, &text, &err) < 0)
		return failure_set(f, CLI_FAILED, err_kind_name(err.kind),
		                   "--passphrase-file wants a file with the passphrase, for its "
		                   "owner only",
		                   "%s", err.text);
	if (strchr(buf_text(&text), '\n'))
		return failure_set(f, CLI_FAILED, "rejected", "",
		                   "%s has more than one line; a passphrase is one", path);
	(void)str_copy(ret, PASSPHRASE_SIZE, buf_text(&text));
	return 0;
}

static int get_passphrase(struct cli *cli, bool twice, char ret[PASSPHRASE_SIZE], struct failure *f)
{
	char again[PASSPHRASE_SIZE];
	int rc;

	if (cli->passphrase_file)
		return passphrase_of_file(cli->passphrase_file, ret, f);
	if (terminal_secret(cli, "Passphrase", ret, PASSPHRASE_SIZE, f) < 0)
		return -1;
	if (!twice)
		return 0;
	rc = terminal_secret(cli, "The same again", again, sizeof(again), f);
	if (rc == 0 && strcmp(ret, again) != 0)
		rc = failure_set(f, CLI_FAILED, "rejected", "", "they differ; nothing was done");
	wipe(again, sizeof(again));
	return rc;
}

/* ---- the other program ---- */

static const char *remedy_of(const char *text)
{
	if (strstr(text, "already used by") != NULL)
		return "systemctl stop print-connector";
	if (strstr(text, "is not there") != NULL)
		return "systemctl start print-connector; systemctl stop print-connector";
	return "";
}

/* What it said last: its result, or why not. */
static int take_result(struct helper *h, cJSON **ret, struct failure *f)
{
	AUTO(free_str) char *text = NULL;
	int status = helper_end(h, &text);
	cJSON *result = cJSON_Parse(text), *error;
	char clean[sizeof(f->text)];
	const char *kind;
	bool denied;

	error = cJSON_GetObjectItemCaseSensitive(result, "error");
	if (status == 0 && cJSON_IsObject(result) && !error) {
		*ret = result;
		return 0;
	}
	str_clean(error ? member_text(error, "text") : text, clean, sizeof(clean));
	kind = error ? member_text(error, "kind") : "rejected";
	denied = strcmp(kind, "denied") == 0 && member_number(error, "code", 0) != 0;
	(void)failure_set(f, denied ? CLI_UNREACHABLE : CLI_FAILED, kind,
	                  denied ? ROOT : remedy_of(clean), "%s",
	                  *clean ? clean : "print-connectord ended without a word");
	f->code = (int)member_number(error, "code", 0);
	cJSON_Delete(result);
	return -1;
}

static void show_progress(struct cli *cli, const char *what, uint64_t bytes, unsigned *seconds)
{
	char size[SIZE_SHORT_SIZE], line[64];

	size_short((int64_t)bytes, size);
	(void)snprintf(line, sizeof(line), "%s, %s", what, size);
	if (++*seconds > 1)
		status_line(cli, line);
}

/* All of one descriptor into the other; -1 with errno. */
static int pass_on(struct cli *cli, const char *what, int from, int to)
{
	struct pollfd ready = { .fd = from, .events = POLLIN };
	unsigned seconds = 0;
	uint64_t bytes = 0;
	char data[65536];
	ssize_t n;

	for (;;) {
		while (poll(&ready, 1, 1000) <= 0)
			show_progress(cli, what, bytes, &seconds);
		n = read(from, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		bytes += (uint64_t)n;
		if (helper_write(to, data, (size_t)n) < 0) {
			n = -1;
			break;
		}
	}
	status_clear(cli);
	return n < 0 ? -1 : 0;
}

static int say_passphrase(struct helper *h, const char *passphrase)
{
	if (helper_write(h->in, passphrase, strlen(passphrase)) < 0)
		return -1;
	return helper_write(h->in, "\n", 1);
}

/* ---- backup ---- */

/* -1 with f. */
static int open_aside(const char *path, const char *aside, struct failure *f)
{
	struct err err;
	int fd;

	if (fs_check_replaceable(AT_FDCWD, path, &err) < 0)
		return failure_set(f, CLI_FAILED, err_kind_name(err.kind), "", "%s", err.text);
	fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? fail_file(f, path) : fd;
}

/* out is consumed. */
static int write_backup(struct cli *cli, const char *path, const char *aside, int out,
                        const char *passphrase, cJSON **ret, struct failure *f)
{
	static const char *const arguments[] = { "--backup", NULL };
	struct helper h;
	int bad;

	if (helper_start(&h, cli, arguments, f) < 0) {
		(void)close(out);
		return -1;
	}
	(void)say_passphrase(&h, passphrase); /* why it does not listen it says itself */
	close_fd(&h.in);
	bad = pass_on(cli, "writing", h.out, out) < 0 || fsync(out) < 0 ? errno : 0;
	close_fd(&h.out);
	if (close(out) < 0 && !bad)
		bad = errno;
	if (take_result(&h, ret, f) < 0)
		return -1;
	if (!bad && rename(aside, path) == 0)
		return 0;
	cJSON_Delete(TAKE(*ret));
	errno = bad ? bad : errno;
	return fail_file(f, path);
}

int verb_backup(struct cli *cli)
{
	const char *path = cli->arguments[0];
	AUTO(free_str) char *aside = xasprintf("%s" FS_ASIDE, path);
	char passphrase[PASSPHRASE_SIZE] = "";
	cJSON *result = NULL;
	struct failure f;
	int rc, out;

	(void)signal(SIGPIPE, SIG_IGN);
	out = open_aside(path, aside, &f); /* before anybody types a passphrase for nothing */
	if (out < 0)
		return failure_show(cli, &f);
	rc = get_passphrase(cli, true, passphrase, &f);
	if (rc == 0)
		rc = write_backup(cli, path, aside, out, passphrase, &result, &f);
	else
		(void)close(out);
	wipe(passphrase, sizeof(passphrase));
	if (rc < 0) {
		(void)unlink(aside);
		return failure_show(cli, &f);
	}
	if (cli->json) {
		(void)cJSON_AddStringToObject(result, "file", path);
		cli_print_json(result);
		return CLI_DONE;
	}
	(void)printf("%s: %s with %s, %s\n", path,
	             COUNTED(member_number(result, "printers", 0), "printer", "printers"),
	             COUNTED(member_number(result, "keys", 0), "key", "keys"),
	             COUNTED(member_number(result, "open_jobs", 0), "open job", "open jobs"));
	print_wrapped(
		stdout, 2, cli->width, "", STYLE_PLAIN,
		"without its passphrase it is worth nothing; settings and files that they name "
		"are not in it",
		false);
	cJSON_Delete(result);
	return CLI_DONE;
}

/* ---- restore ---- */

/* in: the backup; -1: there is none, it is only taken over. */
static int read_backup(struct cli *cli, const char *path, int in, const char *passphrase,
                       cJSON **ret, struct failure *f)
{
	const char *arguments[] = { path ? "--restore" : "--takeover",
		                    path && cli->takeover ? "--takeover" : NULL, NULL };
	struct helper h;

	if (helper_start(&h, cli, arguments, f) < 0)
		return -1;
	if (path && say_passphrase(&h, passphrase) == 0)
		(void)pass_on(cli, "reading", in, h.in); /* likewise */
	close_fd(&h.in);
	return take_result(&h, ret, f);
}

static int show_restored(const struct cli *cli, cJSON *result)
{
	long long printers = (long long)member_number(result, "printers", 0);
	long long read_only = (long long)member_number(result, "read_only", 0);
	long long held = (long long)member_number(result, "held", 0);

	if (cli->json) {
		cli_print_json(result);
		return read_only || held ? CLI_ATTENTION : CLI_DONE;
	}
	(void)printf("%s %s; start the daemon: systemctl start print-connector\n",
	             COUNTED(printers, "printer is", "printers are"),
	             cli->takeover ? "this machine's now" : "back");
	if (held) {
		AUTO(free_str)
		char *text = xasprintf("%s held, since it may have been printed meanwhile: "
		                       "print-connector jobs",
		                       COUNTED(held, "open job is", "open jobs are"));

		print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, text, false);
	}
	if (read_only)
		print_wrapped(
			stdout, 0, cli->width, "", STYLE_WARNING,
			"They belong to the machine that was backed up, so nothing is printed "
			"here. When that one no longer runs print-connector: print-connector "
			"restore --takeover",
			false);
	cJSON_Delete(result);
	return read_only || held ? CLI_ATTENTION : CLI_DONE;
}

int verb_restore(struct cli *cli)
{
	const char *path = cli->n ? cli->arguments[0] : NULL;
	char passphrase[PASSPHRASE_SIZE] = "";
	AUTO(close_fd) int in = -1;
	cJSON *result = NULL;
	struct failure f;
	int rc = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!path && !cli->takeover) {
		(void)failure_set(&f, CLI_USAGE, "rejected",
		                  "usage: print-connector restore FILE [--takeover]",
		                  "restore: say what to restore");
		return failure_show(cli, &f);
	}
	if (cli->takeover &&
	    !terminal_confirm(cli,
	                      "Two machines that serve the same printers print jobs twice or lose "
	                      "them.\nHas print-connector ended on the other one for good?",
	                      "--takeover ends what another machine did", &f))
		return failure_show(cli, &f);
	if (path) {
		in = open(path, O_RDONLY | O_CLOEXEC);
		rc = in < 0 ? fail_file(&f, path) : get_passphrase(cli, false, passphrase, &f);
	}
	if (rc == 0)
		rc = read_backup(cli, path, in, passphrase, &result, &f);
	wipe(passphrase, sizeof(passphrase));
	return rc < 0 ? failure_show(cli, &f) : show_restored(cli, result);
}
