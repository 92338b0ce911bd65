"""The instrument: effects of cuts, shocks and injections over paired seeds, with intervals and words.

It knows nothing of the economy: arrays in, numbers out. What it finds where a loop was planted, and where none was, is in
``tests/statistics``; ``toys`` has the processes.
"""
