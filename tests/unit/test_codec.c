#include "config.h"

#include "proto/codec.h"

#include "base/alloc.h"
#include "proto/chain.pb-c.h"
#include "proto/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash chain = {{1}};

static Pot__Signed *make_transfer(uint64_t amount)
{
    uint8_t seed[32] = {7};
    struct key *key = key_from_seed(seed);
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    transfer.to = codec_bytes(seed, 32);
    transfer.amount = amount;
    Pot__TxBody body = POT__TX_BODY__INIT;
    body.chain_id = codec_bytes(chain.b, HASH_SIZE);
    body.nonce = 3;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    Pot__Signed *tx = signed_make(SIGNED_TX, &chain, key, &body);
    key_free(key);
    return tx;
}

static void signed_message_survives_a_round_trip(void **state)
{
    (void)state;
    size_t size;
    Pot__Signed *tx = make_transfer(5);
    uint8_t *data = codec_encode(&size, tx);
    Pot__Signed *again;
    assert_int_equal(CODEC_DECODE(&again, pot__signed, data, size), POT_OK);
    assert_true(signed_verify(SIGNED_TX, &chain, again));
    assert_false(signed_verify(SIGNED_ATTESTATION, &chain, again));
    struct hash a;
    struct hash b;
    signed_hash(&a, SIGNED_TX, tx);
    signed_hash(&b, SIGNED_TX, again);
    assert_true(hash_equal(&a, &b));
    again->body.data[again->body.len - 1] ^= 1;
    assert_false(signed_verify(SIGNED_TX, &chain, again));
    codec_free(again);
    codec_free(tx);
    free(data);
}

static void a_transaction_is_opened_for_what_it_does(void **state)
{
    (void)state;
    Pot__Signed *tx = make_transfer(5);
    Pot__TxBody *body = signed_tx_of(tx, POT__TX_BODY__ACTION_TRANSFER);
    assert_non_null(body);
    assert_int_equal(body->transfer->amount, 5);
    codec_free(body);
    assert_null(signed_tx_of(tx, POT__TX_BODY__ACTION_STAKE));
    for (size_t size = 0; size < tx->body.len; size++) {
        Pot__Signed cut = *tx;
        cut.body.len = size;
        assert_null(signed_tx_of(&cut, POT__TX_BODY__ACTION_TRANSFER));
    }
    codec_free(tx);
}

/* Nothing but its own tag at the top is a field: not the same bytes within
 * another, nor behind what cannot be skipped. */
static void a_field_is_found_by_its_tag(void **state)
{
    (void)state;
    const uint8_t all[] = {8,  150, 1,        /* 1: varint */
                           17, 1,   2,  3, 4, /* 2: fixed64 */
                           5,  6,   7,  8,    /**/
                           26, 2,   40, 1,    /* 3: bytes: a field 5 */
                           37, 1,   2,  3, 4, /* 4: fixed32 */
                           50, 0};            /* 6: bytes, none */
    for (uint32_t number = 0; number < 8; number++) {
        bool is_there = number > 0 && number != 5 && number < 7;
        assert_int_equal(codec_has_field(all, sizeof(all), number), is_there);
    }
    const uint8_t group[] = {11, 16, 1}; /* 1: no wire type of ours; 2 */
    assert_false(codec_has_field(group, sizeof(group), 2));
    const uint8_t far[] = {
        10,  255, 255, 255, 255, 255, 255,
        255, 255, 255, 1,   16,  1}; /* 1: longer than all; 2 */
    assert_false(codec_has_field(far, sizeof(far), 2));
    assert_false(codec_has_field(NULL, 0, 1));
}

static void no_truncation_passes_for_a_signed_message(void **state)
{
    (void)state;
    size_t size;
    Pot__Signed *tx = make_transfer(5);
    uint8_t *data = codec_encode(&size, tx);
    for (size_t cut = 1; cut < size; cut++) {
        Pot__Signed *again;
        enum pot_err err = CODEC_DECODE(&again, pot__signed, data, cut);
        /* A cut between two fields is a message too, with no signature. */
        if (err == POT_OK) {
            assert_false(signed_verify(SIGNED_TX, &chain, again));
            codec_free(again);
        }
    }
    codec_free(tx);
    free(data);
}

static void other_encodings_of_a_message_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t data[8];
        size_t size;
    } cases[] = {
        {"a default written out", {0x10, 0x00}, 2},
        {"a varint with a needless byte", {0x10, 0x85, 0x00}, 3},
        {"fields out of order", {0x10, 0x05, 0x0a, 0x01, 0x01}, 5},
        {"a field twice", {0x10, 0x05, 0x10, 0x05}, 4},
        {"an unknown field", {0x78, 0x01}, 2},
        {"the wrong wire type", {0x15, 1, 0, 0, 0}, 5},
        {"an endless varint", {255, 255, 255, 255, 255, 255, 255, 255}, 8},
        {"a length beyond the end", {0x0a, 0x7f, 1}, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ProtobufCMessage *out;
        enum pot_err err = codec_decode(&out, &pot__transfer__descriptor,
                                        cases[i].data, cases[i].size);
        if (err != POT_EFORMAT) {
            fail_msg("%s: %s", cases[i].what, err_text(err));
        }
        assert_null(out);
    }
}

static void amplification_is_capped(void **state)
{
    (void)state;
    /* Block.txs: 1 MiB of empty sub-messages, "12 00" each. */
    size_t size = 1 << 20;
    uint8_t *data = pot_alloc(size);
    for (size_t i = 0; i < size; i += 2) {
        data[i] = 0x12;
        data[i + 1] = 0x00;
    }
    ProtobufCMessage *out;
    assert_int_equal(codec_decode(&out, &pot__block__descriptor, data, size),
                     POT_ELIMIT);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_message_survives_a_round_trip),
        cmocka_unit_test(a_transaction_is_opened_for_what_it_does),
        cmocka_unit_test(a_field_is_found_by_its_tag),
        cmocka_unit_test(no_truncation_passes_for_a_signed_message),
        cmocka_unit_test(other_encodings_of_a_message_are_refused),
        cmocka_unit_test(amplification_is_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
