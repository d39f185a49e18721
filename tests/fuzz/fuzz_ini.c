/* fuzz_ini.c - settings files: any bytes. What is a right entry must be plain text within limits.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ini.h"
#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_entry(void *data, const struct ini_entry *entry, struct err *err)
{
	(void)data;
	assert(entry->line > 0 && *entry->section && entry->name && entry->value);
	assert(strlen(entry->section) + strlen(entry->name) <= INI_LINE_MAX);
	assert(str_is_utf8(entry->section) && str_is_utf8(entry->name) &&
	       str_is_utf8(entry->value));
	if (entry->key)
		assert(*entry->key && strlen(entry->key) + strlen(entry->value) < INI_LINE_MAX);
	if (strcmp(entry->section, "wrong") == 0)
		return err_set(err, ERR_REJECTED, 0, "wrong");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf problems;
	struct err err;
	int rc;

	buf_init(&problems, 8192);
	rc = ini_parse("fuzz.conf", data, size, on_entry, NULL, &problems, &err);
	assert((rc < 0) == (err.kind != ERR_NONE));
	assert((rc < 0) == (problems.len > 0));
	buf_clear(&problems);
	return 0;
}
