# p2p/: filled in by what stands in this folder.
