#include "common/intern.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/util.h"

#define BUCKETS 256

struct text {
	struct text *next;
	char bytes[];
};

static struct text *buckets[BUCKETS];

/* FNV-1a */
static size_t bucket_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash % BUCKETS;
}

const char *intern(const char *text)
{
	struct text **at, *new;
	size_t size;

	if (!text || !*text)
		return NULL;
	for (at = &buckets[bucket_of(text)]; *at; at = &(*at)->next)
		if (strcmp((*at)->bytes, text) == 0)
			return (*at)->bytes;
	size = strlen(text) + 1;
	new = xmalloc(sizeof(*new) + size);
	new->next = NULL;
	memcpy(new->bytes, text, size);
	*at = new;
	return new->bytes;
}
