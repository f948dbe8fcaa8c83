# node/round/: rounds of training: mining and judging.
noinst_LIBRARIES += node/round/libround.a
node_round_libround_a_SOURCES = \
	node/round/accuser.c node/round/accuser.h \
	node/round/again.c node/round/again.h \
	node/round/aggregator.c node/round/aggregator.h \
	node/round/attesting.c node/round/attesting.h \
	node/round/auditor.c node/round/auditor.h \
	node/round/audits.c node/round/audits.h \
	node/round/committing.c node/round/committing.h \
	node/round/group_early.c node/round/group_early.h \
	node/round/group_heard.c node/round/group_heard.h \
	node/round/group_opening.c node/round/group_opening.h \
	node/round/group_places.c node/round/group_places.h \
	node/round/group_split.c node/round/group_split.h \
	node/round/group_sum.c node/round/group_sum.h \
	node/round/group_talk.c node/round/group_talk.h \
	node/round/group_trust.c node/round/group_trust.h \
	node/round/group_vouching.c node/round/group_vouching.h \
	node/round/group_waits.c node/round/group_waits.h \
	node/round/grouping.c node/round/grouping.h \
	node/round/groups.c node/round/groups.h \
	node/round/groups_shared.h \
	node/round/hearsay.c node/round/hearsay.h \
	node/round/joining.c node/round/joining.h \
	node/round/judging.c node/round/judging.h \
	node/round/miner.c node/round/miner.h \
	node/round/open_round.c node/round/open_round.h \
	node/round/own_links.c node/round/own_links.h \
	node/round/newcomers.c node/round/newcomers.h \
	node/round/own_words.c node/round/own_words.h \
	node/round/planter.c node/round/planter.h \
	node/round/payload.c node/round/payload.h \
	node/round/pledges.c node/round/pledges.h \
	node/round/referee.c node/round/referee.h \
	node/round/referee_words.c node/round/referee_words.h \
	node/round/reminder.c node/round/reminder.h \
	node/round/round_early.c node/round/round_early.h \
	node/round/round_input.c node/round/round_input.h \
	node/round/round_load.c node/round/round_load.h \
	node/round/row_gather.c node/round/row_gather.h \
	node/round/rounds.c node/round/rounds.h \
	node/round/rounds_shared.h \
	node/round/word_choice.c node/round/word_choice.h \
	node/round/worker_process.c node/round/worker_process.h \
	node/round/worker_words.c node/round/worker_words.h \
	node/round/workers.c node/round/workers.h
node_round_libround_a_CPPFLAGS = $(node_cppflags)
