#include "tests/emulator/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/emulator/host.h"
#include "tests/emulator/ipp_message.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"

#define STATUS_MESSAGE_MAX 255

int exchange_refuse(struct exchange *x, ipp_status_t status, const char *fmt, ...)
{
	char text[STATUS_MESSAGE_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ippDelete(x->answer);
	x->answer = ipp_message_answer(x->request);
	ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_TEXT, "status-message", NULL, text);
	if (host_is_up(x->peer->host))
		ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_TEXT, "detailed-status-message",
		             NULL, text);
	return (int)status;
}

/* Of the operation group. */
ipp_attribute_t *exchange_find(struct exchange *x, const char *name, ipp_tag_t tag)
{
	ipp_attribute_t *a = ippFindAttribute(x->request, name, tag);

	return a != NULL && ippGetGroupTag(a) == IPP_TAG_OPERATION ? a : NULL;
}

const char *exchange_string(struct exchange *x, const char *name)
{
	ipp_attribute_t *a = exchange_find(x, name, IPP_TAG_ZERO);

	return a ? ippGetString(a, 0, NULL) : NULL;
}

int64_t exchange_integer(struct exchange *x, const char *name, int64_t absent)
{
	ipp_attribute_t *a = exchange_find(x, name, IPP_TAG_ZERO);
	ipp_tag_t tag = a ? ippGetValueTag(a) : IPP_TAG_ZERO;

	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM ? ippGetInteger(a, 0) : absent;
}

static bool in_group(const char *name, const char *group)
{
	static const char *const job_template[] = { "copies",
		                                    "finishings",
		                                    "job-priority",
		                                    "media",
		                                    "media-col",
		                                    "number-up",
		                                    "orientation-requested",
		                                    "output-bin",
		                                    "overrides",
		                                    "page-ranges",
		                                    "print-quality",
		                                    "sides",
		                                    "printer-resolution",
		                                    "print-color-mode" };
	bool is_template = false;
	size_t i;

	for (i = 0; i < sizeof(job_template) / sizeof(job_template[0]); i++)
		is_template =
			is_template || strncmp(name, job_template[i], strlen(job_template[i])) == 0;
	if (strcmp(group, "all") == 0)
		return true;
	if (strcmp(group, "job-template") == 0)
		return is_template;
	if (strcmp(group, "job-description") == 0 || strcmp(group, "job-status") == 0 ||
	    strcmp(group, "printer-description") == 0 || strcmp(group, "printer-status") == 0)
		return !is_template;
	return false;
}

bool exchange_wanted(const char *name, void *exchange)
{
	struct exchange *x = exchange;
	ipp_attribute_t *a = exchange_find(x, "requested-attributes", IPP_TAG_KEYWORD);
	int i, n;

	if (a == NULL) {
		if (x->request != NULL && ippGetOperation(x->request) == IPP_OP_GET_JOBS)
			return strcmp(name, "job-id") == 0 || strcmp(name, "job-uri") == 0;
		return strcmp(name, "media-col-database") != 0;
	}
	for (i = 0, n = ippGetCount(a); i < n; i++) {
		const char *value = ippGetString(a, i, NULL);

		if (strcmp(value, name) == 0)
			return true;
		if (strcmp(name, "media-col-database") != 0 && in_group(name, value))
			return true;
	}
	return false;
}

void exchange_wake(struct exchange *x)
{
	sleeper_wake(&x->sleeper);
}

struct job *exchange_job(struct exchange *x, int *ret)
{
	int64_t id = exchange_integer(x, "job-id", -1);
	const char *uri = exchange_string(x, "job-uri");

	if (id < 0 && uri != NULL && strrchr(uri, '/') != NULL)
		id = strtol(strrchr(uri, '/') + 1, NULL, 10);
	if (id < 0) {
		record_violation(x, "missing-attribute", "no job-id");
		*ret = exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want job-id");
		return NULL;
	}
	x->job = job_find(x->printer, (int)id);
	if (x->job == NULL)
		*ret = exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "no job %d", (int)id);
	return x->job;
}
