/* operations.h - the operations there are: who may send them, where to, and who answers. */
#ifndef TESTS_EMULATOR_OPERATIONS_H
#define TESTS_EMULATOR_OPERATIONS_H

#include <stdbool.h>

struct exchange;

#define OPERATIONS_MAX 64

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

#endif
