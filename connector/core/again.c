/* again.c - printers in words of the command line: one of them, and how it is registered again as
 * it was. */
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/core/core_private.h"

static bool add(char *ret, size_t size, const char *text)
{
	size_t used = strlen(ret);

	return str_copy(ret + used, size - used, text) == 0;
}

static bool add_word(char *ret, size_t size, const char *option, const char *value)
{
	char word[URI_SIZE];

	return !value || !*value ||
	       (add(ret, size, option) && str_shell_word(value, word, sizeof(word)) &&
	        add(ret, size, word));
}

const char *record_words(const struct printer_record *r, bool several, char ret[static WORDS_SIZE])
{
	*ret = '\0';
	(void)add_word(ret, WORDS_SIZE, "", r->queue);
	(void)add_word(ret, WORDS_SIZE, " --cloud ", several ? r->cloud : NULL);
	return ret;
}

const char *printer_words(const struct printer *p, char ret[static WORDS_SIZE])
{
	unsigned same = 0;

	for (const struct printer *other = p->core->printers; other; other = other->next)
		same += strcmp(other->record.queue, p->record.queue) == 0;
	return record_words(&p->record, same > 1, ret);
}

bool core_again(const struct config *config, const struct printer_record *r, bool forget, char *ret,
                size_t size)
{
	const struct config_cloud *cloud = config_cloud(config, r->cloud);
	const char *named = config->n_clouds > 1 ? r->cloud : NULL;
	bool by_uri = cloud && cloud->type == CONFIG_CLOUD_IPP_INFRA && !*cloud->system_uri;

	*ret = '\0';
	return (!forget ||
	        (add_word(ret, size, "print-connector unregister ", r->queue) &&
	         add_word(ret, size, " --cloud ", named) && add(ret, size, " --yes; "))) &&
	       add_word(ret, size, "print-connector register ", r->queue) &&
	       add_word(ret, size, " --cloud ", named) &&
	       add_word(ret, size, " --cloud-uri ", by_uri ? r->cloud_uri : NULL) &&
	       add_word(ret, size, " --certificate ", r->certificate_file) &&
	       add_word(ret, size, " --key ", r->key_file) &&
	       add_word(ret, size, " --username ", r->username) &&
	       add_word(ret, size, " --password-file ", r->password_file);
}
