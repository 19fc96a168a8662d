"""How busy this machine is, so that a promise about seconds can be held to what an idle one would have taken."""

import time


def pace() -> float:
    """How many times longer than its CPU time a busy loop takes now: 1.0 on an idle machine, never less."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < 0.1:
        pass
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - cpu))
