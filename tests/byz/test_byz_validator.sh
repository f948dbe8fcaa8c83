#!/bin/sh
# One validator of four does not keep the rules, each row in another way, with
# its own key and true signatures.  The other three go on committing the same
# blocks, hold no more memory than they may, ban it where it broke a rule that
# an honest node cannot break, and notice it where it voted twice.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/byz/byz.sh"
rss_max_kb=${POT_RSS_MAX_KB:-400000}
blocks=5 # more of them, under each trick
# Configured peers are banned for a twentieth of it.
export POTD_P2P_BAN_SECONDS=20

bans=pot_p2p_bans_total
votes=pot_consensus_evidence_total
views=pot_consensus_view_changes_total
invalid=pot_consensus_invalid_blocks_total
proposals=pot_consensus_proposals_total

# Alive, within bounds, and some blocks further.
check_honest() { # trick honest...
    what=$1
    shift
    height=$(height_of "$1")
    for each in "$@"; do
        await 30 "blocks at $each under $what" reaches "$each" \
            $((height + blocks))
        kill -0 "$(cat "$NET/$each/pid")" || fail "$each died of $what"
        [ "$(rss_of "$each")" -lt "$rss_max_kb" ] ||
            fail "$each holds $(rss_of "$each") KiB after $what"
    done
    echo "$what: height $(height_of "$1"), $(rss_of "$1") KiB"
}

# ---- one that is not the primary, in one network
#
# trick, and what grows at each honest one; -: the liar is among them, and
# nothing comes of it.  Those that it is punished for stand last.

init_quick_net 4 1
honest="validator0 validator1 validator2"
liar=$(address_of validator3)
# Whatever it said was read then.
has_gone() {
    get "$1" /v1/peers | holds --arg a "$liar" '.peers | all(.address != $a)'
}
start $honest
await 30 "the first blocks" reaches validator0 2
while read -r trick grows; do
    counted=$grows
    [ "$grows" != - ] || counted=$bans
    for each in $honest; do
        await 30 "$each has lost the last liar" has_gone "$each"
        metric "$each" "$counted" >"$WORK/before.$each"
    done
    start_byz validator3 "$trick"
    [ "$grows" != - ] || await_ready validator3
    for each in $honest; do
        [ "$grows" = - ] || await 30 "$grows at $each under $trick" \
            metric_above "$each" "$grows" "$(cat "$WORK/before.$each")"
    done
    check_honest "$trick" $honest
    for each in $honest; do
        [ "$grows" != - ] ||
            ! metric_above "$each" "$bans" "$(cat "$WORK/before.$each")" ||
            fail "$each bans for $trick"
    done
    kill_hard validator3
done <<END
other-names $bans
forged-prepared $bans
mixed-prepared $bans
forged-new-view $bans
junk $bans
replay -
no-commits -
silent -
far -
flood pot_p2p_throttled_total
equivocate -
vote-twice $votes
END
same_chain $honest

# ---- one that gives the blocks to a newcomer, among three who do so honestly

has_caught_up() { reaches miner0 "$target"; }

start_newcomer() {
    rm -rf "$NET/miner0/store" "$NET/miner0/datasets"
    start miner0
}

# It may have had all of it from the others, with no question to the liar: then
# anew.
has_banned() {
    ! metric_above miner0 $bans 0 || return 0
    if has_caught_up; then
        kill_hard miner0
        start_newcomer
    fi
    return 1
}

for trick in sync-lies sync-starves; do
    start_byz validator3 $trick
    await 30 "$trick at work" get validator3 /v1/status
    target=$(height_of validator0)
    start_newcomer
    await 30 "the newcomer answers" get miner0 /v1/status
    [ $trick != sync-lies ] || await 60 "the liar is banned" has_banned
    await 60 "the newcomer has the blocks, $trick or not" has_caught_up
    echo "$trick by validator3: miner0 has $(height_of miner0) blocks"
    kill_hard validator3
    same_chain validator0 miner0
    kill_hard miner0
done
stop_cleanly $honest
no_bugs

# ---- the primary of the first view, in a new network each

# The others may be drawn along before they look.
noticed() { # metric
    for each in $honest; do
        ! metric_above "$each" "$1" 0 || return 0
    done
    return 1
}

honest="validator1 validator2 validator3"
while read -r trick grows; do
    init_quick_net 4 0
    for each in $names; do
        # Its first block may be lost, before they have met: it is sent
        # again after half of this.
        set_key "$each" consensus propose_timeout_ms 3000
    done
    start_byz validator0 "$trick"
    start $honest
    for each in $honest; do
        await 30 "$each answers" get "$each" /v1/status
    done
    [ "$grows" = - ] ||
        await 30 "$grows at one of them under $trick" noticed "$grows"
    await 30 "$trick answers" get validator0 /v1/status
    await 30 "it proposes" metric_above validator0 $proposals 0
    check_honest "$trick by the primary" $honest
    same_chain $honest
    kill_hard $names
    no_bugs
done <<END
equivocate -
bad-blocks $invalid
silent $views
vote-twice $votes
END
