/* table.h - text that fits a terminal: aligned columns, wrapped lines, short times and sizes. Texts
 * from outside are made safe to show. */
#ifndef CONNECTOR_CLI_TABLE_H
#define CONNECTOR_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_WARNING, STYLE_BAD, STYLE_DIM, STYLE_BOLD };

struct column {
	const char *title;
	bool right;       /* numbers */
	unsigned shrinks; /* width it may shrink to when there is no room; 0: it does not */
};

struct table;

struct table *table_new(const struct column *columns, size_t n); /* borrowed */
void table_free(struct table *t);
/* The next cell, row by row. NULL or "": shown as "-". */
void table_add(struct table *t, enum style style, const char *text);
/* A line below the row that was added last and below its earlier notes, in as many lines as it
 * needs. NULL or "": none. */
void table_note(struct table *t, const char *text);
void table_print(const struct table *t, FILE *out, unsigned width, bool colours);

void style_begin(FILE *out, enum style style, bool colours);
void style_end(FILE *out, enum style style, bool colours);
/* How one shows the state of a printer or job, or the outcome of a job. */
enum style style_of_state(const char *state);

/* "label" in its own column, text beside it in as many lines as it needs. */
void print_wrapped(FILE *out, unsigned indent, unsigned width, const char *label, enum style style,
                   const char *text, bool colours);
unsigned text_width(const char *text); /* columns on the terminal */

#define TIME_SHORT_SIZE 32
/* RFC 3339 to local time as short as today and this year allow; "" when it is none. */
void time_short(const char *text, int64_t now_ms, char ret[static TIME_SHORT_SIZE]);
/* The same with milliseconds. */
void time_exact(const char *text, int64_t now_ms, char ret[static TIME_SHORT_SIZE]);
#define SIZE_SHORT_SIZE 16
void size_short(int64_t bytes, char ret[static SIZE_SHORT_SIZE]); /* "1.2 MB" */

#endif
