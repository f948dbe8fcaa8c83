#include "config.h"

#include "ctl/state_compare.h"

#include "base/check.h"

#include <inttypes.h>
#include <string.h>

#define VALUE_MAX ((size_t)64 << 20)

struct walk {
    struct ctl *ctl;
    const struct state_side *sides;
    struct state_difference *out;
    bool has_begun; /* heights and roots are known */
};

void state_shown_init(struct state_shown *shown)
{
    *shown = (struct state_shown){.height = 0};
    state_proof_init(&shown->proof);
    buf_init(&shown->value, VALUE_MAX);
}

void state_shown_fini(struct state_shown *shown)
{
    state_proof_fini(&shown->proof);
    buf_fini(&shown->value);
}

void state_difference_fini(struct state_difference *difference)
{
    state_shown_fini(&difference->sides[0]);
    state_shown_fini(&difference->sides[1]);
}

/* What both show under a key, as of the states that they began with. */
static enum exit_code ask(struct walk *w, const void *key, size_t size)
{
    for (size_t i = 0; i < 2; i++) {
        struct state_shown *shown = &w->out->sides[i];
        struct hash root = shown->root;
        state_shown_fini(shown);
        state_shown_init(shown);
        enum exit_code rc =
            w->sides[i].show(w->sides[i].context, w->ctl, key, size, shown);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        if (w->has_begun && !hash_equal(&root, &shown->root)) {
            return ctl_fail(w->ctl, EXIT_CODE_FAILED,
                            "the state went on to height %" PRIu64
                            " meanwhile: stop the nodes, and compare their"
                            " homes",
                            shown->height);
        }
    }
    w->has_begun = true;
    return EXIT_CODE_DONE;
}

/* A key that falls into the bucket, found by trying: 2^16 times or so. */
static uint64_t probe_of(uint16_t bucket)
{
    uint64_t probe = 0;
    while (state_bucket(&probe, sizeof(probe)) != bucket) {
        probe++;
    }
    return probe;
}

/* The first key of two lists that differs. */
static void first_key(struct state_difference *out)
{
    const struct buf *a = &out->sides[0].proof.bucket;
    const struct buf *b = &out->sides[1].proof.bucket;
    struct state_entry x;
    struct state_entry y;
    size_t x_at = 0;
    size_t y_at = 0;
    for (;;) {
        bool has_x = state_entry_next(&x, a->data, a->size, &x_at);
        bool has_y = state_entry_next(&y, b->data, b->size, &y_at);
        int order =
            !has_y   ? -1
            : !has_x ? 1
                     : state_key_compare(x.key, x.key_size, y.key, y.key_size);
        POT_ASSERT(has_x || has_y);
        if (order != 0 || memcmp(x.value_hash, y.value_hash, HASH_SIZE) != 0) {
            const struct state_entry *first = order <= 0 ? &x : &y;
            memcpy(out->key, first->key, first->key_size);
            out->key_size = first->key_size;
            return;
        }
    }
}

static bool buckets_differ(const struct state_difference *out)
{
    struct hash a;
    struct hash b;
    const struct state_proof *x = &out->sides[0].proof;
    const struct state_proof *y = &out->sides[1].proof;
    state_bucket_digest(&a, x->bucket.data, x->bucket.size);
    state_bucket_digest(&b, y->bucket.data, y->bucket.size);
    return !hash_equal(&a, &b);
}

/* Below a leftmost bucket the part nearest to it that differs is the first;
 * its own leftmost bucket is next, and only levels within it count then. */
static enum exit_code descend(struct walk *w)
{
    uint16_t bucket = 0;
    for (unsigned levels = STATE_LEVELS; !buckets_differ(w->out);) {
        unsigned level = 0;
        while (level < levels &&
               hash_equal(&w->out->sides[0].proof.siblings[level],
                          &w->out->sides[1].proof.siblings[level])) {
            level++;
        }
        if (level == levels) {
            return ctl_fail(w->ctl, EXIT_CODE_FAILED,
                            "the state roots differ and nothing below them"
                            " does: run `potctl store verify` on both");
        }
        levels = level;
        bucket = (uint16_t)(bucket | 1u << level);
        uint64_t probe = probe_of(bucket);
        enum exit_code rc = ask(w, &probe, sizeof(probe));
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    return EXIT_CODE_DONE;
}

enum exit_code state_compare(struct state_difference *difference,
                             struct ctl *ctl, const struct state_side sides[2])
{
    struct walk w = {.ctl = ctl, .sides = sides, .out = difference};
    *difference = (struct state_difference){.is_same = false};
    state_shown_init(&difference->sides[0]);
    state_shown_init(&difference->sides[1]);
    uint64_t probe = probe_of(0);
    enum exit_code rc = ask(&w, &probe, sizeof(probe));
    const struct state_shown *shown = difference->sides;
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (shown[0].height != shown[1].height) {
        return ctl_fail(ctl, EXIT_CODE_FAILED,
                        "their heights differ, %" PRIu64 " and %" PRIu64
                        ": if both run, compare again, as a block may have"
                        " come in between; if one stands still (`potctl"
                        " status` says why), stop the later one and take it"
                        " back with `potctl rollback --to %" PRIu64
                        " --config FILE`",
                        shown[0].height, shown[1].height,
                        shown[0].height < shown[1].height ? shown[0].height
                                                          : shown[1].height);
    }
    difference->is_same = hash_equal(&shown[0].root, &shown[1].root);
    if (difference->is_same) {
        return EXIT_CODE_DONE;
    }
    rc = descend(&w);
    if (rc == EXIT_CODE_DONE) {
        first_key(difference);
        rc = ask(&w, difference->key, difference->key_size);
    }
    return rc;
}
