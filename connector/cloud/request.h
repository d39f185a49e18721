/* request.h - the requests that a proxy sends (PWG 5100.18 5, RFC 3995, RFC 3996), attributes in
 * the order that RFC 8011 4.1.5 wants: charset, language, target, then the others. Pure. */
#ifndef CONNECTOR_CLOUD_REQUEST_H
#define CONNECTOR_CLOUD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cups/ipp.h>

#include "connector/cloud/cloud.h"

struct attrs;
struct dialect;
struct err;
struct up_host;

/* Who asks whom: the same in each request of one printer. */
struct target {
	char *url;            /* http:// or https:// */
	char *printer_uri;    /* ipp:// or ipps:// */
	char device_uri[64];  /* urn:uuid:…; "" where there is no device yet */
	char user[NAME_SIZE]; /* requesting-user-name; "" none */
	bool device_first;    /* output-device-uuid comes next to printer-uri */
};

/* Sets what was all zero; it is cleared by target_clear(). -1, and it is as it was: not a URI to
 * which a cloud may be spoken (unencrypted only to this machine), or not a UUID. user NULL: the
 * connector's own name. device_uuid NULL: none. */
int target_set(struct target *t, const char *uri, const char *device_uuid, const char *user,
               struct err *err);
void target_clear(struct target *t);

ipp_t *request_new(const struct target *t, ipp_op_t op);
ipp_t *request_job(const struct target *t, ipp_op_t op, int32_t job);
ipp_t *request_document(const struct target *t, ipp_op_t op, int32_t job, int32_t number);

/* capabilities NULL: only the state. state NULL: none. Names in ignored are left out. */
struct request_ignored {
	char **names;
	size_t count;
};
bool request_is_ignored(const struct request_ignored *ignored, const char *name); /* NULL: none */
ipp_t *request_attributes(const struct target *t, const struct dialect *d,
                          struct attrs *capabilities, struct attrs *state,
                          const struct request_ignored *ignored);
/* The same as Universal Print takes it. */
ipp_t *request_universal_attributes(const struct target *t, const struct up_host *host,
                                    struct attrs *capabilities, struct attrs *state,
                                    const struct request_ignored *ignored);
ipp_t *request_active(const struct target *t, const struct cloud_active *jobs, size_t count);
ipp_t *request_subscribe(const struct target *t, const struct dialect *d);
ipp_t *request_renew(const struct target *t, const struct dialect *d, int32_t subscription);
/* from 0: all there are. */
ipp_t *request_notifications(const struct target *t, const struct dialect *d, int32_t subscription,
                             int32_t from);
ipp_t *request_list(const struct target *t, const struct dialect *d);
ipp_t *request_check(const struct target *t, int32_t job);
ipp_t *request_fetch_document(const struct target *t, const struct dialect *d, int32_t job,
                              int32_t number);
ipp_t *request_report(const struct target *t, const struct dialect *d, const struct cloud_report *r,
                      ipp_jstate_t state);
ipp_t *request_document_report(const struct target *t, int32_t job, int32_t number,
                               ipp_jstate_t state);
ipp_t *request_refuse(const struct target *t, int32_t job, int ipp_status, const char *message);
ipp_t *request_probe(const struct target *t);
ipp_t *request_register(const struct target *t, const char *request_pem);

#endif
