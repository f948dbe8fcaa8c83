# training/: data sets, gradients as integers, and the process that computes
# them.  Only pot-worker knows OpenBLAS.
noinst_LIBRARIES += training/libtraining.a
training_libtraining_a_SOURCES = \
	training/assign.c training/assign.h \
	training/audit.c training/audit.h \
	training/import.c training/import.h \
	training/import_names.c training/import_split.c \
	training/import_array.c training/import_array.h \
	training/import_complain.c training/import_complain.h \
	training/import_csv.c training/import_csv.h \
	training/import_source.c training/import_source.h \
	training/import_table.c training/import_table.h \
	training/label_table.c training/label_table.h \
	training/compress.c training/compress.h \
	training/quantise.c training/quantise.h \
	training/worker_protocol.c training/worker_protocol.h \
	training/worker_shm.c training/worker_shm.h
training_libtraining_a_CFLAGS = $(AM_CFLAGS) -fopenmp-simd
training_libtraining_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS) $(ZLIB_CFLAGS)

noinst_LIBRARIES += training/libmlp.a
training_libmlp_a_SOURCES = \
	training/elementary.h \
	training/exact.c training/exact.h \
	training/exact_avx2.c training/exact_avx512.c training/exact_neon.c \
	training/exact_give.h training/exact_pack.h training/exact_scalar.c \
	training/exact_tile.h \
	training/exact_variants.h \
	training/kernel.c training/kernel.h \
	training/mlp.c training/mlp.h \
	training/product.h training/product_blas.c \
	training/worker_core.c training/worker_core.h
training_libmlp_a_CPPFLAGS = $(training_libtraining_a_CPPFLAGS) \
	$(OPENBLAS_CFLAGS)
# Loops marked "omp simd" become vector code; no OpenMP library is needed.
# A product and a sum are two roundings unless the source says fma: the same
# bits on machines that have it and on others.
training_libmlp_a_CFLAGS = $(AM_CFLAGS) -fopenmp-simd -ffp-contract=off

# It lies beside potd in the build folder, where potd looks for it.
pkglibexec_PROGRAMS += pot-worker
pot_worker_SOURCES = \
	training/worker.c \
	training/worker_run.c training/worker_run.h \
	training/worker_sandbox.c training/worker_sandbox.h
pot_worker_CPPFLAGS = $(training_libmlp_a_CPPFLAGS) $(SECCOMP_CFLAGS)
pot_worker_LDADD = training/libmlp.a training/libtraining.a \
	proto/libproto.a proto/libformats.a base/libbase.a \
	$(OPENBLAS_LIBS) $(SECCOMP_LIBS) $(PROTOBUFC_LIBS) $(BASE_LIBS) \
	-lm -lpthread
