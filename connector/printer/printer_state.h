/* printer_state.h - how a printer does, read from its answer to Get-Printer-Attributes: for us
 * (queue_status), for the cloud (state attributes), and what it can be asked to do (traits).
 * Pure. */
#ifndef CONNECTOR_PRINTER_PRINTER_STATE_H
#define CONNECTOR_PRINTER_PRINTER_STATE_H

#include <stdbool.h>

#include <cups/cups.h>

#include "connector/printer/queue.h"

/* What the protocol allows us with this printer. */
struct printer_traits {
	bool create_job, close_job, identify; /* operations */
	bool which_all;                       /* Get-Jobs which-jobs=all */
	bool multiple_documents;
	bool cancel_after; /* job-cancel-after */
	bool ippget;       /* events can be fetched */
	bool file_device;  /* CUPS: what is printed goes to a file */
	bool raw;          /* CUPS: nothing counts pages */
};

/* Names asked for when only the state is wanted. */
extern const char *const printer_state_names[];
extern const int printer_state_name_count;

void printer_traits_read(ipp_t *answer, bool cups, struct printer_traits *ret);

/* health and text of a printer that answered. *connecting: CUPS is only about to connect to the
 * device, which is normal for some seconds; whoever sees it for longer calls it unreachable. The
 * other members stay as they are. */
void printer_state_read(ipp_t *answer, const char *name, bool cups, struct queue_status *status,
                        bool *ret_connecting);
void printer_state_unreachable(ipp_t *answer, const char *name, struct queue_status *status);
/* A printer behind a queue of CUPS that says itself that it is stopped: so is the queue. */
void printer_state_behind(ipp_t *device, const char *name, struct queue_status *status);
/* info, make_and_model, printer_uuid, whole, multiple_documents: of a whole answer. */
void printer_identity_read(ipp_t *answer, bool cups, struct queue_status *status);

/* State attributes for the cloud. Of a queue that cannot print for a reason outside itself (health
 * above HALTED, or UNKNOWN) printer-state is "stopped" and status->text the message. answer: the
 * queue's; NULL: there is none. capabilities: what the queue can do; NULL: not known. device: what
 * the IPP printer behind a queue of CUPS says itself; NULL: nobody could ask it. Without counters
 * of time and jobs, which change without meaning. */
struct attrs *printer_state_attrs(ipp_t *answer, const struct queue_status *status,
                                  ipp_t *capabilities, ipp_t *device);

/* Whether a backend's words mean that the device has not got anything of the job yet. */
bool printer_state_says_untouched(const char *message);

#endif
