/* fuzz_driver_grey.c - a PPD, behind a byte that says how long the pieces are in which it comes:
 * the same is found however it is cut. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "connector/printer/driver_grey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct driver_grey_reader whole = { .len = 0 }, pieces = { .len = 0 };
	size_t piece = size > 0 ? data[0] + 1u : 1;
	const char *ppd = (const char *)data + (size > 0);
	size_t len = size - (size > 0);
	struct driver_grey one, other;

	driver_grey_feed(&whole, ppd, len);
	for (size_t at = 0; at < len; at += piece)
		driver_grey_feed(&pieces, ppd + at, piece < len - at ? piece : len - at);
	one = driver_grey_end(&whole);
	other = driver_grey_end(&pieces);
	assert(one.known && one.able == other.able && one.words == other.words);
	assert(one.able || one.words == 0);
	return 0;
}
