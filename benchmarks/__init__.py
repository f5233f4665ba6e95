"""Measures Kefu beside its bare parts, with the threads that `kefu serve` gives its libraries."""

from web.commands.serve import spare_threads

spare_threads()
