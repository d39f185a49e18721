/* doctor_offline.h - the doctor without a daemon: `print-connector doctor` runs this program for
 * it when nobody answers at the control socket. JSON objects on stdout, one a line, as Diagnose
 * answers. */
#ifndef CONNECTOR_DOCTOR_OFFLINE_H
#define CONNECTOR_DOCTOR_OFFLINE_H

/* Exit status: 0 it has looked, 1 it could not. */
int doctor_offline_main(const char *config_path);

#endif
