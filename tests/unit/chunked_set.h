/* chunked_set: a data set of random bytes that a node holds in chunks: in its
 * cache, in its store, or not at all; nobody else has any. */
#ifndef POT_TESTS_UNIT_CHUNKED_SET_H
#define POT_TESTS_UNIT_CHUNKED_SET_H

#include <uv.h>

#include "node/hold/holdings.h"
#include "proto/dataset.h"

#define CHUNKED_SET_CHUNKS   5
#define CHUNKED_SET_CACHE_MB 8

struct round_input;

struct chunked_set_form {
    uint64_t rows;
    uint32_t features;
    uint32_t classes; /* 0, 2 or 3 */
    enum dataset_type type;
};

struct chunked_set {
    char *folder;
    uv_loop_t loop;
    struct holdings holdings;
    struct needs *needs; /* gets nothing from anybody */
    uint64_t random;
    struct hash address;
    struct hash chunks[CHUNKED_SET_CHUNKS];
    uint8_t *bytes;
    size_t size;
    struct dataset set;
};

/* chunked_set_up, _down: of a cmocka test; *state is a struct chunked_set with
 * no data set in it yet.  _down runs the loop to its end first. */
int chunked_set_up(void **state);
int chunked_set_down(void **state);

/* chunked_set_make: of this form, no chunk of it held.  chunked_set_spread:
 * all are held, here and there, but for the lacking one; SIZE_MAX: none lacks.
 * chunked_set_put: this one is held, in the store or in the cache. */
void chunked_set_make(struct chunked_set *f,
                      const struct chunked_set_form *form);
void chunked_set_spread(struct chunked_set *f, size_t lacking);
void chunked_set_put(struct chunked_set *f, size_t index, bool is_stored);

/* chunked_set_input: of a round whose training set it is, with no model; one
 * holder. */
struct round_input *chunked_set_input(struct chunked_set *f, size_t rows);

#endif
