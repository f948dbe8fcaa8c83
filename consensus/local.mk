# consensus/: filled in by what stands in this folder.
