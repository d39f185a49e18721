#include "common/config_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/str.h"
#include "common/util.h"

static const struct config_choice cloud_types[] = {
	{ "universal-print", CONFIG_CLOUD_UNIVERSAL_PRINT },
	{ "ipp-infra", CONFIG_CLOUD_IPP_INFRA },
	{ NULL, 0 },
};
static const struct config_choice environments[] = {
	{ "commercial", CONFIG_ENVIRONMENT_COMMERCIAL },
	{ "gcc", CONFIG_ENVIRONMENT_GCC },
	{ "gcc-high", CONFIG_ENVIRONMENT_GCC_HIGH },
	{ "dod", CONFIG_ENVIRONMENT_DOD },
	{ NULL, 0 },
};
static const struct config_choice x5cs[] = { { "array", CONFIG_X5C_ARRAY },
	                                     { "string", CONFIG_X5C_STRING },
	                                     { NULL, 0 } };
static const struct config_choice hosts[] = { { "notification", CONFIG_HOST_NOTIFICATION },
	                                      { "print", CONFIG_HOST_PRINT },
	                                      { NULL, 0 } };
static const struct config_choice unknowns[] = { { "hold", CONFIG_UNKNOWN_HOLD },
	                                         { "print-again", CONFIG_UNKNOWN_PRINT_AGAIN },
	                                         { "abort", CONFIG_UNKNOWN_ABORT },
	                                         { NULL, 0 } };
static const struct config_choice job_names[] = { { "real", CONFIG_JOB_NAME_REAL },
	                                          { "hidden", CONFIG_JOB_NAME_HIDDEN },
	                                          { NULL, 0 } };
static const struct config_choice log_names[] = { { "shown", CONFIG_NAMES_SHOWN },
	                                          { "hashed", CONFIG_NAMES_HASHED },
	                                          { "hidden", CONFIG_NAMES_HIDDEN },
	                                          { NULL, 0 } };
static const struct config_choice levels[] = { { "error", CONFIG_LEVEL_ERROR },
	                                       { "warning", CONFIG_LEVEL_WARNING },
	                                       { "info", CONFIG_LEVEL_INFO },
	                                       { "debug", CONFIG_LEVEL_DEBUG },
	                                       { NULL, 0 } };

#define MAIN(field)  offsetof(struct config, field)
#define CLOUD(field) offsetof(struct config_cloud, field)
#define QUEUE(field) offsetof(struct config_queue, field)
#define JOBS(field)  offsetof(struct config, queue.field)

/* clang-format off */
const struct config_item config_items[] = {
	/* section, key, kind, field, default, min, max, choices, help */
	{ "connector", "name", &config_text, MAIN(name), "", NULL, "127", NULL,
	  "The name of this connector as clouds show it. Default: the host name." },
	{ "connector", "state-directory", &config_path, MAIN(state_directory), "", NULL, "4000", NULL,
	  "Where printers, jobs and keys are kept. Default: $STATE_DIRECTORY as systemd sets it, else /var/lib/print-connector." },
	{ "connector", "runtime-directory", &config_path, MAIN(runtime_directory), "", NULL, "90", NULL,
	  "Where the control socket is. Default: $RUNTIME_DIRECTORY as systemd sets it, else /run/print-connector." },
	{ "connector", "cache-directory", &config_path, MAIN(cache_directory), "", NULL, "4000", NULL,
	  "Where documents that must be whole before printing pass through, encrypted and without a name. Default: $CACHE_DIRECTORY as systemd sets it, else /var/cache/print-connector." },
	{ "connector", "control-group", &config_group, MAIN(control_group), "print-connector", NULL, "32", NULL,
	  "Members of this group may register printers and change jobs; root and the daemon's own user always may." },
	{ "connector", "status-group", &config_group, MAIN(status_group), "", NULL, "32", NULL,
	  "Members of this group may read printers, jobs and status. Default: the control-group." },
	{ "connector", "crash-pause", &config_duration, MAIN(crash_pause_ms), "5min", "0", "1h", NULL,
	  "When the daemon has crashed three times in a row, no cloud is asked for 10 seconds after the next start, and twice as long after each further crash, at most so long. What is printing goes on meanwhile." },

	{ "cloud", "type", &config_word, CLOUD(type), NULL, NULL, NULL, cloud_types,
	  "What the service is: universal-print is Microsoft's, ipp-infra any standard IPP Infrastructure Printer server." },
	{ "cloud", "uri", &config_uri, CLOUD(uri), "", NULL, NULL, NULL,
	  "The URI below which the printers of the cloud are found, such as ipps://infra.example.com/ipp/print. Unencrypted (ipp, http) to this host only." },
	{ "cloud", "system-uri", &config_uri, CLOUD(system_uri), "", NULL, NULL, NULL,
	  "Where the cloud registers new printers by itself (Register-Output-Device). Without it a printer must exist there before it is registered here." },
	{ "cloud", "username", &config_text, CLOUD(username), "", NULL, "255", NULL,
	  "The name for HTTP Basic authentication of all printers of this cloud." },
	{ "cloud", "password-file", &config_secret, CLOUD(password_file), "", NULL, "4000", NULL,
	  "The file with the password that belongs to username, readable by the daemon's user only; or credential:NAME for /etc/print-connector/credentials/NAME, which only root can read and the service gets when it starts." },
	{ "cloud", "certificate-file", &config_path, CLOUD(certificate_file), "", NULL, "4000", NULL,
	  "The TLS client certificate (PEM, with its chain) of all printers of this cloud that have none of their own." },
	{ "cloud", "key-file", &config_secret, CLOUD(key_file), "", NULL, "4000", NULL,
	  "The private key (PEM) of certificate-file, readable by the daemon's user only; or credential:NAME as above." },
	{ "cloud", "environment", &config_word, CLOUD(environment), "commercial", NULL, NULL, environments,
	  "Which of Microsoft's clouds the organisation is in; gcc, gcc-high and dod are those of the US government. Sets the URLs and the resource below." },
	{ "cloud", "client-id", &config_id, CLOUD(client_id), "", NULL, "63", NULL,
	  "The id of the organisation's application in Entra (a public client with the permissions of Universal Print). Needed." },
	{ "cloud", "tenant", &config_id, CLOUD(tenant), "", NULL, "127", NULL,
	  "Who may sign in to register printers: the id or a domain name of the organisation's tenant. Default: organizations, which is any." },
	{ "cloud", "login-url", &config_url, CLOUD(login_url), "", NULL, NULL, NULL,
	  "Where administrators sign in, without the tenant. Default: by environment, https://login.microsoftonline.com or https://login.microsoftonline.us." },
	{ "cloud", "registration-url", &config_url, CLOUD(registration_url), "", NULL, NULL, NULL,
	  "Where printers are registered. Default: by environment, such as https://register.print.microsoft.com." },
	{ "cloud", "print-url", &config_url, CLOUD(print_url), "", NULL, NULL, NULL,
	  "Where jobs come from: IPP requests go to /printers/ID below it. Default: by environment, such as https://print.print.microsoft.com." },
	{ "cloud", "notification-url", &config_url, CLOUD(notification_url), "", NULL, NULL, NULL,
	  "Where events come from, at notification-path below it. Default: by environment, such as https://notification.print.microsoft.com." },
	{ "cloud", "notification-path", &config_text, CLOUD(notification_path), "/printers/ID", NULL, "127", NULL,
	  "The path of requests to notification-url; ID stands for the printer's id. Microsoft does not say which it is: to be changed only when its support does." },
	{ "cloud", "notification-printer-uri", &config_word, CLOUD(notification_printer_uri), "notification", NULL, NULL, hosts,
	  "Whether requests to notification-url name the printer by its address there, or by the one at print-url. To be changed only when Microsoft's support says so." },
	{ "cloud", "graph-url", &config_url, CLOUD(graph_url), "", NULL, NULL, NULL,
	  "Microsoft Graph, where what the portal shows can be read. This version asks it nothing. Default: by environment, such as https://graph.microsoft.com/v1.0." },
	{ "cloud", "resource", &config_text, CLOUD(resource), "", NULL, "127", NULL,
	  "The service's resource id, for which tokens are asked. Default: by environment, https://print.print.microsoft.com or https://print.print.azure.us." },
	{ "cloud", "scope", &config_text, CLOUD(scope), "", NULL, "255", NULL,
	  "What an administrator who signs in is asked to permit. Default: the resource with /Printers.Create; with /.default, whatever the application may do." },
	{ "cloud", "x5c", &config_word, CLOUD(x5c), "array", NULL, NULL, x5cs,
	  "How a printer's certificate stands in what it signs to get a token: as an array of one, as the standard says, or as a string." },
	{ "cloud", "registration-timeout", &config_duration, CLOUD(registration_timeout_ms), "5min", "5s", "1h", NULL,
	  "How long register waits for one printer's certificate. A registration that takes longer is not lost: the same command goes on with it." },
	{ "cloud", "heartbeat", &config_duration, CLOUD(heartbeat_ms), "10min", "30s", "1d", NULL,
	  "How often the cloud is told how a printer does while nothing changes there." },
	{ "cloud", "ca-file", &config_path, CLOUD(ca_file), "", NULL, "4000", NULL,
	  "The certificates (PEM) that may sign the cloud's own. Default: those the system trusts." },
	{ "cloud", "proxy", &config_proxy, CLOUD(proxy), "", NULL, NULL, NULL,
	  "The proxy on the way to this cloud, or none; never used for queues. Default: from the environment (https_proxy, no_proxy)." },

	{ "printers", "cups-server", &config_server, MAIN(cups_server), "/run/cups/cups.sock", NULL, NULL, NULL,
	  "The CUPS scheduler: the path of its socket or HOST:PORT, encrypted unless it is this host." },
	{ "printers", "state-interval", &config_duration, MAIN(state_interval_ms), "1s", "100ms", "1min", NULL,
	  "How often CUPS is asked what happened to its queues, one question for all of them, and each IPP "
	  "printer how it does; the latter less often when there are more than forty or it answers "
	  "slowly. A longer time lets printers sleep that wake up for a question." },
	{ "printers", "include", &config_globs, MAIN(include), "*", NULL, NULL, NULL,
	  "The queues that register --all takes, with * and ?." },
	{ "printers", "exclude", &config_globs, MAIN(exclude), "", NULL, NULL, NULL,
	  "The queues that register --all leaves out of those, with * and ?." },

	{ "jobs", "max-transfers", &config_number, MAIN(max_transfers), "32", "1", "1000", NULL,
	  "How many documents are fetched at the same time, over all printers." },
	{ "jobs", "max-jobs-per-printer", &config_number, JOBS(max_jobs_per_printer), "4", "1", "100", NULL,
	  "How many jobs of one printer are taken from the cloud before the first of them is finished." },
	{ "jobs", "max-document-size", &config_size, MAIN(max_document_size), "2G", "1K", "1T", NULL,
	  "Larger documents are refused, with that reason." },
	{ "jobs", "give-up-after", &config_duration, MAIN(give_up_after_ms), "3d", "1s", "90d", NULL,
	  "A job that cannot be printed for so long is aborted. Time while the connector did not run counts as soon as the cloud has told what time it is, so that a clock that is wrong ends no job." },
	{ "jobs", "keep-history", &config_duration, MAIN(keep_history_ms), "14d", "0", "10y", NULL,
	  "How long the details of finished jobs are kept." },
	{ "jobs", "allow-formats", &config_formats, JOBS(allow_formats), "", NULL, NULL, NULL,
	  "Document formats to print besides application/pdf, image/pwg-raster, image/urf, image/jpeg and image/png." },
	{ "jobs", "xps-converter", &config_path, MAIN(xps_converter), "/usr/bin/xpstopdf", NULL, "4000", NULL,
	  "The program (no script) that makes PDF of XPS and OXPS, called with the names of both files; it runs without network and without files but the system's own. Where it is installed, and while it is set, printers that take PDF take XPS too. xpstopdf is in the package libgxps-utils." },
	{ "jobs", "quarantine-after", &config_number, MAIN(quarantine_after), "3", "1", "1000", NULL,
	  "A job that was active in so many crashes of the daemon without getting any further is held, so that the others go on; print-connector resolve decides it." },
	{ "jobs", "when-unknown", &config_word, JOBS(when_unknown), "hold", NULL, NULL, unknowns,
	  "What to do when nobody can know whether a job came out on paper: hold it for a decision, print it again, or abort it." },
	{ "jobs", "user-name", &config_user_name, JOBS(user_name), "upn", NULL, "127", NULL,
	  "The owner of jobs at the queue: the user's full name in the cloud (upn), the part before the @ (local-part), or always the same (fixed:NAME)." },
	{ "jobs", "job-name", &config_word, JOBS(job_name), "real", NULL, NULL, job_names,
	  "The name of jobs at the queue: the one they have in the cloud (real), or one that tells nothing (hidden)." },

	{ "queue", "max-jobs-per-printer", &config_number, QUEUE(max_jobs_per_printer), NULL, "1", "100", NULL,
	  "As in [jobs], for this queue only." },
	{ "queue", "allow-formats", &config_formats, QUEUE(allow_formats), NULL, NULL, NULL, NULL,
	  "As in [jobs], for this queue only; here application/octet-stream, application/postscript and application/vnd.cups-raw are possible too, which reach the printer unchecked. Of a queue without a driver these are all that it takes; application/pdf when there are none." },
	{ "queue", "when-unknown", &config_word, QUEUE(when_unknown), NULL, NULL, NULL, unknowns,
	  "As in [jobs], for this queue only." },
	{ "queue", "user-name", &config_user_name, QUEUE(user_name), NULL, NULL, "127", NULL,
	  "As in [jobs], for this queue only." },
	{ "queue", "job-name", &config_word, QUEUE(job_name), NULL, NULL, NULL, job_names,
	  "As in [jobs], for this queue only." },

	{ "log", "names", &config_word, MAIN(names), "hidden", NULL, NULL, log_names,
	  "Names of users and documents in the log and in status: as they are (shown), the same word for the same name (hashed), or not at all (hidden)." },
	{ "log", "level", &config_word, MAIN(level), "info", NULL, NULL, levels,
	  "The least important lines that are logged." },
};

const struct config_section config_sections[] = {
	{ "connector", NULL }, { "cloud", "a name of your choice" }, { "printers", NULL },
	{ "jobs", NULL },      { "queue", "a queue or printer URI" }, { "log", NULL },
};
/* clang-format on */

static_assert(ARRAY_SIZE(config_items) == CONFIG_ITEMS, "count of the table");
static_assert(ARRAY_SIZE(config_sections) == CONFIG_SECTIONS, "count of the table");

const struct config_section *config_section_find(const char *name)
{
	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		if (strcmp(config_sections[i].name, name) == 0)
			return &config_sections[i];
	return NULL;
}

const struct config_item *config_item_find(const char *section, const char *key)
{
	for (size_t i = 0; i < CONFIG_ITEMS; i++)
		if (strcmp(config_items[i].section, section) == 0 &&
		    strcmp(config_items[i].key, key) == 0)
			return &config_items[i];
	return NULL;
}

void *config_item_field(const struct config_item *item, void *base)
{
	return (char *)base + item->offset;
}

void config_item_reset(const struct config_item *item, void *base)
{
	if (item->fallback &&
	    item->kind->parse(item, item->fallback, config_item_field(item, base)) < 0)
		abort(); /* the table is wrong */
}

void config_item_clear(const struct config_item *item, void *base)
{
	if (item->kind->clear)
		item->kind->clear(config_item_field(item, base));
}

int config_help(size_t i, struct config_help *ret)
{
	const struct config_item *item;
	struct buf allowed;

	if (i >= CONFIG_ITEMS)
		return -1;
	item = &config_items[i];
	buf_init(&allowed, sizeof(ret->allowed));
	item->kind->allowed(item, &allowed);
	(void)str_copy(ret->allowed, sizeof(ret->allowed), buf_text(&allowed));
	buf_clear(&allowed);
	ret->section = item->section;
	ret->key = item->key;
	ret->fallback = item->fallback ? item->fallback : "";
	ret->text = item->help;
	return 0;
}
