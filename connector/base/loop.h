/* loop.h - the daemon's one libuv loop, its clock, its signals, and how long it was ever busy at a
 * stretch. Loop thread only, except where said. */
#ifndef CONNECTOR_BASE_LOOP_H
#define CONNECTOR_BASE_LOOP_H

#include <stdint.h>

struct clock;
struct err;
struct histogram;
struct loop;
struct uv_loop_s;

int loop_open(struct loop **ret, struct err *err);
/* Runs what still closes, then frees. Asserts that nothing is left: uv_loop_close() == 0. */
void loop_close(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop() */
void loop_stop(struct loop *l); /* lets the current turn finish */
/* on_signal runs from the loop. At most 8 signals. */
int loop_on_signal(struct loop *l, int number, void (*on_signal)(void *data, int number),
                   void *data, struct err *err);
struct clock *loop_clock(struct loop *l);
struct uv_loop_s *loop_uv(struct loop *l); /* for base/, control/ and daemon.c */
/* Of each turn: from the moment an event could be handled to the moment the loop asks for events
 * again. Live. */
const struct histogram *loop_lag(const struct loop *l);

#endif
