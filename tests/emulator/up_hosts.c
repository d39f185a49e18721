#include "tests/emulator/up_hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/certificates.h"
#include "tests/emulator/json.h"
#include "tests/emulator/server.h"
#include "tests/emulator/up_certificates.h"
#include "tests/emulator/up_registration.h"
#include "tests/emulator/up_web.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define BAD_KINDS 5

static struct host hosts[] = {
	{ .kind = HOST_LOGIN, .tls = true, .web = true },
	{ .kind = HOST_REGISTRATION, .tls = true, .web = true },
	{ .kind = HOST_PRINT, .tls = true },
	{ .kind = HOST_NOTIFICATION, .tls = true },
	{ .kind = HOST_GRAPH, .tls = true, .web = true },
};

static const char *const names[] = { "login", "registration", "print", "notification", "graph" };

static const struct {
	const char *name;
	const char *why;
	enum bad_tls certificate;
	const char *priorities;
	bool plain;
} kinds[BAD_KINDS] = {
	{ "expired", "known by an expired certificate", BAD_EXPIRED, NULL, false },
	{ "self-signed", "known by a certificate of its own", BAD_SELF_SIGNED, NULL, false },
	{ "wrong-name", "known by another host's certificate", BAD_WRONG_NAME, NULL, false },
	{ "tls1.1", "one that speaks TLS 1.1", BAD_NONE,
	  "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SIGN-ECDSA-SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1", false },
	{ "plain", "one without TLS", BAD_NONE, NULL, true },
};

static struct host bad_hosts[BAD_KINDS][2]; /* for forms and JSON, and for IPP */

int up_hosts_add_bad(const char *kind)
{
	size_t i;

	for (i = 0; i < BAD_KINDS; i++) {
		if (strcmp(kinds[i].name, kind) == 0)
			break;
	}
	if (i == BAD_KINDS)
		return -1;
	bad_hosts[i][0] = (struct host){
		.kind = HOST_LOGIN, .web = true, .tls = !kinds[i].plain, .bad = kinds[i].why
	};
	bad_hosts[i][1] =
		(struct host){ .kind = HOST_PRINT, .tls = !kinds[i].plain, .bad = kinds[i].why };
	return 0;
}

static int start_host(struct host *h, struct in_addr bind, int64_t port, enum bad_tls bad,
                      const char *priorities)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons((uint16_t)port),
		                       .sin_addr = bind };
	AUTO(free_str) char *certificate = NULL;
	AUTO(free_str) char *key = NULL;
	struct host_tls tls = { .ca = certificates_ca(), .priorities = priorities };

	if (h->tls) {
		up_certificate_server("localhost", up.names, bad, &certificate, &key);
		tls.certificate = certificate;
		tls.key = key;
	}
	h->daemon = h->web ? up_web_start((struct sockaddr *)&address, h, h->tls ? &tls : NULL)
	                   : server_start((struct sockaddr *)&address, h, h->tls ? &tls : NULL);
	if (h->daemon == NULL) {
		fprintf(stderr, "cloud-emulator: listen: %s\n", strerror(errno));
		return -1;
	}
	h->url = xprintf("http%s://localhost:%u", h->tls ? "s" : "", server_port(h->daemon));
	return 0;
}

int up_hosts_start(struct in_addr bind, struct MHD_Daemon *daemons[UP_HOSTS_MAX])
{
	const int64_t ports[COUNT(hosts)] = { up.login_port, up.registration_port, up.print_port,
		                              up.notification_port, up.graph_port };
	int n = 0, side;
	size_t i;

	for (i = 0; i < COUNT(hosts); i++) {
		if (start_host(&hosts[i], bind, ports[i], BAD_NONE, NULL) < 0)
			return -1;
		daemons[n++] = hosts[i].daemon;
	}
	for (i = 0; i < BAD_KINDS; i++) {
		for (side = 0; side < 2 && bad_hosts[i][side].bad != NULL; side++) {
			if (start_host(&bad_hosts[i][side], bind, 0, kinds[i].certificate,
			               kinds[i].priorities) < 0)
				return -1;
			daemons[n++] = bad_hosts[i][side].daemon;
		}
	}
	up_registration_hosts(hosts[0].url, hosts[2].url);
	return n;
}

struct host *up_hosts_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < COUNT(hosts); i++) {
		if (strcmp(names[i], name) == 0)
			return &hosts[i];
	}
	return NULL;
}

void up_hosts_write(struct buffer *b)
{
	size_t i;

	json_open(b, "up", '{');
	for (i = 0; i < COUNT(hosts); i++)
		json_string(b, names[i], hosts[i].url);
	json_string(b, "ca", certificates_ca_path());
	json_string(b, "resource", up.resource);
	json_string(b, "client_id", up.client_id);
	json_string(b, "tenant", up.tenant);
	json_string(b, "graph_token", up.graph_token);
	json_open(b, "bad", '{');
	for (i = 0; i < BAD_KINDS; i++) {
		if (bad_hosts[i][0].bad == NULL)
			continue;
		json_open(b, kinds[i].name, '{');
		json_string(b, "web", bad_hosts[i][0].url);
		json_string(b, "ipp", bad_hosts[i][1].url);
		json_close(b, '}');
	}
	json_close(b, '}');
	json_close(b, '}');
}

void up_hosts_write_connections(struct buffer *b)
{
	size_t i;

	json_open(b, "connections", '{');
	for (i = 0; i < COUNT(hosts); i++)
		json_number(b, names[i], hosts[i].connections);
	for (i = 0; i < BAD_KINDS; i++)
		if (bad_hosts[i][0].bad != NULL)
			json_number(b, kinds[i].name,
			            bad_hosts[i][0].connections + bad_hosts[i][1].connections);
	json_close(b, '}');
}

void up_hosts_free(void)
{
	size_t i;

	for (i = 0; i < COUNT(hosts); i++)
		free_str(&hosts[i].url);
	for (i = 0; i < BAD_KINDS; i++) {
		free_str(&bad_hosts[i][0].url);
		free_str(&bad_hosts[i][1].url);
	}
}
