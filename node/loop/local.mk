# node/loop/: what the parts of the node need of libuv, each a little.
noinst_LIBRARIES += node/loop/libloop.a
node_loop_libloop_a_SOURCES = \
	node/loop/loop_timer.c node/loop/loop_timer.h \
	node/loop/offload.c node/loop/offload.h
node_loop_libloop_a_CPPFLAGS = $(node_cppflags)
