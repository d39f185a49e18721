/* machine.h - which machine this is: a state directory copied to another one is not served there.
 */
#ifndef CONNECTOR_MACHINE_H
#define CONNECTOR_MACHINE_H

struct err;

#define MACHINE_SIZE 64

/* machine-id(5). */
int machine_id(char ret[static MACHINE_SIZE], struct err *err);

#endif
