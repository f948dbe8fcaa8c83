# storage/: the chain, the state and the sign state on disk.
noinst_LIBRARIES += storage/libstorage.a
storage_libstorage_a_SOURCES = \
	storage/journal.c storage/journal.h \
	storage/overlay.c storage/overlay.h storage/overlay_impl.h \
	storage/sign_state.c storage/sign_state.h \
	storage/slot_file.c storage/slot_file.h \
	storage/store.c storage/store.h \
	storage/store_blob.c storage/store_blob.h \
	storage/store_commit.c \
	storage/store_copy.c storage/store_copy.h \
	storage/store_cure.c \
	storage/store_env.c storage/store_env.h \
	storage/store_health.c storage/store_health.h \
	storage/store_install.c storage/store_install.h \
	storage/store_layer.c storage/store_layer.h \
	storage/store_list.c \
	storage/store_make.c storage/store_make.h \
	storage/store_open.c storage/store_open.h \
	storage/store_page.c storage/store_page.h \
	storage/store_pages.c storage/store_pages.h \
	storage/store_promise.c storage/store_promise.h \
	storage/store_promise_record.c storage/store_promise_record.h \
	storage/store_prune.c storage/store_prune.h \
	storage/store_record.c storage/store_record.h \
	storage/store_replay.c storage/store_replay.h \
	storage/store_snapshot.c storage/store_snapshot.h \
	storage/store_snapshot_impl.h \
	storage/store_table.c storage/store_table.h \
	storage/store_tree.c storage/store_tree.h \
	storage/store_verify.c
storage_libstorage_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS) $(LMDB_CFLAGS)
