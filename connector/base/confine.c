/* Order: Landlock, then the filter of system calls, which forbids that, then the limits, which
 * leave no memory to make a filter with.
 *
 * What can fail: a kernel or container without Landlock (it goes on without: the program then reads
 * what the user may read); anything else ends the process, unconfined nothing runs. */
#include "connector/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"

#define FIRST_FREE 5    /* descriptor */
#define FILES_MAX  "64" /* descriptors */

static int fail(const char *what)
{
	(void)fprintf(stderr, "cannot be confined: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static int limit(__rlimit_resource_t what, const char *text, rlim_t more)
{
	char *end = NULL;
	unsigned long long most = strtoull(text, &end, 10);
	struct rlimit both = { .rlim_cur = most, .rlim_max = most + more };

	if (!*text || *end) {
		errno = EINVAL;
		return fail(text);
	}
	return setrlimit(what, &both) < 0 ? fail("limits") : 0;
}

static int set_limits(char **argv)
{
	/* a second more: a program that looks away from the first signal gets the second */
	return limit(RLIMIT_CPU, argv[0], 1) < 0 || limit(RLIMIT_FSIZE, argv[2], 0) < 0 ||
	                       limit(RLIMIT_CORE, "0", 0) < 0 || limit(RLIMIT_NPROC, "0", 0) < 0 ||
	                       limit(RLIMIT_MEMLOCK, "0", 0) < 0 ||
	                       limit(RLIMIT_MSGQUEUE, "0", 0) < 0 ||
	                       limit(RLIMIT_NOFILE, FILES_MAX, 0) < 0
	               ? -1
	               : 0;
}

/* When memory runs out in the service it is this process that goes. */
static void go_first(void)
{
	AUTO(close_fd) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1000", 4);
}

static int bind_to_parent(const char *parent)
{
	char now[24];

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail("parent");
	(void)snprintf(now, sizeof(now), "%d", getppid());
	if (strcmp(now, parent) == 0)
		return 0;
	errno = ESRCH; /* it ended before */
	return fail("parent");
}

/* ---- files ----------------------------------------------------------------------------------- */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUN  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

/* All that the first version knows, which later ones include. */
#define HANDLED                                                                                    \
	(RUN | READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |              \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static const struct {
	const char *path;
	uint64_t access;
} places[] = {
	{ "/usr", READ },
	{ "/lib", READ },
	{ "/lib64", READ },
	{ "/etc/fonts", READ },
	{ "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE },
	{ "/etc/localtime", LANDLOCK_ACCESS_FS_READ_FILE },
	{ "/var/cache/fontconfig", READ },
	{ "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE },
	{ "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE },
	/* that which starts programs */
	{ "/lib64/ld-linux-x86-64.so.2", RUN },
	{ "/lib/ld-linux-aarch64.so.1", RUN },
	{ "/lib/ld-linux-armhf.so.3", RUN },
	{ "/lib64/ld64.so.2", RUN },
	{ "/lib/ld64.so.1", RUN },
	{ "/lib/ld-linux-riscv64-lp64d.so.1", RUN },
};

static int permit(int rules, const char *path, uint64_t access)
{
	AUTO(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr below = { .allowed_access = access, .parent_fd = fd };

	if (fd < 0)
		return 0; /* what is not there cannot be read */
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0
	               ? fail(path)
	               : 0;
}

static int close_files(const char *program)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = HANDLED };
	AUTO(close_fd)
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	/* EPERM: a container around us has a filter that does not know it */
	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 0
		                                                                : fail("Landlock");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (permit(rules, places[i].path, places[i].access) < 0)
			return -1;
	if (permit(rules, program, RUN) < 0)
		return -1;
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? fail("Landlock") : 0;
}

/* ---- system calls ---------------------------------------------------------------------------- */

/* What computing, memory, and files that are open or may be read need. */
static const char *const allowed[] = {
	"access",
	"arch_prctl",
	"brk",
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"close",
	"dup",
	"dup2",
	"dup3",
	"execve", /* of the program; Landlock leaves it no other */
	"exit",
	"exit_group",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fcntl",
	"fstat",
	"fstat64",
	"fstatfs",
	"fstatfs64",
	"fsync",
	"ftruncate",
	"ftruncate64",
	"futex",
	"futex_time64",
	"getcwd",
	"getdents",
	"getdents64",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getppid",
	"getrandom",
	"getrlimit",
	"getrusage",
	"gettid",
	"gettimeofday",
	"getuid",
	"_llseek",
	"lseek",
	"lstat",
	"lstat64",
	"madvise",
	"mmap",
	"mmap2",
	"mprotect",
	"mremap",
	"munmap",
	"nanosleep",
	"newfstatat",
	"fstatat64",
	"open",
	"openat",
	"poll",
	"ppoll",
	"pread64",
	"preadv",
	"pwrite64",
	"pwritev",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"restart_syscall",
	"riscv_flush_icache",
	"riscv_hwprobe",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"sigaltstack",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"sysinfo",
	"time",
	"times",
	"umask",
	"uname",
	"write",
	"writev",
};

/* What nothing that converts a document ever does: it ends there. */
static const char *const deadly[] = {
	"add_key",
	"bpf",
	"io_uring_setup",
	"kexec_load",
	"keyctl",
	"mount",
	"open_by_handle_at",
	"perf_event_open",
	"pidfd_getfd",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"setns",
	"unshare",
	"userfaultfd",
};

static int add(scmp_filter_ctx filter, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	/* not every architecture has all of them */
	if (number == __NR_SCMP_ERROR || number < 0)
		return 0;
	return seccomp_rule_add(filter, action, number, 0);
}

static int fill(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		rc = rc ? rc : add(filter, SCMP_ACT_ALLOW, allowed[i]);
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		rc = rc ? rc : add(filter, SCMP_ACT_KILL_PROCESS, deadly[i]);
	/* glibc falls back to what is refused then */
	rc = rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* abort() */
	rc = rc ? rc
	        : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	                           SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	/* asks for its own limits; the one of memory is still to be set */
	rc = rc ? rc
	        : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
	                           SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return rc ? rc
	          : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
	                             SCMP_A0(SCMP_CMP_EQ, 0, 0),
	                             SCMP_A1(SCMP_CMP_EQ, RLIMIT_AS, 0));
}

/* Whatever else is answered "not permitted": libraries try what they can do without. */
static int close_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? fill(filter) : -ENOMEM;

	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	errno = -rc;
	return rc < 0 ? fail("system calls") : 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

int confine_main(int argc, char **argv)
{
	static char *const environment[] = { (char *)(uintptr_t) "PATH=/usr/bin:/bin",
		                             (char *)(uintptr_t) "LC_ALL=C.UTF-8",
		                             (char *)(uintptr_t) "HOME=/nonexistent", NULL };
	char **program = argv + 4;

	if (argc < 5)
		return CONFINE_FAILED;
	if (syscall(SYS_close_range, FIRST_FREE, ~0U, 0) < 0 && errno != ENOSYS) {
		(void)fail("descriptors");
		return CONFINE_FAILED;
	}
	if (access(*program, X_OK) < 0) {
		(void)fprintf(stderr, "cannot execute %s: %s\n", *program, strerror(errno));
		return CONFINE_NOBODY;
	}
	go_first();
	if (bind_to_parent(argv[0]) < 0 || chdir("/") < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || close_files(*program) < 0 ||
	    set_limits(argv + 1) < 0 || close_calls() < 0 || limit(RLIMIT_AS, argv[2], 0) < 0)
		return CONFINE_FAILED;
	(void)execve(*program, program, environment);
	return CONFINE_NOBODY;
}
