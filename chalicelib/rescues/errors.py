"""Refusals of the rescues package.

Refusal
└── RescueUnreadable   the file was not sealed for this stage, was altered, or has another content
"""

from chalicelib.refusals import Refusal


class RescueUnreadable(Refusal):
    """The file was not sealed for this stage, was altered, or holds something else than captures."""

    code = "rescue_unreadable"
