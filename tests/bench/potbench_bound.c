#include "config.h"

#include "tests/bench/potbench_bound.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SPAN_US      400000
#define MESSAGE_SIZE 160 /* what is under a transfer's signature */

struct checker {
    pthread_t thread;
    uint64_t checks;
    double wall_s;
    double cpu_s;
};

static double thread_s(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *check_many(void *context)
{
    struct checker *c = context;
    uint8_t message[MESSAGE_SIZE] = {1};
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    int rc = crypto_sign_keypair(key, secret);
    POT_ASSERT(rc == 0);
    rc =
        crypto_sign_detached(signature, NULL, message, sizeof(message), secret);
    POT_ASSERT(rc == 0);
    double cpu_s = thread_s();
    uint64_t from_us = clock_steady_us();
    uint64_t now_us = from_us;
    while (now_us - from_us < SPAN_US) {
        rc = crypto_sign_verify_detached(signature, message, sizeof(message),
                                         key);
        POT_ASSERT(rc == 0);
        c->checks++;
        now_us = clock_steady_us();
    }
    c->wall_s = (double)(now_us - from_us) / 1e6;
    c->cpu_s = thread_s() - cpu_s;
    return NULL;
}

void potbench_bound_measure(struct potbench_bound *out)
{
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    *out = (struct potbench_bound){.cores = sysconf(_SC_NPROCESSORS_ONLN)};
    size_t count = (size_t)out->cores;
    struct checker *checkers = pot_calloc(count, sizeof(*checkers));
    for (size_t i = 0; i < count; i++) {
        rc =
            pthread_create(&checkers[i].thread, NULL, check_many, &checkers[i]);
        POT_ASSERT(rc == 0);
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(checkers[i].thread, NULL);
        double checks = (double)checkers[i].checks;
        out->per_s += checks / checkers[i].wall_s;
        out->per_cpu_s += checks / checkers[i].cpu_s / (double)count;
    }
    free(checkers);
}
