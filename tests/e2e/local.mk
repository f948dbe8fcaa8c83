# tests/e2e/: networks of real potd processes on loopback.
e2e_tests = \
	tests/e2e/test_cores.sh \
	tests/e2e/test_kill.sh \
	tests/e2e/test_train.sh
dist_check_SCRIPTS += $(e2e_tests)
TESTS += $(e2e_tests)
EXTRA_DIST += tests/e2e/lib.sh
