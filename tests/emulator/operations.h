/* operations.h - the operations there are: who may send them, where to, and who answers. */
#ifndef TESTS_EMULATOR_OPERATIONS_H
#define TESTS_EMULATOR_OPERATIONS_H

#include <stdbool.h>

struct exchange;

#define OPERATIONS_MAX 64

/* What is asked of hosts that do not speak IPP; counted and failed by name like operations. */
#define WEB_OPERATIONS(X)                                                                          \
	X(DEVICE_CODE, "up-device-code")                                                           \
	X(DEVICE_LOGIN, "up-device-login")                                                         \
	X(TOKEN, "up-token")                                                                       \
	X(NONCE, "up-nonce")                                                                       \
	X(DEVICE_TOKEN, "up-device-token")                                                         \
	X(REGISTER, "up-register")                                                                 \
	X(REGISTER_POLL, "up-register-poll")                                                       \
	X(GRAPH, "up-graph")                                                                       \
	X(UPLOAD, "up-upload")

enum web_operation {
	WEB_NONE = 0xff, /* those of IPP are below, or vendors' own */
#define WEB_ENUM(id, name) WEB_##id,
	WEB_OPERATIONS(WEB_ENUM)
#undef WEB_ENUM
		WEB_END
};

enum side { SIDE_CLIENT, SIDE_PROXY, SIDE_BOTH };

enum target { TARGET_PRINTER, TARGET_JOB, TARGET_DOCUMENT, TARGET_SYSTEM, TARGET_ANY };

struct operation {
	int code;
	enum side side;
	enum target target;
	bool told;                         /* recorded with its job */
	bool document;                     /* data may follow */
	int (*handle)(struct exchange *x); /* IPP status, EXCHANGE_WAIT or EXCHANGE_DROP */
};

const struct operation *operation_find(int code); /* NULL: not supported */
int operations_list(int codes[OPERATIONS_MAX]);   /* those of a printer */

const char *operation_name(int code);
int operation_value(const char *name); /* below 1: no such operation */

#endif
