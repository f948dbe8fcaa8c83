# signer/: pot-signer, which holds a validator's key in potd's place.  All but
# main stands in a library, which the tests link too.
noinst_LIBRARIES += signer/libsigner.a
signer_libsigner_a_SOURCES = \
	signer/sign_rules.c signer/sign_rules.h \
	signer/sign_server.c signer/sign_server.h \
	signer/signer.c signer/signer.h
signer_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS)
signer_libsigner_a_CPPFLAGS = $(signer_cppflags)
signer_libs = signer/libsigner.a storage/libstorage.a proto/libproto.a \
	proto/libformats.a base/libbase.a $(LMDB_LIBS) $(JANSSON_LIBS) \
	$(PROTOBUFC_LIBS) $(BASE_LIBS) -lpthread

bin_PROGRAMS += pot-signer
pot_signer_SOURCES = signer/main.c
pot_signer_CPPFLAGS = $(signer_cppflags)
pot_signer_LDADD = $(signer_libs)
