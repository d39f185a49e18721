#include "tests/emulator/faults.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/json.h"
#include "tests/emulator/operations.h"

static TAILQ_HEAD(, fault) faults = TAILQ_HEAD_INITIALIZER(faults);
static int next_id = 1;

static const struct {
	const char *name;
	const char *text;
	bool effect;
} kinds[] = {
#define FAULT_ROW(id, name, text, effect) [FAULT_##id] = { name, text, effect },
	FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

int fault_find_kind(const char *name, enum fault_kind *ret)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum fault_kind)i;
			return 0;
		}
	}
	return -1;
}

bool fault_has_effect(enum fault_kind kind)
{
	return kinds[kind].effect;
}

int faults_add(struct fault *f)
{
	f->id = next_id++;
	TAILQ_INSERT_TAIL(&faults, f, entry);
	return f->id;
}

const struct fault *faults_take(const char *printer, int operation)
{
	struct fault *f;

	TAILQ_FOREACH(f, &faults, entry)
	{
		if (f->count == 0 || (f->operation != 0 && f->operation != operation) ||
		    (f->printer != NULL && (printer == NULL || strcmp(f->printer, printer) != 0)))
			continue;
		if (f->skip > 0) {
			f->skip--;
			continue;
		}
		if (f->count > 0)
			f->count--;
		f->hits++;
		return f;
	}
	return NULL;
}

static void fault_free(struct fault *f)
{
	TAILQ_REMOVE(&faults, f, entry);
	free(f->printer);
	free(f->text);
	free(f);
}

int faults_clear(int id)
{
	struct fault *f, *after;
	int gone = 0;

	for (f = TAILQ_FIRST(&faults); f != NULL; f = after) {
		after = TAILQ_NEXT(f, entry);
		if (id != 0 && f->id != id)
			continue;
		fault_free(f);
		gone++;
	}
	return gone;
}

void faults_write(struct buffer *b)
{
	struct fault *f;

	json_open(b, "faults", '[');
	TAILQ_FOREACH(f, &faults, entry)
	{
		json_open(b, NULL, '{');
		json_number(b, "id", f->id);
		json_string(b, "kind", kinds[f->kind].name);
		json_string(b, "printer", f->printer);
		json_string(b, "operation", f->operation ? operation_name(f->operation) : NULL);
		json_number(b, "skip", f->skip);
		json_number(b, "count", f->count);
		json_number(b, "hits", f->hits);
		json_close(b, '}');
	}
	json_close(b, ']');
}

void faults_describe(struct buffer *b)
{
	size_t i;

	json_open(b, "fault_kinds", '{');
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		json_string(b, kinds[i].name, kinds[i].text);
	json_close(b, '}');
}
