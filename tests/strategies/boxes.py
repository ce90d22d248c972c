"""Boxes of three numbers up to seven, overlapping ones among them, and points in and beside them."""

from hypothesis import strategies as st

from model.intervals import normalise
from oracle.dialects.ipvs.boxes import Box

TOP = 7
EVERYTHING: Box = (((0, TOP),), ((0, TOP),), ((0, TOP),))

_SPANS = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(lambda ends: (min(ends), max(ends)))
VALUES = st.lists(_SPANS, max_size=2).map(normalise)
BOXES = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=5)
POINTS = st.tuples(*[st.integers(0, TOP)] * 3)
