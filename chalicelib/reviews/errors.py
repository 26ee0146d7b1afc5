"""Refusals of the reviews package.

Refusal
└── ReviewItemUnknown   no item of this campaign has this id
"""

from chalicelib.refusals import Refusal


class ReviewItemUnknown(Refusal):
    """There is no such item, or it is of another campaign."""

    code = "review_item_unknown"
