# node/block/: blocks made, checked, agreed on and stored.
noinst_LIBRARIES += node/block/libblock.a
node_block_libblock_a_SOURCES = \
	node/block/block_check.c node/block/block_check.h \
	node/block/block_commit.c node/block/block_commit.h \
	node/block/block_lists.c node/block/block_lists.h \
	node/block/block_needs.c node/block/block_needs.h \
	node/block/catch_up.c node/block/catch_up.h \
	node/block/certified.c node/block/certified.h \
	node/block/chain.c node/block/chain.h \
	node/block/chain_tip.c node/block/chain_tip.h \
	node/block/dataset_fetch.c node/block/dataset_fetch.h \
	node/block/delivery.c node/block/delivery.h \
	node/block/errands.c node/block/errands.h \
	node/block/executed.c node/block/executed.h \
	node/block/held_blobs.c node/block/held_blobs.h \
	node/block/inbox.c node/block/inbox.h \
	node/block/ledger_view.c node/block/ledger_view.h \
	node/block/needs.c node/block/needs.h \
	node/block/proposal.c node/block/proposal.h \
	node/block/pruning.c node/block/pruning.h \
	node/block/replica.c node/block/replica.h \
	node/block/round_blobs.c node/block/round_blobs.h \
	node/block/shared_block.c node/block/shared_block.h \
	node/block/validator_sets.c node/block/validator_sets.h \
	node/block/vote_record.c node/block/vote_record.h \
	node/block/wait.c node/block/wait.h
node_block_libblock_a_CPPFLAGS = $(node_cppflags)
