"""Measures the desk: many tickets by COPY, then pages, writes, statements and memory of the real thing."""
