# node/: potd, the node.  Its parts are folders of their own, each of which
# knows those before it; node/ itself introduces them to each other.
node_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(UV_CFLAGS) $(MHD_CFLAGS) $(JANSSON_CFLAGS)
include node/loop/local.mk
include node/hold/local.mk
include node/block/local.mk
include node/tx/local.mk
include node/round/local.mk
include node/api/local.mk
# All of potd but its main: the simulator has one of its own.
node_sources = \
	node/last_words.c node/last_words.h \
	node/maintain.c node/maintain.h \
	node/mending.c node/mending.h \
	node/network.c node/network.h \
	node/node.c node/node.h \
	node/node_config.c node/node_config.h \
	node/new_tip.c node/new_tip.h \
	node/node_parts.c node/node_parts.h \
	node/recover.c node/recover.h \
	node/reload.c node/reload.h \
	node/replay.c node/replay.h \
	node/startup.c node/startup.h \
	node/stopping.c node/stopping.h \
	node/verify_store.c node/verify_store.h
node_libs = \
	node/api/libapi.a node/round/libround.a node/tx/libtx.a \
	node/block/libblock.a node/hold/libhold.a node/loop/libloop.a \
	consensus/libconsensus.a ledger/libledger.a training/libtraining.a \
	storage/libstorage.a p2p/libp2p.a proto/libproto.a \
	proto/libformats.a base/libtoml.a base/libbase.a
bin_PROGRAMS += potd
potd_SOURCES = node/main.c node/blas_core.c node/blas_core.h \
	node/check_config.c node/check_config.h \
	$(node_sources)
nodist_EXTRA_potd_SOURCES = links-c++.cpp
potd_CPPFLAGS = $(node_cppflags) \
	-DPOT_WORKER_PATH='"$(pkglibexecdir)/pot-worker"'
potd_LDADD = training/libmlp.a $(node_libs) \
	$(LMDB_LIBS) $(UV_LIBS) $(MHD_LIBS) $(JANSSON_LIBS) \
	$(PROTOBUFC_LIBS) $(BASE_LIBS) $(ZLIB_LIBS) -lm -lpthread
