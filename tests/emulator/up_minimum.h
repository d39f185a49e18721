/* up_minimum.h - what Microsoft's test of a registered printer
 * (UniversalPrintPrinterAttributes.test) wants, as one table, and that the media-* of a printer
 * agree with each other. Shares nothing with the connector's own rules, so that each can be held
 * against the other. Pure. */
#ifndef TESTS_EMULATOR_UP_MINIMUM_H
#define TESTS_EMULATOR_UP_MINIMUM_H

#include <stddef.h>

#include <cups/ipp.h>

/* Names of the attributes which the test would call wrong; at most max. What the service fills in
 * by itself is not looked at. */
size_t up_minimum_check(ipp_t *set, const char **ret, size_t max);

#endif
