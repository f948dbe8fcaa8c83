#include "config.h"

#include "p2p/handshake.h"

#include "base/hex.h"
#include "p2p/message.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash chain = {{9}};
static const struct hash other_chain = {{8}};

/* One end, and the bytes it wants to send. */
struct end {
    struct key *key;
    struct handshake *handshake;
    struct buf out;
};

#define ALICE_INSTANCE UINT64_C(0x0102030405060708)
#define BOB_INSTANCE   UINT64_C(0xfffefdfcfbfaf9f8)

static struct key *make_key(uint8_t mark)
{
    uint8_t seed[32];
    memset(seed, mark, sizeof(seed));
    return key_from_seed(seed);
}

static void end_init(struct end *end, uint8_t mark, const char *moniker,
                     const struct hash *of, const struct public_key *expected)
{
    uint8_t ephemeral[32];
    memset(ephemeral, 17 * mark, sizeof(ephemeral));
    end->key = make_key(mark);
    buf_init(&end->out, HANDSHAKE_OUTPUT_MAX);
    struct handshake_config config = {
        .chain = *of,
        .key = end->key,
        .instance = mark == 1 ? ALICE_INSTANCE : BOB_INSTANCE,
        .moniker = moniker,
        .expected = expected,
        .ephemeral = ephemeral,
    };
    end->handshake = handshake_new(&config, &end->out);
}

static void end_fini(struct end *end)
{
    handshake_free(end->handshake);
    buf_fini(&end->out);
    key_free(end->key);
}

/* Alice and Bob, who expect nobody in particular. */
static void both_init(struct end *a, struct end *b)
{
    end_init(a, 1, "alice", &chain, NULL);
    end_init(b, 2, "bob", &chain, NULL);
}

static void both_fini(struct end *a, struct end *b)
{
    end_fini(a);
    end_fini(b);
}

/* Hands all that `from` wants to send to `to`. */
static enum reason deliver(struct end *to, struct end *from)
{
    enum reason reason = handshake_input(to->handshake, &to->out,
                                         from->out.data, from->out.size);
    buf_clear(&from->out);
    return reason;
}

/* Both hellos arrive; each has its AUTH in out then. */
static void exchange_hellos(struct end *a, struct end *b)
{
    struct buf hello;
    buf_init(&hello, HANDSHAKE_OUTPUT_MAX);
    buf_append(&hello, b->out.data, b->out.size);
    buf_clear(&b->out);
    assert_int_equal(deliver(b, a), REASON_NONE);
    assert_int_equal(
        handshake_input(a->handshake, &a->out, hello.data, hello.size),
        REASON_NONE);
    assert_true(a->out.size > 0);
    buf_fini(&hello);
}

static void two_strangers_get_to_know_each_other(void **state)
{
    struct end a;
    struct end b;
    (void)state;
    end_init(&a, 1, "alice", &chain, NULL);
    end_init(&b, 2, "bob", &chain, key_public(a.key));
    exchange_hellos(&a, &b);
    assert_null(handshake_peer(a.handshake));
    assert_int_equal(deliver(&a, &b), REASON_NONE);
    assert_int_equal(deliver(&b, &a), REASON_NONE);
    assert_true(handshake_is_done(a.handshake));
    assert_true(handshake_is_done(b.handshake));
    assert_true(
        public_key_equal(handshake_peer(a.handshake), key_public(b.key)));
    assert_string_equal(handshake_moniker(a.handshake), "bob");
    assert_string_equal(handshake_moniker(b.handshake), "alice");
    assert_true(handshake_instance(a.handshake) == BOB_INSTANCE);
    assert_true(handshake_instance(b.handshake) == ALICE_INSTANCE);
    both_fini(&a, &b);
}

static void what_follows_is_encrypted_both_ways(void **state)
{
    struct end a;
    struct end b;
    struct frame_cipher a_out;
    struct frame_cipher b_out;
    struct frame_reader a_in;
    struct frame_reader b_in;
    struct frame frame;
    struct buf wire;
    (void)state;
    both_init(&a, &b);
    exchange_hellos(&a, &b);
    assert_int_equal(deliver(&a, &b), REASON_NONE);
    /* Alice is done and sends a frame along with her AUTH. */
    handshake_take(a.handshake, &a_out, &a_in);
    frame_seal(&a_out, &a.out, MESSAGE_TX, "hi", 2);
    assert_int_equal(deliver(&b, &a), REASON_NONE);
    handshake_take(b.handshake, &b_out, &b_in);
    assert_int_equal(frame_reader_next(&b_in, &frame), REASON_NONE);
    assert_non_null(frame.body);
    assert_memory_equal(frame.body, "hi", 2);
    buf_init(&wire, 100);
    frame_seal(&b_out, &wire, MESSAGE_TX, "yo", 2);
    frame_reader_feed(&a_in, wire.data, wire.size);
    assert_int_equal(frame_reader_next(&a_in, &frame), REASON_NONE);
    assert_memory_equal(frame.body, "yo", 2);
    assert_memory_not_equal(a_out.key, b_out.key, FRAME_KEY_SIZE);
    buf_fini(&wire);
    frame_reader_fini(&a_in);
    frame_reader_fini(&b_in);
    both_fini(&a, &b);
}

/* Made from the text of p2p/handshake.h by a separate implementation of
 * X25519, Ed25519, BLAKE2b and ChaCha20-Poly1305: chain 09 and zeros; alice
 * with node seed 01.., ephemeral secret 11.. and instance 0102030405060708,
 * bob with 02.., 22.. and fffefdfcfbfaf9f8. */
static const char alice_hello[] =
    "504f543101007e58499259f2be857b4e909bbe7ffe44c465a220037d608ee358"
    "97d31ef972f07f74892cb0f73f13";
static const char bob_hello[] =
    "504f543101007e58499259f2be850faa684ed28867b97f4a6a2dee5df8ce974e"
    "76b7018e3f22a1c4cf2678570f20";
static const char alice_auth[] =
    "7f000000e8d679e9232865437c98ddee037195391e3262d717535862be42955b"
    "19951473d3251e96ce0ae0614bdc4e086bcd17f556464a11ac875ea7371debf3"
    "0e544b73b363bad404182ec5503e561b8390c8757ab56e32c9f28f8d708a5c7e"
    "4cf2c3bfdc905debbeb08a60854bfab155c3c335cfc4cdf94332f92b913f6b94"
    "1f0ae3";
static const char bob_auth[] =
    "7d0000000bcb7abb5a6d15549d4c093287475ac7fe3af3d6e55e81704090d4f6"
    "623a5c9f5d6e41329a7c288a8eda23a964ccb68c702145f714308a9ba1de6394"
    "c00c6f2cb8877e0c5526ce1a5fb747091d4710de394863b93e489699cc7431d9"
    "c5558af86d6973f073de9890c5fc539fba29766f1f50b8df5429c968957a0131"
    "28";

static void expect_hex(const struct buf *buf, const char *expected)
{
    char text[2 * HANDSHAKE_OUTPUT_MAX + 1];
    hex_format(text, buf->data, buf->size);
    assert_string_equal(text, expected);
}

static void fixed_keys_give_the_known_bytes(void **state)
{
    struct end a;
    struct end b;
    (void)state;
    both_init(&a, &b);
    expect_hex(&a.out, alice_hello);
    expect_hex(&b.out, bob_hello);
    exchange_hellos(&a, &b);
    expect_hex(&a.out, alice_auth);
    expect_hex(&b.out, bob_auth);
    both_fini(&a, &b);
}

static void bytes_may_come_one_by_one(void **state)
{
    struct end a;
    struct end b;
    (void)state;
    both_init(&a, &b);
    for (int turn = 0; turn < 2; turn++) {
        struct buf from_a = a.out;
        struct buf from_b = b.out;
        buf_init(&a.out, HANDSHAKE_OUTPUT_MAX);
        buf_init(&b.out, HANDSHAKE_OUTPUT_MAX);
        for (size_t i = 0; i < from_a.size; i++) {
            assert_int_equal(
                handshake_input(b.handshake, &b.out, from_a.data + i, 1),
                REASON_NONE);
        }
        for (size_t i = 0; i < from_b.size; i++) {
            assert_int_equal(
                handshake_input(a.handshake, &a.out, from_b.data + i, 1),
                REASON_NONE);
        }
        buf_fini(&from_a);
        buf_fini(&from_b);
    }
    assert_true(handshake_is_done(a.handshake));
    assert_true(handshake_is_done(b.handshake));
    both_fini(&a, &b);
}

/* Runs a whole handshake in which byte `index` of what alice sends is
 * changed; bob never takes her for a peer. */
static void run_with_flip(size_t index, uint8_t flip)
{
    struct end a;
    struct end b;
    both_init(&a, &b);
    size_t hello = a.out.size;
    if (index < hello) {
        a.out.data[index] ^= flip;
    }
    struct buf bob_hello_bytes = b.out;
    buf_init(&b.out, HANDSHAKE_OUTPUT_MAX);
    enum reason reason = deliver(&b, &a);
    enum reason at_a = handshake_input(
        a.handshake, &a.out, bob_hello_bytes.data, bob_hello_bytes.size);
    assert_int_equal(at_a, REASON_NONE);
    if (reason == REASON_NONE) {
        if (index >= hello) {
            a.out.data[index - hello] ^= flip;
        }
        reason = deliver(&b, &a);
    }
    assert_false(handshake_is_done(b.handshake));
    assert_null(handshake_peer(b.handshake));
    if (reason == REASON_NONE) {
        /* Only a size that grew: bob still waits. */
        assert_true(index >= hello && index < hello + FRAME_HEADER_SIZE);
    }
    buf_fini(&bob_hello_bytes);
    both_fini(&a, &b);
}

static void every_changed_byte_is_refused(void **state)
{
    size_t size = sizeof(alice_hello) / 2 + sizeof(alice_auth) / 2;
    (void)state;
    for (size_t i = 0; i < size; i++) {
        run_with_flip(i, 1);
        run_with_flip(i, 0x40);
    }
}

static enum reason refusal_of(const void *hello, size_t size)
{
    struct end a;
    end_init(&a, 1, "alice", &chain, NULL);
    buf_clear(&a.out);
    enum reason reason = handshake_input(a.handshake, &a.out, hello, size);
    assert_int_equal(a.out.size, 0); /* nothing is answered */
    end_fini(&a);
    return reason;
}

static void the_own_hello_sent_back_is_refused(void **state)
{
    struct end a;
    (void)state;
    end_init(&a, 1, "alice", &chain, NULL);
    assert_int_equal(refusal_of(a.out.data, a.out.size), REASON_REFLECTED);
    end_fini(&a);
}

static void low_order_points_are_refused(void **state)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
        struct end b;
        end_init(&b, 2, "bob", &chain, NULL);
        uint8_t *point = b.out.data + HANDSHAKE_HELLO_SIZE - 32;
        assert_int_equal(hex_parse(point, 32, points[i]), POT_OK);
        assert_int_equal(refusal_of(b.out.data, b.out.size), REASON_LOW_ORDER);
        end_fini(&b);
    }
}

static void another_chain_version_or_protocol_is_told_apart(void **state)
{
    struct end b;
    (void)state;
    end_init(&b, 2, "bob", &other_chain, NULL);
    assert_int_equal(refusal_of(b.out.data, b.out.size), REASON_CHAIN);
    end_fini(&b);
    end_init(&b, 2, "bob", &chain, NULL);
    b.out.data[4]++;
    assert_int_equal(refusal_of(b.out.data, b.out.size), REASON_VERSION);
    end_fini(&b);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\n", 16), REASON_NOT_OURS);
    assert_int_equal(refusal_of("X", 1), REASON_NOT_OURS);
}

/* The mark is only a courtesy: when it is forged, the keys still differ. */
static void the_chain_id_is_in_the_keys(void **state)
{
    struct end a;
    struct end b;
    uint8_t mark[2][8];
    (void)state;
    end_init(&a, 1, "alice", &chain, NULL);
    end_init(&b, 2, "bob", &other_chain, NULL);
    memcpy(mark[0], a.out.data + 6, 8);
    memcpy(mark[1], b.out.data + 6, 8);
    memcpy(a.out.data + 6, mark[1], 8);
    memcpy(b.out.data + 6, mark[0], 8);
    exchange_hellos(&a, &b);
    assert_int_equal(deliver(&a, &b), REASON_FORGED);
    both_fini(&a, &b);
}

static void another_key_than_expected_is_refused_and_shown(void **state)
{
    struct public_key expected = {{7}};
    struct end a;
    struct end b;
    (void)state;
    end_init(&a, 1, "alice", &chain, &expected);
    end_init(&b, 2, "bob", &chain, NULL);
    exchange_hellos(&a, &b);
    assert_int_equal(deliver(&a, &b), REASON_WRONG_KEY);
    assert_true(
        public_key_equal(handshake_peer(a.handshake), key_public(b.key)));
    assert_false(handshake_is_done(a.handshake));
    both_fini(&a, &b);
}

static void a_node_does_not_talk_to_itself(void **state)
{
    struct end a;
    struct end b;
    (void)state;
    end_init(&a, 1, "alice", &chain, NULL);
    end_init(&b, 2, "alice", &chain, NULL);
    key_free(b.key);
    handshake_free(b.handshake);
    buf_clear(&b.out);
    b.key = make_key(1); /* as a has */
    struct handshake_config config = {
        .chain = chain, .key = b.key, .moniker = "alice"};
    b.handshake = handshake_new(&config, &b.out);
    exchange_hellos(&a, &b);
    assert_int_equal(deliver(&a, &b), REASON_SELF);
    both_fini(&a, &b);
}

/* Whoever recorded alice's side of a handshake cannot be alice later. */
static void a_recorded_handshake_is_worth_nothing(void **state)
{
    struct end a;
    struct end b;
    struct end later;
    struct buf hello;
    struct buf auth;
    (void)state;
    buf_init(&hello, HANDSHAKE_OUTPUT_MAX);
    buf_init(&auth, HANDSHAKE_OUTPUT_MAX);
    both_init(&a, &b);
    buf_append(&hello, a.out.data, a.out.size);
    exchange_hellos(&a, &b);
    buf_append(&auth, a.out.data, a.out.size);
    end_init(&later, 3, "bob", &chain, NULL); /* another ephemeral key */
    assert_int_equal(
        handshake_input(later.handshake, &later.out, hello.data, hello.size),
        REASON_NONE);
    assert_int_equal(
        handshake_input(later.handshake, &later.out, auth.data, auth.size),
        REASON_FORGED);
    buf_fini(&hello);
    buf_fini(&auth);
    both_fini(&a, &b);
    end_fini(&later);
}

/* Bob's own AUTH, sent back to him, is under the other direction's key. */
static void an_auth_sent_back_is_refused(void **state)
{
    struct end a;
    struct end b;
    struct buf own;
    (void)state;
    both_init(&a, &b);
    exchange_hellos(&a, &b);
    buf_init(&own, HANDSHAKE_OUTPUT_MAX);
    buf_append(&own, b.out.data, b.out.size);
    assert_int_equal(handshake_input(b.handshake, &b.out, own.data, own.size),
                     REASON_FORGED);
    buf_fini(&own);
    both_fini(&a, &b);
}

static void a_large_frame_before_auth_is_refused(void **state)
{
    static const uint8_t head[] = {0xfd, 3, 0, 0};
    struct end a;
    struct end b;
    (void)state;
    both_init(&a, &b);
    exchange_hellos(&a, &b);
    assert_int_equal(handshake_input(a.handshake, &a.out, head, sizeof(head)),
                     REASON_FRAME_SIZE);
    both_fini(&a, &b);
}

static void a_long_moniker_is_cut(void **state)
{
    char moniker[200];
    struct end a;
    struct end b;
    (void)state;
    memset(moniker, 'm', sizeof(moniker) - 1);
    moniker[sizeof(moniker) - 1] = '\0';
    end_init(&a, 1, moniker, &chain, NULL);
    end_init(&b, 2, "", &chain, NULL);
    exchange_hellos(&a, &b);
    assert_int_equal(deliver(&b, &a), REASON_NONE);
    assert_int_equal(deliver(&a, &b), REASON_NONE);
    assert_int_equal(strlen(handshake_moniker(b.handshake)), TX_TEXT_MAX);
    assert_string_equal(handshake_moniker(a.handshake), "");
    both_fini(&a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_strangers_get_to_know_each_other),
        cmocka_unit_test(what_follows_is_encrypted_both_ways),
        cmocka_unit_test(fixed_keys_give_the_known_bytes),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(the_own_hello_sent_back_is_refused),
        cmocka_unit_test(low_order_points_are_refused),
        cmocka_unit_test(another_chain_version_or_protocol_is_told_apart),
        cmocka_unit_test(the_chain_id_is_in_the_keys),
        cmocka_unit_test(another_key_than_expected_is_refused_and_shown),
        cmocka_unit_test(a_node_does_not_talk_to_itself),
        cmocka_unit_test(a_recorded_handshake_is_worth_nothing),
        cmocka_unit_test(an_auth_sent_back_is_refused),
        cmocka_unit_test(a_large_frame_before_auth_is_refused),
        cmocka_unit_test(a_long_moniker_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
