#include "config.h"

#include "consensus/suspicion.h"

#include "consensus/pbft_state.h"
#include "proto/codec.h"

/* A word counts for so many time-outs; it is said four times in them. */
#define STANDS_TIMEOUTS 2

static uint64_t stands_until_ms(const struct pbft *p)
{
    return p->now_ms + STANDS_TIMEOUTS * (uint64_t)p->propose_timeout_ms;
}

static bool is_slow(const struct pbft *p)
{
    return p->pace.is_slow && p->pace.view == p->view;
}

static bool is_censoring(const struct pbft *p)
{
    return p->suspicion.censored_view == p->view &&
           p->suspicion.censored_until_ms > p->now_ms;
}

/* Of this replica itself: whether it suspects the present primary. */
static bool has_own(const struct pbft *p)
{
    return pbft_can_vote(p) && !p->is_changing && !pbft_is_primary(p) &&
           (is_slow(p) || is_censoring(p));
}

void suspicion_tell(struct pbft *p)
{
    struct signature signature;
    Pot__Suspicion made = POT__SUSPICION__INIT;
    if (!has_own(p)) {
        return;
    }
    made.height = p->height;
    made.view = p->view;
    made.cause = is_slow(p) ? POT__CAUSE__CAUSE_SLOW : POT__CAUSE__CAUSE_CENSOR;
    made.replica = p->self;
    if (!pbft_message_sign_suspicion(&signature, p->key, &p->chain, &made)) {
        return;
    }
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
    effect->bytes = pbft_message_encode_suspicion(&effect->size, &made);
}

void suspicion_weigh(struct pbft *p)
{
    uint32_t count = 0;
    if (!pbft_can_vote(p) || p->is_changing || pbft_is_primary(p)) {
        return;
    }
    for (uint32_t i = 0; i < p->set.count; i++) {
        const struct suspicion_heard *heard = &p->suspicion.heard[i];
        count += heard->view == p->view && heard->until_ms > p->now_ms;
    }
    if (count + has_own(p) > validator_set_faults(p->set.count)) {
        view_give_up(p, p->view + 1,
                     is_slow(p)        ? PBFT_CHANGE_SLOW
                     : is_censoring(p) ? PBFT_CHANGE_CENSOR
                                       : PBFT_CHANGE_JOINED);
    }
}

void suspicion_of_caller(struct pbft *p, uint64_t view)
{
    p->suspicion.censored_view = view;
    p->suspicion.censored_until_ms = stands_until_ms(p);
    suspicion_tell(p);
    suspicion_weigh(p);
}

void suspicion_on_message(struct pbft *p, const Pot__Suspicion *message)
{
    struct suspicion_heard *heard = &p->suspicion.heard[message->replica];
    bool is_known =
        message->height < heard->height ||
        (message->height == heard->height && message->view <= heard->view);
    if (message->replica == p->self || is_known) {
        return;
    }
    *heard = (struct suspicion_heard){message->view, message->height,
                                      stands_until_ms(p)};
    suspicion_weigh(p);
}
