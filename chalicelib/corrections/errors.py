"""Refusals of the corrections package.

Refusal
├── CorrectionNotAllowed  the device did not make the capture, its day is over, or the worker has paid
├── CorrectionReused      the correction id was used before, with other content
├── CorrectionUnknown     the registration has no correction with this id
├── CorrectionDecided     the correction was decided before, or needs no decision
├── CorrectionPending     another correction waits for the core system's decision
├── CorrectionsFull       the registration has as many corrections as it may have
├── NikRegistered         the new NIK has an open registration
└── RulesBroken           (from refusals) the corrected fields break rules, each named
"""

from chalicelib.refusals import Refusal


class CorrectionNotAllowed(Refusal):
    code = "correction_not_allowed"


class CorrectionReused(Refusal):
    code = "correction_reused"


class CorrectionUnknown(Refusal):
    code = "correction_unknown"


class CorrectionDecided(Refusal):
    code = "correction_decided"


class CorrectionPending(Refusal):
    code = "correction_pending"


class CorrectionsFull(Refusal):
    code = "corrections_full"


class NikRegistered(Refusal):
    """It says that the NIK has an open registration, and nothing of that one."""

    code = "nik_registered"
