"""RSA moduli whose factors somebody can find: three cheap tests, each bounded in time."""

from functools import cache
from math import gcd, isqrt, prod

from ca.errors import BadKey

_TRIAL_LIMIT = 1 << 14
_FERMAT_ROUNDS = 100
_ROCA_GENERATOR = 65537
_ROCA_LAST_PRIME = 167


def check_small_factors(modulus: int) -> None:
    """Raise BadKey when a prime below 2^14 divides the modulus: one gcd with the product of them all."""
    if gcd(modulus, _small_primes_product() % modulus) != 1:
        raise BadKey("the RSA modulus has a small prime factor")


def check_roca(modulus: int) -> None:
    """Raise BadKey for the fingerprint of CVE-2017-15361 (ROCA, Nemec et al., CCS 2017, section 3).

    Infineon's library made primes of the form k * M + (65537^a mod M), M a product of small primes. So modulo each of
    those primes the modulus is a power of 65537. A random modulus has that property with a chance below 2^-27.
    """
    if all(modulus % prime in residues for prime, residues in _roca_residues()):
        raise BadKey("the RSA modulus was made by the flawed generator of CVE-2017-15361 (ROCA)")


def check_fermat(modulus: int) -> None:
    """Raise BadKey when Fermat's method factors the modulus in 100 rounds: its primes are too close (CVE-2022-26320)."""
    root = isqrt(modulus)
    if root * root < modulus:
        root += 1
    for candidate in range(root, root + _FERMAT_ROUNDS):
        rest = candidate * candidate - modulus
        if isqrt(rest) ** 2 == rest:
            raise BadKey("the two primes of the RSA modulus are so close that anybody can compute them")


def _primes_up_to(limit: int) -> list[int]:
    sieve = bytearray([1]) * (limit + 1)
    sieve[:2] = b"\x00\x00"
    for number in range(2, isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return [number for number in range(limit + 1) if sieve[number]]


@cache
def _small_primes_product() -> int:
    return prod(_primes_up_to(_TRIAL_LIMIT))


@cache
def _roca_residues() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each odd prime up to 167: the residues that powers of 65537 reach."""
    return tuple(
        (prime, frozenset(pow(_ROCA_GENERATOR, power, prime) for power in range(1, prime)))
        for prime in _primes_up_to(_ROCA_LAST_PRIME)[1:]
    )
