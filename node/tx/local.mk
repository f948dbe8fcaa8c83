# node/tx/: transactions and signed messages on their way in.
noinst_LIBRARIES += node/tx/libtx.a
node_tx_libtx_a_SOURCES = \
	node/tx/dropped.c node/tx/dropped.h \
	node/tx/evidence_file.c node/tx/evidence_file.h \
	node/tx/evidence_pool.c node/tx/evidence_pool.h \
	node/tx/pending.c node/tx/pending.h \
	node/tx/intake.c node/tx/intake.h \
	node/tx/intake_early.c node/tx/intake_early.h \
	node/tx/left_out.c node/tx/left_out.h \
	node/tx/mempool.c node/tx/mempool.h \
	node/tx/own_tx.c node/tx/own_tx.h
node_tx_libtx_a_CPPFLAGS = $(node_cppflags)
