/* up_media.h - inside of cloud/: the rules for media of up_rules.h. Pure. */
#ifndef CONNECTOR_CLOUD_UP_MEDIA_H
#define CONNECTOR_CLOUD_UP_MEDIA_H

#include <stdbool.h>

#include <cups/ipp.h>

/* Of any group; NULL: none. */
ipp_attribute_t *up_find(ipp_t *m, const char *name);
void up_drop(ipp_t *m, const char *name); /* none there is fine */

void up_media_fit(ipp_t *m);
bool up_media_database_holds(ipp_t *m);
bool up_media_default_holds(ipp_t *m);
bool up_media_members_hold(ipp_t *m);
bool up_media_names_hold(ipp_t *m);
bool up_media_types_hold(ipp_t *m);

#endif
