/* stream.h - bytes on their way from one producer to one consumer through a bounded buffer; how a
 * document passes from one HTTP exchange into another without ever being whole in memory.
 *
 * Wake-ups run from inside the other side's call and must do no more than note that there is work
 * (http.c and transit.c defer to the loop). Each fires once per time that its side came away with
 * less than it wanted. Loop thread only. */
#ifndef CONNECTOR_BASE_STREAM_H
#define CONNECTOR_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct stream;

enum stream_state {
	STREAM_OPEN,   /* more may come */
	STREAM_ENDED,  /* everything was read; the producer said that it was all */
	STREAM_FAILED, /* one of the sides gave up; stream_err() says why */
};

/* Capacity in bytes; at least 16 KiB, so that one curl callback always fits. */
struct stream *stream_new(size_t capacity);
/* NULL is fine. Both sides must have let go (wake-ups cleared). */
void stream_free(struct stream *s);

/* Producer */
size_t stream_room(const struct stream *s);
/* len at most the capacity. Takes all or nothing: 0 taken, -1 no room now (on_room will run) or the
 * stream failed. */
int stream_write(struct stream *s, const void *data, size_t len);
void stream_end(struct stream *s); /* that was all; on a failed stream nothing */
void stream_on_room(struct stream *s, void (*on_room)(void *data), void *data);

/* Consumer */
/* The first bytes without taking them; fewer than max only when no more are there now. */
size_t stream_peek(struct stream *s, void *data, size_t max);
bool stream_is_whole(const struct stream *s); /* the producer has said that it was all */
size_t stream_read(struct stream *s, void *data, size_t max); /* 0: none now, ended or failed */
enum stream_state stream_state(const struct stream *s);
void stream_on_data(struct stream *s, void (*on_data)(void *data), void *data);

/* Either side: buffered bytes are dropped, both sides are woken. The first failure stays. */
void stream_fail(struct stream *s, const struct err *err);
const struct err *stream_err(const struct stream *s); /* borrowed; while FAILED */
uint64_t stream_total(const struct stream *s);        /* bytes ever written */

#endif
