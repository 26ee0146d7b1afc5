"""The intake on the declared table, in moto: checks of fields are compared with it."""

from tests.registrations.conftest import harness

__all__ = ["harness"]
