#include "config.h"

#include "node/round/referee_words.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

struct word {
    Pot__Verdict verdict;
    Pot__Signed *message;
};

static void word_free(struct word *word)
{
    if (word != NULL) {
        codec_free(word->message);
        free(word);
    }
}

void referee_words_fini(struct referee_words *words)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&words->words, &cursor)) != NULL) {
        word_free(slot->value);
    }
    map_fini(&words->words);
}

bool referee_words_take(struct referee_words *words,
                        const struct public_key *validator,
                        Pot__Verdict verdict, const Pot__Signed *message)
{
    const struct word *old = map_get(&words->words, validator->b);
    if (old != NULL && (old->verdict != verdict ||
                        old->message->body.len <= message->body.len)) {
        return false;
    }
    struct word *word = pot_alloc(sizeof(*word));
    *word = (struct word){verdict, signed_copy(message)};
    word_free(map_put(&words->words, validator->b, word));
    return true;
}

static int compare_sizes(const void *a, const void *b)
{
    const Pot__Signed *const *x = a;
    const Pot__Signed *const *y = b;
    size_t one = (*x)->body.len;
    size_t other = (*y)->body.len;
    return one < other ? -1 : one > other;
}

static int compare_keys(const void *a, const void *b)
{
    const Pot__Signed *const *x = a;
    const Pot__Signed *const *y = b;
    return memcmp((*x)->public_key.data, (*y)->public_key.data,
                  PUBLIC_KEY_SIZE);
}

size_t referee_words_quorum(Pot__Signed *out[static VALIDATORS_MAX],
                            const struct referee_words *words,
                            const struct validator_set *set,
                            Pot__Verdict verdict)
{
    size_t count = 0;
    size_t quorum = validator_set_quorum(set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct word *word = map_get(&words->words, set->keys[i].b);
        if (word != NULL && word->verdict == verdict) {
            out[count++] = word->message;
        }
    }
    if (count < quorum) {
        return 0;
    }
    qsort(out, count, sizeof(Pot__Signed *), compare_sizes);
    qsort(out, quorum, sizeof(Pot__Signed *), compare_keys);
    return quorum;
}
