/* json.h - records as the control socket shows them (types of
 * common/org.printconnector.Connector.varlink). Texts from outside are made safe to show. The
 * caller owns what is returned. Pure. */
#ifndef CONNECTOR_CONTROL_JSON_H
#define CONNECTOR_CONTROL_JSON_H

#include <cJSON.h>

#include "common/config.h"
#include "connector/core/core.h"
#include "connector/core/doctor_findings.h"

/* The parts of a text for people: "what; what helps". remedy gets "" when there is none. */
void json_split(const char *text, char what[TEXT_SIZE], char remedy[TEXT_SIZE]);
/* NULL is null. */
void json_add_text(cJSON *object, const char *name, const char *text);
/* 0 is null. */
void json_add_time(cJSON *object, const char *name, int64_t unix_ms);

/* null unless it is known. */
void json_add_count(cJSON *object, const char *name, int64_t value, bool known);

cJSON *json_cloud(const struct core_cloud *cloud);
cJSON *json_health(const struct core_health *health);
cJSON *json_printer(const struct core_printer *printer);
/* queue, cloud: NULL when its printer is not known any more. */
cJSON *json_job(const struct job_record *job, const char *queue, const char *cloud,
                enum config_names names);
cJSON *json_event(const struct job_event *event);
/* {"online": 2, ...}: all states, also those that nothing is in. */
cJSON *json_printer_counts(const struct core_counts *n);
cJSON *json_job_counts(const struct core_counts *n); /* of open jobs */

/* An answer of Diagnose; r NULL: none. */
cJSON *json_doctor(const char *event, const struct doctor_result *r);
cJSON *json_doctor_done(const unsigned marks[3]);

#endif
