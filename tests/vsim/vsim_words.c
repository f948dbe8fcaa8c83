/* Every frame passes frame_seal, in the clear: there it is counted, and the
 * votes in it are looked at. */
#include "config.h"

#include "tests/vsim/vsim_words.h"

#include "base/alloc.h"
#include "base/map.h"
#include "node/block/chain.h"
#include "node/block/replica.h"
#include "node/node_parts.h"
#include "p2p/frame.h"
#include "p2p/message.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "storage/sign_state.h"
#include "tests/vsim/vsim_disk.h"
#include "tests/vsim/vsim_world.h"

#include <inttypes.h>
#include <stdlib.h>

/* A signed word; phase 0 is a view change. */
struct word {
    uint64_t height;
    uint64_t view;
    uint32_t replica;
    int phase;
    struct hash digest;
};

static struct map words; /* where it was said: struct hash, its digest */

void vsim_words_init(void)
{
    words = (struct map){0};
}

void vsim_words_fini(void)
{
    map_fini_free(&words);
}

static void place_of(struct hash *out, const struct word *word)
{
    struct hasher h;
    hasher_init(&h, "word");
    hasher_add_u64(&h, word->height);
    hasher_add_u64(&h, word->view);
    hasher_add_u32(&h, word->replica);
    hasher_add_u32(&h, (uint32_t)word->phase);
    hasher_final(&h, out);
}

static void check_once(const struct word *word)
{
    struct hash place;
    place_of(&place, word);
    const struct hash *said = map_get(&words, place.b);
    if (said == NULL) {
        (void)map_put(&words, place.b,
                      pot_memdup(&word->digest, sizeof(word->digest)));
    } else if (!hash_equal(said, &word->digest)) {
        vsim_fail("replica %" PRIu32 " signed twice: height %" PRIu64
                  " view %" PRIu64 " phase %d",
                  word->replica, word->height, word->view, word->phase);
    }
}

static bool has_vote(const Pot__PbftRecord *record, const struct word *word)
{
    for (size_t i = 0; i < record->n_votes; i++) {
        if ((int)record->votes[i]->phase == word->phase &&
            codec_bytes_equal(record->votes[i]->digest, word->digest.b,
                              HASH_SIZE)) {
            return true;
        }
    }
    return word->phase == 0 && record->view_change != NULL &&
           record->view_change->view == word->view;
}

/* The first vote of a height, which the record of the one before lets go
 * ahead. */
static bool foresees(const Pot__PbftRecord *record, const struct word *word)
{
    return record->height + 1 == word->height &&
           word->view < record->next_views &&
           (word->phase == (int)POT__PHASE__PHASE_PRE_PREPARE ||
            word->phase == (int)POT__PHASE__PHASE_PREPARE);
}

/* It holds or foresees the word, or has left its height or its view behind. */
static bool record_knows(const struct node *node, const struct word *word)
{
    Pot__PbftRecord *record;
    size_t size;
    const void *data = sign_state_record(node->sign_state, &size);
    if (size == 0 ||
        CODEC_DECODE(&record, pot__pbft_record, data, size) != POT_OK) {
        return false;
    }
    bool is_behind =
        record->height > word->height ||
        (record->height == word->height && record->view > word->view);
    bool is_known = is_behind || foresees(record, word) ||
                    (record->height == word->height &&
                     record->view == word->view && has_vote(record, word));
    codec_free(record);
    return is_known;
}

static void check_durable(const struct vsim_node *node, const struct word *word)
{
    const struct pbft_status status = replica_status(node->node->replica);
    bool is_own =
        status.height == word->height && status.replica == word->replica;
    if (!is_own || chain_tip(node->node->chain)->height >= word->height) {
        return;
    }
    /* A save that failed leaves the record before it in the other slot. */
    bool is_synced =
        node->disk.has_refused || vsim_disk_is_synced(node, "sign_state");
    if (!record_knows(node->node, word) || !is_synced) {
        vsim_fail("node %" PRIu32 " sends what is not on its disk: height"
                  " %" PRIu64 " view %" PRIu64 " phase %d",
                  node->index, word->height, word->view, word->phase);
    }
}

static void check_word(const struct vsim_node *node, const struct word *word)
{
    check_once(word);
    if (node->node->replica != NULL && !node->node->is_stopping) {
        check_durable(node, word);
    }
}

static void check_vote(const struct vsim_node *node, const Pot__Vote *vote)
{
    struct word word = {
        vote->height, vote->view, vote->replica, (int)vote->phase, {{0}}};
    if (!codec_hash(&word.digest, vote->digest)) {
        vsim_fail("node %" PRIu32 " sends a malformed vote", node->index);
        return;
    }
    vsim_say(node->index, "votes: height %" PRIu64 " view %" PRIu64 " phase %d",
             word.height, word.view, word.phase);
    check_word(node, &word);
}

static void check_view_change(const struct vsim_node *node,
                              const Pot__ViewChange *change)
{
    struct word word = {
        change->height, change->view, change->replica, 0, {{0}}};
    size_t size;
    uint8_t *data = codec_encode(&size, change);
    hash_bytes(&word.digest, "view-change", data, size);
    free(data);
    vsim_mark(MARK_VIEW_CHANGE);
    vsim_say(node->index, "leaves a view: height %" PRIu64 " to view %" PRIu64,
             word.height, word.view);
    check_word(node, &word);
}

static void check_message(const struct vsim_node *node, const void *data,
                          size_t size)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, data, size) != POT_OK) {
        vsim_fail("node %" PRIu32 " sends what does not decode", node->index);
        return;
    }
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        check_vote(node, message->pre_prepare->vote);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        check_vote(node, message->prepare);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        check_vote(node, message->commit);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        check_view_change(node, message->view_change);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    codec_free(message);
}

/* What goes to several peers is looked at once. */
static void check_frame(struct vsim_node *node, uint8_t type, const void *body,
                        size_t size)
{
    struct hash hash;
    hash_bytes(&hash, "frame", body, size);
    vsim_trace_add(hash.b, HASH_SIZE);
    if (type == MESSAGE_BLOCKS) {
        vsim_mark(MARK_SYNCED);
    }
    if (type == MESSAGE_CONSENSUS && !hash_equal(&hash, &node->checked)) {
        node->checked = hash;
        check_message(node, body, size);
    }
}

void __real_frame_seal(struct frame_cipher *cipher, struct buf *out,
                       uint8_t type, const void *body, size_t size);
void __wrap_frame_seal(struct frame_cipher *cipher, struct buf *out,
                       uint8_t type, const void *body, size_t size);

void __wrap_frame_seal(struct frame_cipher *cipher, struct buf *out,
                       uint8_t type, const void *body, size_t size)
{
    struct vsim_node *node = &vsim.nodes[vsim.current];
    if (!node->disk.is_frozen && node->node != NULL) {
        vsim.counters.messages[type]++;
        vsim.counters.bytes[type] += size + FRAME_OVERHEAD;
        check_frame(node, type, body, size);
    }
    __real_frame_seal(cipher, out, type, body, size);
}
