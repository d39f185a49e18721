/* gunzip.h - undoes gzip between two streams, for servers that compressed a document. What does not
 * begin as gzip passes as it is: ippserver says gzip and sends the document. Loop thread only. */
#ifndef CONNECTOR_CLOUD_GUNZIP_H
#define CONNECTOR_CLOUD_GUNZIP_H

#include <stdint.h>

struct clock;
struct err;
struct gunzip;
struct stream;

/* into: borrowed, is ended or failed. limit: bytes unpacked, more is ERR_REJECTED; 0: none. done()
 * runs once, from the loop; err NULL: all of it went into the stream. */
struct gunzip *gunzip_new(struct clock *clock, struct stream *into, uint64_t limit,
                          void (*done)(void *data, const struct err *err), void *data);
/* Not while somebody writes to its input. done() does not run after this. NULL is fine. */
void gunzip_free(struct gunzip *g);
struct stream *gunzip_input(struct gunzip *g); /* borrowed; the producer ends or fails it */
/* Gives up: done() runs with err, later. */
void gunzip_stop(struct gunzip *g, const struct err *err);

#endif
