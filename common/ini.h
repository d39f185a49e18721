/* ini.h - the syntax of settings files: "[section]" or "[section NAME]", "key = value", and lines
 * that begin with # or ;. No quotes, no continued lines, no comments behind a value. Everything
 * wrong is found in one run. Pure. */
#ifndef COMMON_INI_H
#define COMMON_INI_H

#include <stddef.h>

struct buf;
struct err;

#define INI_LINE_MAX     4096 /* bytes of a line */
#define INI_PROBLEMS_MAX 20   /* that are told; the rest is not */

/* Borrowed for the call. */
struct ini_entry {
	const char *file;
	unsigned line;
	const char *section;
	const char *name;  /* of "[section NAME]", "" without one */
	const char *key;   /* NULL: the section begins here */
	const char *value; /* "" when nothing is behind the = */
};

/* -1 with err: the entry is wrong (err gets no file and line, ini adds them). When that was the
 * beginning of a section, its keys are skipped. */
typedef int ini_handler(void *data, const struct ini_entry *entry, struct err *err);

/* 0 when all of it was right. Else -1 with the first problem in err and one line
 * "FILE:LINE: problem" for each (at most INI_PROBLEMS_MAX over several calls) in problems, which
 * may be NULL. */
int ini_parse(const char *file, const void *data, size_t len, ini_handler *handler,
              void *handler_data, struct buf *problems, struct err *err);
/* Adds a line to problems and, when err has nothing yet, to err. where = "FILE:LINE" or "". */
int ini_problem(struct buf *problems, const char *where, const struct err *problem,
                struct err *err);

#endif
