#include "common/ini_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"

int ini_file_parse(const char *path, ini_handler *handler, void *data, struct buf *problems,
                   struct err *err)
{
	struct err problem, *first = err->kind == ERR_NONE ? err : &problem;
	struct buf text;
	int rc;

	buf_init(&text, INI_FILE_MAX);
	rc = fs_read_linked(path, INI_FILE_MAX, &text, &problem);
	if (rc < 0)
		(void)ini_problem(problems, "", &problem, err);
	else
		rc = ini_parse(path, text.data, text.len, handler, data, problems, first);
	buf_clear(&text);
	return rc;
}

static int is_part(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return *entry->d_name != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int ini_directory_parse(const char *directory, ini_handler *handler, void *data,
                        struct buf *problems, struct err *err)
{
	struct dirent **names = NULL;
	struct err problem;
	char *path;
	int n, rc = 0;

	n = scandir(directory, &names, is_part, by_name);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		(void)err_errno(&problem, "read directory %s", directory);
		return ini_problem(problems, "", &problem, err);
	}
	for (int i = 0; i < n; i++) {
		path = xasprintf("%s/%s", directory, names[i]->d_name);
		if (i < INI_FILES_MAX && ini_file_parse(path, handler, data, problems, err) < 0)
			rc = -1;
		free(path);
		free(names[i]);
	}
	free(names);
	if (n <= INI_FILES_MAX)
		return rc;
	(void)err_set(&problem, ERR_REJECTED, 0, "%s has more than %d files", directory,
	              INI_FILES_MAX);
	return ini_problem(problems, "", &problem, err);
}
