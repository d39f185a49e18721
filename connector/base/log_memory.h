/* log_memory.h - inside of journal.c: lines that are not written at once. Details of jobs are kept
 * for the case that the job fails; lines that repeat are counted. Bounded, pure but for its state;
 * loop thread only. */
#ifndef CONNECTOR_BASE_LOG_MEMORY_H
#define CONNECTOR_BASE_LOG_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "connector/base/journal.h"

#define LOG_DETAILS     512 /* of the jobs that are not over; the oldest give way */
#define LOG_DETAIL_SIZE 200

struct log_detail {
	int64_t time_ms;
	uint64_t order;
	bool cut;     /* some of the same job before it had to give way */
	char job[24]; /* "": free */
	char text[LOG_DETAIL_SIZE];
};

struct log_details { /* zeroed at first; pages are touched as it fills */
	struct log_detail lines[LOG_DETAILS];
	uint64_t kept; /* ever */
};

void log_details_keep(struct log_details *d, const char *job, const char *text, int64_t now_ms);
/* Calls each() for the lines of the job, oldest first, and forgets them. */
void log_details_take(struct log_details *d, const char *job,
                      void (*each)(void *data, const struct log_detail *line), void *data);
void log_details_forget(struct log_details *d, const char *job);

#define LOG_REPEATS   32
#define LOG_BURST     5     /* so many equal lines are written ... */
#define LOG_WINDOW_MS 60000 /* ... in this time; the others are counted and told at its end */

struct log_repeat {
	int64_t since_ms; /* of the first one in the window; 0: free */
	unsigned count;   /* all in the window */
	enum log_level level;
	char text[LOG_DETAIL_SIZE]; /* equal as far as this */
	char queue[128], cloud[64], job[24];
	const char *message_id; /* of the table, lives on */
};

struct log_repeats { /* zeroed at first */
	struct log_repeat lines[LOG_REPEATS];
};

/* Whether the line is to be written now. */
bool log_repeats_admit(struct log_repeats *r, enum log_level level, const struct log_about *about,
                       const char *text, int64_t now_ms);
/* Calls each() for those held back, in windows that are over or in all, and forgets the windows. */
void log_repeats_end(struct log_repeats *r, int64_t now_ms, bool all,
                     void (*each)(void *data, const struct log_repeat *line, unsigned held_back),
                     void *data);

#endif
