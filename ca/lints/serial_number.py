"""A positive serial number of at most 20 octets (RFC 5280 4.1.2.2), long enough for 120 random bits (SECURITY 2.10)."""

from ca.lints.case import Broken, Case

FEWEST_BITS = 120
MOST_BITS = 20 * 8 - 1  # the top bit is the sign


def check(case: Case) -> None:
    serial = case.certificate.serial_number
    if serial <= 0:
        raise Broken("the serial number is not positive")
    if not FEWEST_BITS <= serial.bit_length() <= MOST_BITS:
        raise Broken(
            f"the serial number has {serial.bit_length()} bits; it needs {FEWEST_BITS} to {MOST_BITS}"
        )
