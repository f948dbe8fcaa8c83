/* Processor time for a signature: by libsodium alone, as one claim, as one of a
 * key that signs often, and in batches of 1 to 1000, each signature by a key of
 * its own and eight by one; with one in a batch wrong, and all.  Medians of
 * TURNS turns, which alternate.
 */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/key_batch.h"
#include "base/key_often.h"
#include "tests/bench/bench_util.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURNS       7
#define CLAIMS      1000
#define MESSAGE     100 /* a transfer's size */
#define SIZES_COUNT 11

static const size_t sizes[SIZES_COUNT] = {1,  3,   6,   11,  21,    32,
                                          64, 128, 256, 512, CLAIMS};

enum how {
    SODIUM,
    CLAIM,
    OFTEN,
    BATCH,
    EIGHT_A_KEY,
    ONE_WRONG,
    ALL_WRONG,
    HOW_COUNT
};

static struct key_claim claims[CLAIMS];
static struct key_claim wrong[CLAIMS];
static struct key_claim eight[CLAIMS];

static double cpu_us(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void make_claim(struct key_claim *out, const struct key *key, size_t i)
{
    static const struct hash chain = {{1}};
    uint8_t message[MESSAGE] = {(uint8_t)i, (uint8_t)(i >> 8)};
    struct signature signature;
    bool is_signed =
        key_sign(&signature, key, "tx", &chain, message, sizeof(message));
    POT_ASSERT(is_signed);
    key_claim_init(out, key_public(key), "tx", &chain, message, sizeof(message),
                   &signature);
}

static void make_claims(void)
{
    struct key *often = NULL;
    for (size_t i = 0; i < CLAIMS; i++) {
        struct key *once = key_generate();
        if (i % 8 == 0) {
            key_free(often);
            often = key_generate();
        }
        make_claim(&claims[i], once, i);
        make_claim(&eight[i], often, i);
        wrong[i] = claims[i];
        wrong[i].signature.b[SIGNATURE_SIZE / 2] ^= 1;
        key_free(once);
    }
    key_free(often);
}

static void check(enum how how, size_t from, size_t count, bool *holds)
{
    struct key_claim spared = claims[from];
    switch (how) {
    case SODIUM:
        for (size_t i = from; i < from + count; i++) {
            holds[i - from] =
                crypto_sign_verify_detached(
                    claims[i].signature.b, claims[i].bytes.data,
                    claims[i].bytes.size, claims[i].public_key.b) == 0;
        }
        break;
    case CLAIM:
        for (size_t i = from; i < from + count; i++) {
            holds[i - from] = key_claim_holds(&claims[i]);
        }
        break;
    case OFTEN: /* all of one key */
        for (size_t i = from; i < from + count; i++) {
            holds[i - from] = key_often_holds(&eight[i % 8]);
        }
        break;
    case BATCH:
        key_batch_check(claims + from, count, holds);
        break;
    case EIGHT_A_KEY:
        key_batch_check(eight + from, count, holds);
        break;
    case ONE_WRONG:
        claims[from] = wrong[from];
        key_batch_check(claims + from, count, holds);
        claims[from] = spared;
        break;
    case ALL_WRONG:
    case HOW_COUNT:
        key_batch_check(wrong + from, count, holds);
        break;
    }
}

/* For one of some 256 signatures, or a whole batch. */
static double measure(enum how how, size_t size)
{
    static bool holds[CLAIMS];
    size_t done = 0;
    double from_us = cpu_us();
    while (done < 256 && done + size <= CLAIMS) {
        check(how, done, size, holds);
        POT_ASSERT(holds[size - 1] || how == ALL_WRONG || size == 1);
        done += size;
    }
    return (cpu_us() - from_us) / (double)done;
}

int main(void)
{
    static double us[HOW_COUNT][SIZES_COUNT][TURNS];
    make_claims();
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < SIZES_COUNT; i++) {
            for (enum how how = 0; how < HOW_COUNT; how++) {
                us[how][i][turn] = measure(how, sizes[i]);
            }
        }
    }
    printf("us of processor time for a signature, medians of %d\n\n", TURNS);
    printf("at once  libsodium  a claim  often  batch  8 a key  one wrong"
           "  all wrong\n");
    for (size_t i = 0; i < SIZES_COUNT; i++) {
        for (enum how how = 0; how < HOW_COUNT; how++) {
            bench_sort(us[how][i], TURNS);
        }
        printf("%7zu %10.1f %8.1f %6.1f %6.1f %8.1f %10.1f %10.1f\n", sizes[i],
               bench_percentile(us[SODIUM][i], TURNS, 0.5),
               bench_percentile(us[CLAIM][i], TURNS, 0.5),
               bench_percentile(us[OFTEN][i], TURNS, 0.5),
               bench_percentile(us[BATCH][i], TURNS, 0.5),
               bench_percentile(us[EIGHT_A_KEY][i], TURNS, 0.5),
               bench_percentile(us[ONE_WRONG][i], TURNS, 0.5),
               bench_percentile(us[ALL_WRONG][i], TURNS, 0.5));
    }
    return 0;
}
