/* deliver.h - puts the answer of an exchange on the wire, whole or broken as its fault says. */
#ifndef TESTS_EMULATOR_DELIVER_H
#define TESTS_EMULATOR_DELIVER_H

#include <microhttpd.h>

struct exchange;

/* MHD_NO: the connection closes with nothing sent. */
enum MHD_Result deliver_answer(struct exchange *x);
enum MHD_Result deliver_http(struct exchange *x, unsigned int status, int retry_after);
/* Makes a later close a reset, where the fault wants one. */
enum MHD_Result deliver_cut(struct exchange *x);

#endif
