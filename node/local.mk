# node/: potd, the node; everything else is introduced to each other here.
include node/api.mk
bin_PROGRAMS += potd
potd_SOURCES = \
	$(api_sources) \
	node/attesting.c \
	node/auditor.c node/auditor.h \
	node/blob_pool.c node/blob_pool.h \
	node/block_commit.c \
	node/catch_up.c node/catch_up.h \
	node/chain.c node/chain.h \
	node/datasets.c node/datasets.h \
	node/delivery.c node/delivery.h \
	node/execution.c node/execution.h node/execution_impl.h \
	node/intake.c node/intake.h \
	node/judging.c \
	node/main.c \
	node/mempool.c node/mempool.h \
	node/miner.c node/miner.h \
	node/needs.c node/needs.h \
	node/network.c node/network.h \
	node/node.c node/node.h \
	node/node_config.c node/node_config.h \
	node/open_round.c node/open_round.h \
	node/proposal.c \
	node/replica.c node/replica.h \
	node/round_job.c node/round_job.h \
	node/rounds.c node/rounds.h \
	node/startup.c node/startup.h \
	node/verified.c node/verified.h \
	node/verify_store.c \
	node/workers.c node/workers.h
nodist_EXTRA_potd_SOURCES = links-c++.cpp
potd_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(UV_CFLAGS) $(MHD_CFLAGS) $(JANSSON_CFLAGS) \
	-DPOT_WORKER_PATH='"$(pkglibexecdir)/pot-worker"'
potd_LDADD = \
	consensus/libconsensus.a ledger/libledger.a training/libtraining.a \
	storage/libstorage.a p2p/libp2p.a proto/libproto.a \
	proto/libformats.a base/libtoml.a base/libbase.a \
	$(LMDB_LIBS) $(UV_LIBS) $(MHD_LIBS) $(JANSSON_LIBS) \
	$(PROTOBUFC_LIBS) $(SODIUM_LIBS) $(ZLIB_LIBS) -lpthread
