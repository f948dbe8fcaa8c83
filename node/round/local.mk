# node/round/: rounds of training: mining and judging.
noinst_LIBRARIES += node/round/libround.a
node_round_libround_a_SOURCES = \
	node/round/attesting.c \
	node/round/auditor.c node/round/auditor.h \
	node/round/judging.c \
	node/round/miner.c node/round/miner.h \
	node/round/open_round.c node/round/open_round.h \
	node/round/round_job.c node/round/round_job.h \
	node/round/rounds.c node/round/rounds.h \
	node/round/workers.c node/round/workers.h
node_round_libround_a_CPPFLAGS = $(node_cppflags)
