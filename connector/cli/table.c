#include "connector/cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/str.h"
#include "common/util.h"

#define GAP         2 /* between columns */
#define NOTE_INDENT 4
#define ROOM_MIN    20 /* columns of running text */

struct cell {
	char *text;
	char *note; /* of the row that it begins, lines in order; NULL: none */
	unsigned width;
	enum style style;
};

struct table {
	const struct column *columns; /* borrowed */
	size_t n;
	struct cell *cells;
	size_t count, room;
};

struct table *table_new(const struct column *columns, size_t n)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns;
	t->n = n;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->cells[i].text);
		free(t->cells[i].note);
	}
	free(t->cells);
	free(t);
}

/* Bytes and columns of the character at p; of invalid UTF-8 never beyond its end. */
static size_t glyph(const char *p, unsigned *columns)
{
	unsigned char first = (unsigned char)*p;
	size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	wchar_t c = (wchar_t)(len == 1 ? first : first & (0x7fU >> len));
	int wide;

	if (first >= 0x20 && first < 0x7f) {
		*columns = 1;
		return 1;
	}
	for (size_t i = 1; i < len; i++) {
		if (!p[i])
			len = i;
		else
			c = (wchar_t)((c << 6) | ((unsigned char)p[i] & 0x3f));
	}
	wide = wcwidth(c);
	*columns = wide < 0 ? 1 : (unsigned)wide;
	return len;
}

unsigned text_width(const char *text)
{
	unsigned width = 0, columns;

	for (; *text; width += columns)
		text += glyph(text, &columns);
	return width;
}

/* Bytes of text that fill at most so many columns. */
static size_t fitting(const char *text, unsigned width, unsigned *ret_columns)
{
	unsigned used = 0, columns;
	size_t len = 0;

	while (text[len]) {
		size_t bytes = glyph(text + len, &columns);

		if (used + columns > width)
			break;
		used += columns;
		len += bytes;
	}
	*ret_columns = used;
	return len;
}

static char *clean(const char *text)
{
	size_t size = strlen(text) + 1;
	char *ret = xmalloc(size);

	str_clean(text, ret, size);
	return ret;
}

void table_add(struct table *t, enum style style, const char *text)
{
	struct cell *cell;

	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = xrealloc(t->cells, t->room * sizeof(*t->cells));
	}
	cell = &t->cells[t->count++];
	cell->text = clean(text && *text ? text : "-");
	cell->width = text_width(cell->text);
	cell->style = style;
	cell->note = NULL;
}

void table_note(struct table *t, const char *text)
{
	struct cell *first = &t->cells[t->count - t->n];
	AUTO(free_str) char *line = NULL;
	char *before = first->note;

	if (!text || !*text)
		return;
	line = clean(text);
	first->note = before ? xasprintf("%s\n%s", before, line) : xstrdup(line);
	free(before);
}

/* Takes from the widest column that may give, until all fit. */
static void fit(const struct table *t, unsigned *widths, unsigned width)
{
	unsigned total = (unsigned)(t->n - 1) * GAP;

	for (size_t i = 0; i < t->n; i++)
		total += widths[i];
	while (total > width) {
		size_t widest = t->n;

		for (size_t i = 0; i < t->n; i++)
			if (t->columns[i].shrinks && widths[i] > t->columns[i].shrinks &&
			    (widest == t->n || widths[i] > widths[widest]))
				widest = i;
		if (widest == t->n)
			return;
		widths[widest]--;
		total--;
	}
}

static void spaces(FILE *out, unsigned n)
{
	while (n--)
		(void)fputc(' ', out);
}

static void print_cell(FILE *out, const struct cell *cell, unsigned width, bool right, bool last,
                       bool colours)
{
	unsigned used = cell->width;
	size_t len = strlen(cell->text);
	bool cut = used > width;

	if (cut)
		len = fitting(cell->text, width - 1, &used);
	if (right)
		spaces(out, width - used);
	style_begin(out, cell->style, colours);
	(void)fwrite(cell->text, 1, len, out);
	if (cut)
		(void)fputs("…", out);
	style_end(out, cell->style, colours);
	if (!right && !last)
		spaces(out, width - used - cut);
	if (!last)
		spaces(out, GAP);
}

static void print_notes(const char *note, FILE *out, unsigned width)
{
	while (note && *note) {
		const size_t len = strcspn(note, "\n");
		AUTO(free_str) char *line = xasprintf("%.*s", (int)len, note);

		print_wrapped(out, NOTE_INDENT, width, "", STYLE_PLAIN, line, false);
		note += len + (note[len] == '\n');
	}
}

void table_print(const struct table *t, FILE *out, unsigned width, bool colours)
{
	unsigned *widths = xcalloc(t->n, sizeof(*widths));

	for (size_t i = 0; i < t->n; i++)
		widths[i] = text_width(t->columns[i].title);
	for (size_t i = 0; i < t->count; i++)
		if (t->cells[i].width > widths[i % t->n])
			widths[i % t->n] = t->cells[i].width;
	fit(t, widths, width);
	for (size_t i = 0; i < t->n; i++) {
		struct cell title = { .text = (char *)t->columns[i].title, .style = STYLE_BOLD };

		title.width = text_width(title.text);
		print_cell(out, &title, widths[i], t->columns[i].right, i + 1 == t->n, colours);
	}
	(void)fputc('\n', out);
	for (size_t i = 0; i < t->count; i++) {
		bool last = i % t->n + 1 == t->n;

		print_cell(out, &t->cells[i], widths[i % t->n], t->columns[i % t->n].right, last,
		           colours);
		if (!last)
			continue;
		(void)fputc('\n', out);
		print_notes(t->cells[i + 1 - t->n].note, out, width);
	}
	free(widths);
}

/* ---- colours ---- */

void style_begin(FILE *out, enum style style, bool colours)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "", [STYLE_GOOD] = "32", [STYLE_WARNING] = "33",
		[STYLE_BAD] = "31", [STYLE_DIM] = "2",   [STYLE_BOLD] = "1",
	};

	if (colours && style != STYLE_PLAIN)
		(void)fprintf(out, "\033[%sm", codes[style]);
}

void style_end(FILE *out, enum style style, bool colours)
{
	if (colours && style != STYLE_PLAIN)
		(void)fputs("\033[0m", out);
}

enum style style_of_state(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} styles[] = {
		{ "online", STYLE_GOOD },      { "completed", STYLE_GOOD },
		{ "reachable", STYLE_GOOD },   { "offline", STYLE_WARNING },
		{ "waiting", STYLE_WARNING },  { "paused", STYLE_WARNING },
		{ "canceled", STYLE_WARNING }, { "warning", STYLE_WARNING },
		{ "refused", STYLE_BAD },      { "held", STYLE_BAD },
		{ "aborted", STYLE_BAD },      { "unreachable", STYLE_BAD },
		{ "error", STYLE_BAD },        { "pass", STYLE_GOOD },
		{ "warn", STYLE_WARNING },     { "fail", STYLE_BAD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (strcmp(styles[i].state, state) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}

/* ---- running text ---- */

/* Bytes of the first line, broken between words where that can be. */
static size_t line_length(const char *text, unsigned width)
{
	unsigned columns;
	size_t len = fitting(text, width, &columns), word = len;

	if (!text[len])
		return len;
	while (word && text[word] != ' ')
		word--;
	return word ? word : len ? len : strlen(text);
}

void print_wrapped(FILE *out, unsigned indent, unsigned width, const char *label, enum style style,
                   const char *text, bool colours)
{
	AUTO(free_str) char *safe = clean(text);
	AUTO(free_str) char *safe_label = clean(label);
	unsigned at = text_width(safe_label);
	const char *rest = safe;

	for (size_t len = strlen(safe); len && safe[len - 1] == ' ';)
		safe[--len] = '\0';
	style_begin(out, style, colours);
	(void)fputs(safe_label, out);
	style_end(out, style, colours);
	if (at && at >= indent) { /* a label beyond its column */
		(void)fputc(' ', out);
		at++;
	}
	for (;;) {
		unsigned from = at > indent ? at : indent;
		size_t len = line_length(rest, width > from + ROOM_MIN ? width - from : ROOM_MIN);

		spaces(out, from - at);
		(void)fwrite(rest, 1, len, out);
		(void)fputc('\n', out);
		rest += len + strspn(rest + len, " ");
		if (!*rest)
			return;
		at = 0;
	}
}

/* ---- times and sizes ---- */

static void time_local(const char *text, int64_t now_ms, bool exact,
                       char ret[static TIME_SHORT_SIZE])
{
	int64_t ms;
	time_t at, now = (time_t)(now_ms / 1000);
	struct tm then, today;
	char clock[16];
	bool same_day;

	*ret = '\0';
	if (!*text || str_time_parse(text, &ms) < 0)
		return;
	at = (time_t)(ms / 1000);
	if (!localtime_r(&at, &then) || !localtime_r(&now, &today))
		return;
	same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
	(void)strftime(clock, sizeof(clock), exact ? "%H:%M:%S" : "%H:%M", &then);
	if (!same_day)
		(void)strftime(ret, TIME_SHORT_SIZE,
		               then.tm_year == today.tm_year ? "%e %b " : "%Y-%m-%d ", &then);
	if (*ret == ' ') /* of a day below 10 */
		memmove(ret, ret + 1, strlen(ret));
	(void)snprintf(ret + strlen(ret), TIME_SHORT_SIZE - strlen(ret), "%s", clock);
	if (exact)
		(void)snprintf(ret + strlen(ret), TIME_SHORT_SIZE - strlen(ret), ".%03d",
		               (int)(ms % 1000));
}

void time_short(const char *text, int64_t now_ms, char ret[static TIME_SHORT_SIZE])
{
	time_local(text, now_ms, false, ret);
}

void time_exact(const char *text, int64_t now_ms, char ret[static TIME_SHORT_SIZE])
{
	time_local(text, now_ms, true, ret);
}

void size_short(int64_t bytes, char ret[static SIZE_SHORT_SIZE])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes / 1000;
	size_t i = 0;

	if (bytes < 1000) {
		(void)snprintf(ret, SIZE_SHORT_SIZE, "%d bytes", (int)bytes);
		return;
	}
	while (value >= 999.5 && i + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		i++;
	}
	(void)snprintf(ret, SIZE_SHORT_SIZE, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[i]);
}
