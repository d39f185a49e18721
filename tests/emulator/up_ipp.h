/* up_ipp.h - what Universal Print's print and notification hosts do otherwise than an
 * infrastructure printer of its own. */
#ifndef TESTS_EMULATOR_UP_IPP_H
#define TESTS_EMULATOR_UP_IPP_H

#include <stdbool.h>

#include <cups/ipp.h>

struct exchange;
struct job;

/* Whose token, for which printer: fills in printer, op and uuid. 0, or the HTTP status that keeps
 * a stranger out. */
unsigned int up_identify(struct exchange *x);
/* 0, or the IPP status to refuse with; breaches are recorded. */
int up_rules_check(struct exchange *x);

int up_update_attributes(struct exchange *x); /* Update-Output-Device-Attributes */
/* Keeps the microsoft-* attributes of Update-Job-Status with the job. */
void up_keep_microsoft(struct exchange *x, struct job *j);

/* What the service makes of an attribute of a printer. */
enum up_attribute {
	UP_ATTRIBUTE_TAKEN,
	UP_ATTRIBUTE_UNKNOWN, /* left aside */
	UP_ATTRIBUTE_WRONG,   /* reported as unsupported, `why` says why */
};
enum up_attribute up_attribute_check(ipp_attribute_t *a, const char **why);

#endif
