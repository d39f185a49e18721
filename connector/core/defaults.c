#include "connector/core/defaults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/journal.h"
#include "connector/core/core_private.h"
#include "connector/printer/ticket_note.h"

#define LINE_SIZE  512
#define LINES_SIZE ((size_t)256 * LINE_SIZE)

static void line_of(const struct printer *p, const struct ticket_note *note, char *line,
                    size_t size)
{
	const char *queue = p->record.queue;

	if (note->fate == TICKET_CHANGED)
		(void)snprintf(line, size,
		               "%.60s takes %.40s for the default %.40s = %.40s of %.60s: %s",
		               queue, note->sent, note->name, note->asked, note->place, note->why);
	else
		(void)snprintf(line, size,
		               "%.60s cannot follow the default %.40s = %.40s of %.60s: %s", queue,
		               note->name, note->asked, note->place, note->why);
}

struct looking {
	struct printer *p;
	struct buf lines; /* of what was found, for the next time */
	bool speaks;
};

/* A queue may be a printer of several clouds. */
static bool is_first_of_queue(const struct printer *p)
{
	const struct printer *first = p->core->printers;

	while (strcmp(first->record.queue, p->record.queue) != 0)
		first = first->next;
	return first == p;
}

static void on_lost(void *data, const struct ticket_note *note)
{
	struct looking *looking = data;
	struct printer *p = looking->p;
	const struct log_about about = { .queue = p->record.queue,
		                         .message_id = message_id(MESSAGE_DEFAULT_LOST) };
	char line[LINE_SIZE];

	line_of(p, note, line, sizeof(line));
	(void)buf_printf(&looking->lines, "%s\n", line);
	if (!looking->speaks || (p->lost_defaults && strstr(p->lost_defaults, line)))
		return;
	log_event(LOG_LEVEL_WARNING, &about,
	          "%s; change that line, or map the value to an option of its driver "
	          "(man print-connector-mapping)",
	          line);
}

void defaults_look(struct printer *p)
{
	const struct queue_ops *ops = p->core->set.queue_ops;
	struct attrs *can = ops->capabilities(p->queue);
	struct looking looking = { .p = p };

	if (!can || can == p->looked_at)
		return;
	attrs_unref(p->looked_at);
	p->looked_at = attrs_ref(can);
	looking.speaks = is_first_of_queue(p);
	buf_init(&looking.lines, LINES_SIZE);
	ops->defaults(p->queue, on_lost, &looking);
	free(p->lost_defaults);
	p->lost_defaults = looking.lines.len ? xstrdup(buf_text(&looking.lines)) : NULL;
	buf_clear(&looking.lines);
}

void defaults_forget(struct printer *p)
{
	attrs_unref(TAKE(p->looked_at));
	free(TAKE(p->lost_defaults));
}

struct counting {
	const struct printer *p;
	size_t count;
	char *text;
};

static void on_counted(void *data, const struct ticket_note *note)
{
	struct counting *counting = data;
	char line[LINE_SIZE];

	if (counting->count++)
		return;
	line_of(counting->p, note, line, sizeof(line));
	(void)snprintf(counting->text, TEXT_SIZE, "%.*s", TEXT_SIZE - 1, line);
}

size_t defaults_count(const struct printer *p, char text[static TEXT_SIZE])
{
	struct counting counting = { .p = p, .text = text };

	p->core->set.queue_ops->defaults(p->queue, on_counted, &counting);
	return counting.count;
}
