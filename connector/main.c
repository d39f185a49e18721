#include <string.h>

#include "connector/base/confine.h"
#include "connector/daemon.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], CONFINE_OPTION) == 0)
		return confine_main(argc - 2, argv + 2);
	return daemon_main(argc, argv);
}
