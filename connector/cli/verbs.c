#include "connector/cli/verbs.h"

#include <stdint.h>

#include "common/util.h"
#include "connector/cli/cli.h"

#define IN(member) offsetof(struct cli, member)
#define MANY       INT16_MAX

const struct flag_row flags[FLAG_COUNT] = {
	[FLAG_CONFIG] = { "config", "FILE", "settings that say where the daemon listens",
	                  IN(config) },
	[FLAG_SOCKET] = { "socket", "PATH", "the daemon's control socket itself", IN(socket) },
	[FLAG_JSON] = { "json", NULL, "print JSON", IN(json) },
	[FLAG_YES] = { "yes", NULL, "do not ask", IN(yes) },
	[FLAG_HELP] = { "help", NULL, "this text", IN(help) },
	[FLAG_VERSION] = { "version", NULL, "print the version", IN(version) },
	[FLAG_CLOUD] = { "cloud", "NAME", "the cloud; may be left out when there is only one",
	                 IN(cloud) },
	[FLAG_CLOUD_URI] = { "cloud-uri", "URI", "the printer in the cloud, when it exists there",
	                     IN(cloud_uri) },
	[FLAG_NAME] = { "name", "NAME", "how the cloud shows it (the queue's description)",
	                IN(name) },
	[FLAG_CERTIFICATE] = { "certificate", "FILE", "TLS client certificate of this printer",
	                       IN(certificate) },
	[FLAG_KEY] = { "key", "FILE", "and its private key", IN(key) },
	[FLAG_USERNAME] = { "username", "NAME", "user name at the cloud", IN(username) },
	[FLAG_PASSWORD_FILE] = { "password-file", "FILE", "file with the password",
	                         IN(password_file) },
	[FLAG_DRY_RUN] = { "dry-run", NULL, "only try whether it would work", IN(dry_run) },
	[FLAG_PRINTER] = { "printer", "QUEUE", "of this queue or printer id only", IN(printer) },
	[FLAG_ALL] = { "all", NULL, "finished jobs too", IN(all) },
	[FLAG_ALL_QUEUES] = { "all", NULL, "all queues that [printers] in the settings includes",
	                      IN(all) },
	[FLAG_LIMIT] = { "limit", "N", "the newest N; 0 for all of them (50)", IN(limit) },
	[FLAG_RENEW] = { "renew", NULL, "another key and certificate for registered queues",
	                 IN(renew) },
	[FLAG_NO_QR] = { "no-qr", NULL, "no QR code of the address to sign in at", IN(no_qr) },
	[FLAG_AVAILABLE] = { "available", NULL, "local queues that could be registered",
	                     IN(available) },
	[FLAG_TICKET] = { "ticket", "FILE", "what a job would ask for", IN(ticket) },
	[FLAG_WRITE] = { "write", "FILE", "into this file, which is replaced whole", IN(write) },
	[FLAG_PASSPHRASE_FILE] = { "passphrase-file", "FILE", "file with the passphrase",
	                           IN(passphrase_file) },
	[FLAG_TAKEOVER] = { "takeover", NULL, "the printers belong to this machine from now on",
	                    IN(takeover) },
	[FLAG_PRINTED] = { "printed", NULL, "paper came out: the cloud is told so", IN(printed) },
	[FLAG_PRINT_AGAIN] = { "print-again", NULL, "nothing came out, or once more will do",
	                       IN(print_again) },
	[FLAG_TRUST_NEW_KEY] = { "trust-new-key", NULL,
	                         "believe the key that an ipps:// printer shows now",
	                         IN(trust_new_key) },
	[FLAG_ABORT] = { "abort", NULL, "end it unprinted", IN(abort) },
};

#define LOOK     "What is going on"
#define PRINTERS "Printers"
#define JOBS     "Jobs"
#define HOST     "This host"

/* clang-format off */
const struct verb verbs[] = {
	{
		.topic = LOOK,
		.name = "status",
		.help = "how the daemon, its clouds, printers and jobs are",
		.more = "Exits with 4 when something is an error; what is only a warning does not count.",
		.run = verb_status,
	},
	{
		.topic = LOOK,
		.name = "watch",
		.help = "the same and open jobs, drawn again whenever they change",
		.more = "Ctrl-C ends it. Where there is no terminal a line is printed for each "
		        "change, with --json an object.",
		.run = verb_watch,
	},
	{
		.topic = LOOK,
		.name = "doctor",
		.arguments = "[QUEUE]",
		.help = "walk the whole way, find causes and say what helps",
		.more = "From disk and clock over each host of the clouds to the paper, of all "
		        "printers or of one. Where the daemon does not run it looks as far as it "
		        "can. Exits with 4 when there is something to do.",
		.max = 1,
		.run = verb_doctor,
	},
	{
		.topic = LOOK,
		.name = "metrics",
		.arguments = "[--write FILE]",
		.help = "counters as OpenMetrics text",
		.more = "With --write into a file for the textfile collector of Prometheus' "
		        "node_exporter, which wants a name that ends in .prom; everybody may "
		        "read it.",
		.takes = { FLAG_WRITE },
		.run = verb_metrics,
	},
	{
		.topic = PRINTERS,
		.name = "printers",
		.arguments = "[--available]",
		.help = "registered printers, or local queues that could be",
		.takes = { FLAG_AVAILABLE },
		.run = verb_printers,
	},
	{
		.topic = PRINTERS,
		.name = "register",
		.arguments = "QUEUE… | --all [OPTIONS]",
		.help = "make local queues printers of a cloud",
		.more = "A QUEUE is the name of a CUPS queue or the ipp:// or ipps:// URI of a "
		        "printer. Universal Print asks for one sign-in, however many queues "
		        "there are. With ipp-infra the cloud's system-uri (see the settings) "
		        "makes a new printer, unless --cloud-uri names one. What succeeded stays "
		        "when another queue fails; the same command again goes on with what was "
		        "begun.",
		.max = MANY,
		.takes = { FLAG_ALL_QUEUES, FLAG_CLOUD, FLAG_CLOUD_URI, FLAG_NAME, FLAG_CERTIFICATE,
		           FLAG_KEY, FLAG_USERNAME, FLAG_PASSWORD_FILE, FLAG_RENEW, FLAG_DRY_RUN,
		           FLAG_NO_QR },
		.run = verb_register,
	},
	{
		.topic = PRINTERS,
		.name = "unregister",
		.arguments = "QUEUE… [--cloud NAME]",
		.help = "forget printers, their keys and certificates",
		.more = "A QUEUE may be a printer's id too. Asks first, unless --yes says not to.",
		.min = 1,
		.max = MANY,
		.takes = { FLAG_CLOUD },
		.run = verb_unregister,
	},
	{
		.topic = PRINTERS,
		.name = "explain",
		.arguments = "QUEUE [--ticket FILE]",
		.help = "what a queue can do, and how a job's options would be sent to it",
		.more = "Nothing is printed. The queue need not be registered. A ticket has lines "
		        "NAME = VALUE[, VALUE] with the names of IPP, such as sides = "
		        "two-sided-long-edge, page-ranges = 1-3, media = iso_a4_210x297mm or "
		        "media-source = tray-2. What mapping files say of the queue is part of "
		        "the answer. Exits with 4 when something would not be as asked.",
		.min = 1,
		.max = 1,
		.takes = { FLAG_TICKET },
		.run = verb_explain,
	},
	{
		.topic = PRINTERS,
		.name = "rebind",
		.arguments = "PRINTER QUEUE [--cloud NAME]",
		.help = "move a printer to another queue, for new hardware",
		.more = "PRINTER is the id or the queue that it has now. Its key, certificate, "
		        "shares and permissions in the cloud stay. Its open jobs must have ended.",
		.min = 2,
		.max = 2,
		.takes = { FLAG_CLOUD },
		.run = verb_rebind,
	},
	{
		.topic = PRINTERS,
		.name = "reset",
		.arguments = "QUEUE [--cloud NAME] [--trust-new-key]",
		.help = "connect one printer anew, without touching the others",
		.more = "The printer connects to its cloud again, its queue is read again and jobs "
		        "that wait are tried at once. Open jobs go on. The key of an ipps:// "
		        "printer that no authority vouches for is remembered at its registration; "
		        "when it shows another one, nothing is sent to it until --trust-new-key "
		        "says that this is right.",
		.min = 1,
		.max = 1,
		.takes = { FLAG_CLOUD, FLAG_TRUST_NEW_KEY },
		.run = verb_reset,
	},
	{
		.topic = PRINTERS,
		.name = "pause",
		.arguments = "QUEUE… [--cloud NAME]",
		.help = "take no jobs for a printer, until it is resumed",
		.more = "Its jobs stay in the cloud; what prints goes on. Also after a restart.",
		.min = 1,
		.max = MANY,
		.takes = { FLAG_CLOUD },
		.run = verb_pause,
	},
	{
		.topic = PRINTERS,
		.name = "resume",
		.arguments = "[QUEUE…] [--cloud NAME]",
		.help = "let paused printers go on, or end a drain",
		.more = "Without a QUEUE it ends what drain began.",
		.max = MANY,
		.takes = { FLAG_CLOUD },
		.run = verb_resume,
	},
	{
		.topic = PRINTERS,
		.name = "drain",
		.help = "take no more jobs and wait until none is on its way to a queue",
		.more = "For maintenance: jobs that print are left to their queues, all others stay "
		        "in the cloud, until print-connector resume or a restart. Stopping the "
		        "daemon does the same by itself, for at most 20 seconds.",
		.run = verb_drain,
	},
	{
		.topic = JOBS,
		.name = "jobs",
		.arguments = "[--printer QUEUE] [--all] [--limit N]",
		.help = "open jobs, or all that are remembered",
		.more = "Newest first, with --json all of them unless --limit says how many.",
		.takes = { FLAG_PRINTER, FLAG_ALL, FLAG_LIMIT },
		.run = verb_jobs,
	},
	{
		.topic = JOBS,
		.name = "job",
		.arguments = "ID",
		.help = "what happened to one job, in cloud, connector and queue",
		.min = 1,
		.max = 1,
		.run = verb_job,
	},
	{
		.topic = JOBS,
		.name = "cancel",
		.arguments = "ID",
		.help = "end a job",
		.min = 1,
		.max = 1,
		.run = verb_cancel,
	},
	{
		.topic = JOBS,
		.name = "retry",
		.arguments = "ID",
		.help = "try a job again that waits or is held",
		.more = "A job that has ended is final in the cloud and cannot be tried again.",
		.min = 1,
		.max = 1,
		.run = verb_retry,
	},
	{
		.topic = JOBS,
		.name = "resolve",
		.arguments = "ID --printed | --print-again | --abort",
		.help = "decide a job of which nobody knows whether it printed",
		.more = "Look at the printer first. A held job that nobody resolves is aborted when "
		        "give-up-after has passed.",
		.min = 1,
		.max = 1,
		.takes = { FLAG_PRINTED, FLAG_PRINT_AGAIN, FLAG_ABORT },
		.run = verb_resolve,
	},
	{
		.topic = HOST,
		.name = "backup",
		.arguments = "FILE [--passphrase-file FILE]",
		.help = "printers, keys and jobs into one encrypted file",
		.more = "The daemon may run. The file is worth nothing without its passphrase (8 "
		        "bytes at least), which is asked for. Settings, and files that settings "
		        "or printers name, are not in it. For root and the daemon's own user.",
		.min = 1,
		.max = 1,
		.takes = { FLAG_PASSPHRASE_FILE },
		.run = verb_backup,
	},
	{
		.topic = HOST,
		.name = "restore",
		.arguments = "[FILE] [--takeover] [--passphrase-file FILE]",
		.help = "a backup back into an empty state directory",
		.more = "The daemon must not run. Jobs that may have been printed since the backup "
		        "are held. On another machine the printers stay read-only until --takeover "
		        "says that the old one has ended for good: no cloud tells whether it "
		        "still works with them. Without FILE it says so of what was restored "
		        "before.",
		.max = 1,
		.takes = { FLAG_TAKEOVER, FLAG_PASSPHRASE_FILE },
		.run = verb_restore,
	},
};
/* clang-format on */

const size_t verb_count = ARRAY_SIZE(verbs);

int verb_takes(const struct verb *verb, enum flag flag)
{
	if (flag < FLAG_OF_VERBS)
		return flag != FLAG_NONE;
	for (size_t i = 0; verb && i < ARRAY_SIZE(verb->takes) && verb->takes[i]; i++)
		if (verb->takes[i] == flag)
			return 1;
	return 0;
}
