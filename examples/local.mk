# examples/: tasks and data to try.
EXTRA_DIST += \
	examples/README.md \
	examples/digits/ATTRIBUTION \
	examples/digits/digits-test.csv \
	examples/digits/digits-train.csv \
	examples/digits/split.py \
	examples/digits/task.toml \
	examples/fashion-mnist/local-steps.toml \
	examples/fashion-mnist/task.toml
