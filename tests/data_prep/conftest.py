import matplotlib.figure  # noqa: F401 - where it is loaded, charts are drawn in place: a process for each test would be slow
