#include "tests/emulator/quirks.h"

#include <stddef.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/json.h"

static const struct {
	const char *name;
	const char *text;
} quirks[] = {
#define QUIRK_ROW(id, name, text) [QUIRK_##id] = { name, text },
	QUIRKS(QUIRK_ROW)
#undef QUIRK_ROW
};

/* A name stands for itself, or for all that begin with it and a dot. */
static uint64_t quirks_find(const char *name, size_t len)
{
	uint64_t found = 0;
	size_t i;

	for (i = 0; i < QUIRK_COUNT; i++) {
		const char *q = quirks[i].name;

		if (strncmp(q, name, len) == 0 && (q[len] == '\0' || q[len] == '.'))
			found |= UINT64_C(1) << i;
	}
	return found;
}

int quirks_parse(const char *text, uint64_t *ret)
{
	uint64_t set = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "+");
		uint64_t found = len > 0 ? quirks_find(text, len) : 0;

		if (found == 0 && !(len == 4 && strncmp(text, "none", 4) == 0))
			return -1;
		set |= found;
		text += len;
		text += *text == '+';
	}
	*ret = set;
	return 0;
}

void quirks_write(struct buffer *b, const char *key, uint64_t set)
{
	size_t i;

	json_open(b, key, '[');
	for (i = 0; i < QUIRK_COUNT; i++) {
		if (set >> i & 1)
			json_string(b, NULL, quirks[i].name);
	}
	json_close(b, ']');
}

void quirks_describe(struct buffer *b)
{
	size_t i;

	json_open(b, "quirks", '{');
	for (i = 0; i < QUIRK_COUNT; i++)
		json_string(b, quirks[i].name, quirks[i].text);
	json_close(b, '}');
}
