/* ipp_status.c - what an IPP status means to us, and where an IPP URI leads. Pure. */
#include "connector/base/ipp_client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"

#define MESSAGE_MAX 96 /* with names of operation and status it fits a struct err */
#define URI_MAX_LEN 1023

/* ---- status ---- */

static enum err_kind kind_of(ipp_status_t status)
{
	unsigned code = (unsigned)status;

	if (code >= 0x0401 && code <= 0x0403)
		return ERR_DENIED;
	if (code == 0x0406 || code == 0x0407)
		return ERR_GONE;
	if (code == 0x0408 || (code >= 0x0500 && code <= 0x0507))
		return ERR_TEMPORARY;
	return code == 0x0508 ? ERR_CANCELED : ERR_REJECTED;
}

/* Length of the well-formed UTF-8 character at p; 0: none, or one that a terminal obeys. */
static size_t printable(const unsigned char *p)
{
	size_t len = *p < 0x80   ? 1
	             : *p < 0xc2 ? 0
	             : *p < 0xe0 ? 2
	             : *p < 0xf0 ? 3
	             : *p < 0xf5 ? 4
	                         : 0;

	if (*p < 0x20 || *p == 0x7f)
		return 0;
	if (*p == 0xc2 && p[1] < 0xa0) /* C1 controls */
		return 0;
	if (*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) /* line ends, direction */
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void clean(const char *text, char *out, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0, n;

	for (; *p; p += n ? n : 1) {
		n = printable(p);
		if (used + (n ? n : 1) >= size)
			break;
		if (n)
			memcpy(out + used, p, n);
		else
			out[used] = ' ';
		used += n ? n : 1;
	}
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
}

void ipp_status_err(ipp_status_t status, const char *message, struct err *err)
{
	char text[MESSAGE_MAX] = "";

	if (message)
		clean(message, text, sizeof(text));
	(void)err_set(err, kind_of(status), (int)status, *text ? "%s (%s)" : "%s%s",
	              ippErrorString(status), text);
}

/* ---- URI ---- */

static const struct scheme {
	const char *from, *to, *port;
} schemes[] = {
	{ "ipp://", "http://", ":631" },
	{ "ipps://", "https://", ":631" },
	{ "http://", "http://", "" },
	{ "https://", "https://", "" },
};

static const struct scheme *find_scheme(const char *uri)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncasecmp(uri, schemes[i].from, strlen(schemes[i].from)) == 0)
			return &schemes[i];
	return NULL;
}

static bool is_port(const char *p, size_t len)
{
	unsigned port = 0;

	if (len < 2 || len > 6 || *p != ':')
		return false;
	for (size_t i = 1; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	return port > 0 && port < 65536;
}

/* Length of the host in "host[:port]"; 0: not such a thing. */
static size_t host_length(const char *authority, size_t len)
{
	size_t host = strcspn(authority, ":/?");

	if (*authority == '[') {
		host = strspn(authority + 1, "0123456789abcdefABCDEF:.%") + 1;
		if (host < 3 || authority[host] != ']')
			return 0;
		host++;
	} else if (strcspn(authority, "[]") < len) {
		return 0;
	}
	return host == len || (host < len && is_port(authority + host, len - host)) ? host : 0;
}

int ipp_http_url(const char *uri, char *ret, size_t size, struct err *err)
{
	const struct scheme *s = find_scheme(uri);
	size_t total = strnlen(uri, URI_MAX_LEN + 1), len, host;
	const char *authority, *rest;
	char url[URI_MAX_LEN + 16];
	int n;

	/* never repeated as it is: it may hold a password or what a terminal obeys */
	if (total > URI_MAX_LEN)
		return err_set(err, ERR_REJECTED, 0, "URI is longer than %d bytes", URI_MAX_LEN);
	for (size_t i = 0; i < total; i++)
		if (uri[i] <= ' ' || uri[i] >= 0x7f || strchr("\"<>\\^`{|}#", uri[i]))
			return err_set(err, ERR_REJECTED, 0, "URI has characters that no URI has");
	if (!s)
		return err_set(err, ERR_REJECTED, 0,
		               "URI does not begin with ipp://, ipps://, http:// or https://");
	authority = uri + strlen(s->from);
	len = strcspn(authority, "/?");
	rest = authority + len;
	if (memchr(authority, '@', len))
		return err_set(err, ERR_REJECTED, 0,
		               "URI has a user name in it; use the settings for credentials");
	host = host_length(authority, len);
	if (!host)
		return err_set(err, ERR_REJECTED, 0, "URI has no valid host name and port");
	n = snprintf(url, sizeof(url), "%s%.*s%s%s%s", s->to, (int)len, authority,
	             host == len ? s->port : "", *rest == '/' ? "" : "/", rest);
	if ((size_t)n >= size)
		return err_set(err, ERR_REJECTED, 0, "URI is longer than %zu bytes", size - 1);
	memcpy(ret, url, (size_t)n + 1);
	return 0;
}
