/* check.c - holds answers to Get-Printer-Attributes against the rules of each cloud type:
 *
 *   check-model < list of files, one a line
 *
 * Each file is one answer as it came (RFC 8010); a PPD may follow its name behind a space. For each
 * a line on stdout: "ok", "ok sent" where grey is made by an option of the driver, "ok none" where
 * it cannot be made, or what is wrong, words separated by spaces. A line is written before the next
 * file is read, so that whoever runs us knows at which file we crashed. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cups/cups.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/request.h"
#include "connector/cloud/up_attributes.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/driver_grey.h"
#include "connector/printer/printer_state.h"
#include "tests/emulator/up_ipp.h"
#include "tests/emulator/up_minimum.h"

#define WRONG_MAX 64
#define PPD_MAX   ((size_t)2 << 20)

static bool wrong; /* of this file, something was printed */

static void complain(const char *rule, const char *name)
{
	(void)printf("%s%s:%s", wrong ? " " : "", rule, name);
	wrong = true;
}

static void complain_all(const char *rule, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		complain(rule, names[i]);
}

/* What any cloud would choke on. */
static void check_syntax(ipp_t *set)
{
	struct buf bytes;
	struct err err;
	ipp_t *again;

	for (ipp_attribute_t *a = ippFirstAttribute(set); a; a = ippNextAttribute(set))
		if (ippGetName(a) && !ippValidateAttribute(a))
			complain("syntax", ippGetName(a));
	buf_init(&bytes, IPP_MESSAGE_MAX);
	if (ipp_encode(set, &bytes, &err) < 0 ||
	    ipp_decode(bytes.data, bytes.len, &again, &err) < 0)
		complain("codec", "message");
	else
		ippDelete(again);
	buf_clear(&bytes);
}

static void check_universal_print(struct attrs *capabilities, struct attrs *state)
{
	const struct up_host host = { VERSION, "Linux", "models" };
	ipp_t *set = up_attributes_new(capabilities, state, &host);
	const char *names[WRONG_MAX], *why = NULL;

	complain_all("rule", names, up_attributes_check(set, names, WRONG_MAX));
	complain_all("minimum", names, up_minimum_check(set, names, WRONG_MAX));
	for (ipp_attribute_t *a = ippFirstAttribute(set); a; a = ippNextAttribute(set))
		if (up_attribute_check(a, &why) != UP_ATTRIBUTE_TAKEN)
			complain("service", ippGetName(a));
	check_syntax(set);
	ippDelete(set);
}

static void check_infra(struct attrs *capabilities, struct attrs *state)
{
	const struct target target = { .printer_uri = "ipp://localhost/ipp/print" };
	ipp_t *request = request_attributes(&target, &dialect_ipp_infra, capabilities, state, NULL);
	ipp_attribute_t *formats =
		ippFindAttribute(request, "document-format-supported", IPP_TAG_MIMETYPE);

	if (!formats)
		complain("infra", "document-format-supported");
	check_syntax(request);
	ippDelete(request);
}

/* As queue_driver.c reads it. */
static struct driver_grey read_ppd(const char *path, ipp_t *answer)
{
	struct driver_grey grey = { .known = false };
	struct driver_grey_reader reader = { .len = 0 };
	struct buf ppd;
	struct err err;

	buf_init(&ppd, PPD_MAX);
	if (path && ipp_get_bool(answer, IPP_TAG_PRINTER, "color-supported", false) &&
	    fs_read(AT_FDCWD, path, PPD_MAX, &ppd, &err) == 0) {
		driver_grey_feed(&reader, (const char *)ppd.data, ppd.len);
		grey = driver_grey_end(&reader);
	}
	buf_clear(&ppd);
	return grey;
}

static void check_file(const char *path, const char *ppd)
{
	struct driver_grey grey;
	struct queue_status status = { .health = QUEUE_READY };
	struct attrs *capabilities, *state;
	struct buf bytes;
	struct err err;
	ipp_t *answer;
	bool connecting;

	buf_init(&bytes, IPP_MESSAGE_MAX);
	if (fs_read(AT_FDCWD, path, IPP_MESSAGE_MAX, &bytes, &err) < 0 ||
	    ipp_decode(bytes.data, bytes.len, &answer, &err) < 0) {
		(void)printf("unreadable:%s", path);
		buf_clear(&bytes);
		return;
	}
	grey = read_ppd(ppd, answer);
	driver_grey_withdraw(&grey, answer);
	capabilities = capabilities_new(answer, true, NULL);
	printer_identity_read(answer, true, &status);
	printer_state_read(answer, "queue", true, &status, &connecting);
	state = printer_state_attrs(answer, &status, attrs_ipp(capabilities), NULL);
	wrong = false;
	check_universal_print(capabilities, state);
	check_infra(capabilities, state);
	if (!wrong)
		(void)printf("ok%s", driver_grey_word(&grey, 0) ? " sent"
		                     : grey.known && !grey.able ? " none"
		                                                : "");
	attrs_unref(capabilities);
	attrs_unref(state);
	ippDelete(answer);
	buf_clear(&bytes);
}

int main(void)
{
	char path[4096], *ppd;

	while (fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		ppd = strchr(path, ' ');
		if (ppd)
			*ppd++ = '\0';
		check_file(path, ppd);
		(void)printf("\n");
		(void)fflush(stdout);
	}
	return 0;
}
