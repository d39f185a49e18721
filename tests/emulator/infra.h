/* infra.h - operations of proxies: PWG 5100.18 5 and PWG 5100.22. Each gives an IPP status. */
#ifndef TESTS_EMULATOR_INFRA_H
#define TESTS_EMULATOR_INFRA_H

struct exchange;

int infra_update_output_device_attributes(struct exchange *x);
int infra_get_output_device_attributes(struct exchange *x);
int infra_deregister_output_device(struct exchange *x);
int infra_update_active_jobs(struct exchange *x);
int infra_fetch_job(struct exchange *x);
int infra_acknowledge_job(struct exchange *x);
int infra_fetch_document(struct exchange *x);
int infra_acknowledge_document(struct exchange *x);
int infra_update_document_status(struct exchange *x);
int infra_update_job_status(struct exchange *x);
int infra_acknowledge_identify_printer(struct exchange *x);
int infra_register_output_device(struct exchange *x);

#endif
