/* up_hosts.h - the listeners of Universal Print. */
#ifndef TESTS_EMULATOR_UP_HOSTS_H
#define TESTS_EMULATOR_UP_HOSTS_H

#include <netinet/in.h>

#include "tests/emulator/host.h"

struct buffer;

#define UP_HOSTS_MAX 16

/* "expired", "self-signed", "wrong-name", "tls1.1", "plain": one more pair of listeners. -1: no
 * such kind. */
int up_hosts_add_bad(const char *kind);
/* Starts all into `daemons`. How many; -1: said on stderr. */
int up_hosts_start(struct in_addr bind, struct MHD_Daemon *daemons[UP_HOSTS_MAX]);
struct host *up_hosts_find(const char *name); /* "login", …; NULL: none */
void up_hosts_write(struct buffer *b);
void up_hosts_write_connections(struct buffer *b);
void up_hosts_free(void);

#endif
