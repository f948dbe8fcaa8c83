/* A closed store is damaged in one place after another; each time a child
 * opens it, so that a fault shows as such.  Whatever it reads is right, or
 * refused. */
#include "config.h"

#include "storage/store.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/overlay.h"
#include "storage/store_env.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCKS    40
#define KEYS      400
#define BLOBS     4
#define PAGE      ((size_t)4096)
#define BLOB_SIZE 20000

struct fixture {
    char *folder;
    char *path; /* of LMDB's file */
    char *whole;
    size_t size;
    struct hash block_hashes[BLOCKS];
    uint64_t block_sums[BLOCKS]; /* of blocks' bytes */
};

static uint64_t sum(const struct buf *buf)
{
    struct hash hash;
    uint64_t out;
    hash_bytes(&hash, "test", buf->data, buf->size);
    memcpy(&out, hash.b, sizeof(out));
    return out;
}

static void make_block(struct fixture *f, struct store *store, unsigned height)
{
    static uint8_t data[BLOB_SIZE];
    struct store_reward reward = {.task = {{1}}, .to = {{2}}};
    struct store_round round = {.task = {{1}}, .round = height};
    struct overlay *overlay = overlay_new(store);
    reward.amount = height;
    for (unsigned i = 0; i < KEYS / BLOCKS; i++) {
        unsigned key = height * (KEYS / BLOCKS) + i;
        overlay_put(overlay, &key, sizeof(key), &key, sizeof(key));
    }
    if (height < BLOBS) {
        struct hash hash = {{(uint8_t)height}};
        memset(data, (int)height, sizeof(data));
        overlay_blob_put(overlay, &hash, data, sizeof(data));
    }
    struct hash tx;
    hash_bytes(&tx, "tx", &height, sizeof(height));
    struct fixture_extra extra = {
        .rewards = &reward,
        .reward_count = 1,
        .rounds = &round,
        .round_count = 1,
        .txs = &tx,
        .tx_count = 1,
    };
    POT_ASSERT(fixture_commit(store, overlay, &extra) == POT_OK);
    overlay_free(overlay);
    POT_ASSERT(store_tip(store, NULL, &f->block_hashes[height], NULL));
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    struct buf buf;
    buf_init(&buf, 1 << 20);
    f->folder = scratch_folder();
    f->path = file_join(f->folder, "data.mdb");
    struct store *store = fixture_open(f->folder);
    for (unsigned i = 0; i < BLOCKS; i++) {
        make_block(f, store, i);
        if (i > 0) {
            POT_ASSERT(store_get_block(store, i, &buf) == POT_OK);
            f->block_sums[i] = sum(&buf);
        }
    }
    store_close(store);
    buf_fini(&buf);
    POT_ASSERT(file_read(&f->whole, &f->size, f->path, 1 << 28) == POT_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->folder);
    free(f->whole);
    free(f->path);
    free(f);
    return 0;
}

/* Right or refused; a third thing is the test's failure. */
static bool is_fine(enum pot_err err, bool is_right, unsigned *refused)
{
    if (err == POT_ECORRUPT) {
        ++*refused;
        return true;
    }
    return err == POT_OK && is_right;
}

static bool read_blocks(const struct fixture *f, struct store *store,
                        struct buf *buf, unsigned *refused)
{
    bool is_ok = true;
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t height = 0;
        uint32_t index = 0;
        struct hash tx;
        unsigned number = (unsigned)i;
        hash_bytes(&tx, "tx", &number, sizeof(number));
        enum pot_err err =
            store_get_block_height(store, &f->block_hashes[i], &height);
        is_ok &= is_fine(err, height == i, refused);
        err = store_find_tx(store, &tx, &height, &index);
        is_ok &= is_fine(err, height == i && index == 0, refused);
        if (i > 0) {
            err = store_get_block(store, i, buf);
            is_ok &= is_fine(err, sum(buf) == f->block_sums[i], refused);
            err = store_get_certificate(store, i, buf);
            is_ok &= is_fine(err, buf->size > 0, refused);
        }
    }
    return is_ok;
}

static bool read_state(struct store *store, struct buf *buf, unsigned *refused)
{
    bool is_ok = true;
    for (unsigned i = 0; i < KEYS; i++) {
        struct state_proof proof;
        struct hash root;
        uint64_t height;
        enum pot_err err = store_state_get(store, &i, sizeof(i), buf);
        is_ok &= is_fine(err,
                         buf->size == sizeof(i) &&
                             memcmp(buf->data, &i, sizeof(i)) == 0,
                         refused);
        err = store_state_proof(store, &i, sizeof(i), &proof, &root, &height);
        is_ok &= is_fine(
            err,
            state_proof_verify(&root, &i, sizeof(i), &i, sizeof(i), &proof),
            refused);
        state_proof_fini(&proof);
    }
    for (uint8_t i = 0; i < BLOBS; i++) {
        struct hash hash = {{i}};
        enum pot_err err = store_blob_get(store, &hash, buf);
        bool is_right = buf->size == BLOB_SIZE;
        for (size_t j = 0; is_right && j < buf->size; j++) {
            is_right = buf->data[j] == i;
        }
        is_ok &= is_fine(err, is_right, refused);
    }
    return is_ok;
}

static bool read_lists(struct store *store, unsigned *refused)
{
    struct store_reward rewards[BLOCKS + 1];
    struct store_round rounds[BLOCKS + 1];
    struct hash task = {{1}};
    struct public_key to = {{2}};
    size_t count = 0;
    bool is_ok = true;
    enum pot_err err =
        store_rewards_of_task(store, &task, NULL, rewards, BLOCKS + 1, &count);
    is_ok &= is_fine(err, count == BLOCKS && rewards[0].amount == BLOCKS - 1,
                     refused);
    err =
        store_rewards_of_address(store, &to, NULL, rewards, BLOCKS + 1, &count);
    is_ok &= is_fine(err, count == BLOCKS && rewards[0].amount == BLOCKS - 1,
                     refused);
    err = store_rounds(store, &task, 0, rounds, BLOCKS + 1, &count);
    is_ok &= is_fine(err, count == BLOCKS && rounds[9].height == 9, refused);
    return is_ok;
}

static bool read_table(const struct fixture *f, struct store *store,
                       enum store_table table, struct buf *buf,
                       unsigned *refused)
{
    switch (table) {
    case TABLE_BLOCKS:
        return read_blocks(f, store, buf, refused);
    case TABLE_STATE:
        return read_state(store, buf, refused);
    case TABLE_ROUNDS:
        return read_lists(store, refused);
    case TABLE_HEIGHTS: /* with the blocks */
    case TABLE_CERTIFICATES:
    case TABLE_TXS:
    case TABLE_BUCKETS: /* with the state */
    case TABLE_NODES:
    case TABLE_BLOBS:
    case TABLE_REWARDS_TASK: /* with the rounds */
    case TABLE_REWARDS_ADDRESS:
    case TABLE_META: /* at opening, and by the check of the whole */
    case TABLE_BLOB_USES:
    case TABLE_HEADERS: /* nothing is pruned here */
    case STORE_TABLES:
        break;
    }
    return true;
}

/* What the child found out. */
enum found {
    FOUND_WHOLE,
    FOUND_REFUSED, /* at opening */
    FOUND_DAMAGE,  /* by reads, and by the check */
    FOUND_WRONG,   /* a wrong answer, or damage that the check missed */
};

static enum found look(const struct fixture *f)
{
    char why[256];
    struct store *store;
    struct store_report report;
    struct buf buf;
    unsigned refused = 0;
    uint64_t height = 0;
    enum pot_err err =
        store_open(&store, f->folder, STORE_MAP_MIN, why, sizeof(why));
    if (err != POT_OK) {
        return err == POT_ECORRUPT && why[0] != '\0' ? FOUND_REFUSED
                                                     : FOUND_WRONG;
    }
    buf_init(&buf, 1 << 20);
    bool is_ok = store_tip(store, &height, NULL, NULL) && height == BLOCKS - 1;
    for (unsigned i = 0; i < STORE_TABLES; i++) {
        is_ok &= read_table(f, store, (enum store_table)i, &buf, &refused);
    }
    err = store_verify(store, &report, NULL, NULL);
    is_ok &= refused > 0 ? err == POT_ECORRUPT : true;
    is_ok &= err == POT_OK || report.problem_count > 0;
    /* And it can be written to, without a fault. */
    (void)fixture_commit_empty(store);
    store_close(store);
    buf_fini(&buf);
    if (!is_ok) {
        return FOUND_WRONG;
    }
    return err == POT_OK ? FOUND_WHOLE : FOUND_DAMAGE;
}

static enum found look_in_child(const struct fixture *f, const char *what,
                                size_t at)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit((int)look(f));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) >= FOUND_WRONG) {
        fail_msg("%s at %zu: status %d", what, at, status);
    }
    return (enum found)WEXITSTATUS(status);
}

static void write_file(const struct fixture *f, const char *data, size_t size)
{
    /* In place: the tip file must stay as it was, and so it does. */
    int fd = open(f->path, O_WRONLY | O_TRUNC);
    assert_int_equal(file_write_all(fd, data, size), POT_OK);
    (void)close(fd);
}

/* A child's write moved the tip file and the journal on: the one is put back
 * too, the other emptied, as it was when all had come to LMDB. */
static void run(const struct fixture *f, const char *what, unsigned times,
                void (*damage)(char *data, size_t *size, uint64_t *seed,
                               size_t *at))
{
    char *tip_path = file_join(f->folder, "tip");
    char *journal_path = file_join(f->folder, "journal");
    char *tip;
    size_t tip_size;
    unsigned found[FOUND_WRONG] = {0};
    char *data = pot_alloc(f->size);
    assert_int_equal(file_read(&tip, &tip_size, tip_path, 1 << 20), POT_OK);
    uint64_t seed = 20261121;
    for (unsigned i = 0; i < times; i++) {
        size_t size = f->size;
        size_t at = 0;
        memcpy(data, f->whole, f->size);
        damage(data, &size, &seed, &at);
        write_file(f, data, size);
        int fd = open(tip_path, O_WRONLY | O_TRUNC);
        assert_int_equal(file_write_all(fd, tip, tip_size), POT_OK);
        (void)close(fd);
        assert_int_equal(truncate(journal_path, 0), 0);
        found[look_in_child(f, what, at)]++;
    }
    print_message("%s: %u whole, %u refused at opening, %u found by reads\n",
                  what, found[FOUND_WHOLE], found[FOUND_REFUSED],
                  found[FOUND_DAMAGE]);
    assert_true(found[FOUND_WHOLE] < times);
    free(tip);
    free(tip_path);
    free(journal_path);
    free(data);
}

static void flip(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    *at = (size_t)(rng_next(seed) % *size);
    data[*at] = (char)(data[*at] ^ 1 << rng_next(seed) % 8);
}

static void flip_in_header(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    size_t page = (size_t)(rng_next(seed) % (*size / PAGE));
    *at = page * PAGE + (size_t)(rng_next(seed) % 160);
    data[*at] = (char)(data[*at] ^ 1 << rng_next(seed) % 8);
}

static void zero_page(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    *at = (size_t)(rng_next(seed) % (*size / PAGE)) * PAGE;
    memset(data + *at, 0, PAGE);
}

static void fill_page(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    *at = (size_t)(rng_next(seed) % (*size / PAGE)) * PAGE;
    for (size_t i = 0; i < PAGE; i++) {
        data[*at + i] = (char)rng_next(seed);
    }
}

static void copy_page(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    size_t from = (size_t)(rng_next(seed) % (*size / PAGE)) * PAGE;
    *at = (size_t)(rng_next(seed) % (*size / PAGE)) * PAGE;
    memmove(data + *at, data + from, PAGE);
    if (rng_next(seed) % 2 == 0) { /* with the number it should have */
        uint64_t number = *at / PAGE;
        memcpy(data + *at, &number, sizeof(number));
    }
}

static void cut_off(char *data, size_t *size, uint64_t *seed, size_t *at)
{
    (void)data;
    *at = (size_t)(rng_next(seed) % *size);
    if (rng_next(seed) % 2 == 0) {
        *at = *at / PAGE * PAGE;
    }
    *size = *at;
}

static void flipped_bits_are_found(void **state)
{
    run(*state, "a bit flipped", 300, flip);
}

static void flipped_bits_in_page_headers_are_found(void **state)
{
    run(*state, "a bit flipped in a header", 400, flip_in_header);
}

static void zeroed_pages_are_found(void **state)
{
    run(*state, "a page zeroed", 150, zero_page);
}

static void random_pages_are_found(void **state)
{
    run(*state, "a page of noise", 150, fill_page);
}

static void misplaced_pages_are_found(void **state)
{
    run(*state, "a page in place of another", 200, copy_page);
}

static void a_truncated_file_is_refused(void **state)
{
    run(*state, "cut off", 150, cut_off);
}

static void a_whole_store_is_whole(void **state)
{
    assert_int_equal(look_in_child(*state, "nothing", 0), FOUND_WHOLE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_whole_store_is_whole),
        CASE(flipped_bits_are_found),
        CASE(flipped_bits_in_page_headers_are_found),
        CASE(zeroed_pages_are_found),
        CASE(random_pages_are_found),
        CASE(misplaced_pages_are_found),
        CASE(a_truncated_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
