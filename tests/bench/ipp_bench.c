/* ipp_bench.c - the one client of the bench: sends documents by Print-Job to any printer-uri and
 * follows each job to its final state, so that printing directly and printing through the cloud are
 * measured by the same code in the same run. Prints JSON.
 *
 *   bench-ipp_bench single ROUNDS URI FILE FORMAT [URI FILE FORMAT]...
 *     one job to each URI in turn, ROUNDS times: {"ways": [[MS, ...], ...]}
 *   bench-ipp_bench burst JOBS SUBMITTERS URI FILE FORMAT
 *     {"seconds", "jobs", "busy"}; busy: how often the printer had to be asked again
 *
 * A job's time runs from the first byte of Print-Job to the answer that shows it final. Between two
 * looks lie 2 ms; a busy printer is asked again at once. Every wait ends after a minute. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cups/http.h>
#include <cups/ipp.h>

#define LOOK_MS     2
#define PATIENCE_S  60
#define ANSWER_MAX  (256 * 1024)
#define MESSAGE_MAX 4096

/* Where documents go, and which. */
struct way {
	const char *uri, *format;
	char host[256], port[8], path[256];
	const char *document;
	size_t length;
};

/* One kept-alive connection. */
struct line {
	const struct way *way;
	int fd;
	char answer[ANSWER_MAX];
};

struct message {
	ipp_uchar_t bytes[MESSAGE_MAX];
	size_t length, offset;
};

struct burst {
	const struct way *way;
	int jobs, taken, sent; /* taken by a submitter, accepted by the printer */
	int *ids;
	long busy;
	pthread_mutex_t lock;
	pthread_cond_t accepted;
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static void line_open(struct line *l, const struct way *way)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_INET }, *found;
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int on = 1;

	l->way = way;
	if (getaddrinfo(way->host, way->port, &hints, &found) != 0)
		die("%s: no such host", way->uri);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, found->ai_addr, found->ai_addrlen) < 0)
		die("%s: %s", way->uri, strerror(errno));
	freeaddrinfo(found);
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void line_close(struct line *l)
{
	close(l->fd);
}

static void line_send(struct line *l, struct iovec *part, int count)
{
	while (count > 0) {
		ssize_t n = writev(l->fd, part, count);

		if (n < 0)
			die("%s: send: %s", l->way->uri, strerror(errno));
		while (count > 0 && (size_t)n >= part->iov_len) {
			n -= (ssize_t)part->iov_len;
			part++;
			count--;
		}
		if (count > 0) {
			part->iov_base = (char *)part->iov_base + n;
			part->iov_len -= (size_t)n;
		}
	}
}

static size_t line_more(struct line *l, size_t have)
{
	ssize_t n;

	if (have >= ANSWER_MAX - 1)
		die("%s: answer too long", l->way->uri);
	n = recv(l->fd, l->answer + have, ANSWER_MAX - 1 - have, 0);
	if (n <= 0)
		die("%s: receive: %s", l->way->uri, n ? strerror(errno) : "connection closed");
	l->answer[have + (size_t)n] = '\0';
	return have + (size_t)n;
}

/* Chunks from `at` on, put together in place; the body's length. */
static size_t line_chunks(struct line *l, size_t at, size_t have)
{
	size_t to = at, body = at;

	for (;;) {
		char *end;
		size_t size, start;

		while (!(end = strstr(l->answer + at, "\r\n")))
			have = line_more(l, have);
		size = strtoul(l->answer + at, NULL, 16);
		start = (size_t)(end + 2 - l->answer);
		while (have < start + size + 2)
			have = line_more(l, have);
		if (size == 0)
			return to - body;
		memmove(l->answer + to, l->answer + start, size);
		to += size;
		at = start + size + 2;
	}
}

static const char *header(const char *head, const char *name)
{
	const char *found = strcasestr(head, name);

	return found ? found + strlen(name) : NULL;
}

/* The body of the next answer. */
static void line_receive(struct line *l, struct message *ret)
{
	size_t have = 0, body, length;
	const char *value;
	char *end;

	l->answer[0] = '\0';
	do {
		have = line_more(l, have);
		while ((end = strstr(l->answer, "\r\n\r\n")) &&
		       strncmp(l->answer, "HTTP/1.1 100", 12) == 0) {
			have -= (size_t)(end + 4 - l->answer);
			memmove(l->answer, end + 4, have + 1);
		}
	} while (!end);
	*end = '\0';
	body = (size_t)(end + 4 - l->answer);
	if (strncmp(l->answer, "HTTP/1.1 200", 12) != 0)
		die("%s: %.40s", l->way->uri, l->answer);
	if ((value = header(l->answer, "\r\nContent-Length:"))) {
		length = strtoul(value, NULL, 10);
		while (have < body + length)
			have = line_more(l, have);
	} else {
		length = line_chunks(l, body, have);
	}
	if (length > sizeof ret->bytes)
		die("%s: answer too long", l->way->uri);
	memcpy(ret->bytes, l->answer + body, length);
	ret->length = length;
	ret->offset = 0;
}

/* ---- IPP ------------------------------------------------------------------------------------- */

static ssize_t on_encode(void *data, ipp_uchar_t *bytes, size_t count)
{
	struct message *m = data;

	if (count > sizeof m->bytes - m->length)
		return -1;
	memcpy(m->bytes + m->length, bytes, count);
	m->length += count;
	return (ssize_t)count;
}

static ssize_t on_decode(void *data, ipp_uchar_t *bytes, size_t count)
{
	struct message *m = data;

	if (count > m->length - m->offset)
		count = m->length - m->offset;
	memcpy(bytes, m->bytes + m->offset, count);
	m->offset += count;
	return (ssize_t)count;
}

/* Consumes the request; the caller frees the answer. */
static ipp_t *line_request(struct line *l, ipp_t *request, bool with_document)
{
	size_t document = with_document ? l->way->length : 0;
	struct message m = { .length = 0 };
	struct iovec part[3];
	char head[1024];
	ipp_t *answer = ippNew();
	int n;

	if (ippWriteIO(&m, on_encode, 1, NULL, request) != IPP_STATE_DATA)
		die("cannot encode");
	ippDelete(request);
	n = snprintf(head, sizeof head,
	             "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/ipp\r\n"
	             "Content-Length: %zu\r\n\r\n",
	             l->way->path, l->way->host, l->way->port, m.length + document);
	part[0] = (struct iovec){ head, (size_t)n };
	part[1] = (struct iovec){ m.bytes, m.length };
	part[2] = (struct iovec){ (void *)(uintptr_t)l->way->document, document };
	line_send(l, part, 3);
	line_receive(l, &m);
	if (ippReadIO(&m, on_decode, 1, NULL, answer) != IPP_STATE_DATA)
		die("%s: the answer is not IPP", l->way->uri);
	return answer;
}

static ipp_t *request_new(const struct way *way, ipp_op_t operation)
{
	ipp_t *request = ippNewRequest(operation);

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_URI, "printer-uri", NULL, way->uri);
	return request;
}

/* The job's number; *busy counts refusals. */
static int print_job(struct line *l, long *busy)
{
	double deadline = now_ms() + PATIENCE_S * 1e3;

	for (;;) {
		ipp_t *request = request_new(l->way, IPP_OP_PRINT_JOB), *answer;
		ipp_status_t status;
		int id;

		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL,
		             "bench");
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "job-name", NULL, "bench");
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_MIMETYPE, "document-format", NULL,
		             l->way->format);
		answer = line_request(l, request, true);
		status = ippGetStatusCode(answer);
		id = ippGetInteger(ippFindAttribute(answer, "job-id", IPP_TAG_INTEGER), 0);
		ippDelete(answer);
		if (status <= IPP_STATUS_OK_CONFLICTING && id > 0)
			return id;
		if (status != IPP_STATUS_ERROR_BUSY || now_ms() > deadline)
			die("%s: Print-Job: %s", l->way->uri, ippErrorString(status));
		(*busy)++;
	}
}

static bool job_is_final(struct line *l, int id)
{
	ipp_t *request = request_new(l->way, IPP_OP_GET_JOB_ATTRIBUTES), *answer;
	int state;

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-id", id);
	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL,
	             "bench");
	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", NULL,
	             "job-state");
	answer = line_request(l, request, false);
	state = ippGetInteger(ippFindAttribute(answer, "job-state", IPP_TAG_ENUM), 0);
	if (state < IPP_JSTATE_PENDING ||
	    (state >= IPP_JSTATE_CANCELED && state != IPP_JSTATE_COMPLETED))
		die("%s: job %d: %s, state %d", l->way->uri, id,
		    ippErrorString(ippGetStatusCode(answer)), state);
	ippDelete(answer);
	return state == IPP_JSTATE_COMPLETED;
}

static void job_follow(struct line *l, int id)
{
	double deadline = now_ms() + PATIENCE_S * 1e3;

	while (!job_is_final(l, id)) {
		if (now_ms() > deadline)
			die("%s: job %d is not final after %d s", l->way->uri, id, PATIENCE_S);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

/* ---- what is measured ------------------------------------------------------------------------ */

static void way_open(struct way *way, char **words)
{
	char scheme[32], user[64];
	struct stat st;
	void *map;
	int port, fd;

	way->uri = words[0];
	way->format = words[2];
	if (httpSeparateURI(HTTP_URI_CODING_ALL, words[0], scheme, sizeof scheme, user, sizeof user,
	                    way->host, sizeof way->host, &port, way->path,
	                    sizeof way->path) < HTTP_URI_STATUS_OK)
		die("%s: not a URI", words[0]);
	snprintf(way->port, sizeof way->port, "%d", port);
	fd = open(words[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", words[1], strerror(errno));
	way->length = (size_t)st.st_size;
	map = mmap(NULL, way->length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		die("%s: %s", words[1], strerror(errno));
	way->document = map;
	close(fd);
}

static double one_job(const struct way *way)
{
	static struct line l;
	long busy = 0;
	double start;

	line_open(&l, way);
	start = now_ms();
	job_follow(&l, print_job(&l, &busy));
	start = now_ms() - start;
	line_close(&l);
	return start;
}

static void run_single(int rounds, struct way *way, int ways)
{
	double *ms = calloc((size_t)(rounds * ways), sizeof *ms);

	if (!ms)
		die("out of memory");
	for (int r = 0; r < rounds; r++)
		for (int w = 0; w < ways; w++)
			ms[w * rounds + r] = one_job(&way[w]);
	printf("{\"ways\": [");
	for (int w = 0; w < ways; w++)
		for (int r = 0; r < rounds; r++)
			printf("%s%.3f%s",
			       r   ? ", "
			       : w ? ", ["
			           : "[",
			       ms[w * rounds + r], r == rounds - 1 ? "]" : "");
	printf("]}\n");
	free(ms);
}

static void *submitter(void *data)
{
	struct burst *b = data;
	struct line *l = calloc(1, sizeof *l);
	long busy = 0;

	if (!l)
		die("out of memory");
	line_open(l, b->way);
	pthread_mutex_lock(&b->lock);
	while (b->taken < b->jobs) {
		int id;

		b->taken++;
		pthread_mutex_unlock(&b->lock);
		id = print_job(l, &busy);
		pthread_mutex_lock(&b->lock);
		b->ids[b->sent++] = id;
		pthread_cond_signal(&b->accepted);
	}
	b->busy += busy;
	pthread_mutex_unlock(&b->lock);
	line_close(l);
	free(l);
	return NULL;
}

static void run_burst(int jobs, int submitters, const struct way *way)
{
	struct burst b = { .way = way, .jobs = jobs };
	pthread_t *thread = calloc((size_t)submitters, sizeof *thread);
	struct line *l = calloc(1, sizeof *l);
	double start;

	b.ids = calloc((size_t)jobs, sizeof *b.ids);
	if (!thread || !l || !b.ids)
		die("out of memory");
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.accepted, NULL);
	line_open(l, way);
	start = now_ms();
	for (int i = 0; i < submitters; i++)
		if (pthread_create(&thread[i], NULL, submitter, &b) != 0)
			die("no more threads");
	for (int i = 0; i < jobs; i++) {
		int id;

		pthread_mutex_lock(&b.lock);
		while (b.sent <= i)
			pthread_cond_wait(&b.accepted, &b.lock);
		id = b.ids[i];
		pthread_mutex_unlock(&b.lock);
		job_follow(l, id);
	}
	start = now_ms() - start;
	for (int i = 0; i < submitters; i++)
		pthread_join(thread[i], NULL);
	printf("{\"seconds\": %.4f, \"jobs\": %d, \"busy\": %ld}\n", start / 1e3, jobs, b.busy);
	line_close(l);
	free(l);
	free(thread);
	free(b.ids);
}

int main(int argc, char **argv)
{
	struct way way[8];
	bool burst = argc == 7 && strcmp(argv[1], "burst") == 0;
	int first = burst ? 4 : 3, ways = (argc - first) / 3;
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	long submitters = burst ? strtol(argv[3], NULL, 10) : 1;

	if (argc < 6 || (!burst && strcmp(argv[1], "single") != 0) || (argc - first) % 3 != 0 ||
	    ways > 8 || count < 1 || count > 100000 || submitters < 1 || submitters > 64)
		die("single ROUNDS URI FILE FORMAT... | burst JOBS SUBMITTERS URI FILE FORMAT");
	for (int i = 0; i < ways; i++)
		way_open(&way[i], argv + first + 3 * i);
	if (burst)
		run_burst((int)count, (int)submitters, way);
	else
		run_single((int)count, way, ways);
	return 0;
}
