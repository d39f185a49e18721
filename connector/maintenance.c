#include "connector/maintenance.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cJSON.h>

#include "common/config.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/archive.h"
#include "connector/machine.h"
#include "connector/store/store_backup.h"

#define PASSPHRASE_SIZE 1024
#define PASSPHRASE_MIN  8

/* Files must be the daemon's, whoever asked; and a file from elsewhere is read without root's
 * rights. */
int maintenance_become_owner(const char *directory, struct err *err)
{
	struct stat st;

	if (stat(directory, &st) < 0 && errno == ENOENT)
		return err_set(err, ERR_GONE, 0,
		               "state directory %s is not there; the service makes it when it "
		               "starts",
		               directory);
	if (stat(directory, &st) < 0)
		return err_errno(err, "state directory %s", directory);
	if (geteuid() != 0 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
		return err_errno(err, "become the owner of %s", directory);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

/* Byte by byte: what follows the line is not ours to take. */
static int read_passphrase(char ret[PASSPHRASE_SIZE], struct err *err)
{
	size_t n = 0;
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
		if (n + 1 == PASSPHRASE_SIZE)
			return err_set(err, ERR_REJECTED, 0,
			               "the passphrase has more than %d bytes",
			               PASSPHRASE_SIZE - 1);
		ret[n++] = c;
	}
	ret[n] = '\0';
	if (n < PASSPHRASE_MIN)
		return err_set(err, ERR_REJECTED, 0, "the passphrase has less than %d bytes",
		               PASSPHRASE_MIN);
	return 0;
}

static void add_number(cJSON *to, const char *name, unsigned value)
{
	(void)cJSON_AddNumberToObject(to, name, value);
}

static int backup(const struct config *config, const char *passphrase, cJSON *result,
                  struct err *err)
{
	struct archive_summary summary;

	if (archive_write(config->state_directory, passphrase, STDOUT_FILENO, &summary, err) < 0)
		return -1;
	add_number(result, "printers", summary.printers);
	add_number(result, "open_jobs", summary.open_jobs);
	add_number(result, "keys", summary.keys);
	return 0;
}

/* restore and take-over: the daemon must not run. */
static int restore(const struct maintenance *what, const struct config *config,
                   const char *passphrase, cJSON *result, struct err *err)
{
	const char *directory = config->state_directory;
	struct store_adopted adopted = { 0 };
	char machine[MACHINE_SIZE];
	AUTO(close_fd) int dir = -1;
	AUTO(close_fd) int lock = -1;

	if (machine_id(machine, err) < 0 || fs_open_dir(directory, 0700, false, &dir, err) < 0)
		return -1;
	if (fs_lock(dir, "lock", &lock, err) < 0)
		return err_wrap(err, "state directory %s", directory);
	if (what->restore &&
	    archive_read(directory, passphrase, STDIN_FILENO, machine, &adopted, err) < 0)
		return -1;
	if (what->take_over) {
		unsigned held = adopted.held;

		if (store_take_over(directory, machine, &adopted, err) < 0)
			return -1;
		adopted.held = held;
	}
	add_number(result, "printers", adopted.printers);
	add_number(result, "read_only", adopted.foreign);
	add_number(result, "held", adopted.held);
	return 0;
}

static int run(const struct maintenance *what, const char *config_path, cJSON *result,
               struct err *err)
{
	char passphrase[PASSPHRASE_SIZE] = "";
	struct config *config = NULL;
	int rc = -1;

	if (config_load(config_path, &config, err) == 0 &&
	    maintenance_become_owner(config->state_directory, err) == 0 &&
	    ((!what->backup && !what->restore) || read_passphrase(passphrase, err) == 0))
		rc = what->backup ? backup(config, passphrase, result, err)
		                  : restore(what, config, passphrase, result, err);
	wipe(passphrase, sizeof(passphrase));
	config_free(config);
	return rc;
}

int maintenance_list(const char *config_path)
{
	struct printer_record *printers = NULL;
	struct config *config = NULL;
	char name[NAME_SIZE];
	size_t count = 0;
	struct err err;
	bool failed;

	failed = config_load(config_path, &config, &err) < 0 ||
	         maintenance_become_owner(config->state_directory, &err) < 0 ||
	         store_peek(config->state_directory, &printers, &count, &err) < 0;
	if (failed && err.kind == ERR_GONE)
		failed = false; /* nothing was ever registered */
	for (size_t i = 0; i < count; i++) {
		str_clean(printers[i].name, name, sizeof(name));
		(void)printf("  %s in cloud %s, of queue %s\n", name, printers[i].cloud,
		             printers[i].queue);
	}
	if (failed)
		(void)fprintf(stderr, "%s\n", err.text);
	free(printers);
	config_free(config);
	return failed ? 1 : 0;
}

int maintenance_main(const struct maintenance *what, const char *config_path)
{
	cJSON *result = cJSON_CreateObject(), *error;
	struct err err;
	char *text;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	rc = run(what, config_path, result, &err);
	if (rc < 0) {
		error = cJSON_AddObjectToObject(result, "error");
		(void)cJSON_AddStringToObject(error, "kind", err_kind_name(err.kind));
		(void)cJSON_AddNumberToObject(error, "code", err.code);
		(void)cJSON_AddStringToObject(error, "text", err.text);
	}
	text = cJSON_PrintUnformatted(result);
	(void)fprintf(stderr, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(result);
	return rc < 0 ? 1 : 0;
}
