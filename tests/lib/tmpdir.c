#include "tests/lib/tmpdir.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/util.h"

char *tmpdir_new(void)
{
	const char *base = getenv("TMPDIR");
	char *path = xasprintf("%s/connector-test-XXXXXX", base ? base : "/tmp");

	assert_non_null(mkdtemp(path));
	return path;
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void tmpdir_free(char *path)
{
	if (path)
		(void)nftw(path, on_file, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

char *tmpdir_put(const char *dir, const char *name, const void *data, size_t len)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
	return path;
}

char *tmpdir_put_text(const char *dir, const char *name, const char *text)
{
	return tmpdir_put(dir, name, text, strlen(text));
}
