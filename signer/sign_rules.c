#include "config.h"

#include "signer/sign_rules.h"

#include "base/bytes.h"
#include "base/check.h"
#include "proto/vote.h"
#include "proto/word.h"

#include <string.h>

static bool view_vote(struct sign_step *out, const struct sign_question *q)
{
    struct vote vote;
    if (!vote_read(&vote, q->message, q->size)) {
        return false;
    }
    int place = SIGN_PLACE_PRE_PREPARE + (int)vote.phase -
                (int)POT__PHASE__PHASE_PRE_PREPARE;
    *out = (struct sign_step){(enum sign_place)place, vote.height, vote.view,
                              vote.digest};
    return true;
}

static bool view_word(struct sign_step *out, enum sign_place place,
                      const struct sign_question *q)
{
    struct word word;
    if (!word_read(&word, sign_tag_what(q->tag), q->message, q->size)) {
        return false;
    }
    *out = (struct sign_step){place, word.height, word.view, word.hash};
    return true;
}

bool sign_step_view(struct sign_step *out, bool *is_step,
                    const struct sign_question *question)
{
    struct word word;
    *is_step = true;
    switch (question->tag) {
    case SIGN_VOTE:
        return view_vote(out, question);
    case SIGN_VIEW_CHANGE:
        return view_word(out, SIGN_PLACE_VIEW_CHANGE, question);
    case SIGN_NEW_VIEW:
        return view_word(out, SIGN_PLACE_NEW_VIEW, question);
    case SIGN_SUSPICION:
        *is_step = false;
        return word_read(&word, WORD_SUSPICION, question->message,
                         question->size);
    case SIGN_HELLO:
    case SIGN_PEER_AUTH:
    case SIGN_ATTESTATION:
    case SIGN_EVIDENCE:
    case SIGN_DRAWS:
    case SIGN_GROUP_WORD:
    case SIGN_TAGS:
        break;
    }
    *is_step = false;
    return true;
}

static bool is_here(const struct sign_rules *rules,
                    const struct sign_step *step)
{
    return step->height == rules->height && step->view == rules->view;
}

bool sign_rules_is_known(const struct sign_rules *rules,
                         const struct sign_step *step)
{
    return is_here(rules, step) && rules->is_signed[step->place] &&
           hash_equal(&rules->digests[step->place], &step->digest);
}

/* In the view of what was signed last. */
static enum sign_verdict judge_here(const struct sign_rules *rules,
                                    const struct sign_step *step)
{
    if (rules->is_signed[step->place]) {
        return sign_rules_is_known(rules, step) ? SIGN_DONE : SIGN_CONTRADICTS;
    }
    for (int i = (int)step->place + 1; i < SIGN_PLACES; i++) {
        if (rules->is_signed[i]) {
            return SIGN_BEHIND;
        }
    }
    for (int i = SIGN_PLACE_PRE_PREPARE; i < (int)step->place; i++) {
        if (rules->is_signed[i] &&
            !hash_equal(&rules->digests[i], &step->digest)) {
            return SIGN_CONTRADICTS;
        }
    }
    return SIGN_DONE;
}

enum sign_verdict sign_rules_judge(const struct sign_rules *rules,
                                   const struct sign_step *step)
{
    static const struct hash none;
    if (is_here(rules, step)) {
        return judge_here(rules, step);
    }
    if (step->height < rules->height ||
        (step->height == rules->height && step->view < rules->view)) {
        return SIGN_BEHIND;
    }
    bool forgets = step->height == rules->height && rules->has_committed &&
                   step->place == SIGN_PLACE_VIEW_CHANGE &&
                   hash_equal(&step->digest, &none);
    return forgets ? SIGN_FORGETS : SIGN_DONE;
}

void sign_rules_take(struct sign_rules *rules, const struct sign_step *step)
{
    POT_ASSERT(sign_rules_judge(rules, step) == SIGN_DONE);
    if (!is_here(rules, step)) {
        bool has_committed =
            step->height == rules->height && rules->has_committed;
        *rules = (struct sign_rules){.height = step->height,
                                     .view = step->view,
                                     .has_committed = has_committed};
    }
    rules->is_signed[step->place] = true;
    rules->digests[step->place] = step->digest;
    rules->has_committed =
        rules->has_committed || step->place == SIGN_PLACE_COMMIT;
}

void sign_rules_encode(uint8_t out[static SIGN_RULES_SIZE],
                       const struct sign_rules *rules)
{
    struct bytes_writer w;
    uint8_t places = 0;
    for (int i = 0; i < SIGN_PLACES; i++) {
        places = (uint8_t)(places | (rules->is_signed[i] ? 1 << i : 0));
    }
    bytes_writer_init(&w, out, SIGN_RULES_SIZE);
    bytes_write_u64(&w, rules->height);
    bytes_write_u64(&w, rules->view);
    bytes_write_u8(&w, rules->has_committed);
    bytes_write_u8(&w, places);
    for (int i = 0; i < SIGN_PLACES; i++) {
        bytes_write(&w, rules->digests[i].b, HASH_SIZE);
    }
    POT_ASSERT(w.offset == SIGN_RULES_SIZE && !w.is_overflown);
}

enum pot_err sign_rules_decode(struct sign_rules *out, const void *data,
                               size_t size)
{
    struct bytes_reader r;
    memset(out, 0, sizeof(*out));
    if (size == 0) {
        return POT_OK;
    }
    bytes_reader_init(&r, data, size);
    out->height = bytes_read_u64(&r);
    out->view = bytes_read_u64(&r);
    uint8_t has_committed = bytes_read_u8(&r);
    uint8_t places = bytes_read_u8(&r);
    out->has_committed = has_committed == 1;
    for (int i = 0; i < SIGN_PLACES; i++) {
        out->is_signed[i] = (places >> i & 1) != 0;
        bytes_read(&r, out->digests[i].b, HASH_SIZE);
    }
    bool is_whole = bytes_is_done(&r) && has_committed <= 1 &&
                    places >> SIGN_PLACES == 0 && places != 0;
    return is_whole ? POT_OK : POT_ECORRUPT;
}
