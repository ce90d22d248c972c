"""Sets of numbers up to thirty, and spans of them in any order, overlapping ones among them."""

from hypothesis import strategies as st

TOP = 30
NUMBERS = st.frozensets(st.integers(0, TOP))
SPANS = st.lists(st.tuples(st.integers(0, TOP), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair))))
