"""Measures Kefu beside its bare parts, with the threads that `kefu serve` gives its libraries."""

import os

from web.commands.serve import THREADS

for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)
