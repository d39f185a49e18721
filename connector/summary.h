/* summary.h - how the connector is doing, in one line, for systemctl status. Pure. */
#ifndef CONNECTOR_SUMMARY_H
#define CONNECTOR_SUMMARY_H

#define SUMMARY_SIZE 240

struct core;

/* Printers and jobs in numbers, then the worst of what is wrong. */
void summary_write(struct core *core, char ret[SUMMARY_SIZE]);

#endif
