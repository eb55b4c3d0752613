/* One stored block between gzip's header and trailer; see gzip.h. */
#include "testbed/gzip.h"

#include "base/check.h"

/* CRC-32 of RFC 1952, section 8, bit by bit. */
static uint32_t crc32_of(struct span bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.bytes; i++) {
        crc ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ UINT32_C(0xEDB88320) : crc >> 1;
    }
    return ~crc;
}

static void put_little(struct text *out, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        text_putc(out, (char)(number >> (8 * i) & 255));
}

void gzip_store(struct text *out, struct span body)
{
    static const char head[10] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
    check(body.bytes <= 65535);
    text_put(out, (struct span){.at = head, .bytes = sizeof head});
    text_putc(out, 1); /* the last block; stored */
    put_little(out, (uint32_t)body.bytes, 2);
    put_little(out, ~(uint32_t)body.bytes & 0xffff, 2);
    text_put(out, body);
    put_little(out, crc32_of(body), 4);
    put_little(out, (uint32_t)body.bytes, 4);
}
