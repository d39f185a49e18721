/* A converter that misbehaves as its name says: NAME INPUT OUTPUT. It is started by links to it.
 *
 *   good      writes a PDF with the document in it
 *   tries     writes a PDF with a line for each thing that it may not do: "WHAT: errno"
 *   attacks   does what ends it
 *   complains says that a page is damaged and writes a PDF all the same
 *   fails, nothing, text, crashes, spins, sleeps, grows, eats */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *input, *output;

static FILE *begin(void)
{
	FILE *out = fopen(output, "wb");

	if (out)
		(void)fputs("%PDF-1.4\n", out);
	return out;
}

static int good(void)
{
	FILE *in = fopen(input, "rb"), *out = begin();
	int c;

	if (!in || !out)
		return 1;
	while ((c = fgetc(in)) != EOF)
		(void)fputc(c, out);
	return fclose(out) || fclose(in);
}

/* ---- what is not permitted ---- */

static void told(FILE *out, const char *what, long result)
{
	(void)fprintf(out, "%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

static long connects(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(631) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 && errno == EPERM) /* even of a descriptor that it was left */
		fd = 4;
	return connect(fd, (struct sockaddr *)&any, sizeof(any));
}

static void *idle(void *data)
{
	return data;
}

static long threads(void)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, idle, NULL);

	errno = rc;
	return rc ? -1 : 0;
}

static long makes(const char *place)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/made-by-converter", place);
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static long raises(int what)
{
	struct rlimit most = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

	return setrlimit((__rlimit_resource_t)what, &most);
}

/* Descriptors that it was not given. */
static long inherits(void)
{
	for (int fd = 5; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	errno = EBADF;
	return -1;
}

static long changes_input(void)
{
	int fd = open(input, O_RDWR);
	long n = fd < 0 ? -1 : write(fd, "x", 1);

	return n;
}

static int tries(const char *self)
{
	long given = inherits(); /* before there are any of our own */
	int why = errno;
	FILE *out = begin();
	char place[4096], secret[4096 + 16];
	char *const again[] = { (char *)(unsigned long)"sh", NULL };

	if (!out)
		return 1;
	(void)snprintf(place, sizeof(place), "%s", self);
	if (strrchr(place, '/'))
		*strrchr(place, '/') = '\0';
	(void)snprintf(secret, sizeof(secret), "%s/secret", place);
	told(out, "inet socket", socket(AF_INET, SOCK_STREAM, 0));
	told(out, "unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
	told(out, "netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
	told(out, "connect", connects());
	told(out, "fork", fork());
	told(out, "thread", threads());
	told(out, "other program", execv("/bin/sh", again));
	told(out, "read /etc/shadow", open("/etc/shadow", O_RDONLY));
	told(out, "read /etc/passwd", open("/etc/passwd", O_RDONLY));
	told(out, "read beside it", open(secret, O_RDONLY));
	told(out, "list beside it", open(place, O_RDONLY | O_DIRECTORY));
	told(out, "write beside it", makes(place));
	told(out, "write to /tmp", makes("/tmp"));
	told(out, "write to /dev/shm", makes("/dev/shm"));
	told(out, "remove", unlink(secret));
	told(out, "rename", rename(secret, self));
	told(out, "mode", chmod(secret, 0777));
	told(out, "directory", mkdir("/tmp/made-by-converter", 0700));
	told(out, "read the first process", open("/proc/1/environ", O_RDONLY));
	told(out, "kill its parent", kill(getppid(), 0));
	told(out, "kill all", kill(-1, SIGCONT));
	told(out, "more memory", raises(RLIMIT_AS));
	told(out, "more time", raises(RLIMIT_CPU));
	told(out, "core dumps", raises(RLIMIT_CORE));
	errno = why;
	told(out, "other's descriptor", given);
	told(out, "change its input", changes_input());
	return fclose(out);
}

/* ---- what is bounded ---- */

static _Noreturn void spins(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static _Noreturn void sleeps(void)
{
	for (;;)
		(void)pause();
}

static int grows(void)
{
	static char block[65536];
	FILE *out = begin();

	while (out && fwrite(block, sizeof(block), 1, out) == 1)
		;
	return 0;
}

static int eats(void)
{
	size_t all = 0;
	char *block;

	while ((block = malloc(1 << 20))) {
		memset(block, 1, 1 << 20);
		all++;
	}
	(void)fprintf(stderr, "no more than %zu MB\n", all);
	return 1;
}

static int says(const char *text)
{
	FILE *out = fopen(output, "wb");

	return !out || fputs(text, out) < 0 || fclose(out);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	if (argc != 3)
		return 2;
	input = argv[1];
	output = argv[2];
	if (strcmp(name, "good") == 0)
		return good();
	if (strcmp(name, "tries") == 0)
		return tries(argv[0]);
	if (strcmp(name, "attacks") == 0)
		return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL) + 1;
	if (strcmp(name, "crashes") == 0)
		abort();
	if (strcmp(name, "spins") == 0)
		spins();
	if (strcmp(name, "sleeps") == 0)
		sleeps();
	if (strcmp(name, "grows") == 0)
		return grows();
	if (strcmp(name, "eats") == 0)
		return eats();
	if (strcmp(name, "nothing") == 0)
		return 0;
	if (strcmp(name, "text") == 0)
		return says("not a PDF\n");
	if (strcmp(name, "complains") == 0) {
		(void)fprintf(stderr, "Error getting page 2: not found\n");
		return says("%PDF-1.4\n");
	}
	return 1;
}
