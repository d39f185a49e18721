/* A ring of bytes. "Hungry" and "wanted" are what each side came away without; they are cleared
 * before the wake-up runs, so that it runs once for it. */
#include "connector/base/stream.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"

#define CAPACITY_MIN ((size_t)16384)

struct stream {
	size_t capacity, start, len;
	size_t wanted; /* the producer was refused so many bytes; 0: it was not */
	bool hungry;   /* the consumer got less than it asked for */
	bool ended, failed;
	uint64_t total;
	void (*on_room)(void *data);
	void *room_data;
	void (*on_data)(void *data);
	void *data_data;
	struct err err;
	unsigned char bytes[];
};

struct stream *stream_new(size_t capacity)
{
	struct stream *s;

	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	/* not xcalloc: pages of a buffer that is never filled are never touched */
	s = xmalloc(sizeof(*s) + capacity);
	memset(s, 0, sizeof(*s));
	s->capacity = capacity;
	return s;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	assert(!s->on_room && !s->on_data);
	free(s);
}

static void wake_producer(struct stream *s)
{
	s->wanted = 0;
	if (s->on_room)
		s->on_room(s->room_data);
}

static void wake_consumer(struct stream *s)
{
	s->hungry = false;
	if (s->on_data)
		s->on_data(s->data_data);
}

size_t stream_room(const struct stream *s)
{
	return s->failed || s->ended ? 0 : s->capacity - s->len;
}

int stream_write(struct stream *s, const void *data, size_t len)
{
	size_t at, first;

	assert(len <= s->capacity && !s->ended);
	if (s->failed)
		return -1;
	if (len > s->capacity - s->len) {
		s->wanted = len;
		return -1;
	}
	if (len == 0)
		return 0;
	at = (s->start + s->len) % s->capacity;
	first = s->capacity - at < len ? s->capacity - at : len;
	memcpy(s->bytes + at, data, first);
	memcpy(s->bytes, (const unsigned char *)data + first, len - first);
	s->len += len;
	s->total += len;
	if (s->hungry)
		wake_consumer(s);
	return 0;
}

void stream_end(struct stream *s)
{
	if (s->failed || s->ended)
		return;
	s->ended = true;
	if (s->hungry)
		wake_consumer(s);
}

void stream_on_room(struct stream *s, void (*on_room)(void *data), void *data)
{
	s->on_room = on_room;
	s->room_data = data;
}

size_t stream_peek(struct stream *s, void *data, size_t max)
{
	size_t len = s->len < max ? s->len : max;
	size_t first = s->capacity - s->start < len ? s->capacity - s->start : len;

	memcpy(data, s->bytes + s->start, first);
	memcpy((unsigned char *)data + first, s->bytes, len - first);
	s->hungry = len < max && !s->failed && !s->ended;
	return len;
}

bool stream_is_whole(const struct stream *s)
{
	return s->ended && !s->failed;
}

size_t stream_read(struct stream *s, void *data, size_t max)
{
	size_t len = stream_peek(s, data, max);

	s->len -= len;
	/* back to the front when empty: a stream that is read at once touches few pages */
	s->start = s->len ? (s->start + len) % s->capacity : 0;
	s->hungry = len < max && !s->failed && !(s->ended && s->len == 0);
	if (s->wanted && s->capacity - s->len >= s->wanted)
		wake_producer(s);
	return len;
}

enum stream_state stream_state(const struct stream *s)
{
	if (s->failed)
		return STREAM_FAILED;
	return s->ended && s->len == 0 ? STREAM_ENDED : STREAM_OPEN;
}

void stream_on_data(struct stream *s, void (*on_data)(void *data), void *data)
{
	s->on_data = on_data;
	s->data_data = data;
}

void stream_fail(struct stream *s, const struct err *err)
{
	if (s->failed)
		return;
	s->err = *err; /* before anything else: it may be borrowed from a side that is woken */
	s->failed = true;
	s->start = 0;
	s->len = 0;
	wake_producer(s);
	wake_consumer(s);
}

const struct err *stream_err(const struct stream *s)
{
	return &s->err;
}

uint64_t stream_total(const struct stream *s)
{
	return s->total;
}
