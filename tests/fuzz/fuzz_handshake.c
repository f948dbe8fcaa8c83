/* A handshake with whoever sends the input: as raw bytes, and as changes to
 * an honest one (offset, value, offset, value...).  Nobody but the honest one
 * is ever let in. */
#include "config.h"

#include "base/check.h"
#include "p2p/handshake.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of libsodium's: to map, lock and guard pages for each of five
 * handshakes an input took longer than the handshakes, and AddressSanitizer
 * watches the bounds of this memory closer. */
void *sodium_malloc(const size_t size)
{
    void *memory = malloc(size);
    POT_ASSERT(memory != NULL);
    memset(memory, 0xdb, size); /* as libsodium does */
    return memory;
}

void sodium_free(void *memory)
{
    free(memory);
}

static struct handshake *begin(struct buf *out, const struct key *key,
                               uint8_t mark)
{
    uint8_t ephemeral[32];
    memset(ephemeral, mark, sizeof(ephemeral));
    struct handshake_config config = {
        .key = key, .moniker = "fuzz", .ephemeral = ephemeral};
    buf_init(out, HANDSHAKE_OUTPUT_MAX);
    return handshake_new(&config, out);
}

static const struct key *fixed_key(unsigned index)
{
    static struct key *keys[2];
    uint8_t seed[32] = {(uint8_t)(index + 1)};
    if (keys[index] == NULL) {
        keys[index] = key_from_seed(seed);
    }
    return keys[index];
}

static void meet_foreign(const uint8_t *data, size_t size)
{
    struct buf out;
    struct handshake *h = begin(&out, fixed_key(0), 1);
    enum reason reason = REASON_NONE;
    while (size > 0 && reason == REASON_NONE) {
        size_t feed = 1 + data[0] % 64;
        feed = feed < size ? feed : size;
        reason = handshake_input(h, &out, data, feed);
        POT_ASSERT(!handshake_is_done(h));
        POT_ASSERT(handshake_peer(h) == NULL);
        data += feed;
        size -= feed;
    }
    handshake_free(h);
    buf_fini(&out);
}

/* Changes some bytes as the input says and says whether any differs. */
static bool change(struct buf *bytes, const uint8_t *data, size_t size)
{
    uint8_t before[HANDSHAKE_OUTPUT_MAX];
    memcpy(before, bytes->data, bytes->size);
    for (size_t i = 0; i + 1 < size && i < 8; i += 2) {
        bytes->data[data[i] % bytes->size] ^= data[i + 1];
    }
    return memcmp(before, bytes->data, bytes->size) != 0;
}

/* Alice meets Bob; the input changes his hello or his AUTH. */
static void meet_changed(const uint8_t *data, size_t size, bool is_hello)
{
    struct buf a_out;
    struct buf b_out;
    struct handshake *a = begin(&a_out, fixed_key(0), 1);
    struct handshake *b = begin(&b_out, fixed_key(1), 2);
    struct buf hello = b_out;
    buf_init(&b_out, HANDSHAKE_OUTPUT_MAX);
    bool is_changed = is_hello && change(&hello, data, size);
    POT_ASSERT(handshake_input(b, &b_out, a_out.data, a_out.size) ==
               REASON_NONE);
    is_changed = (!is_hello && change(&b_out, data, size)) || is_changed;
    enum reason reason = handshake_input(a, &a_out, hello.data, hello.size);
    if (reason == REASON_NONE) {
        reason = handshake_input(a, &a_out, b_out.data, b_out.size);
    }
    POT_ASSERT(handshake_is_done(a) == !is_changed);
    POT_ASSERT(is_changed || reason == REASON_NONE);
    handshake_free(a);
    handshake_free(b);
    buf_fini(&hello);
    buf_fini(&a_out);
    buf_fini(&b_out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    meet_foreign(data, size);
    meet_changed(data, size, true);
    meet_changed(data, size, false);
    return 0;
}
