/* record.h - the ledger: every job, every word it was told, every breach of the documents. */
#ifndef TESTS_EMULATOR_RECORD_H
#define TESTS_EMULATOR_RECORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct exchange;
struct job;
struct told;

int record_open(const char *path); /* -1: errno */
void record_flush(void);
void record_close(void);

/* `rule` is a stable word for tests, the text is for people. */
void record_violation(struct exchange *x, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Allowed, but worth seeing: repetitions after lost answers and the like. */
void record_notice(struct exchange *x, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what is not IPP. */
void record_web(const char *printer, int operation, bool violation, const char *rule,
                const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
void record_web_operation(int operation);
void record_job(struct job *j, const char *what);
void record_told(struct job *j, const struct told *t);
void record_operation(struct exchange *x, int status);

int64_t record_violations(const char *printer); /* NULL: all */
void record_write_violations(struct buffer *b, const char *printer);
void record_clear_violations(void);
void record_write_counters(struct buffer *b, const char *printer);
int64_t record_count(const char *printer, int operation);

/* Grows with everything that happens; waits are looked at again when it moved. */
extern uint64_t record_changes;

#endif
