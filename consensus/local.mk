# consensus/: PBFT as a pure state machine.
noinst_LIBRARIES += consensus/libconsensus.a
consensus_libconsensus_a_SOURCES = \
	consensus/accuse.c consensus/accuse.h \
	consensus/spare.c consensus/spare.h \
	consensus/ahead.c consensus/ahead.h \
	consensus/decision.c consensus/decision.h \
	consensus/early.c consensus/early.h \
	consensus/fetch.c consensus/fetch.h \
	consensus/normal.c consensus/normal.h \
	consensus/outbox.c consensus/outbox.h \
	consensus/pace.c consensus/pace.h \
	consensus/pbft.c consensus/pbft.h \
	consensus/pbft_block.c consensus/pbft_block.h \
	consensus/pbft_effects.c consensus/pbft_effects.h \
	consensus/pbft_mark.c consensus/pbft_mark.h \
	consensus/pbft_message.c consensus/pbft_message.h \
	consensus/pbft_record.c consensus/pbft_record.h \
	consensus/pbft_state.h \
	consensus/pbft_timers.c consensus/pbft_timers.h \
	consensus/pbft_verify.c consensus/pbft_verify.h \
	consensus/resend.c consensus/resend.h \
	consensus/suspicion.c consensus/suspicion.h \
	consensus/view.c consensus/view.h \
	consensus/view_change.c consensus/view_change.h \
	consensus/votes.c consensus/votes.h \
	consensus/vouched.c consensus/vouched.h
consensus_libconsensus_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
