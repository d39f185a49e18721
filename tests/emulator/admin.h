/* admin.h - the port of the tests: plain HTTP, answers in JSON, on loopback. */
#ifndef TESTS_EMULATOR_ADMIN_H
#define TESTS_EMULATOR_ADMIN_H

#include <sys/socket.h>

struct MHD_Daemon;

struct MHD_Daemon *admin_start(const struct sockaddr *address);
/* Wakes the waits whose condition came true; to be called after anything happened. */
void admin_look(void);
void admin_stopping(void);

#endif
