# Tests of training/: those with BLAS link libmlp, none of the others does.
training_tests = tests/unit/test_assign tests/unit/test_audit \
	tests/unit/test_compress \
	tests/unit/test_elementary tests/unit/test_exact \
	tests/unit/test_worker_core \
	tests/unit/test_import tests/unit/test_import_array \
	tests/unit/test_mlp tests/unit/test_mlp_walk tests/unit/test_quantise \
	tests/unit/test_worker tests/unit/test_worker_protocol \
	tests/unit/test_worker_sandbox
check_PROGRAMS += $(training_tests)
TESTS += $(training_tests)

training_test_libs = training/libtraining.a $(unit_proto_libs) $(ZLIB_LIBS) -lm
mlp_test_libs = training/libmlp.a $(training_test_libs) $(OPENBLAS_LIBS)

tests_unit_test_assign_SOURCES = tests/unit/test_assign.c
tests_unit_test_assign_CPPFLAGS = $(unit_cppflags)
tests_unit_test_assign_LDADD = $(training_test_libs)

tests_unit_test_audit_SOURCES = tests/unit/test_audit.c
tests_unit_test_audit_CPPFLAGS = $(unit_cppflags)
tests_unit_test_audit_LDADD = $(training_test_libs)

tests_unit_test_compress_SOURCES = tests/unit/test_compress.c tests/rng.h
tests_unit_test_compress_CPPFLAGS = $(unit_cppflags)
tests_unit_test_compress_LDADD = $(training_test_libs)

# As the library is: no fused multiply-add that the source does not ask for.
tests_unit_test_elementary_SOURCES = tests/unit/test_elementary.c
tests_unit_test_elementary_CPPFLAGS = $(unit_cppflags)
tests_unit_test_elementary_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tests_unit_test_elementary_LDADD = $(training_test_libs)

tests_unit_test_worker_core_SOURCES = tests/unit/test_worker_core.c
tests_unit_test_worker_core_CPPFLAGS = $(unit_cppflags)
tests_unit_test_worker_core_LDADD = $(mlp_test_libs)

tests_unit_test_exact_SOURCES = tests/unit/test_exact.c \
	tests/unit/mlp_gradient.h \
	tests/byte_dataset.c tests/byte_dataset.h tests/rng.h tests/scratch.h
tests_unit_test_exact_CPPFLAGS = $(unit_cppflags)
tests_unit_test_exact_LDADD = $(mlp_test_libs)

tests_unit_test_import_SOURCES = tests/unit/test_import.c \
	tests/unit/import_fixture.c tests/unit/import_fixture.h
tests_unit_test_import_CPPFLAGS = $(unit_cppflags)
tests_unit_test_import_LDADD = $(training_test_libs)

tests_unit_test_import_array_SOURCES = tests/unit/test_import_array.c \
	tests/unit/import_fixture.c tests/unit/import_fixture.h
tests_unit_test_import_array_CPPFLAGS = $(unit_cppflags) $(ZLIB_CFLAGS)
tests_unit_test_import_array_LDADD = $(training_test_libs)

tests_unit_test_mlp_SOURCES = tests/unit/test_mlp.c \
	tests/unit/mlp_gradient.h \
	tests/unit/kernel_naive.c tests/unit/kernel_naive.h
tests_unit_test_mlp_CPPFLAGS = $(unit_cppflags)
tests_unit_test_mlp_LDADD = $(mlp_test_libs)

tests_unit_test_mlp_walk_SOURCES = tests/unit/test_mlp_walk.c \
	tests/unit/mlp_gradient.h \
	tests/byte_dataset.c tests/byte_dataset.h tests/rng.h tests/scratch.h
tests_unit_test_mlp_walk_CPPFLAGS = $(unit_cppflags)
tests_unit_test_mlp_walk_LDADD = $(mlp_test_libs)

tests_unit_test_quantise_SOURCES = tests/unit/test_quantise.c
tests_unit_test_quantise_CPPFLAGS = $(unit_cppflags)
tests_unit_test_quantise_LDADD = $(training_test_libs)

# It starts build/pot-worker.
tests_unit_test_worker_SOURCES = tests/unit/test_worker.c \
	tests/unit/mlp_gradient.h \
	tests/byte_dataset.c tests/byte_dataset.h \
	tests/worker_driver.c tests/worker_driver.h
tests_unit_test_worker_CPPFLAGS = $(unit_cppflags)
tests_unit_test_worker_LDADD = $(mlp_test_libs)

tests_unit_test_worker_protocol_SOURCES = tests/unit/test_worker_protocol.c
tests_unit_test_worker_protocol_CPPFLAGS = $(unit_cppflags)
tests_unit_test_worker_protocol_LDADD = $(training_test_libs)

tests_unit_test_worker_sandbox_SOURCES = tests/unit/test_worker_sandbox.c \
	training/worker_sandbox.c training/worker_sandbox.h
tests_unit_test_worker_sandbox_CPPFLAGS = $(unit_cppflags) $(SECCOMP_CFLAGS)
tests_unit_test_worker_sandbox_LDADD = $(unit_base_libs) $(SECCOMP_LIBS)
