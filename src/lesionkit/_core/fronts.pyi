# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
