/* config_table.h - all settings there are, as one table. For common/config.c only. Pure. */
#ifndef COMMON_CONFIG_TABLE_H
#define COMMON_CONFIG_TABLE_H

#include <stddef.h>

#include "common/config_value.h"

#define CONFIG_ITEMS    53
#define CONFIG_SECTIONS 6

struct config_item {
	const char *section;
	const char *key;
	const struct config_kind *kind;
	size_t offset;         /* in struct config, config_cloud or config_queue */
	const char *fallback;  /* NULL: none */
	const char *min, *max; /* in the text form of the kind; of texts: their length */
	const struct config_choice *choices;
	const char *help;
};

struct config_section {
	const char *name;
	const char *of; /* what NAME is in [section NAME]; NULL: it takes none */
};

extern const struct config_item config_items[CONFIG_ITEMS];
extern const struct config_section config_sections[CONFIG_SECTIONS];

/* NULL: there is none. */
const struct config_section *config_section_find(const char *name);
const struct config_item *config_item_find(const char *section, const char *key);

/* base: the struct that the item's section fills. */
void *config_item_field(const struct config_item *item, void *base);
void config_item_reset(const struct config_item *item, void *base); /* to its default */
void config_item_clear(const struct config_item *item, void *base); /* frees */

#endif
