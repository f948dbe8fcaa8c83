# docs/: documentation and man pages.
EXTRA_DIST += docs/benchmarks.md
dist_man_MANS += \
	docs/man/node.toml.5 \
	docs/man/pot-worker.1 \
	docs/man/potbench.1 \
	docs/man/potctl.1 \
	docs/man/potd.1 \
	docs/man/task.toml.5
