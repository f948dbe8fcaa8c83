# consensus/: PBFT as a pure state machine.
noinst_LIBRARIES += consensus/libconsensus.a
consensus_libconsensus_a_SOURCES = \
	consensus/body.c consensus/body.h \
	consensus/early.c \
	consensus/fetch.c \
	consensus/normal.c \
	consensus/outbox.c consensus/outbox.h \
	consensus/pbft.c consensus/pbft.h \
	consensus/pbft_message.c consensus/pbft_message.h \
	consensus/pbft_record.c \
	consensus/pbft_state.h \
	consensus/resend.c \
	consensus/verify.c \
	consensus/view_change.c \
	consensus/votes.c consensus/votes.h
consensus_libconsensus_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
