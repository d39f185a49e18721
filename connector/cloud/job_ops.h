/* job_ops.h - inside of cloud/: what is said about one job: Fetch-Job, Acknowledge-Job, refusal,
 * whether it was canceled (job_ops.c), reports (job_report.c). Each a cloud_op; contract in
 * cloud.h. */
#ifndef CONNECTOR_CLOUD_JOB_OPS_H
#define CONNECTOR_CLOUD_JOB_OPS_H

#include "connector/cloud/cloud.h"

int job_ops_fetch(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);
int job_ops_accept(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);
int job_ops_refuse(struct channel *ch, struct cloud_op *op, int32_t job, int ipp_status,
                   const char *message, struct err *err);
int job_ops_report(struct channel *ch, struct cloud_op *op, const struct cloud_report *report,
                   struct err *err);
int job_ops_check(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);

/* One exchange of an operation. Consumes request. On -1 nothing is left behind. */
int job_ops_ask(struct cloud_op *op, ipp_t *request,
                void (*done)(struct ipp_op *ipp, const struct err *err), struct err *err);
/* The same in the middle of an operation: a failure ends it. */
void job_ops_next(struct cloud_op *op, ipp_t *request,
                  void (*done)(struct ipp_op *ipp, const struct err *err));
/* Ends the operation: frees the exchange, then done(). err may lie in the exchange. */
void job_ops_end(struct cloud_op *op, const struct err *err);
/* err of a job's exchange as cloud.h tells it: only IPP speaks of the job, HTTP of the printer. */
void job_ops_err(struct cloud_op *op, const struct err *err, struct err *ret);
void job_ops_end_failed(struct cloud_op *op, const struct err *err);
/* The last answer was an IPP message with this status. */
bool job_ops_is_status(const struct cloud_op *op, ipp_status_t status);
/* canceled and final by an answer to Get-Job-Attributes. */
void job_ops_read_state(struct cloud_op *op, ipp_t *answer);

#endif
