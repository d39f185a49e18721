#include "connector/base/limits.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPARE_FILES 16
#define SPARE_BYTES (16u << 20)

static bool has_files(void)
{
	int fds[SPARE_FILES], n = 0;
	bool enough;

	fds[0] = eventfd(0, EFD_CLOEXEC);
	for (n = fds[0] >= 0; n > 0 && n < SPARE_FILES; n++) {
		fds[n] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
		if (fds[n] < 0)
			break;
	}
	enough = n == SPARE_FILES;
	while (n > 0)
		(void)close(fds[--n]);
	return enough;
}

static bool has_memory(void)
{
	void *p =
		mmap(NULL, SPARE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && munmap(p, SPARE_BYTES) == 0;
}

const char *limits_short_of(void)
{
	if (!has_files())
		return "file descriptors";
	return has_memory() ? NULL : "memory";
}
