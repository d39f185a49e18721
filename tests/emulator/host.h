/* host.h - what one listener is: the IPP server of its own, or a service of Universal Print. */
#ifndef TESTS_EMULATOR_HOST_H
#define TESTS_EMULATOR_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct MHD_Daemon;

enum host_kind {
	HOST_PLAIN, /* infrastructure printers by name */
	HOST_LOGIN,
	HOST_REGISTRATION,
	HOST_PRINT,
	HOST_NOTIFICATION,
	HOST_GRAPH,
};

struct host {
	enum host_kind kind;
	bool tls;
	bool down;           /* connections are closed at once */
	bool web;            /* JSON and forms, not IPP */
	int64_t connections; /* that came here, whether they were let in or not */
	const char *bad;     /* why nobody should send a request here; NULL: all is well */
	char *url;
	struct MHD_Daemon *daemon;
};

struct host_tls {
	const char *ca;
	const char *certificate;
	const char *key;
	const char *priorities; /* NULL: as usual */
};

static inline bool host_is_up(const struct host *h)
{
	return h->kind != HOST_PLAIN;
}

#endif
