/* up_graph.c - the user's side: printers and shares, jobs with upload sessions. */
#include "tests/emulator/up_web.h"

const struct web_route up_graph_routes[] = { { 0 } };
