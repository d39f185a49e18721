/* outcome.h - what became of a local job, read from its attributes (CUPS hides it:
 * the reasons of ended jobs are all alike, a filter that failed leaves the job stopped for ever,
 * a job that the printer aborted is called canceled). Pure. */
#ifndef CONNECTOR_PRINTER_OUTCOME_H
#define CONNECTOR_PRINTER_OUTCOME_H

#include <stdbool.h>

#include <cups/cups.h>

#include "connector/printer/queue.h"

/* Names that are read; to be asked for. */
extern const char *const outcome_names[];
extern const int outcome_name_count;

/* Every job group of an answer. cups: the answer is of CUPS. each() may not look into the answer.
 */
void outcome_each(ipp_t *answer, bool cups, void (*each)(void *data, const struct local_job *job),
                  void *data);
/* The first one; false when there is none. */
bool outcome_read(ipp_t *answer, bool cups, struct local_job *ret);

/* Whether both show the same, times and counts included. */
bool outcome_equal(const struct local_job *a, const struct local_job *b);

#endif
