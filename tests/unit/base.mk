# Tests of base/: each links nothing else of ours.
base_tests = tests/unit/test_amount tests/unit/test_bech32 \
	tests/unit/test_bytes tests/unit/test_cpu_time tests/unit/test_file \
	tests/unit/test_key tests/unit/test_key_batch tests/unit/test_key_often \
	tests/unit/test_point_multiples tests/unit/test_point_sum \
	tests/unit/test_key_file tests/unit/test_key_table tests/unit/test_log tests/unit/test_map tests/unit/test_option \
	tests/unit/test_process_private tests/unit/test_recent_set tests/unit/test_toml
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)

tests_unit_test_amount_SOURCES = tests/unit/test_amount.c
tests_unit_test_amount_CPPFLAGS = $(unit_cppflags)
tests_unit_test_amount_LDADD = $(unit_base_libs)

tests_unit_test_bech32_SOURCES = tests/unit/test_bech32.c
tests_unit_test_bech32_CPPFLAGS = $(unit_cppflags)
tests_unit_test_bech32_LDADD = $(unit_base_libs)

tests_unit_test_bytes_SOURCES = tests/unit/test_bytes.c
tests_unit_test_bytes_CPPFLAGS = $(unit_cppflags)
tests_unit_test_bytes_LDADD = $(unit_base_libs)

tests_unit_test_cpu_time_SOURCES = tests/unit/test_cpu_time.c
tests_unit_test_cpu_time_CPPFLAGS = $(unit_cppflags)
tests_unit_test_cpu_time_LDADD = $(unit_base_libs)

tests_unit_test_file_SOURCES = tests/unit/test_file.c tests/scratch.h
tests_unit_test_file_CPPFLAGS = $(unit_cppflags)
tests_unit_test_file_LDADD = $(unit_base_libs)

tests_unit_test_key_batch_SOURCES = tests/unit/test_key_batch.c tests/rng.h
tests_unit_test_key_batch_CPPFLAGS = $(unit_cppflags)
tests_unit_test_key_batch_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=point_sum -Wl,--wrap=key_equation_holds
tests_unit_test_key_batch_LDADD = $(unit_base_libs)

tests_unit_test_point_multiples_SOURCES = tests/unit/test_point_multiples.c \
	tests/rng.h
tests_unit_test_point_multiples_CPPFLAGS = $(unit_cppflags)
tests_unit_test_point_multiples_LDADD = $(unit_base_libs)

tests_unit_test_key_often_SOURCES = tests/unit/test_key_often.c
tests_unit_test_key_often_CPPFLAGS = $(unit_cppflags)
tests_unit_test_key_often_LDADD = $(unit_base_libs)

tests_unit_test_point_sum_SOURCES = tests/unit/test_point_sum.c tests/rng.h
tests_unit_test_point_sum_CPPFLAGS = $(unit_cppflags)
tests_unit_test_point_sum_LDADD = $(unit_base_libs)

tests_unit_test_key_SOURCES = tests/unit/test_key.c
tests_unit_test_key_CPPFLAGS = $(unit_cppflags)
tests_unit_test_key_LDADD = $(unit_base_libs)

tests_unit_test_key_file_SOURCES = tests/unit/test_key_file.c tests/scratch.h
tests_unit_test_key_file_CPPFLAGS = $(unit_cppflags)
tests_unit_test_key_file_LDADD = $(unit_base_libs)

tests_unit_test_key_table_SOURCES = tests/unit/test_key_table.c
tests_unit_test_key_table_CPPFLAGS = $(unit_cppflags)
tests_unit_test_key_table_LDADD = $(unit_base_libs)

tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CPPFLAGS = $(unit_cppflags)
tests_unit_test_log_LDADD = $(unit_base_libs)

tests_unit_test_map_SOURCES = tests/unit/test_map.c
tests_unit_test_map_CPPFLAGS = $(unit_cppflags)
tests_unit_test_map_LDADD = $(unit_base_libs)

tests_unit_test_option_SOURCES = tests/unit/test_option.c
tests_unit_test_option_CPPFLAGS = $(unit_cppflags)
tests_unit_test_option_LDADD = $(unit_base_libs)

tests_unit_test_process_private_SOURCES = tests/unit/test_process_private.c
tests_unit_test_process_private_CPPFLAGS = $(unit_cppflags)
tests_unit_test_process_private_LDADD = $(unit_base_libs)

tests_unit_test_recent_set_SOURCES = tests/unit/test_recent_set.c
tests_unit_test_recent_set_CPPFLAGS = $(unit_cppflags)
tests_unit_test_recent_set_LDADD = $(unit_base_libs)

tests_unit_test_toml_SOURCES = tests/unit/test_toml.c
nodist_EXTRA_tests_unit_test_toml_SOURCES = links-c++.cpp
tests_unit_test_toml_CPPFLAGS = $(unit_cppflags)
tests_unit_test_toml_LDADD = base/libtoml.a $(unit_base_libs)
