#include "connector/cli/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <qrencode.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define QUIET 4 /* modules around a QR code (ISO/IEC 18004) */

/* ---- QR code ---- */

/* What the terminal said before we set a locale of our own. */
static bool is_utf8_terminal(FILE *out)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	if (!isatty(fileno(out)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static bool is_light(const QRcode *qr, int x, int y)
{
	if (x < 0 || y < 0 || x >= qr->width || y >= qr->width)
		return true;
	return !(qr->data[y * qr->width + x] & 1);
}

/* Two rows of modules in one line of text. Light is drawn, as terminals are dark; with colours it
 * is right on any. */
static void draw(const QRcode *qr, FILE *out, bool colours)
{
	static const char *const halves[] = { " ", "▄", "▀", "█" };

	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		(void)fputs(colours ? "\x1b[97;40m" : "", out);
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			(void)fputs(halves[2 * is_light(qr, x, y) + is_light(qr, x, y + 1)], out);
		(void)fputs(colours ? "\x1b[0m\n" : "\n", out);
	}
}

static void show_qr(const struct cli *cli, FILE *out, const char *text)
{
	QRcode *qr;

	if (cli->no_qr || !is_utf8_terminal(out))
		return;
	qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (!qr)
		return;
	if ((unsigned)qr->width + 2 * QUIET <= cli->width) {
		draw(qr, out, cli->colours);
		(void)fputs("\n", out);
	}
	QRcode_free(qr);
}

/* ---- the code ---- */

void sign_in_show(struct sign_in *s, const struct cli *cli, const cJSON *event)
{
	/* redirected output must not swallow what somebody has to read */
	FILE *out = !isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) ? stderr : stdout;
	char uri[256], code[64];

	str_clean(member_text(event, "verification_uri"), uri, sizeof(uri));
	str_clean(member_text(event, "user_code"), code, sizeof(code));
	(void)fflush(stdout);
	(void)fprintf(out,
	              "Sign in as an administrator to register printers:\n\n"
	              "  Address  %s\n  Code     ",
	              uri);
	style_begin(out, STYLE_BOLD, cli->colours && out == stdout);
	(void)fputs(code, out);
	style_end(out, STYLE_BOLD, cli->colours && out == stdout);
	(void)fputs("\n\n", out);
	show_qr(cli, out, uri);
	(void)fflush(out);
	if (str_time_parse(member_text(event, "expires_at"), &s->expires_ms) < 0)
		s->expires_ms = 0;
}

void sign_in_tick(const struct sign_in *s, struct cli *cli)
{
	int64_t left = s->expires_ms / 1000 - (int64_t)time(NULL);
	char line[80];

	if (!s->expires_ms)
		return;
	if (left < 0)
		left = 0;
	(void)snprintf(line, sizeof(line), "waiting for the sign-in, %lld:%02lld left",
	               (long long)left / 60, (long long)left % 60);
	status_line(cli, line);
}
