# docs/: documentation and man pages.
EXTRA_DIST += docs/benchmarks.md
dist_man_MANS += \
	docs/man/node.toml.5 \
	docs/man/pot-signer.1 \
	docs/man/pot-worker.1 \
	docs/man/potbench.1 \
	docs/man/potctl.1 \
	docs/man/potd.1 \
	docs/man/task.toml.5
EXTRA_DIST += \
	CHANGELOG.md \
	CONTRIBUTING.md \
	LICENSE \
	README.md \
	SECURITY.md \
	docs/api.md \
	docs/architecture.md \
	docs/dependencies.md \
	docs/glossary.md \
	docs/operations.md \
	docs/performance.md \
	docs/protocol.md \
	docs/reliability.md \
	docs/testing.md \
	docs/training.md \
	docs/verification.md
