"""The one error for input that cannot be read: file, place and fault in one line."""

import attrs


@attrs.frozen
class InputError(Exception):
    """Input that cannot be read or is not what it should be; exit status 2.

    `line` counts from 1, 0 when the fault has no line (then `what` names the object
    and field).
    """

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}"
