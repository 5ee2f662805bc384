// CRC32C (Castagnoli, RFC 3720 appendix B.4), by the SSE4.2 instruction where there is one.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The CRC32C of `length` bytes; `seed` is the CRC of what came before, 0 at the start.
uint32_t cio_crc32c(uint32_t seed, const void *bytes, size_t length);
// The same by table: for machines without the instruction, and to check the other one.
uint32_t cio_crc32c_portable(uint32_t seed, const void *bytes, size_t length);
