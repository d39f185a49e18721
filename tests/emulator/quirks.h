/* quirks.h - where other people's servers differ from the documents, each switchable by name. */
#ifndef TESTS_EMULATOR_QUIRKS_H
#define TESTS_EMULATOR_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

struct buffer;

/* name, what the emulator then does */
#define QUIRKS(X)                                                                                  \
	X(IPPSERVER_1, "ippserver.1", "Get-Notifications returns events above the given number")   \
	X(IPPSERVER_2, "ippserver.2", "only the last 100 events of a subscription are kept")       \
	X(IPPSERVER_3, "ippserver.3", "a submission makes acknowledged jobs fetchable again")      \
	X(IPPSERVER_4, "ippserver.4", "a submission turns the last finished job fetchable again")  \
	X(IPPSERVER_5, "ippserver.5",                                                              \
	  "fetchable lists finished jobs too, newest first, limit counted before filtering")       \
	X(IPPSERVER_6, "ippserver.6",                                                              \
	  "long polls wake empty on any event, answers with events carry notify-get-interval 30")  \
	X(IPPSERVER_7, "ippserver.7", "events name another host in notify-printer-uri")            \
	X(IPPSERVER_9, "ippserver.9",                                                              \
	  "Update-Active-Jobs wants job-ids, changes no state, lists finished jobs")               \
	X(IPPSERVER_10, "ippserver.10",                                                            \
	  "a refusal is an acceptance; another device's Acknowledge-Job is not-authorized")        \
	X(IPPSERVER_11, "ippserver.11",                                                            \
	  "Update-Job-Status never makes a job processing and overwrites final states")            \
	X(IPPSERVER_12, "ippserver.12", "one document a job, Get-Documents tells numbers only")    \
	X(IPPSERVER_13, "ippserver.13", "says gzip and sends the document as it is")               \
	X(IPPSERVER_14, "ippserver.14", "a format that is not accepted is not-fetchable")          \
	X(IPPSERVER_15, "ippserver.15",                                                            \
	  "few attributes kept, sparse updates off by one, printer-state not composed, doubled")   \
	X(IPPSERVER_16, "ippserver.16", "finished jobs vanish after 60 s")                         \
	X(PAPPL_1, "pappl.1", "fetchable jobs are pending (3)")                                    \
	X(PAPPL_2, "pappl.2", "Fetch-Job says not-possible instead of not-fetchable")              \
	X(PAPPL_3, "pappl.3", "no number-of-documents")                                            \
	X(PAPPL_4, "pappl.4", "Fetch-Document only after Acknowledge-Job: not-possible before")    \
	X(PAPPL_5, "pappl.5", "a second Acknowledge-Document is not-possible")                     \
	X(PAPPL_6, "pappl.6", "notify-subscribed-event is empty")                                  \
	X(PAPPL_7, "pappl.7", "an empty Update-Active-Jobs is answered with nothing")              \
	X(PAPPL_8, "pappl.8",                                                                      \
	  "Update-Active-Jobs with ids while an active job is unassigned: "                        \
	  "the connection drops and devices and subscriptions are forgotten")                      \
	X(PAPPL_9, "pappl.9", "a job canceled by the proxy (7) stays as it is")                    \
	X(PAPPL_10, "pappl.10", "a late Update-Job-Status is not-possible, already terminated")    \
	X(PAPPL_11, "pappl.11", "fetch-status-code is ignored: a refusal is an acceptance")        \
	X(PAPPL_12, "pappl.12", "printer-make-and-model is empty")                                 \
	X(PAPPL_13, "pappl.13", "the device's document-format-supported is not shown to clients")  \
	X(PAPPL_14, "pappl.14",                                                                    \
	  "Get-Notifications repeats the last event seen and never waits "                         \
	  "while there is one")

enum quirk {
#define QUIRK_ENUM(id, name, text) QUIRK_##id,
	QUIRKS(QUIRK_ENUM)
#undef QUIRK_ENUM
		QUIRK_COUNT
};

/* "none", "ippserver", "pappl", "pappl.3", joined by '+'. -1: an unknown name. */
int quirks_parse(const char *text, uint64_t *ret);
void quirks_write(struct buffer *b, const char *key, uint64_t quirks); /* as a JSON list */
void quirks_describe(struct buffer *b);                                /* all, as JSON */

static inline bool quirks_has(uint64_t quirks, enum quirk q)
{
	return (quirks >> q & 1) != 0;
}

#endif
