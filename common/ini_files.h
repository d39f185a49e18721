/* ini_files.h - settings files and directories of them read by ini.h. Blocks (reads files): at
 * start and at reload only. */
#ifndef COMMON_INI_FILES_H
#define COMMON_INI_FILES_H

#include "common/ini.h"

#define INI_FILE_MAX  (1024 * 1024) /* bytes of one file */
#define INI_FILES_MAX 256           /* in one directory */

/* Contract of problems and err: ini_parse(); err keeps the first problem of several calls. */
int ini_file_parse(const char *path, ini_handler *handler, void *data, struct buf *problems,
                   struct err *err);
/* The files *.conf of a directory in the order of their names; no such directory is fine. */
int ini_directory_parse(const char *directory, ini_handler *handler, void *data,
                        struct buf *problems, struct err *err);

#endif
