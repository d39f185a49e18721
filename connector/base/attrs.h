/* attrs.h - a set of IPP attributes that passes through layers which do not look inside:
 * capabilities from printer/ to cloud/, tickets from cloud/ to printer/. Immutable, counted.
 * Loop thread only. */
#ifndef CONNECTOR_BASE_ATTRS_H
#define CONNECTOR_BASE_ATTRS_H

#include <stdbool.h>
#include <stddef.h>

struct _ipp_s; /* libcups' ipp_t */
struct attrs;
struct buf;
struct err;

/* An attribute of our own in tickets: job-password, sealed (crypto_vault.h); of length 0 when there
 * is one that cannot be kept. job-password-encryption stands beside it. */
#define ATTRS_JOB_PASSWORD "sealed-job-password"

/* Consumes ipp, whose attributes may stand in any group. */
struct attrs *attrs_new(struct _ipp_s *ipp);
struct attrs *attrs_ref(struct attrs *a);
void attrs_unref(struct attrs *a);               /* NULL is fine */
struct _ipp_s *attrs_ipp(const struct attrs *a); /* borrowed, not to be changed */
/* A printer's state with printer-state "stopped" and this reason and message in place of its own.
 */
struct attrs *attrs_stopped(const struct attrs *state, const char *reason, const char *message);
bool attrs_equal(const struct attrs *a, const struct attrs *b); /* NULL is a value */

/* The raw bytes of an application/ipp message; for the store. */
int attrs_encode(const struct attrs *a, struct buf *out, struct err *err);
int attrs_decode(const void *data, size_t len, struct attrs **ret, struct err *err);

#endif
