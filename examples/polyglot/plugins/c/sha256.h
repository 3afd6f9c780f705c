// SHA-256, as FIPS 180-4 has it.

#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} sha256_t;

void sha256_begin(sha256_t *sum);
void sha256_add(sha256_t *sum, const uint8_t *bytes, size_t length);
// Writes the sum as 64 digits and a NUL.
void sha256_end(sha256_t *sum, char digits[65]);

#endif
