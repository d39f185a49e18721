/* terminal.h - what is known of the terminal, a line on it that is replaced, and questions that
 * somebody at it answers. Nothing of this is seen when there is none. */
#ifndef CONNECTOR_CLI_TERMINAL_H
#define CONNECTOR_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct failure;

#define TERMINAL_WIDTH  80
#define TERMINAL_HEIGHT 24

/* Fills width, height, colours; again after it was resized. */
void terminal_look(struct cli *cli);

/* A line on stderr that the next one replaces; nothing when that is no terminal. */
void status_line(struct cli *cli, const char *text);
void status_clear(struct cli *cli);

/* Asks "question [y/N]". False: no, or --yes was not given where nobody can answer; f says which.
 * what: of whom this is expected, e.g. "unregister forgets keys". */
bool terminal_confirm(const struct cli *cli, const char *question, const char *what,
                      struct failure *f);
/* A line that is not shown while it is typed; to be wiped. -1: nobody is there, or it has no room;
 * f says so. */
int terminal_secret(const struct cli *cli, const char *prompt, char *ret, size_t size,
                    struct failure *f);

/* SIGINT, SIGTERM and SIGWINCH only interrupt what waits; these tell that they came. */
void terminal_catch_signals(void);
bool terminal_was_interrupted(void);
bool terminal_was_resized(void); /* since the last call */

#endif
