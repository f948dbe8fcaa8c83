# What is compared with other programs.
EXTRA_DIST += tests/interop/train_float32.py
