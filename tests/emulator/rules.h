/* rules.h - what every request must be like: RFC 8010 3, RFC 8011 4.1, PWG 5100.18 4 to 6. */
#ifndef TESTS_EMULATOR_RULES_H
#define TESTS_EMULATOR_RULES_H

struct exchange;

/* 0, or the IPP status to refuse the request with; breaches are recorded. */
int rules_check(struct exchange *x);

/* Groups, syntaxes of all but printer attributes, names that come twice. */
int rules_check_groups(struct exchange *x);

#endif
