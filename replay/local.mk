# replay/: a task's rounds computed again from its beginning, for whoever does
# not want to take a chain's word.
noinst_LIBRARIES += replay/libreplay.a
replay_libreplay_a_SOURCES = replay/task_replay.c replay/task_replay.h
replay_libreplay_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
replay_libs = replay/libreplay.a ledger/libledger.a training/libmlp.a
