/* server.h - HTTP and HTTPS for IPP, by libmicrohttpd driven from our own loop. */
#ifndef TESTS_EMULATOR_SERVER_H
#define TESTS_EMULATOR_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct MHD_Daemon;

/* NULL: errno */
struct MHD_Daemon *server_start(const struct sockaddr *address, const char *ca,
                                const char *certificate, const char *key);
uint16_t server_port(struct MHD_Daemon *daemon);
void server_stopping(void); /* from now on everything is answered by closing */

/* Registration at /ipp/system, for those who may; NULL spec: there is none. */
int server_set_system(const char *auth, char **why);

#endif
