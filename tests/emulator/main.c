/* main.c - command line, loop, ready file, stop. One thread: the libmicrohttpd daemons (HTTP,
 * HTTPS, admin, those of Universal Print) driven from one poll(). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <microhttpd.h>

#include "tests/emulator/admin.h"
#include "tests/emulator/buffer.h"
#include "tests/emulator/certificates.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/faults.h"
#include "tests/emulator/json.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/server.h"
#include "tests/emulator/up.h"
#include "tests/emulator/up_graph.h"
#include "tests/emulator/up_hosts.h"
#include "tests/emulator/up_login.h"
#include "tests/emulator/up_registration.h"
#include "tests/emulator/up_web.h"

enum {
	DAEMON_HTTP,
	DAEMON_HTTPS,
	DAEMON_ADMIN,
	DAEMON_UP,
	DAEMON_COUNT = DAEMON_UP + UP_HOSTS_MAX
};

struct settings {
	uint16_t port, tls_port, admin_port;
	const char *port_file, *tls_directory, *record;
	struct in_addr bind;
};

static const char usage[] =
	"usage: cloud-emulator [--port N] [--tls-port N] [--admin-port N] [--port-file FILE]\n"
	"         [--printer NAME[,auth=none|basic:USER:PASSWORD|cert][,quirks=A+B]\n"
	"                    [,transfer=chunked|length][,wait=MS][,event-life=S]]...\n"
	"         [--system none|basic:USER:PASSWORD|cert] [--tls-directory DIR]\n"
	"         [--record FILE] [--bind 127.0.0.1]\n"
	"         [--universal-print] [--up SETTING=VALUE]...\n"
	"         [--tls-bad expired|self-signed|wrong-name|tls1.1|plain]...\n";

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "cloud-emulator: %s: %s\n", what, why);
	return -1;
}

static int parse_port(const char *text, uint16_t *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 0 || n > 65535)
		return fail(text, "not a port");
	*ret = (uint16_t)n;
	return 0;
}

static int parse_bind(const char *text, struct in_addr *ret)
{
	if (inet_pton(AF_INET, text, ret) != 1 || (ntohl(ret->s_addr) >> 24) != 127)
		return fail(text, "loopback addresses only, 127.0.0.0/8");
	return 0;
}

static int add_printer(const char *spec)
{
	struct printer *p;
	AUTO(free_str) char *why = NULL;

	return printers_add(spec, &p, &why) < 0 ? fail("--printer", why) : 0;
}

static int add_system(const char *auth)
{
	AUTO(free_str) char *why = NULL;

	return server_set_system(auth, &why) < 0 ? fail("--system", why) : 0;
}

static int add_setting(char *text)
{
	AUTO(free_str) char *why = NULL;
	char *equal = strchr(text, '=');

	if (equal == NULL)
		return fail("--up", "want SETTING=VALUE");
	*equal = '\0';
	return up_set(text, equal + 1, &why) < 0 ? fail("--up", why) : 0;
}

static int add_bad(const char *kind)
{
	up.on = true;
	return up_hosts_add_bad(kind) < 0 ? fail(kind, "no such --tls-bad") : 0;
}

static int parse(int argc, char **argv, struct settings *s)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' },
		                                 { "tls-port", 1, NULL, 't' },
		                                 { "admin-port", 1, NULL, 'a' },
		                                 { "port-file", 1, NULL, 'f' },
		                                 { "printer", 1, NULL, 'q' },
		                                 { "system", 1, NULL, 's' },
		                                 { "tls-directory", 1, NULL, 'd' },
		                                 { "record", 1, NULL, 'r' },
		                                 { "bind", 1, NULL, 'b' },
		                                 { "universal-print", 0, NULL, 'u' },
		                                 { "up", 1, NULL, 'U' },
		                                 { "tls-bad", 1, NULL, 'B' },
		                                 { "help", 0, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			rc = parse_port(optarg, &s->port);
		else if (c == 't')
			rc = parse_port(optarg, &s->tls_port);
		else if (c == 'a')
			rc = parse_port(optarg, &s->admin_port);
		else if (c == 'f')
			s->port_file = optarg;
		else if (c == 'q')
			rc = add_printer(optarg);
		else if (c == 's')
			rc = add_system(optarg);
		else if (c == 'd')
			s->tls_directory = optarg;
		else if (c == 'r')
			s->record = optarg;
		else if (c == 'b')
			rc = parse_bind(optarg, &s->bind);
		else if (c == 'u')
			up.on = true;
		else if (c == 'U')
			rc = add_setting(optarg);
		else if (c == 'B')
			rc = add_bad(optarg);
		else
			rc = -1;
		if (c == 'h' || c == '?')
			fputs(usage, c == 'h' ? stdout : stderr);
		if (c == 'h')
			exit(0);
	}
	if (rc == 0 && optind < argc)
		rc = fail(argv[optind], "no such argument");
	if (rc == 0 && up.on && s->tls_directory == NULL)
		rc = fail("--universal-print", "wants --tls-directory");
	return rc;
}

static struct sockaddr_in address(const struct settings *s, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr = s->bind;
	return a;
}

/* Thousands of long polls need thousands of descriptors. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start(const struct settings *s, struct MHD_Daemon *daemons[DAEMON_COUNT])
{
	struct sockaddr_in http = address(s, s->port), https = address(s, s->tls_port);
	struct sockaddr_in admin = address(s, s->admin_port);
	const struct host_tls tls = { certificates_ca(), certificates_server(),
		                      certificates_server_key(), NULL };
	static struct host plain = { .kind = HOST_PLAIN },
			   safe = { .kind = HOST_PLAIN, .tls = true };

	daemons[DAEMON_HTTP] = server_start((struct sockaddr *)&http, &plain, NULL);
	daemons[DAEMON_ADMIN] = admin_start((struct sockaddr *)&admin);
	if (s->tls_directory != NULL)
		daemons[DAEMON_HTTPS] = server_start((struct sockaddr *)&https, &safe, &tls);
	if (daemons[DAEMON_HTTP] == NULL || daemons[DAEMON_ADMIN] == NULL ||
	    (s->tls_directory != NULL && daemons[DAEMON_HTTPS] == NULL))
		return fail("listen", strerror(errno));
	return up.on && up_hosts_start(s->bind, &daemons[DAEMON_UP]) < 0 ? -1 : 0;
}

static int announce(const struct settings *s, struct MHD_Daemon *daemons[DAEMON_COUNT])
{
	struct buffer b = { 0 };
	AUTO(free_str) char *aside = NULL;
	FILE *f;

	json_open(&b, NULL, '{');
	json_number(&b, "port", server_port(daemons[DAEMON_HTTP]));
	json_number(&b, "tls_port", daemons[DAEMON_HTTPS] ? server_port(daemons[DAEMON_HTTPS]) : 0);
	json_number(&b, "admin_port", server_port(daemons[DAEMON_ADMIN]));
	json_string(&b, "ca", certificates_ca_path());
	json_number(&b, "pid", getpid());
	if (up.on)
		up_hosts_write(&b);
	json_close(&b, '}');
	if (s->port_file != NULL) {
		aside = xprintf("%s.new", s->port_file);
		f = fopen(aside, "we");
		if (f == NULL || fprintf(f, "%s\n", b.data) < 0 || fclose(f) != 0 ||
		    rename(aside, s->port_file) < 0) {
			buffer_clear(&b);
			return fail(s->port_file, strerror(errno));
		}
	}
	printf("ready %s\n", b.data);
	fflush(stdout);
	buffer_clear(&b);
	return 0;
}

static int wait_ms(struct MHD_Daemon *daemons[DAEMON_COUNT])
{
	int64_t nearest = sleepers_next_us(), left = -1;
	unsigned long long ms;
	int i;

	if (sleepers_woken())
		return 0;
	if (nearest != CLOCK_FOREVER) {
		left = (nearest - clock_steady_us() + 999) / 1000;
		if (left < 0)
			left = 0;
	}
	for (i = 0; i < DAEMON_COUNT; i++) {
		if (daemons[i] != NULL && MHD_get_timeout(daemons[i], &ms) == MHD_YES &&
		    (left < 0 || (int64_t)ms < left))
			left = (int64_t)ms;
	}
	return left > 3600000 ? 3600000 : (int)left;
}

static void run(int signals, struct MHD_Daemon *daemons[DAEMON_COUNT])
{
	struct pollfd fds[DAEMON_COUNT + 1] = { 0 };
	int i;

	for (i = 0; i < DAEMON_COUNT; i++) {
		const union MHD_DaemonInfo *info;

		fds[i].fd = -1;
		fds[i].events = POLLIN;
		if (daemons[i] == NULL)
			continue;
		info = MHD_get_daemon_info(daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
		fds[i].fd = info->epoll_fd;
	}
	fds[DAEMON_COUNT].fd = signals;
	fds[DAEMON_COUNT].events = POLLIN;
	for (;;) {
		if (poll(fds, DAEMON_COUNT + 1, wait_ms(daemons)) < 0 && errno != EINTR)
			return;
		if (fds[DAEMON_COUNT].revents != 0)
			return;
		sleepers_expire();
		for (i = 0; i < DAEMON_COUNT; i++) {
			if (daemons[i] != NULL)
				MHD_run(daemons[i]);
		}
		admin_look();
		record_flush();
	}
}

/* Suspended connections must be resumed and run once before a daemon may be stopped. */
static void stop(struct MHD_Daemon *daemons[DAEMON_COUNT])
{
	int i;

	server_stopping();
	up_web_stopping();
	admin_stopping();
	sleepers_wake_all();
	for (i = 0; i < DAEMON_COUNT; i++) {
		if (daemons[i] == NULL)
			continue;
		MHD_run(daemons[i]);
		MHD_run(daemons[i]);
		MHD_stop_daemon(daemons[i]);
	}
}

static void free_up(void)
{
	graph_free();
	up_registration_free();
	up_login_free();
	up_tokens_free();
	up_printers_free();
	up_hosts_free();
	up_settings_free();
}

int main(int argc, char **argv)
{
	struct settings s = { .bind = { htonl(INADDR_LOOPBACK) } };
	struct MHD_Daemon *daemons[DAEMON_COUNT] = { NULL };
	sigset_t set;
	int signals, rc;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	raise_limits();
	up_settings_init();
	if (parse(argc, argv, &s) < 0)
		return 2;
	if (s.record != NULL && record_open(s.record) < 0) {
		fail(s.record, strerror(errno));
		return 1;
	}
	if (s.tls_directory != NULL && certificates_open(s.tls_directory) < 0)
		return 1;
	rc = start(&s, daemons);
	if (rc == 0)
		rc = announce(&s, daemons);
	if (rc == 0)
		run(signals, daemons);
	stop(daemons);
	faults_clear(0);
	printers_free();
	free_up();
	record_close();
	certificates_close();
	close(signals);
	return rc == 0 ? 0 : 1;
}
