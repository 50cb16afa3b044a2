# csrc/optics/bind*.cpp, in the order of those files.
