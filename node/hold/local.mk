# node/hold/: what the node holds: blobs, data sets, checked signatures.
noinst_LIBRARIES += node/hold/libhold.a
node_hold_libhold_a_SOURCES = \
	node/hold/blob_pool.c node/hold/blob_pool.h \
	node/hold/chunk_cache.c node/hold/chunk_cache.h \
	node/hold/dataset_file.c node/hold/dataset_file.h \
	node/hold/datasets.c node/hold/datasets.h \
	node/hold/holdings.c node/hold/holdings.h \
	node/hold/known_parts.c node/hold/known_parts.h \
	node/hold/snapshots.c node/hold/snapshots.h \
	node/hold/state_blobs.c node/hold/state_blobs.h \
	node/hold/stored.c node/hold/stored.h \
	node/hold/verified.c node/hold/verified.h
node_hold_libhold_a_CPPFLAGS = $(node_cppflags)
