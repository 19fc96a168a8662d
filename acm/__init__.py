"""Certificates that people ask for: request, prove, issue, renew.

For server/assembly.py:

    AcmService(unit, call, *, ca, publisher, now, entropy, seal, settings)      one per call
    operations: foundation.wire.Operations                                      in acm.operations
    jobs(JobContext(store, authority_for, core, prover, publisher, now, entropy, settings)) -> tuple[Job, ...]
    Prover and RecordPublisher (acm/ports.py) are what it asks of validation; DnsProver fits the first.
"""

from __future__ import annotations
