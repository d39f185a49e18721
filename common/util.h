/* util.h - ownership helpers and allocation that cannot fail. xmalloc and friends are for small
 * sizes of our own choosing and abort when memory is gone (the service manager restarts us, the
 * store is durable); what is sized by the outside goes through struct buf. */
#ifndef COMMON_UTIL_H
#define COMMON_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* The struct that embeds a member. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A local that cleans itself up: AUTO(free_str) char *text = NULL; */
#define AUTO(function) __attribute__((cleanup(function)))

/* Moves ownership out of a pointer: *ret = TAKE(text); */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__auto_type take_old = (p);                                                        \
		(p) = NULL;                                                                        \
		take_old;                                                                          \
	})

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t max);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For AUTO(). */
void free_str(char **p);
void close_fd(int *fd); /* -1 is fine */

/* Overwrites in a way that the compiler keeps. */
void wipe(void *p, size_t len);
void wipe_str(char **p); /* for AUTO(): wipes and frees */

#endif
