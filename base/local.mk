# base/: what every folder may use, and that uses nothing of ours.
noinst_LIBRARIES += base/libbase.a

base_libbase_a_SOURCES = \
	base/alloc.c base/alloc.h \
	base/amount.c base/amount.h \
	base/bech32.c base/bech32.h \
	base/buf.c base/buf.h \
	base/bytes.c base/bytes.h \
	base/check.c base/check.h \
	base/clones.h \
	base/clock.c base/clock.h \
	base/cpu_time.c base/cpu_time.h \
	base/err.c base/err.h \
	base/exit_code.h \
	base/file.c base/file.h \
	base/fixed.c base/fixed.h \
	base/hash.c base/hash.h \
	base/hex.c base/hex.h \
	base/key.c base/key.h \
	base/key_batch.c base/key_batch.h \
	base/key_box.c base/key_box.h \
	base/key_claim.c base/key_claim.h \
	base/key_equation.c base/key_equation.h \
	base/key_file.c base/key_file.h \
	base/key_often.c base/key_often.h \
	base/key_table.c base/key_table.h \
	base/limits.h \
	base/log.c base/log.h \
	base/map.c base/map.h \
	base/option.c base/option.h \
	base/passphrase.c base/passphrase.h \
	base/process_private.c base/process_private.h \
	base/point_digits.c base/point_digits.h \
	base/point_multiples.c base/point_multiples.h \
	base/point_sum.c base/point_sum.h \
	base/recent_set.c base/recent_set.h \
	base/suggest.c base/suggest.h \
	base/utf8.c base/utf8.h
base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(DECAF_CFLAGS)

# TOML is read through toml++: programs that link this link the C++ library.
noinst_LIBRARIES += base/libtoml.a
base_libtoml_a_SOURCES = base/toml.cpp base/toml.h
