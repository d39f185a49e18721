/* metrics.h - what the connector counts, as OpenMetrics text: names of common/metrics.h. Only those
 * that something counts are told. Pure but for what it looks at. */
#ifndef CONNECTOR_CONTROL_METRICS_H
#define CONNECTOR_CONTROL_METRICS_H

#include <stdint.h>

struct buf;
struct core;
struct histogram;
struct http;

/* http NULL: none. -1 when it does not fit into out. */
int metrics_print(struct buf *out, struct core *core, const struct histogram *lag,
                  const struct http *http, int64_t wall_ms);

#endif
