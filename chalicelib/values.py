"""The base of immutable values."""

from dataclasses import dataclass, field
from threading import RLock
from typing import Any, ClassVar, dataclass_transform


class _FieldsOnFirstUse:
    """Stands for the fields of a class that is no dataclass yet."""

    def __get__(self, value: object, owner: "type[Value]") -> dict[str, Any]:
        _define(owner)
        found: dict[str, Any] = vars(owner)["__dataclass_fields__"]
        return found


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value:
    """A dataclass whose fields nobody may assign to, as the type checker holds.

    Its subclasses are dataclasses without a decorator. `dataclass(frozen=True)` would write and compile six
    methods for each of them, which took a sixth of the time of `import app`; here it writes `__init__` alone,
    when the first value of the class is made. Most functions make values of few classes.
    """

    __dataclass_fields__: ClassVar[Any]
    _options: ClassVar[dict[str, Any]]

    def __init__(self, *values: Any, **named: Any) -> None:
        """Make the class a dataclass, whose own `__init__` takes over."""
        _define(type(self))
        self.__init__(*values, **named)  # type: ignore[misc]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__()
        cls._options = options
        cls.__dataclass_fields__ = _FieldsOnFirstUse()
        # One that inherits another's `__init__` cannot wait: until it has its own, that would be called.
        if any(each is not Value and issubclass(each, Value) for each in cls.__bases__):
            _define(cls)

    def __eq__(self, other: object) -> bool:
        return _list_fields(self) == _list_fields(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(_list_fields(self)))

    def __repr__(self) -> str:
        fields = zip(self.__dataclass_fields__, _list_fields(self), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields)})"


def define_values() -> None:
    """Make every class of values that was imported a dataclass."""
    for each in Value.__subclasses__():
        _define(each)


# Two threads of a batch may make the first value of a class at once.
_lock = RLock()


def _define(cls: type[Value]) -> None:
    with _lock:
        if isinstance(vars(cls)["__dataclass_fields__"], _FieldsOnFirstUse):
            dataclass(eq=False, repr=False, **cls._options)(cls)


def _list_fields(value: Value) -> list[Any]:
    return [getattr(value, name) for name in value.__dataclass_fields__]
