/* secret.h - memory for what must not be in a core dump: left out of any (MADV_DONTDUMP), whoever
 * makes it, and wiped when it is freed. Takes whole pages, so for what lives long. And memory
 * functions for libraries that wipe what is freed. */
#ifndef CONNECTOR_BASE_SECRET_H
#define CONNECTOR_BASE_SECRET_H

#include <stddef.h>

void *secret_alloc(size_t size); /* zeroed; never NULL */
char *secret_copy(const char *text);
void secret_free(void *p); /* NULL is fine */

/* As free() and realloc(), but what was there is not there any more. */
void secret_wiping_free(void *p);
void *secret_wiping_realloc(void *p, size_t size);

#endif
