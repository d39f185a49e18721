/* mapping.h - what an administrator says about print options of single queues: defaults, and what
 * is sent in place of a value. From the files of mapping.d beside the settings (*.conf), since the
 * names are those of ipp and of drivers and not of a table of settings. In them:
 *
 *   [queue GLOB]
 *   default NAME = VALUE                  asked for when the job does not say
 *   default OPTION = CHOICE               always, to the driver
 *   NAME VALUE = OPTION=CHOICE NAME=VALUE sent in place of NAME=VALUE
 *   NAME VALUE =                          left out
 *
 * NAME is a template attribute, OPTION one of a driver or filter of CUPS. Later lines win. All of
 * it is checked for form here; whether a queue has such a value is seen with each job. Pure but for
 * mapping_load(), which reads files. */
#ifndef COMMON_MAPPING_H
#define COMMON_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

#define MAPPING_RULES_MAX     10000 /* in all files */
#define MAPPING_PER_QUEUE_MAX 256
#define MAPPING_WORDS_MAX     8 /* on the right side */

struct mapping_rule {
	char *queue; /* glob */
	char *name;  /* template attribute, or option of a driver */
	char *value; /* asked for; NULL: a default */
	char *to;    /* "NAME=VALUE …" with single spaces, "" left out; of a default: the value */
	char *where; /* FILE:LINE */
};

struct mappings {
	struct mapping_rule *rules;
	size_t n;
};

struct mapping { /* of one queue; borrowed from struct mappings */
	const struct mapping_rule *rules[MAPPING_PER_QUEUE_MAX];
	size_t n;
};

/* Reads DIRECTORY's *.conf in the order of their names; none is fine. Each problem (with
 * ini_problem()) is a line in problems, the first in err; -1 when there was one. Adds to all. */
int mapping_load(struct mappings *all, const char *directory, struct buf *problems,
                 struct err *err);
void mapping_clear(struct mappings *all);
/* The rules of a queue (name or URI); names of CUPS in upper or lower case. */
void mapping_of(const struct mappings *all, const char *queue, struct mapping *ret);

/* Borrowed, NULL: none. The last one counts. */
const struct mapping_rule *mapping_default(const struct mapping *rules, const char *name);
const struct mapping_rule *mapping_value(const struct mapping *rules, const char *name,
                                         const char *value);

/* Whether it is a template attribute that may be mapped; else it can only be an option of a driver
 * or filter. */
bool mapping_is_attribute(const char *name);
/* The i-th of them, NULL behind the last. */
const char *mapping_attribute(size_t i);
/* The words "NAME=VALUE" of a right side, one after the other: *rest begins as rule->to. false
 * behind the last. */
bool mapping_next(const char **rest, char *name, size_t name_size, char *value, size_t value_size);

#endif
