"""Limits of an enrolment: the roles that one client may have, and the longest life of a token of each role.

They hold for new enrolments and new tokens. A client that was enrolled before keeps what it has.
"""

from collections.abc import Mapping
from datetime import timedelta

from chalicelib.callers import Role

# Several roles are for one person who does both. Programs (core, bot) and screens (viewer) have one role, and
# nobody who carries a tablet around may enrol clients or read everybody's data with it.
ROLES_TOGETHER: frozenset[frozenset[Role]] = frozenset(
    {frozenset({Role.KIOSK, Role.MANAGER}), frozenset({Role.MANAGER, Role.ADMIN})}
)

# Our own figures. A stolen token is good until somebody notices, so the more it opens, the sooner it ends.
LONGEST_LIVES: Mapping[Role, timedelta] = {
    # Enrols clients, reads and erases anybody's data.
    Role.ADMIN: timedelta(days=90),
    # A person, who reads and cancels the registrations of whole campaigns.
    Role.MANAGER: timedelta(days=180),
    # A campaign lasts a year at most, and a device that was offline hands in what it holds some weeks later.
    Role.KIOSK: timedelta(days=400),
    # Programs and screens: replaced once a year, with a month for it.
    Role.BOT: timedelta(days=400),
    Role.CORE: timedelta(days=400),
    Role.VIEWER: timedelta(days=400),
}


def may_be_together(roles: frozenset[Role]) -> bool:
    """Return True if one client may have these roles."""
    return len(roles) == 1 or roles in ROLES_TOGETHER
