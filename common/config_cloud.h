/* config_cloud.h - settings of one cloud: which go with its type, what its environment fills in,
 * what does not go together. For common/config.c only. Pure. */
#ifndef COMMON_CONFIG_CLOUD_H
#define COMMON_CONFIG_CLOUD_H

#include <stdbool.h>

struct buf;
struct config_cloud;
struct err;

/* Whether the setting means something to this type of cloud. */
bool config_cloud_has(const struct config_cloud *cloud, const char *key);
/* What was not set. */
void config_cloud_fill(struct config_cloud *cloud);
/* -1: all problems are lines in problems, the first one is in err (when err has none yet). */
int config_cloud_check(const struct config_cloud *cloud, struct buf *problems, struct err *err);

#endif
