/* Drives a fuzz target without libFuzzer, for make check: every file of its
 * corpus, then mutations of them from a fixed seed.
 *
 *   fuzz_x [--runs N] [--seed S] CORPUS_FOLDER */
#include "config.h"

#include "base/alloc.h"
#include "base/file.h"
#include "tests/rng.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 256
#define BYTES_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    char *data;
    size_t size;
};

static uint64_t state;

static uint64_t next_random(void)
{
    return rng_next(&state);
}

static size_t load(struct sample *samples, const char *folder)
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    samples[count++] = (struct sample){pot_strdup(""), 0};
    for (const struct dirent *entry;
         entries != NULL && (entry = readdir(entries)) != NULL;) {
        char *path = file_join(folder, entry->d_name);
        if (count < FILES_MAX &&
            file_read(&samples[count].data, &samples[count].size, path,
                      BYTES_MAX) == POT_OK) {
            count++;
        }
        free(path);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return count;
}

static size_t mutate_once(uint8_t *data, size_t size, size_t size_max)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x08};
    size_t at = size > 0 ? next_random() % size : 0;
    switch (next_random() % 6) {
    case 0: /* a bit flips */
        if (size > 0) {
            data[at] ^= (uint8_t)(1u << next_random() % 8);
        }
        return size;
    case 1: /* a byte becomes a telling one */
        if (size > 0) {
            data[at] = telling[next_random() % sizeof(telling)];
        }
        return size;
    case 2: /* the end is cut off */
        return at;
    case 3: /* a byte comes in between */
        if (size < size_max) {
            memmove(data + at + 1, data + at, size - at);
            data[at] = (uint8_t)next_random();
            return size + 1;
        }
        return size;
    case 4: /* a byte goes */
        if (size > 0) {
            memmove(data + at, data + at + 1, size - at - 1);
            return size - 1;
        }
        return size;
    default: /* a piece is repeated */
        if (size > 0) {
            size_t piece = 1 + next_random() % (size - at);
            if (size + piece <= size_max) {
                memmove(data + at + piece, data + at, size - at);
                return size + piece;
            }
        }
        return size;
    }
}

static void run_mutation(const struct sample *sample)
{
    size_t room = sample->size + 4096;
    uint8_t *data = pot_alloc(room);
    size_t size = sample->size;
    if (size > 0) {
        memcpy(data, sample->data, size);
    }
    for (uint64_t n = 1 + next_random() % 8; n > 0; n--) {
        size = mutate_once(data, size, room);
    }
    /* An exact allocation lets sanitizers see a read past the end. */
    uint8_t *exact = pot_alloc(size);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(data);
}

int main(int argc, char **argv)
{
    static struct sample samples[FILES_MAX];
    uint64_t runs = 20000;
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            runs = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            state = strtoull(argv[++i], NULL, 10);
        } else {
            folder = argv[i];
        }
    }
    if (folder == NULL) {
        fprintf(stderr, "usage: %s [--runs N] [--seed S] CORPUS\n", argv[0]);
        return 2;
    }
    size_t count = load(samples, folder);
    for (size_t i = 0; i < count; i++) {
        const void *data = samples[i].data;
        (void)LLVMFuzzerTestOneInput(data, samples[i].size);
    }
    for (uint64_t run = 0; run < runs; run++) {
        run_mutation(&samples[next_random() % count]);
    }
    printf("%s: %zu samples, %llu mutations\n", argv[0], count,
           (unsigned long long)runs);
    for (size_t i = 0; i < count; i++) {
        free(samples[i].data);
    }
    return 0;
}
