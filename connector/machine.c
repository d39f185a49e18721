#include "connector/machine.h"

#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"

#define DIGITS_MIN 32 /* hexadecimal, machine-id(5) */

int machine_id(char ret[static MACHINE_SIZE], struct err *err)
{
	static const char *const files[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };
	AUTO(buf_clear) struct buf id;

	buf_init(&id, MACHINE_SIZE - 1);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		buf_clear(&id);
		if (fs_read_linked(files[i], MACHINE_SIZE - 1, &id, err) < 0)
			continue;
		(void)str_copy(ret, MACHINE_SIZE, buf_text(&id));
		ret[strcspn(ret, "\n")] = '\0';
		if (strlen(ret) >= DIGITS_MIN)
			return 0;
		(void)err_set(err, ERR_CORRUPT, 0, "%s has no machine id", files[i]);
	}
	return err_wrap(err, "systemd-machine-id-setup makes what is missing");
}
