/* ticket_note.h - what became of one option of a ticket, as it passes through layers that do not
 * look into attributes. */
#ifndef CONNECTOR_PRINTER_TICKET_NOTE_H
#define CONNECTOR_PRINTER_TICKET_NOTE_H

#include <stdbool.h>

enum ticket_fate {
	TICKET_SENT,    /* as asked for, or as the mapping says */
	TICKET_CHANGED, /* something near in its place */
	TICKET_DROPPED, /* left out */
};

struct ticket_note { /* borrowed for the call; clean, one line each */
	enum ticket_fate fate;
	bool site;         /* nobody asked for it: a default of a mapping file */
	const char *name;  /* of the option */
	const char *asked; /* "" when it was no value */
	const char *sent;  /* "" when left out */
	const char *why;   /* "" when there is nothing to say */
	const char *place; /* FILE:LINE of a default of a mapping file, else "" */
};

/* Who is told how a ticket would be sent; borrowed for the call. */
struct ticket_explained {
	/* What became of each option, in no order. */
	void (*option)(void *data, const struct ticket_note *note);
	/* What the queue, and its mapping, can do with each: values joined by ", ", NULL: nothing;
	 * usual: its default, NULL: unknown. */
	void (*choice)(void *data, const char *name, const char *values, const char *usual);
	/* "NAME=VALUE" of the job that would be made. */
	void (*attribute)(void *data, const char *text);
	/* The job would be refused. */
	void (*refused)(void *data, const char *why);
	void *data;
};

#endif
