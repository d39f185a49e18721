/* convert_child.h - the converter as a child that is confined, and what its end means. One document
 * for each start. The child never outlives its struct: that is free when it is not open. Loop
 * thread only. For convert.c. */
#ifndef CONNECTOR_BASE_CONVERT_CHILD_H
#define CONNECTOR_BASE_CONVERT_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "connector/base/clock.h"

#define CONVERT_SAID_MAX 4096 /* bytes kept of what it says */
#define CONVERT_DAMAGED  "it is damaged, or no XPS"

struct convert_settings;
struct err;
struct loop;

struct convert_child {
	struct loop *loop; /* borrowed */
	void (*ended)(void *data);
	void *data;
	char name[64]; /* of the program, for the log */
	int out;       /* borrowed until it is judged */
	struct timer deadline;
	uv_process_t process;
	uv_pipe_t pipe; /* what it says */
	unsigned open;  /* of these two */
	bool running;   /* not yet waited for */
	bool late;      /* it was killed at the deadline */
	int64_t status; /* of its end */
	int signal;
	char said[CONVERT_SAID_MAX + 1], piece[1024];
	size_t said_len;
};

/* ended(): from the loop, each time that something of it was closed. */
void convert_child_init(struct convert_child *c, struct loop *loop, void (*ended)(void *data),
                        void *data);
/* in, out: the document and what it becomes, files; borrowed. -1: it may be open all the same. */
int convert_child_start(struct convert_child *c, const struct convert_settings *settings,
                        const char *program, int in, int out, struct err *err);
bool convert_child_is_open(const struct convert_child *c);
void convert_child_kill(struct convert_child *c); /* nothing when it does not run */
/* Of one that has ended. 0: what it wrote is a PDF; REJECTED: with what helps. */
int convert_child_judge(struct convert_child *c, struct err *err);
/* Returns -1; what: why the document is not converted. */
int convert_refuse(struct err *err, const char *what);

#endif
