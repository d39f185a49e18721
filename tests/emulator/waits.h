/* waits.h - conditions that tests wait for: all of those given must hold. */
#ifndef TESTS_EMULATOR_WAITS_H
#define TESTS_EMULATOR_WAITS_H

#include <stdbool.h>

struct MHD_Connection;
struct buffer;

/* Looks at the query arguments of the request. -1: `why` says which one is wrong. 1: it holds. */
int waits_check(struct MHD_Connection *connection, char **why);
/* What is so now of the things the condition speaks of. */
void waits_write(struct MHD_Connection *connection, struct buffer *b);
/* An integer query argument. */
long long query_number(struct MHD_Connection *connection, const char *name, long long absent);
const char *query(struct MHD_Connection *connection, const char *name);

#endif
