/* config_value.h - the kinds of values a setting can have: how each is read, printed and explained.
 * For common/config.c only. Pure. */
#ifndef COMMON_CONFIG_VALUE_H
#define COMMON_CONFIG_VALUE_H

#include <stddef.h>

struct buf;
struct config_item;

struct config_kind {
	/* Replaces the field; -1 when the text is not allowed, the field is as it was then. */
	int (*parse)(const struct config_item *item, const char *text, void *field);
	void (*format)(const struct config_item *item, const void *field, struct buf *out);
	void (*clear)(void *field); /* NULL: nothing to free */
	/* What would be allowed, to stand after "must be". */
	void (*allowed)(const struct config_item *item, struct buf *out);
};

struct config_choice {
	const char *word; /* NULL ends the list */
	int value;
};

extern const struct config_kind config_text, config_path, config_secret, config_uri, config_proxy,
	config_server, config_group, config_number, config_duration, config_size, config_word,
	config_globs, config_formats, config_user_name, config_url, config_id;

#endif
