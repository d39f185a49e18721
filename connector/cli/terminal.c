#include "connector/cli/terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"

#define WIDTH_MIN  40
#define HEIGHT_MIN 10

static volatile sig_atomic_t interrupted, resized;

/* ---- how it looks ---- */

static unsigned from_environment(const char *name, unsigned min, unsigned fallback)
{
	const char *text = getenv(name);
	int64_t value;

	if (text && str_number_parse(text, min, 1000, &value) == 0)
		return (unsigned)value;
	return fallback;
}

void terminal_look(struct cli *cli)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	struct winsize size = { 0 };

	cli->width = from_environment("COLUMNS", WIDTH_MIN, TERMINAL_WIDTH);
	cli->height = from_environment("LINES", HEIGHT_MIN, TERMINAL_HEIGHT);
	cli->terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
	cli->colours = cli->terminal && !(no && *no);
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_col >= WIDTH_MIN)
		cli->width = size.ws_col;
	if (size.ws_row >= HEIGHT_MIN)
		cli->height = size.ws_row;
}

/* ---- the line that is replaced ---- */

static bool can_replace(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void status_line(struct cli *cli, const char *text)
{
	char line[256];

	if (cli->json || !can_replace())
		return;
	str_clean(text, line, cli->width < sizeof(line) ? cli->width : sizeof(line));
	(void)fflush(stdout);
	(void)fprintf(stderr, "\r%s\x1b[K", line);
	(void)fflush(stderr);
	cli->status_shown = true;
}

void status_clear(struct cli *cli)
{
	if (!cli->status_shown)
		return;
	(void)fprintf(stderr, "\r\x1b[K");
	(void)fflush(stderr);
	cli->status_shown = false;
}

/* ---- questions ---- */

bool terminal_confirm(const struct cli *cli, const char *question, const char *what,
                      struct failure *f)
{
	char line[16];

	if (cli->yes)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || cli->json) {
		(void)failure_set(f, CLI_USAGE, "rejected", "say --yes",
		                  "%s and asks first, but nobody is there to answer", what);
		return false;
	}
	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)failure_set(f, CLI_FAILED, "canceled", "", "nothing was changed");
	return fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
}

static int fail_secret(struct failure *f)
{
	return failure_set(f, CLI_FAILED, "canceled", "", "nothing was typed");
}

/* Without stdio, whose buffers nobody wipes. */
static int read_secret(char *ret, size_t size, struct failure *f)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t n = 0;
	char c;

	for (;;) {
		if (interrupted || poll(&in, 1, -1) != 1 || read(STDIN_FILENO, &c, 1) != 1)
			return fail_secret(f);
		if (c == '\n' || c == '\r')
			break;
		if (n + 1 >= size)
			return failure_set(f, CLI_USAGE, "rejected", "",
			                   "it has more than %zu bytes", size - 1);
		ret[n++] = c;
	}
	ret[n] = '\0';
	return n ? 0 : fail_secret(f);
}

int terminal_secret(const struct cli *cli, const char *prompt, char *ret, size_t size,
                    struct failure *f)
{
	struct termios before, silent;
	int rc;

	if (cli->json || tcgetattr(STDIN_FILENO, &before) < 0)
		return failure_set(f, CLI_USAGE, "rejected", "say --passphrase-file FILE",
		                   "a passphrase is needed, but nobody is there to type it");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	terminal_catch_signals(); /* whoever interrupts it wants the echo back */
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	(void)fprintf(stderr, "%s: ", prompt);
	rc = read_secret(ret, size, f);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputc('\n', stderr);
	if (rc < 0)
		wipe(ret, size);
	return rc;
}

/* ---- signals ---- */

static void on_signal(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else
		interrupted = 1;
}

void terminal_catch_signals(void)
{
	/* poll() sees it; what is being drawn is drawn to its end */
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGWINCH, &action, NULL);
}

bool terminal_was_interrupted(void)
{
	return interrupted;
}

bool terminal_was_resized(void)
{
	bool was = resized;

	resized = 0;
	return was;
}
