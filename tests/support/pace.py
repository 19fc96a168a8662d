"""How busy this machine is, so that a promise about seconds can be held to what the reference machine would have taken."""

import time

ROUNDS = 200_000
REFERENCE = (
    0.011  # seconds that ROUNDS take on the machine of the promises (2 cores) when it does nothing else
)


def pace(seconds: float = 0.3) -> float:
    """How many times slower than the reference this machine is now; never less than 1.

    Slower by its make, by other processes on its cores, or by a neighbour on the same hardware.
    """
    ends, rounds, begun = time.perf_counter() + seconds, 0, time.perf_counter()
    while time.perf_counter() < ends:
        total = 0
        for number in range(ROUNDS):
            total += number
        rounds += 1
    return max(1.0, (time.perf_counter() - begun) / rounds / REFERENCE)
