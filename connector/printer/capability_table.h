/* capability_table.h - the attributes of a printer that are of use to a cloud, with the syntaxes
 * that the standards give them (RFC 8011 5.4, PWG 5100.x), as data. Pure. */
#ifndef CONNECTOR_PRINTER_CAPABILITY_TABLE_H
#define CONNECTOR_PRINTER_CAPABILITY_TABLE_H

#include <stdbool.h>

#include <cups/ipp.h>

enum capability_syntax {
	CAPABILITY_TEXT = 1 << 0,
	CAPABILITY_NAME = 1 << 1,
	CAPABILITY_KEYWORD = 1 << 2,
	CAPABILITY_URI = 1 << 3,
	CAPABILITY_CHARSET = 1 << 4,
	CAPABILITY_LANGUAGE = 1 << 5,
	CAPABILITY_MIME = 1 << 6,
	CAPABILITY_INTEGER = 1 << 7,
	CAPABILITY_ENUM = 1 << 8,
	CAPABILITY_BOOLEAN = 1 << 9,
	CAPABILITY_RANGE = 1 << 10,
	CAPABILITY_RESOLUTION = 1 << 11,
	CAPABILITY_COLLECTION = 1 << 12,
	CAPABILITY_DATE = 1 << 13,
	CAPABILITY_OCTETS = 1 << 14,
	CAPABILITY_NONE = 1 << 15, /* no-value, unknown */
};

struct capability {
	const char *name;
	unsigned syntaxes;
	bool many;  /* more than one value */
	bool state; /* changes by itself: told by printer_state.c */
};

const struct capability *capability_find(const char *name); /* NULL: of no use to a cloud */
unsigned capability_syntax(ipp_tag_t tag);                  /* 0: none of the above */

#endif
