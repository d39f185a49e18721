/* says.h - what an error tells people, held against what it should. For cmocka tests. */
#ifndef TESTS_LIB_SAYS_H
#define TESTS_LIB_SAYS_H

#include "common/err.h"

void assert_says(const struct err *err, const char *text); /* somewhere in its own */
void assert_says_what_helps(const struct err *err);        /* "what is wrong; what helps" */

#endif
