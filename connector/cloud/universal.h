/* universal.h - inside of cloud/: one configured Universal Print service: its addresses, the
 * organisation's application, and the connections that all its printers share. */
#ifndef CONNECTOR_CLOUD_UNIVERSAL_H
#define CONNECTOR_CLOUD_UNIVERSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "connector/cloud/cloud.h"

struct err;
struct http_peer;
struct target;

#define UNIVERSAL_ID_MAX 63 /* bytes of a printer's id in the cloud */

struct universal {
	char *login_url, *registration_url, *print_url, *notification_url; /* without last slash */
	char *tenant, *client_id, *scope, *resource, *connector_name;
	char *system;            /* on which this connector runs */
	char *notification_path; /* "ID" in it: the printer's */
	bool notification_names_print;
	int64_t registration_timeout_ms;
	bool x5c_string;
	/* Each kind of host has its own places, so that one that hangs does not keep those of the
	 * others. */
	struct http_peer *web, *print, *notification, *documents;
	unsigned deaf; /* printers for which the notification host fails; the first was told */
};

/* -1: an address or a name of it is missing, or cannot be used. */
int universal_open(struct universal **ret, const struct cloud_settings *settings, struct err *err);
void universal_close(struct universal *u); /* NULL is fine */

/* Whether text can be a printer's id: it becomes a part of addresses. */
bool universal_is_id(const char *text);
/* Whether two URLs lead to the same host, port and protocol. */
bool universal_is_same_host(const char *a, const char *b);
/* print_url/printers/ID. */
int universal_printer_uri(const struct universal *u, const char *id, char *ret, size_t size,
                          struct err *err);
/* Where a printer is found, and where its events are. */
int universal_targets(const struct universal *u, const char *printer_uri, const char *id,
                      struct target *print, struct target *notification, struct err *err);

/* The text for people of a refusal. */
void universal_explain(const struct err *err, struct err *ret);

#endif
