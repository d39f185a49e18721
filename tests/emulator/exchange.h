/* exchange.h - one IPP request over HTTP and its answer. Lives from the first header to the last
 * byte; handlers see it whole, with the request decoded and checked. */
#ifndef TESTS_EMULATOR_EXCHANGE_H
#define TESTS_EMULATOR_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cups/ipp.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/faults.h"
#include "tests/emulator/jobs.h"

struct bytes;
struct device;
struct document;
struct host;
struct operation;
struct printer;

#define EXCHANGE_WAIT (-1) /* a handler's answer: call me again when woken */
#define EXCHANGE_DROP (-2) /* a handler's answer: close the connection */

/* What is known of the other end of one connection. */
struct peer {
	TAILQ_ENTRY(peer) entry;
	struct MHD_Connection *connection; /* borrowed */
	const struct host *host;           /* that it came to */
	bool tls;
	bool proxy;        /* has spoken as a proxy */
	bool checked;      /* the certificate was looked at */
	char *common_name; /* of a certificate that our CA signed */
	char *fingerprint; /* its SHA-256 */
};

enum exchange_phase { PHASE_BODY, PHASE_DELAYED, PHASE_WAITING, PHASE_HUNG, PHASE_ANSWERED };

struct exchange {
	TAILQ_ENTRY(exchange) waiter; /* in printer->waiters while PHASE_WAITING */
	struct sleeper sleeper;
	struct MHD_Connection *connection; /* borrowed */
	struct peer *peer;                 /* the connection's */
	enum exchange_phase phase;
	char *path;
	char *host;
	struct buffer body;
	size_t document_offset; /* what follows the IPP message in the body */
	ipp_t *request;
	ipp_t *answer;
	const struct operation *op;
	struct printer *printer;
	struct device *device; /* of a proxy, when associated */
	const char *uuid;      /* output-device-uuid, borrowed from the request */
	struct job *job;
	struct document *document;
	struct fault fault; /* a copy; kind FAULT_NONE: none */
	int64_t wait_until_us;
	int64_t started_us;
	struct bytes *attachment; /* follows the IPP answer */
	bool as_proxy;
	bool gone;        /* Universal Print: the printer was deleted */
	struct told told; /* what this request says of x->job */
};

/* Fills in a status-message and gives the status back. */
int exchange_refuse(struct exchange *x, ipp_status_t status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

ipp_attribute_t *exchange_find(struct exchange *x, const char *name, ipp_tag_t tag);
const char *exchange_string(struct exchange *x, const char *name); /* NULL: absent */
int64_t exchange_integer(struct exchange *x, const char *name, int64_t absent);
bool exchange_wanted(const char *name, void *exchange); /* requested-attributes */
void exchange_wake(struct exchange *x);

/* The job named by job-id or job-uri; NULL: refused with the status in `ret`. */
struct job *exchange_job(struct exchange *x, int *ret);

#endif
