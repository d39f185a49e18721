/* defaults.h - defaults of mapping files that a queue does not have: said when the connector starts
 * or reads its settings again, once for each queue and default, and by the doctor. */
#ifndef CONNECTOR_CORE_DEFAULTS_H
#define CONNECTOR_CORE_DEFAULTS_H

#include <stddef.h>

#include "connector/base/records.h"

struct printer;

/* What the queue can do may be other than before: says what was not said of it yet. */
void defaults_look(struct printer *p);
/* Other settings: all of it is said again, with the next defaults_look(). */
void defaults_forget(struct printer *p);

/* How many there are, and in text the first, without a remedy. */
size_t defaults_count(const struct printer *p, char text[static TEXT_SIZE]);

#endif
