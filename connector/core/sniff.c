#include "connector/core/sniff.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/err.h"
#include "common/util.h"

static const struct signature {
	const char *format;
	size_t len;
	const char *bytes;
} signatures[] = {
	{ "application/pdf", 5, "%PDF-" },       { "image/pwg-raster", 4, "RaS2" },
	{ "image/urf", 8, "UNIRAST" },           { "image/jpeg", 3, "\xff\xd8\xff" },
	{ "image/png", 8, "\x89PNG\r\n\x1a\n" }, { "application/postscript", 2, "%!" },
	{ "application/oxps", 4, "PK\x03\x04" }, { "application/vnd.cups-raw", 9, "\x1b%-12345X" },
};

static const struct signature *find_signature(const void *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (len >= signatures[i].len &&
		    memcmp(data, signatures[i].bytes, signatures[i].len) == 0)
			return &signatures[i];
	return NULL;
}

const char *sniff(const void *data, size_t len)
{
	const struct signature *s = find_signature(data, len);

	return s ? s->format : NULL;
}

static bool says_nothing(const char *declared)
{
	return !*declared || strcasecmp(declared, "application/octet-stream") == 0;
}

static int refuse(struct err *err, const char *format)
{
	return err_set(err, ERR_REJECTED, IPP_FORMAT_NOT_SUPPORTED,
	               "format %s may not reach this queue; the administrator can add it to "
	               "allow-formats",
	               format);
}

int sniff_check_declared(const char *declared, const struct config_queue *queue, struct err *err)
{
	if (says_nothing(declared) || config_allows(queue, declared))
		return 0;
	return refuse(err, declared);
}

int sniff_check(const void *data, size_t len, const char *declared,
                const struct config_queue *queue, char ret_format[NAME_SIZE], struct err *err)
{
	const struct signature *s = find_signature(data, len);
	const char *format = declared;

	if (len == 0)
		return err_set(err, ERR_REJECTED, IPP_FORMAT_ERROR, "the document is empty");
	/* what nobody can name goes only where the administrator said that anything may */
	if (says_nothing(declared))
		format = s ? s->format : "application/octet-stream";
	if (!config_allows(queue, format))
		return refuse(err, format);
	/* A type with a signature must show it; one that the administrator added may have none. */
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (strcasecmp(signatures[i].format, format) == 0 && s != &signatures[i])
			return err_set(err, ERR_REJECTED, IPP_FORMAT_ERROR,
			               "the document is declared as %s but is %s", format,
			               s ? s->format : "something else");
	if (s && strcasecmp(s->format, format) != 0)
		return err_set(err, ERR_REJECTED, IPP_FORMAT_ERROR,
		               "the document is declared as %s but is %s", format, s->format);
	(void)snprintf(ret_format, NAME_SIZE, "%s", format);
	return 0;
}
