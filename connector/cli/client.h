/* client.h - a blocking Varlink client of the control socket; every wait has a deadline. */
#ifndef CONNECTOR_CLI_CLIENT_H
#define CONNECTOR_CLI_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <cJSON.h>

struct client;
struct failure;

int client_open(struct client **ret, const char *path, struct failure *f);
void client_close(struct client *c); /* NULL is fine */
/* Once a second while an answer is waited for, and after a signal; false: client_call() fails as
 * canceled. NULL: none. */
void client_on_tick(struct client *c, bool (*tick)(void *data), void *data);
/* Sends a call and gives its answers to each(), which consumes them, until the last one; parameters
 * are consumed. wait_ms: for each answer. After -1 for anything but an answered error the client is
 * of no more use. */
int client_call(struct client *c, const char *method, cJSON *parameters, bool more, int64_t wait_ms,
                void (*each)(void *data, cJSON *answer), void *data, struct failure *f);

#endif
