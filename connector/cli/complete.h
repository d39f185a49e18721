/* complete.h - what could come next on a command line, for the completions of the shells. */
#ifndef CONNECTOR_CLI_COMPLETE_H
#define CONNECTOR_CLI_COMPLETE_H

#define COMPLETE_OPTION "--complete" /* the first argument; known to the shells' files only */

struct cli;

/* words: those after the program's name, the last of them unfinished, perhaps "". Prints a line for
 * each candidate, "WORD<tab>what it is", or ":files" where the shell knows better. Is silent about
 * what fails, and asks the daemon for a second at most. */
void complete(struct cli *cli, int n, char **words);

#endif
