/* fuzz_sniff.c - the first bytes of a document, behind the format that the cloud says it is. What
 * goes to a queue goes under a format that it takes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/err.h"
#include "connector/core/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool takes_pdf(const struct queue *queue, const char *format)
{
	(void)queue;
	return strcasecmp(format, "application/pdf") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_queue settings;
	const struct sniff_queue to = { .settings = &settings,
		                        .takes = takes_pdf,
		                        .converts = true };
	const uint8_t *end = memchr(data, '\n', size);
	struct sniffed found = { .format = "" };
	char declared[NAME_SIZE];
	size_t len = end ? (size_t)(end - data) : size, rest = size - len - (end != NULL);
	struct err err;
	int rc;

	if (len >= sizeof(declared))
		len = sizeof(declared) - 1;
	memcpy(declared, data, len);
	declared[len] = '\0';
	rc = sniff_check(data + size - rest, rest, declared, &to, &found, &err);
	if (rc < 0) {
		assert(err.kind == ERR_REJECTED && *err.text && !*found.format);
		return 0;
	}
	assert(strcasecmp(found.format, "application/pdf") == 0);
	assert(found.convert || memcmp(data + size - rest, "%PDF-", 5) == 0);
	assert(sniff_wants(data + size - rest, rest) <= SNIFF_BYTES);
	return 0;
}
