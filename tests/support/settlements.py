"""The state of a campaign of `bench` once nothing moves any more."""

from bench.load.books import Settlement, SmsFaults

SETTLED = Settlement(
    sms=SmsFaults(without=0, repeated=0, unexpected=0),
    unsettled_sms=0,
    dead_letters=0,
    summary_differences=[],
    recount_differences=[],
)
"""Nothing is left, and every figure is right."""
