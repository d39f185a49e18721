/* uri.h - the parts of a URI with an authority ("scheme://[user@]host[:port][/path]") that decide
 * where we may connect. Pure. */
#ifndef COMMON_URI_H
#define COMMON_URI_H

#include <stdbool.h>

#define URI_MAX 1023 /* bytes of a URI, RFC 8011 5.1.6 */

struct uri {
	char scheme[16];  /* lower case */
	char host[256];   /* lower case, an IPv6 address without its brackets */
	int port;         /* 0: the scheme's own */
	bool userinfo;    /* a name or password stands in it */
	const char *path; /* into the text, "" or from its slash on */
};

/* -1: it is none, or has characters that do not belong in one. */
int uri_parse(const char *text, struct uri *ret);
/* localhost, 127.0.0.0/8, ::1. */
bool uri_is_loopback(const struct uri *uri);
/* A name of the public DNS, so that everybody means the same host by it. */
bool uri_is_public(const struct uri *uri);
/* ipps and https. */
bool uri_is_encrypted(const struct uri *uri);

#endif
