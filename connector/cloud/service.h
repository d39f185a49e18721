/* service.h - inside of cloud/: one configured cloud, and the peers that its channels share. Lives
 * until the last abandoned exchange of its channels has ended. */
#ifndef CONNECTOR_CLOUD_SERVICE_H
#define CONNECTOR_CLOUD_SERVICE_H

#include <stdbool.h>

#include "connector/cloud/cloud.h"
#include "connector/cloud/talk.h"

struct clock;
struct dialect;
struct http;
struct http_peer;
struct universal;

/* Channels with the same credentials share connections. */
struct peer {
	struct peer *next;
	struct http_peer *http;
	unsigned refs;
	char *username, *password, *certificate_file, *key_file; /* "" none */
};

struct cloud {
	char *name;
	char *system_uri, *ca_file, *proxy;                      /* each may be NULL */
	char *username, *password, *certificate_file, *key_file; /* each may be NULL */
	struct http *http;                                       /* borrowed */
	struct clock *clock;                                     /* borrowed */
	const struct vault *vault;                               /* borrowed */
	const struct dialect *dialect;
	struct universal *universal; /* NULL: another type */
	struct peer *peers;
	struct talk *leaving; /* talk.c */
	unsigned refs;
	unsigned channels;               /* open ones */
	int64_t quiet_until[HOST_COUNT]; /* ms; the service asked for it, of all printers */
	int64_t start_ms;                /* no channel starts before */
	struct cloud_stats stats;
	int64_t heartbeat_ms;
	bool active_breaks; /* the server dropped a connection on Update-Active-Jobs */
};

void service_ref(struct cloud *c);
void service_unref(struct cloud *c);
/* A host answered err, with a wish to be left alone (Retry-After): it counts for all. */
void service_slow_down(struct cloud *c, enum host host, const struct err *err);
int64_t service_quiet_ms(const struct cloud *c, enum host host); /* what is left of it */
/* settings NULL: no credentials. */
struct peer *service_peer(struct cloud *c, const struct channel_settings *settings);
void service_peer_release(struct cloud *c, struct peer *p); /* NULL is fine */

#endif
