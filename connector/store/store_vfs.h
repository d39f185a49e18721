/* How state.db is read: as by SQLite itself, but a read that the disk refuses is an I/O error.
 *
 * SQLite reports EIO as damage of the database; a database that may be whole would be set aside for
 * it, with all that is known of jobs under way.
 */
#ifndef CONNECTOR_STORE_STORE_VFS_H
#define CONNECTOR_STORE_STORE_VFS_H

/* The name for sqlite3_open_v2(), from any thread; NULL without memory: SQLite's own. */
const char *store_vfs_name(void);

#endif
