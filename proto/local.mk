# proto/: the one place where wire and block formats are defined.
proto_sources = proto/consensus.proto proto/chain.proto proto/state.proto \
	proto/wire.proto
proto_built = \
	generated/proto/consensus.pb-c.c generated/proto/consensus.pb-c.h \
	generated/proto/chain.pb-c.c generated/proto/chain.pb-c.h \
	generated/proto/state.pb-c.c generated/proto/state.pb-c.h \
	generated/proto/wire.pb-c.c generated/proto/wire.pb-c.h
EXTRA_DIST += $(proto_sources)
BUILT_SOURCES += $(proto_built)
CLEANFILES += $(proto_built)

generated/proto/%.pb-c.c generated/proto/%.pb-c.h: proto/%.proto
	$(AM_V_GEN)$(MKDIR_P) generated && $(PROTOC_C) --c_out=generated \
		--proto_path=$(top_srcdir) $(top_srcdir)/proto/$*.proto

noinst_LIBRARIES += proto/libproto.a
proto_libproto_a_SOURCES = \
	proto/aggregation.c proto/aggregation.h \
	proto/batch.c proto/batch.h \
	proto/blob.c proto/blob.h \
	proto/block.c proto/block.h \
	proto/certificate.c proto/certificate.h \
	proto/codec.c proto/codec.h \
	proto/dataset.c proto/dataset.h \
	proto/draw.c proto/draw.h \
	proto/evidence.c proto/evidence.h \
	proto/fee.c proto/fee.h \
	proto/genesis.c proto/genesis.h \
	proto/genesis_params.c proto/genesis_params.h \
	proto/gradient.c proto/gradient.h \
	proto/group.c proto/group.h \
	proto/named.c proto/named.h \
	proto/packed.c proto/packed.h \
	proto/partial_sum.c proto/partial_sum.h \
	proto/model.c proto/model.h \
	proto/plant.c proto/plant.h \
	proto/round.c proto/round.h \
	proto/round_room.c proto/round_room.h \
	proto/sign_frame.c proto/sign_frame.h \
	proto/signed.c proto/signed.h \
	proto/spec.c proto/spec.h \
	proto/state_chunk.c proto/state_chunk.h \
	proto/state_proof.c proto/state_proof.h \
	proto/validator_set.c proto/validator_set.h \
	proto/vote.c proto/vote.h \
	proto/word.c proto/word.h
proto_libproto_a_CFLAGS = $(AM_CFLAGS) -fopenmp-simd
proto_libproto_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS) $(JANSSON_CFLAGS)

# The generated code is not held to our warnings.
noinst_LIBRARIES += proto/libformats.a
nodist_proto_libformats_a_SOURCES = $(proto_built)
proto_libformats_a_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUFC_CFLAGS)
proto_libformats_a_CFLAGS = $(AM_CFLAGS) -Wno-cast-qual
