"""Generated values of items, of every type that DynamoDB has."""

from decimal import Decimal

from hypothesis import strategies as st

_numbers = st.integers(-(10**37), 10**37) | st.decimals(
    min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=4
)
_scalars = st.text() | _numbers | st.booleans() | st.binary() | st.none()
_sets = (
    st.frozensets(st.text(), min_size=1)
    | st.frozensets(_numbers, min_size=1)
    | st.frozensets(st.binary(), min_size=1)
)
_values = st.recursive(
    _scalars | _sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

ITEM_VALUES = st.dictionaries(st.text(), _values, max_size=6)
