/* Records as rows: one table per record says which field is which column, for both directions. */
#include <assert.h>
#include <string.h>

#include "common/intern.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/store/store_private.h"

#define COLUMN(record, name, field)                                                                \
	{ name,                                                                                  \
	  _Generic(((struct record *)0)->field,                                                    \
	          char *: COLUMN_TEXT,                                                             \
	          const char *: COLUMN_INTERNED,                                                   \
	          bool: COLUMN_BOOL,                                                               \
	          int32_t: COLUMN_INT32,                                                           \
	          int64_t: COLUMN_INT64,                                                           \
	          enum job_state: COLUMN_STATE,                                                    \
	          enum job_outcome: COLUMN_OUTCOME,                                                \
	          enum err_kind: COLUMN_ERROR),                                                    \
	  offsetof(struct record, field), sizeof(((struct record *)0)->field) },
#define JOB_COLUMN(field)              COLUMN(job_record, #field, field)
#define PRINTER_COLUMN(field)          COLUMN(printer_record, #field, field)
#define PRINTER_COLUMN_AS(name, field) COLUMN(printer_record, #name, field)

const struct column job_columns[] = { JOB_COLUMNS(JOB_COLUMN, JOB_COLUMN) };
const size_t job_column_count = ARRAY_SIZE(job_columns);

const struct column printer_columns[] = { PRINTER_COLUMNS(PRINTER_COLUMN, PRINTER_COLUMN,
	                                                  PRINTER_COLUMN_AS) };
const size_t printer_column_count = ARRAY_SIZE(printer_columns);

static void bind_word(sqlite3_stmt *q, int i, const char *word)
{
	(void)sqlite3_bind_text(q, i, word, -1, SQLITE_STATIC);
}

static void bind_field(sqlite3_stmt *q, int i, const struct column *c, const void *field)
{
	switch (c->type) {
	case COLUMN_TEXT:
		(void)sqlite3_bind_text(q, i, field, (int)strnlen(field, c->size), SQLITE_STATIC);
		return;
	case COLUMN_INTERNED: {
		const char *text = *(const char *const *)field;

		bind_word(q, i, text ? text : "");
		return;
	}
	case COLUMN_BOOL:
		(void)sqlite3_bind_int(q, i, *(const bool *)field);
		return;
	case COLUMN_INT32:
		(void)sqlite3_bind_int(q, i, *(const int32_t *)field);
		return;
	case COLUMN_INT64:
		(void)sqlite3_bind_int64(q, i, *(const int64_t *)field);
		return;
	case COLUMN_STATE:
		bind_word(q, i, job_state_name(*(const enum job_state *)field));
		return;
	case COLUMN_OUTCOME:
		bind_word(q, i, job_outcome_name(*(const enum job_outcome *)field));
		return;
	case COLUMN_ERROR:
		bind_word(q, i, err_kind_name(*(const enum err_kind *)field));
		return;
	}
}

void store_bind_record(sqlite3_stmt *q, const struct column *columns, size_t count,
                       const void *record)
{
	for (size_t i = 0; i < count; i++)
		bind_field(q, (int)i + 1, &columns[i], (const char *)record + columns[i].offset);
}

void store_read_text(sqlite3_stmt *q, int column, char *ret, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	(void)str_copy(ret, size, text ? text : "");
}

static int32_t read_int32(sqlite3_stmt *q, int column)
{
	int64_t n = sqlite3_column_int64(q, column);

	return n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : (int32_t)n;
}

static int read_state(const char *word, enum job_state *ret)
{
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		if (!strcmp(word, job_state_name((enum job_state)i))) {
			*ret = (enum job_state)i;
			return 0;
		}
	return -1;
}

static int read_outcome(const char *word, enum job_outcome *ret)
{
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (!strcmp(word, job_outcome_name((enum job_outcome)i))) {
			*ret = (enum job_outcome)i;
			return 0;
		}
	return -1;
}

static int read_field(sqlite3_stmt *q, int i, const struct column *c, void *field)
{
	char word[32];

	switch (c->type) {
	case COLUMN_TEXT:
		store_read_text(q, i, field, c->size);
		return 0;
	case COLUMN_INTERNED:
		*(const char **)field = intern((const char *)sqlite3_column_text(q, i));
		return 0;
	case COLUMN_BOOL:
		*(bool *)field = sqlite3_column_int64(q, i) != 0;
		return 0;
	case COLUMN_INT32:
		*(int32_t *)field = read_int32(q, i);
		return 0;
	case COLUMN_INT64:
		*(int64_t *)field = sqlite3_column_int64(q, i);
		return 0;
	case COLUMN_STATE:
		store_read_text(q, i, word, sizeof(word));
		return read_state(word, field);
	case COLUMN_OUTCOME:
		store_read_text(q, i, word, sizeof(word));
		return read_outcome(word, field);
	case COLUMN_ERROR:
		store_read_text(q, i, word, sizeof(word));
		*(enum err_kind *)field = err_kind_find(word);
		return 0;
	}
	return -1;
}

int store_read_record(sqlite3_stmt *q, int first, const struct column *columns, size_t count,
                      void *record, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (read_field(q, first + (int)i, &columns[i], (char *)record + columns[i].offset) <
		    0)
			return err_set(err, ERR_CORRUPT, 0, "state.db is damaged: unknown %s",
			               columns[i].name);
	return 0;
}
