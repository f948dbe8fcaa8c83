# tools/: what looks after the source, and after what is made of it.
dist_check_SCRIPTS += tools/check-source tools/test-check-source tools/test-sbom
TESTS += tools/test-check-source tools/test-sbom
EXTRA_DIST += .clang-format .editorconfig quickstart tools/check-reproducible \
	tools/sbom
CLEANFILES += pot.cdx.json

.PHONY: check-source check-reproducible sbom
check-source:
	$(srcdir)/tools/check-source $(abs_top_srcdir) $(abs_top_builddir)

# Minutes: the tree is built twice.
check-reproducible:
	$(srcdir)/tools/check-reproducible $(abs_top_srcdir)

sbom: potd potctl pot-worker
	$(srcdir)/tools/sbom ./potd ./potctl ./pot-worker >pot.cdx.json
