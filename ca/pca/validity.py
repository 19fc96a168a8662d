"""When a certificate ends and begins: the model's five kinds of Validity (TRAPS 33)."""

import calendar
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ca.pca.errors import InvalidArgs

_UTC_TIME_DIGITS: Final = 12  # YYMMDDHHMMSS; a number loses its leading zeros
_PIVOT: Final = 50  # RFC 5280 4.1.2.5.1: a year from 50 on is of the 20th century


def moment_of(validity: Mapping[str, Any], now: datetime) -> datetime:
    """The moment that a Validity means, counted from `now` where it is a length. Raises InvalidArgs."""
    value, kind = validity["Value"], validity["Type"]
    try:
        match kind:
            case "DAYS":
                return now + timedelta(days=value)
            case "MONTHS":
                return _months_later(now, value)
            case "YEARS":
                return _months_later(now, 12 * value)
            case "ABSOLUTE":
                return datetime.fromtimestamp(value, UTC)
            case _:
                return _end_date(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidArgs(f"A Validity of {value} {kind} is no moment that a certificate can say") from error


def beginning_of(
    validity: Mapping[str, Any] | None, now: datetime, backdate: timedelta, issuer: datetime | None
) -> datetime:
    """ValidityNotBefore, a moment and no length; `now` less the backdate where it is not given, or the issuer's if later.

    Raises InvalidArgs, also for a moment before the issuer's own beginning: what is asked is never moved.
    """
    if validity is None:
        return max(now - backdate, issuer or now - backdate)
    if validity["Type"] not in {"ABSOLUTE", "END_DATE"}:
        raise InvalidArgs("ValidityNotBefore is given as a moment, of type ABSOLUTE")
    asked = moment_of(validity, now)
    if issuer is not None and asked < issuer:
        raise InvalidArgs(f"ValidityNotBefore is before the CA's own, {issuer:%Y-%m-%d %H:%M:%S} UTC")
    return asked


def _months_later(now: datetime, months: int) -> datetime:
    years, month = divmod(now.month - 1 + months, 12)
    year = now.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return now.replace(year=year, month=month + 1, day=min(now.day, last))


def _end_date(digits: str) -> datetime:
    if len(digits) <= _UTC_TIME_DIGITS:
        digits = digits.zfill(_UTC_TIME_DIGITS)
        digits = ("19" if int(digits[:2]) >= _PIVOT else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
