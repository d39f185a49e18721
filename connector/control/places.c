#include "connector/control/places.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/control/json.h"

struct place {
	char id[ID_SIZE];
	char *queue, *cloud;
};

static void on_printer(void *data, const struct core_printer *printer)
{
	struct places *p = data;
	struct place *at;

	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		p->items = xrealloc(p->items, p->room * sizeof(*p->items));
	}
	at = &p->items[p->n++];
	(void)str_copy(at->id, sizeof(at->id), printer->record->id);
	at->queue = xstrdup(printer->record->queue);
	at->cloud = xstrdup(printer->record->cloud);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

void places_init(struct places *p, struct core *core)
{
	*p = (struct places){ .core = core };
	core_printers(core, on_printer, p);
	if (p->n)
		qsort(p->items, p->n, sizeof(*p->items), by_id);
}

void places_clear(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].queue);
		free(p->items[i].cloud);
	}
	free(p->items);
}

cJSON *places_job(const struct places *p, const struct job_record *job)
{
	struct place key, *at = NULL;

	(void)str_copy(key.id, sizeof(key.id), job->printer);
	if (p->n)
		at = bsearch(&key, p->items, p->n, sizeof(*p->items), by_id);
	return json_job(job, at ? at->queue : NULL, at ? at->cloud : NULL,
	                core_config(p->core)->names);
}
