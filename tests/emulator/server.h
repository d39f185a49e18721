/* server.h - HTTP and HTTPS for IPP, by libmicrohttpd driven from our own loop. */
#ifndef TESTS_EMULATOR_SERVER_H
#define TESTS_EMULATOR_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <microhttpd.h>

struct host;
struct host_tls;

/* IPP. `host` must stay; `tls` NULL: none. NULL: errno */
struct MHD_Daemon *server_start(const struct sockaddr *address, struct host *host,
                                const struct host_tls *tls);
/* The same with other handlers, which get `host`. */
struct MHD_Daemon *server_listen(const struct sockaddr *address, struct host *host,
                                 const struct host_tls *tls, MHD_AccessHandlerCallback handle,
                                 MHD_RequestCompletedCallback completed);
uint16_t server_port(struct MHD_Daemon *daemon);
void server_stopping(void); /* from now on everything is answered by closing */

/* The infrastructure printers' listeners end every connection and close new ones at once, until
 * they are back; what they know stays. */
void server_away(bool away);

/* Registration at /ipp/system, for those who may; NULL spec: there is none. */
int server_set_system(const char *auth, char **why);

#endif
