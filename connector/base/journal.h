/* journal.h - where log lines go: to the journal with their fields when systemd started us
 * (JOURNAL_STREAM is ours), else to stderr as "<6>sentence". One sentence per event, lower case, no
 * secrets. Lines about a job that the level leaves out are remembered for a while, in case it
 * fails; of lines that repeat a few are written and the others counted (base/log_memory.h).
 * Callable from the loop thread. */
#ifndef CONNECTOR_BASE_JOURNAL_H
#define CONNECTOR_BASE_JOURNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* What a line is about. NULL or "" = no such field. Borrowed for the call. */
struct log_about {
	const char *queue;      /* CONNECTOR_QUEUE */
	const char *cloud;      /* CONNECTOR_CLOUD */
	const char *job;        /* CONNECTOR_JOB */
	const char *cloud_job;  /* CONNECTOR_CLOUD_JOB */
	const char *state;      /* CONNECTOR_STATE */
	const char *error;      /* CONNECTOR_ERROR: an err_kind_name() */
	const char *message_id; /* MESSAGE_ID, of common/messages.h */
};

void log_open(enum log_level level); /* chooses the sink */
void log_set_level(enum log_level level);
/* Control characters in the text are shown as '?'; at most 1000 bytes. */
void log_event(enum log_level level, const struct log_about *about, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The job failed: what was left out about it is written now, each line with its age. */
void log_details_of(const struct log_about *about);
/* The job is over: what was left out about it is needed no more. */
void log_details_over(const char *job);
/* Tells how often lines have repeated; to be called now and then. all: also what is still being
 * counted, at the end. */
void log_flush(bool all);
/* Tests: NULL puts the normal clock back. */
void log_set_clock(int64_t (*now_ms)(void));
/* Tests: NULL puts the normal sink back. */
void log_divert(void (*sink)(void *data, enum log_level level, const struct log_about *about,
                             const char *text),
                void *data);

#endif
