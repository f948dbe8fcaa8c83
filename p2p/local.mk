# p2p/: everything between two nodes.
noinst_LIBRARIES += p2p/libp2p.a
p2p_libp2p_a_SOURCES = \
	p2p/accept_rate.c p2p/accept_rate.h \
	p2p/admission.c p2p/admission.h \
	p2p/ban.c p2p/ban.h \
	p2p/blob_fetch.c p2p/blob_fetch.h \
	p2p/budget.c p2p/budget.h \
	p2p/claims.c p2p/claims.h \
	p2p/dial.c p2p/dial.h \
	p2p/dial_list.c p2p/dial_list.h \
	p2p/end_log.c p2p/end_log.h \
	p2p/frame.c p2p/frame.h \
	p2p/gossip.c p2p/gossip.h \
	p2p/handshake.c p2p/handshake.h \
	p2p/listener.c p2p/listener.h \
	p2p/message.c p2p/message.h \
	p2p/net.c p2p/net.h p2p/net_impl.h \
	p2p/net_address.c p2p/net_address.h \
	p2p/net_peers.c \
	p2p/net_stats.h \
	p2p/peer.c p2p/peer.h p2p/peer_life.h \
	p2p/peer_table.c p2p/peer_table.h \
	p2p/queue.c p2p/queue.h \
	p2p/reason.c p2p/reason.h \
	p2p/sending.c p2p/sending.h \
	p2p/sync.c p2p/sync.h \
	p2p/sync_plan.c p2p/sync_plan.h \
	p2p/sync_rate.c p2p/sync_rate.h \
	p2p/sync_serve.c p2p/sync_serve.h
p2p_libp2p_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
