/* no_memory.c - preloaded into the real daemon it makes one allocation fail: the so many-th
 * (NO_MEMORY_AT, 1: the next one) since SIGUSR1, in whatever code of the process it happens, ours
 * or a library's. It says so on stderr, and where the process was when it used what is not there.
 */
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long left; /* 0: nothing fails */
static long at;

static void on_signal(int number)
{
	(void)number;
	left = at;
}

static void on_fault(int number)
{
	void *frames[32];

	(void)number;
	backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("NO_MEMORY_AT");
	void *frame;

	(void)backtrace(&frame, 1); /* the first time it allocates */
	(void)sigaction(
		SIGSEGV,
		&(struct sigaction){ .sa_handler = on_fault, .sa_flags = (int)SA_RESETHAND }, NULL);

	at = text ? strtol(text, NULL, 10) : 0;
	(void)sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

static int fails(void)
{
	static const char said[] = "no memory\n";

	if (left <= 0 || atomic_fetch_sub(&left, 1) != 1)
		return 0;
	(void)!write(STDERR_FILENO, said, sizeof(said) - 1);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
