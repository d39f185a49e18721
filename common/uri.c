#include "common/uri.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/str.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int copy_lower(char *dst, size_t size, const char *src, size_t len)
{
	if (!len || len >= size)
		return -1;
	for (size_t i = 0; i < len; i++)
		dst[i] = lower(src[i]);
	dst[len] = '\0';
	return 0;
}

static bool is_of(const char *text, const char *set)
{
	return text[strspn(text, set)] == '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static int port_parse(const char *text, size_t len, int *ret)
{
	char digits[6];
	int64_t port;

	if (!len || len >= sizeof(digits))
		return -1;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (str_number_parse(digits, 1, 65535, &port) < 0)
		return -1;
	*ret = (int)port;
	return 0;
}

/* "host", "host:port", "[address]", "[address]:port", len bytes long. */
static int host_parse(const char *text, size_t len, struct uri *uri)
{
	const char *stop = text + len, *end;
	struct in6_addr address;

	if (len && *text == '[') {
		end = memchr(text, ']', len);
		if (!end ||
		    copy_lower(uri->host, sizeof(uri->host), text + 1, (size_t)(end - text - 1)) <
		            0 ||
		    inet_pton(AF_INET6, uri->host, &address) != 1)
			return -1;
		end++;
	} else {
		end = memchr(text, ':', len);
		end = end ? end : stop;
		if (copy_lower(uri->host, sizeof(uri->host), text, (size_t)(end - text)) < 0 ||
		    !is_of(uri->host, LETTERS DIGITS "-._"))
			return -1;
	}
	if (end == stop)
		return 0;
	if (*end != ':')
		return -1;
	return port_parse(end + 1, (size_t)(stop - end - 1), &uri->port);
}

int uri_parse(const char *text, struct uri *ret)
{
	struct uri uri = { 0 };
	const char *authority, *at;
	size_t len;

	if (strlen(text) > URI_MAX)
		return -1;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p))
			return -1;
	authority = strstr(text, "://");
	if (!authority ||
	    copy_lower(uri.scheme, sizeof(uri.scheme), text, (size_t)(authority - text)) < 0 ||
	    !is_of(uri.scheme, LETTERS DIGITS "+-."))
		return -1;
	authority += 3;
	len = strcspn(authority, "/?#");
	uri.path = authority + len;
	at = memrchr(authority, '@', len);
	if (at) {
		uri.userinfo = true;
		len -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	if (host_parse(authority, len, &uri) < 0)
		return -1;
	*ret = uri;
	return 0;
}

bool uri_is_loopback(const struct uri *uri)
{
	struct in6_addr six;
	struct in_addr four;

	if (strcmp(uri->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, uri->host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, uri->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool uri_is_public(const struct uri *uri)
{
	static const char *const inner[] = { "arpa",      "corp", "home",    "internal",
		                             "intranet",  "lan",  "local",   "localdomain",
		                             "localhost", "test", "invalid", "example",
		                             "private",   "onion" };
	const char *top = strrchr(uri->host, '.');
	struct in6_addr six;

	/* an address, or a name without a domain, belongs to a network */
	if (!top || !top[1] || is_of(top + 1, DIGITS) || inet_pton(AF_INET6, uri->host, &six) == 1)
		return false;
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		if (strcmp(top + 1, inner[i]) == 0)
			return false;
	return true;
}

bool uri_is_encrypted(const struct uri *uri)
{
	return strcmp(uri->scheme, "ipps") == 0 || strcmp(uri->scheme, "https") == 0;
}
