"""Settings as the attributes of a class, each with its environment variable.

They are not a pydantic model: to define one of 75 fields took a twentieth of the time of `import app`, and a
setting needs no more than a text to be read.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

_REQUIRED = object()


class SettingsIncomplete(Exception):
    """Environment variables are missing or unusable; the message names them."""


class Setting:
    """A setting: its environment variable, and what a usable value of it is."""

    def __init__(
        self,
        variable: str,
        *,
        description: str,
        parse: Callable[[str], Any],
        default: Any,
        pattern: str | None,
        limits: Mapping[str, Any],
    ) -> None:
        self.variable = variable
        self.description = description
        self.parse = parse
        self.default = default
        self._pattern = pattern
        self._limits = limits

    @property
    def is_required(self) -> bool:
        return self.default is _REQUIRED

    def read(self, variables: Mapping[str, str]) -> Any:
        """Return the value, the default if the variable is not set. Raise KeyError or ValueError."""
        if self.variable not in variables and not self.is_required:
            return self.default
        text = variables[self.variable]
        if self._pattern is not None and not re.fullmatch(self._pattern, text):
            raise ValueError("malformed")
        value = self.parse(text)
        for name, limit in self._limits.items():
            if not _CHECKS[name](value, limit):
                raise ValueError(f"not {name} {limit}")
        return value


_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {"ge": operator.ge, "gt": operator.gt, "le": operator.le}


def setting(  # noqa: PLR0913 - keyword-only, one for each limit
    variable: str,
    *,
    description: str,
    parse: Callable[[str], Any] = str,
    default: Any = _REQUIRED,
    pattern: str | None = None,
    ge: Any = None,
    gt: Any = None,
    le: Any = None,
) -> Any:
    """Declare an attribute of a subclass of SettingsBase: required, unless it has a default.

    `pattern` is that of the whole text. The limits `ge`, `gt` and `le` are those of the parsed value.
    """
    limits = {name: limit for name, limit in (("ge", ge), ("gt", gt), ("le", le)) if limit is not None}
    return Setting(
        variable, description=description, parse=parse, default=default, pattern=pattern, limits=limits
    )


class SettingsBase:
    """Settings that were read once. Other variables are ignored."""

    fields: ClassVar[Mapping[str, Setting]] = {}
    """The settings of the class, those of its bases first."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.fields = {
            name: value
            for each in reversed(cls.__mro__)
            for name, value in vars(each).items()
            if isinstance(value, Setting)
        }

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Read all settings. Raise SettingsIncomplete, naming each variable at fault and no value."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name, each in self.fields.items():
            try:
                values[name] = each.read(variables)
            except (KeyError, ValueError):
                faults.append(each.variable)
        if faults:
            raise SettingsIncomplete(
                f"set these environment variables to a usable value: {', '.join(faults)}"
            )
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of {type(self).__name__} cannot be changed")
