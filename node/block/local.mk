# node/block/: blocks made, checked, agreed on and stored.
noinst_LIBRARIES += node/block/libblock.a
node_block_libblock_a_SOURCES = \
	node/block/block_commit.c \
	node/block/catch_up.c node/block/catch_up.h \
	node/block/chain.c node/block/chain.h \
	node/block/delivery.c node/block/delivery.h \
	node/block/execution.c node/block/execution.h \
	node/block/execution_impl.h \
	node/block/needs.c node/block/needs.h \
	node/block/proposal.c \
	node/block/replica.c node/block/replica.h
node_block_libblock_a_CPPFLAGS = $(node_cppflags)
