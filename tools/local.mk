# tools/: what looks after the source.
dist_check_SCRIPTS += tools/check-source tools/test-check-source
TESTS += tools/test-check-source
EXTRA_DIST += .clang-format .editorconfig quickstart

.PHONY: check-source
check-source:
	$(srcdir)/tools/check-source $(abs_top_srcdir) $(abs_top_builddir)
