/* doctor_offline.h - the doctor without a daemon: `print-connector doctor` runs this program for
 * it when nobody answers at the control socket. JSON objects on stdout, one a line, as Diagnose
 * answers. */
#ifndef CONNECTOR_DOCTOR_OFFLINE_H
#define CONNECTOR_DOCTOR_OFFLINE_H

/* queue (name or id) NULL: everything. Exit status: 0 it has looked, 1 it could not, 2 the queue is
 * not registered. */
int doctor_offline_main(const char *config_path, const char *queue);

#endif
