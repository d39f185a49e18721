/* up_graph.h - Microsoft Graph's print API as users have it: printers and shares here, jobs with
 * their upload sessions in up_graph_jobs.c. */
#ifndef TESTS_EMULATOR_UP_GRAPH_H
#define TESTS_EMULATOR_UP_GRAPH_H

#include <stdint.h>

struct buffer;
struct up_printer;
struct web;

/* 0, or the HTTP status with the answer written. */
unsigned int graph_check_user(struct web *w);
/* The printer, by its id or its share's, of the first star in the path. */
unsigned int graph_find_printer(struct web *w, struct up_printer **ret);
void graph_time(struct buffer *b, const char *key, int64_t us);

unsigned int graph_list_jobs(struct web *w);
unsigned int graph_create_job(struct web *w);
unsigned int graph_get_job(struct web *w);
unsigned int graph_start_job(struct web *w);
unsigned int graph_cancel_job(struct web *w);
unsigned int graph_create_session(struct web *w);
unsigned int graph_put_range(struct web *w);
void graph_free(void);

#endif
