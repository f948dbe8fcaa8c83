# Tests of the HTTP API's parts that stand alone, and of a whole node's.
node_api_tests = tests/unit/test_api_json \
	tests/unit/test_api_progress tests/unit/test_api_spec \
	tests/unit/test_api_url tests/unit/test_metrics_text \
	tests/unit/test_api_http
check_PROGRAMS += $(node_api_tests)
TESTS += $(node_api_tests)
node_api_cppflags = $(unit_cppflags) $(UV_CFLAGS) $(JANSSON_CFLAGS)

tests_unit_test_api_json_SOURCES = tests/unit/test_api_json.c
tests_unit_test_api_json_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_json_LDADD = node/api/libapi.a $(unit_proto_libs) $(JANSSON_LIBS)

tests_unit_test_api_progress_SOURCES = tests/unit/test_api_progress.c
tests_unit_test_api_progress_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_progress_LDADD = node/api/libapi.a $(unit_base_libs)

tests_unit_test_api_spec_SOURCES = tests/unit/test_api_spec.c
tests_unit_test_api_spec_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_spec_LDADD = node/api/libapi.a $(unit_proto_libs) \
	$(JANSSON_LIBS) -lm

tests_unit_test_api_url_SOURCES = tests/unit/test_api_url.c
tests_unit_test_api_url_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_url_LDADD = node/api/libapi.a p2p/libp2p.a \
	$(unit_base_libs) $(UV_LIBS)

tests_unit_test_metrics_text_SOURCES = tests/unit/test_metrics_text.c
tests_unit_test_metrics_text_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_metrics_text_LDADD = node/api/libapi.a $(unit_base_libs) \
	-lm

# Runs potctl and potd of the build folder.
tests_unit_test_api_http_SOURCES = tests/unit/test_api_http.c
tests_unit_test_api_http_CPPFLAGS = $(node_api_cppflags)
tests_unit_test_api_http_LDADD = node/api/libapi.a $(unit_proto_libs) \
	$(UV_LIBS)
EXTRA_tests_unit_test_api_http_DEPENDENCIES = potd potctl pot-worker
