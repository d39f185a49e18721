/* replay.c - runs a fuzz target over the files of its corpus, without libFuzzer:
 * replay FOLDER|FILE... ; exit 1 when there was nothing to run. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data = malloc(INPUT_MAX), *exact;
	size_t len;

	if (!f || !data) {
		(void)fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	len = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	exact = realloc(data, len ? len : 1); /* so that reading beyond the end is seen */
	if (exact)
		(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 1;
}

static int run_path(const char *path)
{
	struct stat st;
	struct dirent *entry;
	char name[4096];
	int count = 0;
	DIR *dir;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count += run_file(name);
	}
	if (dir)
		(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		count += run_path(argv[i]);
	(void)printf("%d inputs\n", count);
	return count ? 0 : 1;
}
