/* up_admin.h - the admin port's part for Universal Print: everything below /up/. */
#ifndef TESTS_EMULATOR_UP_ADMIN_H
#define TESTS_EMULATOR_UP_ADMIN_H

struct MHD_Connection;
struct buffer;

/* HTTP status; 400 and 404 with `why`. */
unsigned int up_admin(struct MHD_Connection *connection, const char *method, const char *path,
                      struct buffer *json, char **why);

#endif
