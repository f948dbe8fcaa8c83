/* Any round update that decodes is applied to an open round, signatures
 * unchecked: unless accepted, the state stays byte-identical. */
#include "config.h"

#include "base/check.h"
#include "proto/codec.h"
#include "tests/unit/ledger_fixture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(struct fixture *f, const Pot__RoundUpdate *update,
                  bool is_certified)
{
    struct ledger_block block = fixture_block(f, 1);
    struct hash before;
    struct hash after;
    memory_state_digest(&before, &f->memory);
    enum round_verdict verdict = ledger_apply_round(
        &f->env, &block, update, (struct ledger_trust){is_certified, true});
    memory_state_digest(&after, &f->memory);
    POT_ASSERT(hash_equal(&before, &after) == (verdict != ROUND_ACCEPTED));
    fixture_check(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    Pot__RoundUpdate *update;
    if (CODEC_DECODE(&update, pot__round_update, data, size) != POT_OK) {
        return 0;
    }
    fixture_open(&f);
    fixture_spec(&spec, &f);
    fixture_start_task(&f, &spec, 600, 1, &task);
    f.height += f.params.round_blocks_max;
    ProtobufCBinaryData named = update->task;
    update->task = codec_bytes(task.b, HASH_SIZE);
    apply(&f, update, false);
    apply(&f, update, true);
    update->task = named;
    codec_free(update);
    fixture_close(&f);
    return 0;
}
