#include "connector/core/sniff.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/err.h"
#include "common/util.h"

#define PDF     "application/pdf"
#define XPS     "application/oxps"
#define OLD_XPS "application/vnd.ms-xpsdocument" /* what Windows calls it */
#define ZIP     "application/zip"
#define OFFICE  "application/vnd.openxmlformats-officedocument."

#define FEW_BYTES 16 /* enough for all but ZIP */

static const struct signature {
	const char *format;
	size_t len;
	const char *bytes;
} signatures[] = {
	{ PDF, 5, "%PDF-" },
	{ "image/pwg-raster", 4, "RaS2" },
	{ "image/urf", 8, "UNIRAST" },
	{ "image/jpeg", 3, "\xff\xd8\xff" },
	{ "image/png", 8, "\x89PNG\r\n\x1a\n" },
	{ "application/postscript", 2, "%!" },
	{ ZIP, 4, "PK\x03\x04" },
	{ "application/gzip", 2, "\x1f\x8b" },
	{ "application/vnd.cups-raw", 9, "\x1b%-12345X" },
};

/* Documents in a ZIP tell themselves by the names of their parts, which come in any order; what all
 * packages of OPC have, last. */
static const struct {
	const char *part; /* how its name begins */
	const char *format;
} parts[] = {
	{ "word/", OFFICE "wordprocessingml.document" },
	{ "xl/", OFFICE "spreadsheetml.sheet" },
	{ "ppt/", OFFICE "presentationml.presentation" },
	{ "mimetype", "application/vnd.oasis.opendocument" },
	{ "META-INF/", "application/java-archive" },
	{ "AndroidManifest.xml", "application/vnd.android.package-archive" },
	{ "Fixed", XPS },
	{ "Documents/", XPS },
	{ "[Content_Types].xml", XPS },
	{ "_rels/", XPS },
};

/* ---- what it is ---- */

/* Of all names in local headers (APPNOTE 4.3.7), the one that stands first in parts: its place. */
static size_t find_part(const unsigned char *data, size_t len)
{
	size_t best = ARRAY_SIZE(parts);

	for (size_t at = 0; at + 30 <= len; at++) {
		size_t name;

		if (memcmp(data + at, "PK\x03\x04", 4) != 0)
			continue;
		name = data[at + 26] | (size_t)data[at + 27] << 8;
		name = name < len - at - 30 ? name : len - at - 30;
		for (size_t i = 0; i < best; i++)
			if (name >= strlen(parts[i].part) &&
			    memcmp(data + at + 30, parts[i].part, strlen(parts[i].part)) == 0)
				best = i;
	}
	return best;
}

const char *sniff(const void *data, size_t len)
{
	const char *format = NULL;
	size_t part;

	for (size_t i = 0; !format && i < ARRAY_SIZE(signatures); i++)
		if (len >= signatures[i].len &&
		    memcmp(data, signatures[i].bytes, signatures[i].len) == 0)
			format = signatures[i].format;
	if (!format || strcmp(format, ZIP) != 0)
		return format;
	part = find_part(data, len);
	return part < ARRAY_SIZE(parts) ? parts[part].format : ZIP;
}

size_t sniff_wants(const void *data, size_t len)
{
	return len >= 4 && memcmp(data, "PK\x03\x04", 4) == 0 ? SNIFF_BYTES : FEW_BYTES;
}

/* ---- where it may go ---- */

static bool is(const char *format, const char *name)
{
	return strcasecmp(format, name) == 0;
}

static bool is_xps(const char *format)
{
	return is(format, XPS) || is(format, OLD_XPS);
}

static bool says_nothing(const char *declared)
{
	return !*declared || is(declared, "application/octet-stream");
}

static bool takes(const struct sniff_queue *to, const char *format)
{
	return !to->takes || to->takes(to->queue, format);
}

static int refuse(struct err *err, const char *text, const char *format)
{
	(void)err_set(err, ERR_REJECTED, IPP_FORMAT_NOT_SUPPORTED, "format %.90s %s", format, text);
	return -1;
}

/* Whether what is of this format may go, and whether it has to be converted. */
static int check_format(const char *format, const struct sniff_queue *to, bool *ret_convert,
                        struct err *err)
{
	bool allowed = config_allows(to->settings, format), pdf = takes(to, PDF);

	*ret_convert = is_xps(format) && !allowed && pdf && to->converts;
	if (*ret_convert)
		return 0;
	if (is_xps(format) && !allowed && pdf)
		return refuse(err,
		              "has to be converted first and nothing is here that can: print it as "
		              "PDF, or let the administrator install libgxps-utils",
		              format);
	if (!allowed)
		return refuse(err,
		              "may not reach this queue; the administrator can add it to "
		              "allow-formats",
		              format);
	if (takes(to, format))
		return 0;
	return refuse(err,
	              pdf ? "is not understood by this queue; print it as PDF"
	                  : "is not what this queue understands; the administrator can add it to "
	                    "its allow-formats",
	              format);
}

int sniff_check_declared(const char *declared, const struct sniff_queue *to, struct err *err)
{
	bool convert;

	return says_nothing(declared) ? 0 : check_format(declared, to, &convert, err);
}

/* One that the administrator added may have no signature that we know. */
static bool has_signature(const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (is(signatures[i].format, format))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (is(parts[i].format, format))
			return true;
	return is_xps(format);
}

int sniff_check(const void *data, size_t len, const char *declared, const struct sniff_queue *to,
                struct sniffed *ret, struct err *err)
{
	const char *real = sniff(data, len);
	const char *format = declared;
	bool convert;

	if (len == 0)
		return err_set(err, ERR_REJECTED, IPP_FORMAT_ERROR, "the document is empty");
	/* what nobody can name goes only where the administrator said that anything may */
	if (says_nothing(declared))
		format = real ? real : "application/octet-stream";
	if (check_format(format, to, &convert, err) < 0)
		return -1;
	if ((real || has_signature(format)) &&
	    !(real && (is(real, format) || (is_xps(real) && is_xps(format)))))
		return err_set(err, ERR_REJECTED, IPP_FORMAT_ERROR,
		               "the document is declared as %.60s but is %s", format,
		               real ? real : "something else");
	(void)snprintf(ret->format, NAME_SIZE, "%s", convert ? PDF : format);
	ret->convert = convert;
	return 0;
}
