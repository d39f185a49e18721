/* token.h - inside of cloud/: one printer's token, got with a JWT that its key signs, renewed when
 * four fifths of its life are over. Whoever needs it while there is none waits; there is never more
 * than one renewal under way. */
#ifndef CONNECTOR_CLOUD_TOKEN_H
#define CONNECTOR_CLOUD_TOKEN_H

#include <stdbool.h>

struct bearer; /* a token's text, counted: it may be on its way when a newer one has come */
struct channel_settings;
struct cloud;
struct err;
struct token;

/* Somebody who waits; embedded. */
struct token_wait {
	void *data;
	/* Once: token_get() gives one now, or err says why there is none. */
	void (*ready)(struct token_wait *w, const struct err *err);
	struct token_wait *next; /* private from here on */
};

/* -1: the identity is not whole, or leads to another host than the configured one. */
int token_new(struct token **ret, struct cloud *c, const struct channel_settings *settings,
              struct err *err);
void token_free(struct token *t); /* wipes; nobody waits any more; NULL is fine */
/* A reference, or NULL: w->ready() will run, later. */
struct bearer *token_get(struct token *t, struct token_wait *w);
void token_leave(struct token *t, struct token_wait *w); /* does not wait any more */
/* The cloud does not accept it: the next one who asks gets another. */
void token_refuse(struct token *t, const struct bearer *b);

const char *bearer_text(const struct bearer *b); /* borrowed */
void bearer_unref(struct bearer *b);             /* wipes with the last one; NULL is fine */

#endif
