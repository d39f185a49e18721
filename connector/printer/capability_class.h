/* capability_class.h - what a class of printers can do: what each of its members can. Pure. */
#ifndef CONNECTOR_PRINTER_CAPABILITY_CLASS_H
#define CONNECTOR_PRINTER_CAPABILITY_CLASS_H

#include <stddef.h>

#include <cups/ipp.h>

struct attrs;
struct queue_listener;

/* From the class's own answer to Get-Printer-Attributes (who it is) and those of its members (what
 * they can), all of which stay the caller's. The caller's (attrs_unref). */
struct attrs *capability_class_new(ipp_t *own, ipp_t *const *members, size_t count,
                                   const struct queue_listener *listener);

#endif
