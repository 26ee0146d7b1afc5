"""Refusals of the web package.

Refusal
└── FileUnknown   the web app has no such file
"""

from chalicelib.refusals import Refusal


class FileUnknown(Refusal):
    """The web app has no such file, or none of this release any more."""

    code = "file_unknown"
