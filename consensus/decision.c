#include "config.h"

#include "consensus/decision.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *make_certificate(size_t *size, const struct pbft *p,
                                 uint64_t view, const struct hash *digest)
{
    struct votes_signatures signatures;
    Pot__CommitCertificate made = POT__COMMIT_CERTIFICATE__INIT;
    votes_collect(&signatures, &p->votes, POT__PHASE__PHASE_COMMIT, view,
                  digest, p->set.count);
    POT_ASSERT(signatures.count >= pbft_quorum(p));
    made.height = p->height;
    made.view = view;
    made.digest = codec_bytes(digest->b, HASH_SIZE);
    made.n_signatures = signatures.count;
    made.signatures = signatures.list;
    return codec_encode(size, &made);
}

void decision_try(struct pbft *p, uint64_t view, const struct hash *digest)
{
    struct decision *decision = &p->decision;
    if (decision->is_made || votes_count(&p->votes, POT__PHASE__PHASE_COMMIT,
                                         view, digest) < pbft_quorum(p)) {
        return;
    }
    decision->is_made = true;
    decision->view = view;
    decision->digest = *digest;
    decision->certificate =
        make_certificate(&decision->certificate_size, p, view, digest);
    pbft_timers_stop(p, PBFT_TIMER_VIEW);
    pbft_timers_stop(p, PBFT_TIMER_PROPOSE);
    decision_tell(p);
}

void decision_tell(struct pbft *p)
{
    struct decision *decision = &p->decision;
    POT_ASSERT(decision->is_made && !decision->is_told);
    struct pbft_block *block = fetch_find(p, &decision->digest);
    if (block == NULL) {
        fetch_want(p, &decision->digest);
        return;
    }
    decision->is_told = true;
    p->fetch.is_wanting = false;
    struct pbft_effect *effect = pbft_emit(p, PBFT_COMMIT);
    effect->height = p->height;
    effect->view = decision->view;
    effect->digest = decision->digest;
    effect->bytes = pot_memdup(block->data, block->size);
    effect->size = block->size;
    effect->opened = pbft_block_give(block);
    effect->certificate =
        pot_memdup(decision->certificate, decision->certificate_size);
    effect->certificate_size = decision->certificate_size;
}

void decision_clear(struct decision *decision)
{
    free(decision->certificate);
    memset(decision, 0, sizeof(*decision));
}
