# csrc/texture/bind*.cpp, in the order of those files.
