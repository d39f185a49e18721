/* confine.h - the process becomes a program that reads bytes which nobody trusts: limited in time,
 * memory and size of its files, without network, other processes, other programs or any file but
 * the system's own, which it may read. Descriptors 0 to 4 stay, all others are closed. Pure system
 * calls; for a process that was started for this alone. */
#ifndef CONNECTOR_BASE_CONFINE_H
#define CONNECTOR_BASE_CONFINE_H

/* What a program asks of itself to be started so. */
#define CONFINE_OPTION "--confine"

/* Exit statuses of what did not become the program, with a line on stderr that says why. */
#define CONFINE_FAILED 125 /* it cannot be confined here */
#define CONFINE_NOBODY 126 /* it cannot be executed; without a line: it is a script */

/* After CONFINE_OPTION: PARENT CPU-SECONDS MEMORY-BYTES FILE-BYTES PROGRAM [ARGUMENT...]. Returns
 * only when it failed. PARENT is the process whose end is also its own. */
int confine_main(int argc, char **argv);

#endif
