"""`lesionkit gpu-report`: one command for whoever has a card, and one page to send back.

`rows` says what a row is and the least that it can take, `catalogue` lists them: the selftest of
each file of kernels, the main jobs, every kernel of `gpu.KERNELS` at work on a problem of its own,
and NVIDIA's tools where they are installed. `work` does rows in a process of its own, `command` has
them done one by one, keeps each, and writes report.json and report.html (`page`).
"""
