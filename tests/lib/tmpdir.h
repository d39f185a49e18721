/* tmpdir.h - a directory of a test's own, removed with all that is in it. Fails the test when it
 * cannot be made. */
#ifndef TESTS_LIB_TMPDIR_H
#define TESTS_LIB_TMPDIR_H

#include <stddef.h>

char *tmpdir_new(void);       /* its path; the caller gives it to tmpdir_free() */
void tmpdir_free(char *path); /* NULL is fine */
/* Writes a file below it, mode 0644, and returns its path, to be freed. */
char *tmpdir_put(const char *dir, const char *name, const void *data, size_t len);
char *tmpdir_put_text(const char *dir, const char *name, const char *text);

#endif
