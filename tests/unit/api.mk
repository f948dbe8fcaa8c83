# Tests of the HTTP API's parts that stand alone, and of a whole node's.
node_api_tests = tests/unit/test_api_json tests/unit/test_api_url \
	tests/unit/test_metrics_text tests/unit/test_api_http
check_PROGRAMS += $(node_api_tests)
TESTS += $(node_api_tests)
node_api_cppflags = $(unit_cppflags) $(UV_CFLAGS) $(JANSSON_CFLAGS)

tests_unit_test_api_json_SOURCES = tests/unit/test_api_json.c \
	node/api_json.c node/api_json.h
tests_unit_test_api_json_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_json_LDADD = $(unit_proto_libs) $(JANSSON_LIBS)

tests_unit_test_api_url_SOURCES = tests/unit/test_api_url.c \
	node/api_url.c node/api_url.h
tests_unit_test_api_url_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_url_LDADD = $(unit_base_libs) $(UV_LIBS)

tests_unit_test_metrics_text_SOURCES = tests/unit/test_metrics_text.c \
	node/metrics_text.c node/metrics_text.h
tests_unit_test_metrics_text_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_metrics_text_LDADD = $(unit_base_libs) -lm

# Runs potctl and potd of the build folder.
tests_unit_test_api_http_SOURCES = tests/unit/test_api_http.c
tests_unit_test_api_http_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_http_LDADD = $(unit_base_libs)
EXTRA_tests_unit_test_api_http_DEPENDENCIES = potd potctl pot-worker
