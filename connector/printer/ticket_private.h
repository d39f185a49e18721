/* ticket_private.h - what the files of ticket.h's implementation share. Not for others. */
#ifndef CONNECTOR_PRINTER_TICKET_PRIVATE_H
#define CONNECTOR_PRINTER_TICKET_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include <cups/cups.h>

#include "connector/printer/ticket.h"

#define TICKET_VALUES_MAX 128 /* of one attribute; more is no ticket but an attack */
#define TICKET_TEXT       128 /* of a value, for people */

/* How the values of a template attribute are checked. */
enum ticket_check {
	CHECK_WORD,       /* keyword or name, one of NAME-supported */
	CHECK_NUMBER,     /* integer or enum, one of or within NAME-supported */
	CHECK_COPIES,     /* integer, at most what copies-supported says */
	CHECK_FINISHINGS, /* enums, each by itself */
	CHECK_RESOLUTION, /* resolution, one of NAME-supported */
	CHECK_RANGES,     /* rangeOfInteger, ascending; NAME-supported is a boolean */
	CHECK_MEDIA,      /* size, source and type: ticket_media.c */
	CHECK_MEMBERS,    /* collections: each member named in NAME-supported */
	CHECK_DIRECTION,  /* keyword; CUPS has a word of its own for it */
	CHECK_PRIORITY,   /* 1 to 100 */
	CHECK_ACCOUNT,    /* name; NAME-supported is a boolean */
	CHECK_NONE,       /* not for the queue, and no loss */
};

struct ticket_rule {
	const char *name;
	enum ticket_check check;
	bool many; /* 1setOf */
};

const struct ticket_rule *ticket_rule(const char *name); /* NULL: no template attribute */

#define TICKET_LACKS "the queue does not have it"

/* One ticket on its way into one request. */
struct ticket_pass {
	ipp_t *request, *capabilities;
	const struct mapping *rules;    /* NULL none */
	const struct driver_grey *grey; /* NULL: not known */
	bool cups;
	ticket_noted *noted;
	void *data;
	bool site;                               /* what is looked at is a default of the site */
	bool site_media, site_source, site_type; /* the same of the parts of the paper */
	bool mapped;    /* what is looked at comes from the mapping: it is not mapped again */
	bool lost;      /* the user, anything at all */
	bool lost_here; /* in the attribute that is looked at */
	char first[TICKET_TEXT * 2]; /* what was lost first, and why */
};

void ticket_free(ipp_t **message); /* for AUTO() */

void ticket_note_sent(struct ticket_pass *t, const char *name, const char *asked, const char *sent,
                      const char *why);
void ticket_note_changed(struct ticket_pass *t, const char *name, const char *asked,
                         const char *sent, const char *why);
void ticket_note_dropped(struct ticket_pass *t, const char *name, const char *asked,
                         const char *why);

ipp_attribute_t *ticket_supported(struct ticket_pass *t, const char *name);
/* One value of an attribute as people write it; clean. */
const char *ticket_value_text(ipp_attribute_t *attr, int i, char out[TICKET_TEXT]);
bool ticket_is_text(ipp_attribute_t *attr);
bool ticket_is_number(ipp_attribute_t *attr);

/* Whether the queue takes it with a job. */
bool ticket_may_have(struct ticket_pass *t, const struct ticket_rule *rule);
/* Looks at one attribute by its rule and adds what the queue can do. */
void ticket_translate(struct ticket_pass *t, const struct ticket_rule *rule, ipp_attribute_t *attr);
void ticket_check_word(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_number(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_copies(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_finishings(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_resolution(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_ranges(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_members(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_direction(struct ticket_pass *t, ipp_attribute_t *attr);
/* The i-th direction of number-up that the filters of CUPS know and cupsd does not name; NULL
 * behind the last, or when there are none. */
const char *ticket_direction(ipp_t *capabilities, bool cups, size_t i);
/* "600dpi" or "600x300dpi". */
void ticket_resolution_text(int x, int y, ipp_res_t units, char out[TICKET_TEXT]);
void ticket_check_priority(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_check_account(struct ticket_pass *t, ipp_attribute_t *attr);

/* media, media-col, media-source and media-type of a ticket, together. */
void ticket_media(struct ticket_pass *t, ipp_t *wish);

/* ---- drivers: options of their own for what was added to the request ---- */

void ticket_driver_resolution(struct ticket_pass *t, int x, int y, ipp_res_t units);
void ticket_driver_word(struct ticket_pass *t, const char *name, const char *word);

/* Why no option of a driver can be meant for the queue; NULL: it can. */
const char *ticket_lacks_driver(ipp_t *capabilities, bool cups);

/* ---- nearest ---- */

/* What stands in for a word; NULL: nothing. *ret_same: it means the same, nothing is lost. */
const char *ticket_nearest_word(const char *name, ipp_attribute_t *list, const char *word,
                                bool *ret_same);
/* Of integers, enums or ranges. false: there is none. */
bool ticket_nearest_number(ipp_attribute_t *list, int number, int *ret);

/* ---- mapping ---- */

/* What the mapping says of one value, done; false: nothing. */
bool ticket_map(struct ticket_pass *t, const char *name, const char *value);
/* The same for values of the attribute; what is left to be looked at, NULL: nothing. */
ipp_attribute_t *ticket_map_values(struct ticket_pass *t, ipp_t *scratch, ipp_attribute_t *attr);
/* Where a line of a mapping file stands, without the folders. */
const char *ticket_place(const struct mapping_rule *rule, char out[TICKET_TEXT]);

/* ---- the site's defaults ---- */

/* Attributes, for what the ticket does not ask for. */
void ticket_default_attributes(struct ticket_pass *t, ipp_t *wish);
/* Options of the driver, behind all that the ticket asked for: an option that says the same thing
 * as an attribute of the ticket, or was sent for one of its values, gives way. */
void ticket_default_options(struct ticket_pass *t, ipp_t *ticket);

/* One "NAME = VALUE" as an attribute of the job group. -1 (REJECTED): the value is wrong. */
int ticket_parse_value(ipp_t *into, const char *name, const char *text, struct err *err);

#endif
