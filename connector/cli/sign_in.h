/* sign_in.h - what somebody who has to sign in sees: the address, the code, a QR code of the
 * address and how long it is good for. */
#ifndef CONNECTOR_CLI_SIGN_IN_H
#define CONNECTOR_CLI_SIGN_IN_H

#include <stdint.h>

#include <cJSON.h>

struct cli;

struct sign_in {
	int64_t expires_ms; /* Unix ms; 0: nobody is waited for */
};

/* event: "code" of Register. On the terminal there is, or else on stdout. */
void sign_in_show(struct sign_in *s, const struct cli *cli, const cJSON *event);
/* The countdown goes on; nothing without a terminal. */
void sign_in_tick(const struct sign_in *s, struct cli *cli);

#endif
