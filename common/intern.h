/* intern.h - texts that many records share, kept once and until the end of the process. For what an
 * administrator gives (paths, user names), not for what comes from outside. Loop thread only. */
#ifndef COMMON_INTERN_H
#define COMMON_INTERN_H

/* NULL for NULL and "". Equal texts have equal pointers. */
const char *intern(const char *text);

#endif
