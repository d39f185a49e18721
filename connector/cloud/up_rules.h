/* up_rules.h - inside of cloud/: the rules of Microsoft's test for a registered printer
 * (UniversalPrintPrinterAttributes.test), one function each. Pure. */
#ifndef CONNECTOR_CLOUD_UP_RULES_H
#define CONNECTOR_CLOUD_UP_RULES_H

#include <stddef.h>

#include <cups/ipp.h>

/* Makes a printer's attributes fit: adds what follows from the others or is true of any printer,
 * and leaves out what the rules do not allow. */
void up_rules_apply(ipp_t *set);
/* The attributes for which a rule does not hold, at most max. */
size_t up_rules_check(ipp_t *set, const char **ret, size_t max);

#endif
