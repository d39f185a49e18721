/* doctor_findings.h - what the doctor looks at, in one table, and from what was found wrong to what
 * an administrator should do: one finding for one cause, however many things it is wrong with.
 * Pure. */
#ifndef CONNECTOR_CORE_DOCTOR_FINDINGS_H
#define CONNECTOR_CORE_DOCTOR_FINDINGS_H

#include <stddef.h>

#include "connector/base/records.h"

/* X(NAME, name, remedy): "{}" stands for the subject of the first one. */
/* clang-format off */
#define DOCTOR_STEPS(X) \
	X(DISK, "disk", "make room in {}; until then no job is taken from a cloud") \
	X(LIMITS, "limits", "raise it: systemctl edit print-connector, [Service] LimitNOFILE=65536") \
	X(NAME, "name", "check the resolver: getent hosts {}; and the address in the settings") \
	X(PROXY, "proxy", "check the proxy in the settings or https_proxy, and that it lets {} pass") \
	X(CONNECT, "connect", "check network and firewall: {} must be reachable from here") \
	X(TLS, "tls", "where a proxy inspects TLS, except {} from it, or set ca-file to what signed it") \
	X(CLOCK, "clock", "set the clock of this machine: timedatectl set-ntp true") \
	X(ANSWER, "service", "the service has a problem of its own; the connector goes on trying") \
	X(SIGN_IN, "sign-in", "the sign-in service has a problem of its own; the connector goes on trying") \
	X(NOTIFICATION, "notification", "jobs come late without it: let {} pass firewall and proxy") \
	X(CERTIFICATE, "certificate", "print-connector register --renew {}") \
	X(PRINTER, "printer", "print-connector unregister {} --yes; print-connector register {}") \
	X(TOKEN, "token", "print-connector register --renew {}; if that is refused: print-connector unregister {} --yes; print-connector register {}") \
	X(CHANNEL, "channel", "print-connector reset {} tries it at once") \
	X(CUPS, "cups", "systemctl status cups; check cups-server in [printers]") \
	X(PAUSED, "paused", "print-connector resume {}") \
	X(QUEUE, "queue", "cupsenable {}; cupsaccept {}") \
	X(DEVICE, "device", "switch it on and check its network") \
	X(OUTPUT, "output", "give it its printer: lpadmin -p {} -v URI; until then nobody gets any paper") \
	X(DEFAULTS, "defaults", "print-connector explain {} shows what it has; change that line, or map the value: man print-connector-mapping") \
	X(KEY, "key", "if it is its own new key, after a repair or reset, say: print-connector reset {} --trust-new-key; else find out who answers there") \
	X(VALIDATE, "validate", "let everybody print: lpadmin -p {} -o printer-op-policy=default -u allow:all")
/* clang-format on */

enum doctor_step {
#define X(name, text, remedy) DOCTOR_##name,
	DOCTOR_STEPS(X)
#undef X
		DOCTOR_STEP_COUNT
};

enum doctor_mark { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL };

#define DOCTOR_REMEDY_SIZE 512

struct doctor_result {
	enum doctor_step step;
	enum doctor_mark mark;
	char cloud[64];                  /* whose; "" of none */
	char subject[NAME_SIZE];         /* host, queue or directory */
	char text[TEXT_SIZE];            /* what is so */
	char remedy[DOCTOR_REMEDY_SIZE]; /* what helps; "" when nothing is wrong */
};

const char *doctor_step_name(enum doctor_step step);
const char *doctor_mark_name(enum doctor_mark mark); /* "pass", "warn", "fail" */
/* Of the table, subject put in. */
void doctor_remedy(enum doctor_step step, const char *subject, char *ret, size_t size);

/* Leaves in results one for each cause, the gravest first, and returns how many. What follows from
 * something else that is wrong goes; what is wrong in the same way with several is one, which names
 * the first and counts the others. */
size_t doctor_findings(struct doctor_result *results, size_t n);

#endif
