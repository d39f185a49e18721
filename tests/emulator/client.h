/* client.h - operations of those who print: RFC 8011, PWG 5100.5, 5100.13. Each gives an IPP
 * status, or EXCHANGE_WAIT. */
#ifndef TESTS_EMULATOR_CLIENT_H
#define TESTS_EMULATOR_CLIENT_H

struct exchange;

int client_get_printer_attributes(struct exchange *x);
int client_validate_job(struct exchange *x);
int client_print_job(struct exchange *x);
int client_create_job(struct exchange *x);
int client_send_document(struct exchange *x);
int client_close_job(struct exchange *x);
int client_cancel_job(struct exchange *x);
int client_hold_job(struct exchange *x);
int client_release_job(struct exchange *x);
int client_get_jobs(struct exchange *x);
int client_get_job_attributes(struct exchange *x);
int client_get_documents(struct exchange *x);
int client_get_document_attributes(struct exchange *x);
int client_identify_printer(struct exchange *x);
int client_pause_printer(struct exchange *x);
int client_resume_printer(struct exchange *x);
int client_cups_get_printers(struct exchange *x);
int client_cups_get_default(struct exchange *x);

#endif
