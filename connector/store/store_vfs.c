#include "connector/store/store_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>

/* Behind what SQLite's own keeps of each file. */
struct behind {
	const sqlite3_io_methods *real;
	sqlite3_io_methods ours;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sqlite3_vfs vfs;
static int real_size; /* of a file of SQLite's own */

static struct behind *behind(sqlite3_file *file)
{
	return (struct behind *)((char *)file + real_size);
}

static int read_file(sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
	int rc = behind(file)->real->xRead(file, to, len, offset);

	return rc == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : rc;
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	int rc = real->xOpen(real, name, file, flags, ret);

	(void)self;
	if (rc != SQLITE_OK)
		return rc;
	*behind(file) = (struct behind){ file->pMethods, *file->pMethods };
	behind(file)->ours.xRead = read_file;
	file->pMethods = &behind(file)->ours;
	return SQLITE_OK;
}

static void make(void)
{
	const sqlite3_vfs *real = sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(NULL) : NULL;
	const int unit = (int)_Alignof(struct behind);

	if (!real)
		return;
	vfs = *real;
	real_size = (real->szOsFile + unit - 1) / unit * unit;
	vfs.szOsFile = real_size + (int)sizeof(struct behind);
	vfs.pNext = NULL;
	vfs.zName = "print-connector";
	vfs.xOpen = open_file;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		vfs.zName = NULL;
}

const char *store_vfs_name(void)
{
	(void)pthread_once(&once, make);
	return vfs.zName;
}
