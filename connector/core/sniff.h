/* sniff.h - what a document really is, by its first bytes; what may reach a printer. Unknown bytes
 * would go to the device as they are, which is printer-command injection. Pure. */
#ifndef CONNECTOR_CORE_SNIFF_H
#define CONNECTOR_CORE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "connector/base/records.h"

struct config_queue;
struct err;
struct queue;

#define SNIFF_BYTES 4096 /* enough to tell, of any format */

/* RFC 8011 appendix B, as fetch-status-code for the cloud. */
#define IPP_FORMAT_NOT_SUPPORTED 0x040a
#define IPP_FORMAT_ERROR         0x0411

/* Where a document is to go; all borrowed. */
struct sniff_queue {
	const struct config_queue *settings;
	const struct queue *queue;
	/* Whether the queue has the format; NULL: any. */
	bool (*takes)(const struct queue *queue, const char *format);
	bool converts; /* XPS can become PDF here */
};

struct sniffed {
	char format[NAME_SIZE]; /* under which it goes to the queue */
	bool convert;           /* it is XPS and has to become that first */
};

/* The media type, or NULL when the bytes are of none that we know. */
const char *sniff(const void *data, size_t len);
/* How many bytes it takes to tell, of a document that begins so; at most SNIFF_BYTES. */
size_t sniff_wants(const void *data, size_t len);

/* Whether a document may go to the queue, and as what. declared: by the cloud, "" or
 * application/octet-stream when it did not say. REJECTED names the format and the remedy. */
int sniff_check(const void *data, size_t len, const char *declared, const struct sniff_queue *to,
                struct sniffed *ret, struct err *err);

/* The same for a format alone, before the document is here: REJECTED when nothing that is declared
 * so can be printed. "" and application/octet-stream may turn out to be anything. */
int sniff_check_declared(const char *declared, const struct sniff_queue *to, struct err *err);

#endif
