/* A body that opens as a group or as a word on one is well formed and packs to
 * the same bytes. */
#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/group.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const void *body, const uint8_t *data, size_t size)
{
    size_t again_size;
    uint8_t *again = codec_encode(&again_size, body);
    POT_ASSERT(again_size == size);
    POT_ASSERT(memcmp(again, data, size) == 0);
    free(again);
}

static void check_group(struct group *group, const uint8_t *data, size_t size)
{
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    size_t bytes = group->member_count * HASH_SIZE;
    POT_ASSERT(group->member_count >= GROUP_MEMBERS_MIN &&
               group->member_count <= ROSTER_MAX);
    for (size_t i = 0; i < group->member_count; i++) {
        size_t index;
        POT_ASSERT(group_find(&index, group, &group->members[i]) && index == i);
    }
    body.task = codec_bytes(group->task.b, HASH_SIZE);
    body.round = group->round;
    body.members = codec_bytes(group->members, bytes);
    body.root = codec_bytes(group->root.b, HASH_SIZE);
    body.sum_hash = codec_bytes(group->sum.b, HASH_SIZE);
    body.sum_bytes = group->sum_bytes;
    body.is_told = group->is_told;
    check_bytes(&body, data, size);
    group_fini(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[SIGNATURE_SIZE];
    struct group group;
    struct group_word word;
    Pot__Signed message = POT__SIGNED__INIT;
    message.body = codec_bytes(data, size);
    message.public_key = codec_bytes(zeros, PUBLIC_KEY_SIZE);
    message.signature = codec_bytes(zeros, SIGNATURE_SIZE);
    if (group_decode(&group, &message) == POT_OK) {
        check_group(&group, data, size);
    }
    if (group_word_decode(&word, &message) == POT_OK) {
        Pot__GroupWordBody body = POT__GROUP_WORD_BODY__INIT;
        body.task = codec_bytes(word.task.b, HASH_SIZE);
        body.round = word.round;
        body.group = codec_bytes(word.group.b, HASH_SIZE);
        body.is_right = word.is_right;
        check_bytes(&body, data, size);
    }
    return 0;
}
