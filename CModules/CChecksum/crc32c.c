#include "CChecksum.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#endif

static uint32_t table[256];

__attribute__((constructor(101))) static void fill_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[i] = c;
    }
}

uint32_t cio_crc32c_portable(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~seed;
    while (length--) c = (c >> 8) ^ table[(c ^ *p++) & 0xff];
    return ~c;
}

#if defined(__x86_64__)
// Three independent streams keep the 3-cycle instruction busy; their results are joined by
// carry-less multiplication with x^(8·n) mod P (Gopal et al., Intel 323405, 2011).
#define LANE 1360  // three lanes of 1360 bytes and 16 more are one 4 KiB block

static uint32_t shift_by_lane[2][4][256];  // [0]: by LANE bytes, [1]: by 2·LANE bytes

static uint32_t zeros(uint32_t c, size_t n) {
    while (n--) c = (c >> 8) ^ table[c & 0xff];
    return c;
}

__attribute__((constructor(102))) static void fill_shifts(void) {
    for (int k = 0; k < 2; k++) {
        // The shift is linear: compute it for each bit, then for each byte by addition.
        uint32_t bit[32];
        for (int b = 0; b < 32; b++) bit[b] = zeros(1u << b, (size_t)LANE * (k + 1));
        for (int byte = 0; byte < 4; byte++)
            for (int v = 0; v < 256; v++) {
                uint32_t sum = 0;
                for (int b = 0; b < 8; b++)
                    if (v >> b & 1) sum ^= bit[byte * 8 + b];
                shift_by_lane[k][byte][v] = sum;
            }
    }
}

static uint32_t shift(int k, uint32_t c) {
    return shift_by_lane[k][0][c & 0xff] ^ shift_by_lane[k][1][c >> 8 & 0xff] ^
           shift_by_lane[k][2][c >> 16 & 0xff] ^ shift_by_lane[k][3][c >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t seed, const void *bytes,
                                                              size_t length) {
    const uint8_t *p = bytes;
    uint64_t a = (uint32_t)~seed;
    while (length >= 3 * LANE) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            uint64_t x, y, z;
            memcpy(&x, p + i, 8);
            memcpy(&y, p + LANE + i, 8);
            memcpy(&z, p + 2 * LANE + i, 8);
            a = _mm_crc32_u64(a, x);
            b = _mm_crc32_u64(b, y);
            c = _mm_crc32_u64(c, z);
        }
        a = shift(1, (uint32_t)a) ^ shift(0, (uint32_t)b) ^ (uint32_t)c;
        p += 3 * LANE;
        length -= 3 * LANE;
    }
    while (length >= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        a = _mm_crc32_u64(a, x);
        p += 8;
        length -= 8;
    }
    while (length--) a = _mm_crc32_u8((uint32_t)a, *p++);
    return ~(uint32_t)a;
}
#endif

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
static uint32_t crc32c_arm(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~seed;
    while (length >= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        c = __crc32cd(c, x);
        p += 8;
        length -= 8;
    }
    while (length--) c = __crc32cb(c, *p++);
    return ~c;
}
#endif

uint32_t cio_crc32c(uint32_t seed, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(seed, bytes, length);
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
    return crc32c_arm(seed, bytes, length);
#endif
    return cio_crc32c_portable(seed, bytes, length);
}
