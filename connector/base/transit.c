/* A pump moves one chunk at a time: fill = stream -> chunk -> (work queue) encrypt, write;
 * drain = (work queue) read, decrypt -> chunk -> stream. Whatever happens meanwhile (wake-up,
 * cancel) waits for the chunk to come back from the work queue.
 *
 * A small document stays in memory, as long as there are not too many of them: making a file
 * costs more than such a document. The first chunk that goes to the file takes what was kept along.
 *
 * What can fail: the disk is full or broken (the operation and its stream fail, the file can only
 * be freed), the stream fails (so does the operation), the document is longer than the file's
 * limit. */
#include "connector/base/transit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/crypto.h"
#include "connector/base/loop.h"
#include "connector/base/stream.h"
#include "connector/base/work.h"

#define CHUNK     131072 /* a trip to the work queue costs as much as encrypting 50 KB */
#define KEPT_FILE 32768  /* of one document that stays in memory */
#define PIECE     16384  /* any stream has room for so much at some time */
#define MAX_BATCH 8
#define KEPT_MAX  (32 * KEPT_FILE) /* of all of them */

struct transit {
	struct loop *loop; /* borrowed */
	struct work *work;
	struct crypto_cipher *cipher; /* used by the work queue's thread only */
	char *dir;
	uint64_t next_number;
	unsigned files;
	size_t kept;
};

struct transit_file {
	struct transit *transit; /* borrowed */
	int fd;                  /* -1: all of it is in kept */
	unsigned char *kept;
	size_t kept_len;
	uint64_t number; /* within the cipher */
	uint64_t limit, size;
	unsigned busy; /* pumps */
	bool filled;
};

struct transit_pump {
	struct transit_op *op; /* borrowed until done() */
	struct work_item item;
	struct timer step;
	bool filling, working, canceled;
	uint64_t offset;  /* in the file, of the chunk */
	size_t len, used; /* of the chunk; used: given to the stream already */
	size_t touched;   /* so much of it was ever filled */
	struct err err;
	unsigned char chunk[CHUNK];
};

/* ---- on the work queue ----------------------------------------------------------------------- */

/* Not every file system has O_TMPFILE. */
static int open_unlinked(const char *dir)
{
	AUTO(free_str) char *path = NULL;
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	path = xasprintf("%s/transit-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0 && unlink(path) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int fail_to_create(const struct transit *t, struct err *err)
{
	(void)err_errno(err, "create a document in transit in %s", t->dir);
	err->kind = ERR_TEMPORARY; /* whatever it is, the document is not to blame */
	return -1;
}

/* Encrypts the bytes where they are. */
static int write_bytes(struct transit_file *f, unsigned char *bytes, size_t len, uint64_t offset,
                       struct err *err)
{
	size_t done = 0;

	if (crypto_cipher_apply(f->transit->cipher, f->number, offset, bytes, len, err) < 0)
		return -1;
	while (done < len) {
		ssize_t n = pwrite(f->fd, bytes + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write a document in transit to %s", f->transit->dir);
		done += (size_t)n;
	}
	return 0;
}

static int write_chunk(struct work_item *item, struct err *err)
{
	struct transit_pump *p = item->data;
	struct transit_file *f = p->op->file;

	if (f->fd < 0) {
		f->fd = open_unlinked(f->transit->dir);
		if (f->fd < 0)
			return fail_to_create(f->transit, err);
		if (f->kept_len && write_bytes(f, f->kept, f->kept_len, 0, err) < 0)
			return -1;
	}
	return write_bytes(f, p->chunk, p->len, p->offset, err);
}

static int read_chunk(struct work_item *item, struct err *err)
{
	struct transit_pump *p = item->data;
	struct transit_file *f = p->op->file;
	size_t done = 0;

	while (done < p->len) {
		ssize_t n = pread(f->fd, p->chunk + done, p->len - done, (off_t)(p->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read a document in transit from %s",
			                 f->transit->dir);
		if (n == 0)
			return err_set(err, ERR_CORRUPT, 0, "a document in transit in %s is cut",
			               f->transit->dir);
		done += (size_t)n;
	}
	return crypto_cipher_apply(f->transit->cipher, f->number, p->offset, p->chunk, p->len, err);
}

struct closing {
	struct work_item item;
	int fd;
};

/* Gives back the blocks of what may be gigabytes: not on the loop. */
static int close_file(struct work_item *item, struct err *err)
{
	struct closing *c = item->data;

	(void)err;
	(void)close(c->fd);
	return 0;
}

static void on_file_closed(struct work_item *item, const struct err *err)
{
	(void)err;
	free(item->data);
}

/* ---- in memory ---------------------------------------------------------------------------------
 */

static bool can_keep(const struct transit_file *f, size_t more)
{
	return f->fd < 0 && f->kept_len + more <= KEPT_FILE && f->transit->kept + more <= KEPT_MAX;
}

static void keep(struct transit_file *f, const unsigned char *bytes, size_t len)
{
	unsigned char *longer = xmalloc(f->kept_len + len);

	if (f->kept) {
		memcpy(longer, f->kept, f->kept_len);
		wipe(f->kept, f->kept_len);
		free(f->kept);
	}
	memcpy(longer + f->kept_len, bytes, len);
	f->kept = longer;
	f->kept_len += len;
	f->transit->kept += len;
}

static void forget_kept(struct transit_file *f)
{
	if (!f->kept)
		return;
	wipe(f->kept, f->kept_len);
	free(f->kept);
	f->transit->kept -= f->kept_len;
	f->kept = NULL;
	f->kept_len = 0;
}

/* ---- the pump, on the loop ------------------------------------------------------------------- */

static void finish(struct transit_pump *p, const struct err *err)
{
	struct transit_op *op = p->op;
	struct stream *s = op->stream;
	struct err copy;

	timer_stop(&p->step);
	if (p->filling)
		stream_on_data(s, NULL, NULL);
	else
		stream_on_room(s, NULL, NULL);
	if (err) {
		copy = *err;
		stream_fail(s, &copy);
	} else if (!p->filling) {
		stream_end(s);
	}
	op->file->busy--;
	op->private = NULL;
	wipe(p->chunk, p->touched);
	free(p);
	op->done(op, err ? &copy : NULL);
}

static void on_worked(struct work_item *item, const struct err *err);

static void start_work(struct transit_pump *p)
{
	p->item = (struct work_item){ .run = p->filling ? write_chunk : read_chunk,
		                      .done = on_worked,
		                      .data = p };
	p->working = true;
	work_submit(p->op->file->transit->work, &p->item);
}

static void fill_step(struct transit_pump *p)
{
	struct transit_file *f = p->op->file;
	struct stream *s = p->op->stream;

	p->offset = f->size;
	p->len = stream_read(s, p->chunk, sizeof(p->chunk));
	p->touched = p->len > p->touched ? p->len : p->touched;
	if (p->len > f->limit - f->size) {
		(void)err_set(&p->err, ERR_REJECTED, EFBIG,
		              "the document is larger than the %llu bytes allowed",
		              (unsigned long long)f->limit);
		finish(p, &p->err);
		return;
	}
	if (p->len && can_keep(f, p->len)) {
		keep(f, p->chunk, p->len);
		f->size += p->len;
		fill_step(p);
		return;
	}
	if (p->len) {
		start_work(p);
		return;
	}
	switch (stream_state(s)) {
	case STREAM_OPEN:
		return; /* on_stream() goes on */
	case STREAM_ENDED:
		f->filled = true;
		finish(p, NULL);
		return;
	case STREAM_FAILED:
		finish(p, stream_err(s));
		return;
	}
}

static void drain_step(struct transit_pump *p)
{
	struct transit_file *f = p->op->file;
	struct stream *s = p->op->stream;

	if (stream_state(s) == STREAM_FAILED) {
		finish(p, stream_err(s));
		return;
	}
	for (;;) {
		while (p->used < p->len) {
			size_t piece = p->len - p->used < PIECE ? p->len - p->used : PIECE;

			if (stream_write(s, p->chunk + p->used, piece) < 0)
				return; /* on_stream() goes on */
			p->used += piece;
		}
		p->offset += p->len;
		p->used = 0;
		p->len = f->size - p->offset < CHUNK ? (size_t)(f->size - p->offset) : CHUNK;
		p->touched = p->len > p->touched ? p->len : p->touched;
		if (!p->len || f->fd >= 0)
			break;
		memcpy(p->chunk, f->kept + p->offset, p->len);
	}
	if (p->len)
		start_work(p);
	else
		finish(p, NULL);
}

static void go_on(struct transit_pump *p)
{
	if (p->working)
		return;
	if (p->canceled) {
		(void)err_set(&p->err, ERR_CANCELED, 0, "canceled");
		finish(p, &p->err);
	} else if (p->filling) {
		fill_step(p);
	} else {
		drain_step(p);
	}
}

static void on_worked(struct work_item *item, const struct err *err)
{
	struct transit_pump *p = item->data;

	p->working = false;
	if (p->filling && !err) {
		p->op->file->size += p->len;
		forget_kept(p->op->file);
	}
	if (err && !p->canceled)
		finish(p, err);
	else
		go_on(p);
}

static void on_step(struct timer *t)
{
	go_on(t->data);
}

/* From inside the stream's other side: only noted. */
static void on_stream(void *data)
{
	struct transit_pump *p = data;

	if (!p->step.armed)
		timer_start(&p->step, 0);
}

static int start(struct transit_op *op, bool filling, struct err *err)
{
	struct transit_pump *p;

	assert(op->file && op->stream && op->done && !op->private);
	if (filling && (op->file->busy || op->file->size || op->file->filled))
		return err_set(err, ERR_REJECTED, 0, "a document in transit is written only once");
	p = xmalloc(sizeof(*p));
	memset(p, 0, offsetof(struct transit_pump, chunk));
	p->op = op;
	p->filling = filling;
	timer_init(&p->step, loop_clock(op->file->transit->loop), on_step, p);
	op->file->busy++;
	op->private = p;
	if (filling)
		stream_on_data(op->stream, on_stream, p);
	else
		stream_on_room(op->stream, on_stream, p);
	timer_start(&p->step, 0);
	return 0;
}

int transit_fill(struct transit_op *op, struct err *err)
{
	return start(op, true, err);
}

int transit_drain(struct transit_op *op, struct err *err)
{
	if (!op->file->filled)
		return err_set(err, ERR_REJECTED, 0, "a document in transit is not whole yet");
	return start(op, false, err);
}

void transit_cancel(struct transit_op *op)
{
	struct transit_pump *p = op->private;

	if (!p || p->canceled)
		return;
	p->canceled = true;
	on_stream(p);
}

/* ---- files and their directory --------------------------------------------------------------- */

int transit_open(struct transit **ret, struct loop *loop, const char *dir, struct err *err)
{
	AUTO(close_fd) int fd = -1;
	struct transit *t;

	if (fs_open_dir(dir, 0700, true, &fd, err) < 0)
		return -1;
	t = xcalloc(1, sizeof(*t));
	if (work_open(&t->work, loop, NULL, MAX_BATCH, err) < 0) {
		free(t);
		return -1;
	}
	t->loop = loop;
	t->dir = xstrdup(dir);
	t->cipher = crypto_cipher_new();
	*ret = t;
	return 0;
}

void transit_close(struct transit *t)
{
	if (!t)
		return;
	assert(t->files == 0);
	work_close(t->work);
	crypto_cipher_free(t->cipher);
	free(t->dir);
	free(t);
}

int transit_create(struct transit *t, uint64_t limit, struct transit_file **ret, struct err *err)
{
	struct transit_file *f;

	if (access(t->dir, W_OK | X_OK) < 0)
		return fail_to_create(t, err);
	f = xcalloc(1, sizeof(*f));
	f->transit = t;
	f->fd = -1;
	f->limit = limit;
	f->number = t->next_number++;
	t->files++;
	*ret = f;
	return 0;
}

void transit_free(struct transit_file *f)
{
	struct closing *c;

	if (!f)
		return;
	assert(!f->busy);
	forget_kept(f);
	if (f->fd >= 0) {
		c = xcalloc(1, sizeof(*c));
		c->fd = f->fd;
		c->item =
			(struct work_item){ .run = close_file, .done = on_file_closed, .data = c };
		work_submit(f->transit->work, &c->item);
	}
	f->transit->files--;
	free(f);
}

uint64_t transit_size(const struct transit_file *f)
{
	return f->size;
}
