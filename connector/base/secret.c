#include "connector/base/secret.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"

struct block {
	size_t size; /* of all of it, in whole pages */
	_Alignas(max_align_t) char data[];
};

void *secret_alloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (sizeof(struct block) + size + page - 1) / page * page;
	struct block *b =
		mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		abort(); /* as xmalloc() */
	(void)madvise(b, whole, MADV_DONTDUMP);
	b->size = whole;
	return b->data;
}

/* What a copy leaves in the vector registers of a thread that then waits is in its dump as well:
 * the same copy once more, of nothing. */
static void forget_registers(size_t size)
{
	char *from = xcalloc(1, size), *to = xmalloc(size);

	memcpy(to, from, size);
	__asm__ volatile("" : : "r"(to) : "memory"); /* it is not left out */
	free(from);
	free(to);
}

char *secret_copy(const char *text)
{
	size_t size = strlen(text) + 1;
	char *p = memcpy(secret_alloc(size), text, size);

	forget_registers(size);
	return p;
}

void secret_free(void *p)
{
	struct block *b;
	size_t whole;

	if (!p)
		return;
	b = CONTAINER_OF(p, struct block, data);
	whole = b->size;
	wipe(b, whole);
	(void)munmap(b, whole);
}

void secret_wiping_free(void *p)
{
	if (p)
		wipe(p, malloc_usable_size(p));
	free(p);
}

void *secret_wiping_realloc(void *p, size_t size)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *other;

	if (had >= size && had / 2 <= size && p)
		return p;
	other = malloc(size ? size : 1);
	if (!other)
		return NULL;
	if (had)
		memcpy(other, p, had < size ? had : size);
	secret_wiping_free(p);
	return other;
}
