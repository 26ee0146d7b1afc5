"""The base of immutable values."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value:
    """A dataclass whose fields nobody may assign to, as the type checker holds.

    Its subclasses are dataclasses without a decorator. `dataclass(frozen=True)` would write and compile six
    methods for each of them, which took a sixth of the time of `import app`; here it writes `__init__` alone.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__()
        dataclass(eq=False, repr=False, **options)(cls)

    def __eq__(self, other: object) -> bool:
        return _list_fields(self) == _list_fields(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(_list_fields(self)))

    def __repr__(self) -> str:
        fields = zip(self.__dataclass_fields__, _list_fields(self), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields)})"


def _list_fields(value: Value) -> list[Any]:
    return [getattr(value, name) for name in value.__dataclass_fields__]
