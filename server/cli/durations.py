"""How people write a length of time: `60d`, `12h30m`, `1w`."""

import re
from datetime import timedelta

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_WHOLE = re.compile(r"(?:\d{1,9}[wdhms])+", re.ASCII)
_PART = re.compile(r"(\d{1,9})([wdhms])", re.ASCII)


def duration(text: str) -> timedelta:
    """Weeks, days, hours, minutes and seconds, in any order. Raises `ValueError` for another form, and for nothing."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no length of time: write 60d, 12h30m, 90s or 1w")
    total = timedelta()
    for number, unit in _PART.findall(text):
        try:
            total += timedelta(**{_UNITS[unit]: int(number)})
        except OverflowError as error:
            raise ValueError(f"{text!r} is longer than the calendar") from error
    if not total:
        raise ValueError("the clock only moves forward: name a length of time above zero")
    return total
