/* Blocks that the store has not synced, in the record of what was signed: what
 * a node gets back of them when the store lost them. */
#include "config.h"

#include "node/block/decided.h"

#include "base/alloc.h"
#include "consensus/pbft.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "storage/store.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKS     4
#define RECORD_MAX ((size_t)1 << 20)

struct fixture {
    struct chain_fixture chain;
    struct shared_block *blocks[BLOCKS + 1]; /* by height */
    struct decided decided;
    struct buf record;
};

/* The first one is synced, as all that is held is released behind it. */
static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    chain_fixture_open(&f->chain);
    buf_init(&f->record, RECORD_MAX);
    for (uint64_t i = 1; i <= BLOCKS; i++) {
        Pot__Signed *tx = chain_fixture_pay(&f->chain, i - 1, i);
        f->blocks[i] = shared_block_ref(chain_fixture_propose(&f->chain, tx));
        if (chain_fixture_apply(&f->chain, f->blocks[i]) != POT_OK) {
            return 1;
        }
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 1; i <= BLOCKS; i++) {
        shared_block_unref(f->blocks[i]);
    }
    buf_fini(&f->decided.bytes);
    buf_fini(&f->record);
    chain_fixture_close(&f->chain);
    free(f);
    return 0;
}

static enum pot_err append(struct fixture *f)
{
    buf_clear(&f->record);
    return decided_append(&f->decided, &f->record, f->chain.holdings.store);
}

static Pot__PbftRecord *opened(const struct fixture *f)
{
    Pot__PbftRecord *record;
    assert_int_equal(
        CODEC_DECODE(&record, pot__pbft_record, f->record.data, f->record.size),
        POT_OK);
    return record;
}

/* What it becomes of a changed one. */
static void encode(struct fixture *f, Pot__PbftRecord *record)
{
    size_t size;
    uint8_t *data = codec_encode(&size, record);
    buf_clear(&f->record);
    buf_append(&f->record, data, size);
    free(data);
    codec_free(record);
}

/* The store is gone; it gets the first block, and the record's. */
static uint64_t height_restored(struct fixture *f)
{
    chain_fixture_lose(&f->chain);
    assert_int_equal(chain_fixture_apply(&f->chain, f->blocks[1]), POT_OK);
    assert_int_equal(
        chain_restore(f->chain.chain, f->record.data, f->record.size), POT_OK);
    return chain_tip(f->chain.chain)->height;
}

static void a_record_has_what_is_not_synced(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_unsynced(f->chain.holdings.store, NULL), BLOCKS - 1);
    assert_int_equal(append(f), POT_OK);
    Pot__PbftRecord *record = opened(f);
    assert_int_equal(record->n_decided, BLOCKS - 1);
    for (size_t i = 0; i < record->n_decided; i++) {
        const struct shared_block *block = f->blocks[i + 2];
        assert_true(codec_bytes_equal(record->decided[i]->block, block->data,
                                      block->size));
    }
    codec_free(record);
}

static void what_is_synced_is_in_it_no_more(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append(f), POT_OK);
    assert_int_equal(store_sync(f->chain.holdings.store), POT_OK);
    assert_int_equal(append(f), POT_OK);
    assert_int_equal(f->record.size, 0);
    assert_int_equal(
        chain_fixture_apply(&f->chain, chain_fixture_propose(&f->chain, NULL)),
        POT_OK);
    assert_int_equal(append(f), POT_OK);
    Pot__PbftRecord *record = opened(f);
    assert_int_equal(record->n_decided, 1);
    codec_free(record);
}

static void a_store_that_lost_them_gets_them_back(void **state)
{
    struct fixture *f = *state;
    const struct hash hash = chain_tip(f->chain.chain)->hash;
    struct hash stored;
    assert_int_equal(append(f), POT_OK);
    assert_int_equal(height_restored(f), BLOCKS);
    assert_true(hash_equal(&chain_tip(f->chain.chain)->hash, &hash));
    assert_int_equal(store_unsynced(f->chain.holdings.store, NULL), 0);
    chain_fixture_restart(&f->chain);
    assert_true(store_tip(f->chain.holdings.store, NULL, &stored, NULL));
    assert_true(hash_equal(&stored, &hash));
}

static void who_has_them_takes_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append(f), POT_OK);
    assert_int_equal(
        chain_restore(f->chain.chain, f->record.data, f->record.size), POT_OK);
    assert_int_equal(chain_tip(f->chain.chain)->height, BLOCKS);
}

static void behind_a_gap_none_is_taken(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append(f), POT_OK);
    Pot__PbftRecord *record = opened(f);
    Pot__DecidedBlock *first = record->decided[0];
    record->decided[0] = record->decided[1];
    record->decided[1] = first;
    encode(f, record);
    assert_int_equal(height_restored(f), 1);
}

static void a_wrong_certificate_ends_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append(f), POT_OK);
    Pot__PbftRecord *record = opened(f);
    ProtobufCBinaryData *certificate = &record->decided[1]->certificate;
    certificate->data[certificate->len - 1] ^= 1; /* in the signature */
    encode(f, record);
    assert_int_equal(height_restored(f), 2);
}

static void what_is_no_record_gives_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append(f), POT_OK);
    f->record.size /= 2;
    assert_int_equal(height_restored(f), 1);
    buf_clear(&f->record);
    assert_int_equal(height_restored(f), 1);
}

/* As `potctl recover` writes one. */
static void another_record_takes_them_over(void **state)
{
    struct fixture *f = *state;
    size_t bare_size;
    size_t size;
    assert_int_equal(append(f), POT_OK);
    uint8_t *bare = pbft_recovering_record(&bare_size);
    uint8_t *whole =
        decided_carry(&size, bare, bare_size, f->record.data, f->record.size);
    assert_true(pbft_is_recovering(whole, size));
    assert_true(size > bare_size);
    buf_clear(&f->record);
    buf_append(&f->record, whole, size);
    assert_int_equal(height_restored(f), BLOCKS);
    free(whole);
    whole = decided_carry(&size, bare, bare_size, "no record", 9);
    assert_int_equal(size, bare_size);
    assert_memory_equal(whole, bare, bare_size);
    free(whole);
    free(bare);
}

static void a_record_without_room_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct buf small;
    buf_init(&small, 100);
    buf_append(&small, "votes", 5);
    assert_int_equal(
        decided_append(&f->decided, &small, f->chain.holdings.store),
        POT_ELIMIT);
    assert_true(small.size == 5 && !small.is_overflown);
    buf_fini(&small);
    assert_int_equal(append(f), POT_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_record_has_what_is_not_synced),
        TEST(what_is_synced_is_in_it_no_more),
        TEST(a_store_that_lost_them_gets_them_back),
        TEST(who_has_them_takes_none),
        TEST(behind_a_gap_none_is_taken),
        TEST(a_wrong_certificate_ends_it),
        TEST(what_is_no_record_gives_none),
        TEST(another_record_takes_them_over),
        TEST(a_record_without_room_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
