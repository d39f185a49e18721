/* up_table.h - inside of cloud/: the attributes which Universal Print takes of a printer, with
 * their syntaxes (as in Microsoft's own library), as data. Pure. */
#ifndef CONNECTOR_CLOUD_UP_TABLE_H
#define CONNECTOR_CLOUD_UP_TABLE_H

#include <stdbool.h>

#include <cups/ipp.h>

enum up_syntax {
	UP_TEXT = 1 << 0,
	UP_NAME = 1 << 1,
	UP_KEYWORD = 1 << 2,
	UP_ENUM = 1 << 3,
	UP_URI = 1 << 4,
	UP_CHARSET = 1 << 5,
	UP_LANGUAGE = 1 << 6,
	UP_MIME = 1 << 7,
	UP_OCTETS = 1 << 8,
	UP_BOOLEAN = 1 << 9,
	UP_INTEGER = 1 << 10,
	UP_RANGE = 1 << 11,
	UP_RESOLUTION = 1 << 12,
	UP_COLLECTION = 1 << 13,
	UP_DATE = 1 << 14,
	UP_NO_VALUE = 1 << 15,
	UP_UNKNOWN = 1 << 16,
};

struct up_attribute {
	const char *name;
	unsigned syntaxes;
	bool many; /* more than one value */
};

const struct up_attribute *up_table_find(const char *name); /* NULL: it is not taken */
unsigned up_table_syntax(ipp_tag_t tag);                    /* 0: none of the above */

#endif
