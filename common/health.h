/* health.h - everything that status can call wrong, in one table: code, severity, what it is and
 * what helps. "{}" stands for the subject. Codes are part of the --json output: added, never
 * renamed. Pure. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include <stddef.h>

#define HEALTH_SEVERITIES(X)                                                                       \
	X(INFO, "info")       /* nothing to do */                                                  \
	X(WARNING, "warning") /* some work waits */                                                \
	X(ERROR, "error")     /* work waits until somebody does something: status exits with 4 */

enum health_severity {
#define X(name, text) HEALTH_SEVERITY_##name,
	HEALTH_SEVERITIES(X)
#undef X
};

/* clang-format off */
#define HEALTH_CODES(X) \
	X(CLOUD_UNREACHABLE, "cloud-unreachable", ERROR, \
	  "cloud {} does not answer", \
	  "check the network and the uri of [cloud {}]; the connector goes on trying") \
	X(CLOUD_NOT_CONFIGURED, "cloud-not-configured", ERROR, \
	  "printers are registered in cloud {}, which the settings do not have", \
	  "put [cloud {}] back into the settings, or unregister its printers") \
	X(PRINTER_REFUSED, "printer-refused", ERROR, \
	  "the cloud no longer accepts printer {}", \
	  "register it again: print-connector unregister {} --yes; print-connector register {}") \
	X(PRINTER_OFFLINE, "printer-offline", WARNING, \
	  "printer {} is offline", \
	  "print-connector printers says why; the connector goes on trying") \
	X(PRINTER_PAUSED, "printer-paused", INFO, \
	  "printer {} is paused by the administrator; its jobs wait in the cloud", \
	  "print-connector resume {}") \
	X(DRAINED, "drained", WARNING, \
	  "the {} was drained by hand: jobs wait in the cloud", \
	  "print-connector resume") \
	X(QUEUE_MISSING, "queue-missing", ERROR, \
	  "queue {} does not exist any more", \
	  "make it again under its name (lpadmin -p {}), or: print-connector unregister {} --yes") \
	X(QUEUE_STOPPED, "queue-stopped", WARNING, \
	  "queue {} is stopped or rejects jobs", \
	  "cupsenable {}; cupsaccept {}") \
	X(QUEUE_LOOPING, "queue-looping", WARNING, \
	  "queue {} starts a job again and again without end", \
	  "see to its device, or: lpadmin -p {} -o printer-error-policy=stop-printer; print-connector jobs --printer {} shows the job") \
	X(QUEUE_FULL, "queue-full", WARNING, \
	  "CUPS takes no more jobs for queue {} for now", \
	  "make room below /var/spool/cups, or raise MaxJobs in cupsd.conf; lpstat -o {} shows what is there; the connector goes on trying") \
	X(PRINTER_STOPPED, "printer-stopped", WARNING, \
	  "the printer of queue {} has stopped and waits for somebody", \
	  "see to it at the device: paper, a jam, an open cover") \
	X(QUEUE_UNREACHABLE, "queue-unreachable", WARNING, \
	  "the printer of queue {} does not answer", \
	  "switch it on and check its network") \
	X(QUEUE_UNTRUSTED, "queue-untrusted", ERROR, \
	  "what answers as printer {} does not show the key that it had", \
	  "if that is its own new key, after a repair or reset, say: print-connector reset {} --trust-new-key; else find out who answers there") \
	X(CUPS_DOWN, "cups-down", ERROR, \
	  "CUPS at {} does not answer", \
	  "systemctl status cups; check cups-server in [printers]") \
	X(JOB_HELD, "job-held", WARNING, \
	  "job {} is held: nobody can know whether it was printed", \
	  "look at the printer, then: print-connector resolve {} --printed, --print-again or --abort") \
	X(JOB_QUARANTINED, "job-quarantined", ERROR, \
	  "job {} is held: the connector crashed again and again while it was active", \
	  "look at the printer, then: print-connector resolve {} --printed, --print-again or --abort; and report the crash (coredumpctl list)") \
	X(STORE_FAILING, "store-failing", ERROR, \
	  "the state directory {} cannot be written", \
	  "make room there and check the disk; until then no job is taken from a cloud") \
	X(LIMIT_REACHED, "limit-reached", ERROR, \
	  "the connector is short of {}", \
	  "raise LimitNOFILE, LimitAS or MemoryMax: systemctl edit print-connector; until then no job is taken from a cloud") \
	X(STATE_DAMAGED, "state-damaged", ERROR, \
	  "the state was damaged and is kept as {}; jobs of that time may be lost", \
	  "see that all is there: print-connector printers; print-connector jobs; then move {} away") \
	X(STATE_READ_ONLY, "state-read-only", ERROR, \
	  "the state in {} belongs to another machine, so nothing is changed", \
	  "when that machine no longer runs the connector: print-connector restore --takeover") \
	X(CERTIFICATE_EXPIRING, "certificate-expiring", WARNING, \
	  "the certificate of {} expires soon", \
	  "print-connector register --renew {}; if it was not made by the connector, replace its file") \
	X(CERTIFICATE_EXPIRED, "certificate-expired", ERROR, \
	  "the certificate of {} has expired", \
	  "print-connector register --renew {}; if it was not made by the connector, replace its file") \
	X(REGISTRATION_UNFINISHED, "registration-unfinished", WARNING, \
	  "the registration of {} was not finished", \
	  "go on with it: print-connector register {}; or forget it: print-connector unregister {} --yes") \
	X(SETTINGS_WRONG, "settings-wrong", WARNING, \
	  "the new settings in {} are wrong, the old ones are in use", \
	  "print-connectord --config {} --check-config says what; then: systemctl reload print-connector")
/* clang-format on */

enum health_code {
#define X(name, ...) HEALTH_##name,
	HEALTH_CODES(X)
#undef X
		HEALTH_CODE_COUNT
};

const char *health_severity_name(enum health_severity severity);
const char *health_code_name(enum health_code code);
enum health_severity health_severity(enum health_code code);
/* One line for people, the subject made safe and put in; cut when it does not fit. */
void health_text(enum health_code code, const char *subject, char *ret, size_t size);
void health_remedy(enum health_code code, const char *subject, char *ret, size_t size);

#endif
