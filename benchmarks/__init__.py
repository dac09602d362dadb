"""Measure by hand: `make bench`, and the comparison behind docs/adr/0010."""
