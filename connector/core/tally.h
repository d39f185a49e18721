/* tally.h - inside of core/: what a job that ended adds to the counts that metrics show. Pure. */
#ifndef CONNECTOR_CORE_TALLY_H
#define CONNECTOR_CORE_TALLY_H

struct core_tally;
struct job_record;

/* Stages that a job never reached are left out: one refused was neither claimed nor handed over. */
void tally_job(struct core_tally *t, const struct job_record *r);

#endif
