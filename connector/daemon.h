/* daemon.h - the daemon's life: options, start, reload, drain, stop. Called by main() alone. */
#ifndef CONNECTOR_DAEMON_H
#define CONNECTOR_DAEMON_H

/* Returns the exit status: 0, 1 failed, 2 wrong usage. */
int daemon_main(int argc, char **argv);

#endif
