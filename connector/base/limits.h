/* limits.h - whether this process is about to run out of what the system lets it have. Asked before
 * new work is begun, so that what is left suffices for what runs, for its end and for who asks what
 * is wrong. Costs some system calls; from anywhere. */
#ifndef CONNECTOR_BASE_LIMITS_H
#define CONNECTOR_BASE_LIMITS_H

/* "file descriptors", "memory", or NULL: there is enough. */
const char *limits_short_of(void);

#endif
