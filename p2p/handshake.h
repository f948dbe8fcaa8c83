/* handshake: two strangers become two known peers.  No sockets here: bytes
 * in, bytes out.
 *
 * Both sides send a hello at once:
 *
 *   "POT1" | u16 version | 8 bytes chain mark | 32 bytes ephemeral X25519 key
 *
 * From both hellos each derives, by role (the side with the lower ephemeral
 * key, the side with the higher one), the keys of the two directions and a
 * challenge; the chain id, the version, both ephemeral keys and the shared
 * secret enter.  Then each sends one frame (p2p/frame.h) of type AUTH:
 *
 *   32 node key | 64 signature over challenge | role | u64 instance |
 *   u8 size, moniker
 *
 * The instance tells two processes apart that have one key.
 *
 * so a handshake that was recorded, relayed, reflected or changed anywhere
 * ends in a refusal, and identities are seen by the other end only.  One
 * thread. */
#ifndef POT_P2P_HANDSHAKE_H
#define POT_P2P_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"
#include "p2p/frame.h"
#include "p2p/reason.h"

#define HANDSHAKE_MAGIC      "POT1"
#define HANDSHAKE_HELLO_SIZE 46
#define HANDSHAKE_OUTPUT_MAX 2048 /* all that one side sends */

struct handshake_config {
    struct hash chain;
    const struct key *key;             /* borrowed while the handshake lives */
    uint64_t instance;                 /* of this process, by lot */
    const char *moniker;               /* at most TX_TEXT_MAX bytes go out */
    const struct public_key *expected; /* NULL: anyone; copied */
    const uint8_t *ephemeral; /* 32 secret bytes; NULL: random, as it must be
                               * outside of tests */
};

struct handshake; /* in locked memory: p2p/handshake.c */

/* handshake_new: and the hello goes to the end of out. */
struct handshake *handshake_new(const struct handshake_config *config,
                                struct buf *out);

/* handshake_free: wipes and frees; NULL is fine. */
void handshake_free(struct handshake *handshake);

/* handshake_input: bytes as they came; what is to be sent is appended to out.
 *
 * Returns REASON_NONE, or why the other side is refused: close then.
 *         Done when handshake_is_done says so; bytes beyond the handshake
 *         are kept for handshake_take. */
POT_MUST_USE enum reason handshake_input(struct handshake *handshake,
                                         struct buf *out, const void *data,
                                         size_t size);

bool handshake_is_done(const struct handshake *handshake);

/* handshake_peer: who it is; also after REASON_WRONG_KEY and REASON_SELF,
 * otherwise NULL until done. */
const struct public_key *handshake_peer(const struct handshake *handshake);

/* handshake_moniker: what the other side calls itself; any bytes but NUL.
 * handshake_instance: which process with its key it is.  Done only. */
const char *handshake_moniker(const struct handshake *handshake);
uint64_t handshake_instance(const struct handshake *handshake);

/* handshake_take: what goes on after it; done only, once.  Both are
 * initialised and the caller's; the reader holds bytes that came early. */
void handshake_take(struct handshake *handshake, struct frame_cipher *sending,
                    struct frame_reader *receiving);

#endif
