/* Rounds that are summed in parts come to what they come to flat. */
#include "config.h"

#include "ledger/parts.h"

#include "base/alloc.h"
#include "ledger/aggregate.h"
#include "ledger/submission.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/partial_sum.h"
#include "proto/round.h"
#include "tests/unit/ledger_game.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ledger_trust check_all = {false, false};

/* Those of one part, and how often somebody asked. */
struct book {
    struct hash members[FIXTURE_MINERS];
    size_t count;
    struct hash sum;
    unsigned asked;
};

static bool find(void *context, const struct hash *submission,
                 struct round_part *out)
{
    struct book *book = context;
    bool is_in = false;
    book->asked++;
    for (size_t i = 0; i < book->count; i++) {
        is_in = is_in || hash_equal(&book->members[i], submission);
    }
    if (is_in) {
        out->members =
            pot_memdup(book->members, book->count * sizeof(struct hash));
        out->member_count = book->count;
        out->sum = book->sum;
    }
    return is_in;
}

/* The sum over the first `count` submissions, among the blobs; their payloads
 * go. */
static void sum_up(struct book *book, struct game *g, size_t count)
{
    struct model_shape shape;
    struct buf bytes;
    int8_t room[FIXTURE_PARAMETERS];
    struct blobs *blobs = &g->f.env.blobs;
    Pot__TaskRecord *task = ledger_task(&g->f.env.state, &g->task);
    assert_int_equal(model_shape_from_spec(&shape, task->spec->model), POT_OK);
    struct aggregate *sum = aggregate_new(task->spec, &shape);
    buf_init(&bytes, 1024);
    *book = (struct book){.count = count};
    for (size_t i = 0; i < count; i++) {
        struct round_submission s;
        struct gradient gradient;
        assert_int_equal(round_submission_decode(&s, g->held.submissions[i]),
                         POT_OK);
        assert_true(blobs->get(blobs->context, &s.payload, &bytes));
        assert_int_equal(ledger_open_payload(&gradient, room, task, &shape, &s,
                                             bytes.data, bytes.size),
                         POT_OK);
        aggregate_add(sum, &gradient);
        blobs->del(blobs->context, &s.payload);
        book->members[i] = s.hash;
        round_submission_fini(&s);
    }
    qsort(book->members, count, sizeof(struct hash), hash_order);
    buf_clear(&bytes);
    aggregate_encode_sum(sum, &bytes);
    blob_hash(&book->sum, bytes.data, bytes.size);
    blobs->put(blobs->context, &book->sum, bytes.data, bytes.size);
    aggregate_free(sum);
    buf_fini(&bytes);
    codec_free(task);
}

/* The update that closes the round, with and without the first payloads. */
static Pot__RoundUpdate *make_both(struct game *g, struct book *book,
                                   size_t summed)
{
    Pot__RoundUpdate *flat;
    Pot__RoundUpdate *parted;
    size_t sizes[2];
    assert_int_equal(game_make(g, &flat), ROUND_ACCEPTED);
    sum_up(book, g, summed);
    assert_int_equal(game_make(g, &parted), ROUND_PAYLOAD_MISSING);
    g->f.env.parts = (struct part_source){book, find};
    assert_int_equal(game_make(g, &parted), ROUND_ACCEPTED);
    uint8_t *bytes[] = {codec_encode(&sizes[0], flat),
                        codec_encode(&sizes[1], parted)};
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
    codec_free(flat);
    return parted;
}

static void a_round_in_parts_is_the_same_round(void **state)
{
    (void)state;
    for (size_t summed = 2; summed <= 3; summed++) {
        struct game g;
        struct book book;
        game_open(&g);
        game_hold(&g, 3, 4);
        Pot__RoundUpdate *update = make_both(&g, &book, summed);
        assert_int_equal(
            ledger_apply_round(&g.f.env, &g.block, update, check_all),
            ROUND_ACCEPTED);
        assert_true(book.asked > 0);
        codec_free(update);
        fixture_end_block(&g.f);
        game_close(&g);
    }
}

/* Another sum stands for what was counted: it cannot be hidden. */
static void a_wrong_part_gives_another_aggregate(void **state)
{
    (void)state;
    struct game g;
    struct book book;
    struct buf bytes;
    game_open(&g);
    game_hold(&g, 3, 4);
    Pot__RoundUpdate *update = make_both(&g, &book, 2);
    struct blobs *blobs = &g.f.env.blobs;
    buf_init(&bytes, 1024);
    assert_true(blobs->get(blobs->context, &book.sum, &bytes));
    bytes.data[bytes.size - 1] ^= 1;
    blob_hash(&book.sum, bytes.data, bytes.size);
    blobs->put(blobs->context, &book.sum, bytes.data, bytes.size);
    enum round_verdict verdict =
        ledger_apply_round(&g.f.env, &g.block, update, check_all);
    assert_true(verdict == ROUND_AGGREGATE || verdict == ROUND_PAYLOAD_MISSING);
    buf_fini(&bytes);
    codec_free(update);
    game_close(&g);
}

static void a_part_that_is_counted_in_part_is_of_no_use(void **state)
{
    (void)state;
    struct game g;
    struct book book;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 4);
    sum_up(&book, &g, 2);
    g.f.env.parts = (struct part_source){&book, find};
    book.members[book.count++] = (struct hash){{0xff}};
    assert_int_equal(game_make(&g, &update), ROUND_PAYLOAD_MISSING);
    game_close(&g);
}

/* A rule that must see each gradient is given no sums. */
static void a_median_asks_for_no_parts(void **state)
{
    (void)state;
    struct game g;
    struct book book = {.count = 0};
    Pot__RoundUpdate *update;
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    g.spec.task.aggregation = POT__AGGREGATION__AGGREGATION_MEDIAN;
    fixture_start_task(&g.f, &g.spec, 6000, 3, &g.task);
    g.held = (struct fixture_held){.submission_count = 0};
    g.block = fixture_block(&g.f, 0);
    fixture_hold(&g.f, &g.held, &g.task, 3, 4, 1);
    g.f.env.parts = (struct part_source){&book, find};
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(book.asked, 0);
    codec_free(update);
    game_close(&g);
}

static void each_part_is_asked_for_once(void **state)
{
    (void)state;
    struct parts parts;
    struct book book = {.count = 3, .members = {{{1}}, {{2}}, {{3}}}};
    const struct part_source source = {&book, find};
    const struct hash counted[] = {{{3}}, {{9}}, {{1}}, {{2}}};
    parts_choose(&parts, &source, counted, 4);
    assert_int_equal(parts.count, 1);
    assert_true(parts.are_in[0] && !parts.are_in[1] && parts.are_in[2] &&
                parts.are_in[3]);
    assert_int_equal(book.asked, 2);
    parts_fini(&parts);
    book.asked = 0;
    parts_choose(&parts, &source, counted, 3);
    assert_int_equal(parts.count, 0);
    assert_false(parts.are_in[0] || parts.are_in[2]);
    assert_int_equal(book.asked, 2);
    parts_fini(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_in_parts_is_the_same_round),
        cmocka_unit_test(a_wrong_part_gives_another_aggregate),
        cmocka_unit_test(a_part_that_is_counted_in_part_is_of_no_use),
        cmocka_unit_test(a_median_asks_for_no_parts),
        cmocka_unit_test(each_part_is_asked_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
