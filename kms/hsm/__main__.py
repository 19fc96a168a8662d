"""The core process: ``python -m kms.hsm``. Its own assembly, the one place of the core that knows clock and chance."""

import argparse
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from foundation.trail.chain import ChainError, ChainWriter, Record
from kms.hsm import boot, custody, frames, hardening
from kms.hsm.errors import CoreError, WrongUnsealSecret
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.loop import Loop, Wires
from kms.hsm.service import KeyService
from kms.hsm.workshop import Workshop


def entropy(size: int) -> bytes:
    return os.urandom(size)  # noqa: TID251 - the core process is its own assembly: chance enters it here


def wall() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the core process is its own assembly: the clock enters it here


def serve(message: boot.Boot, wires: Wires) -> None:
    """Open the domain (WrongUnsealSecret before anything is written), take the chain, serve until told to end."""
    domain = custody.Domain(message.sealed_domain_keys, message.key_check)
    kek = custody.Kek(message.kek, custody.Stretch())
    keys = DomainKeys(custody.open_domain(kek, message.deployment_id, domain), entropy)
    locked = hardening.lock_memory()
    service = KeyService(keys, entropy, wall)

    def recall(record: Record) -> None:
        service.remember(record.kind, record.body)

    chain = ChainWriter(
        Path(message.trail_directory),
        message.deployment_id,
        segment_bytes=message.segment_bytes,
        recall=recall,
        born=entropy(16).hex(),
    )
    status = frames.CoreStatus(os.getpid(), message.deployment_id, 0.0, keys.active, 0, b"", locked, [])
    uids = {role: frozenset(users) for role, users in message.uids.items()}
    Loop(wires, service, chain, Workshop(service), uids=uids, status=status).run()
    chain.close()


def order(message: boot.DomainOrder) -> custody.Domain:
    kek = custody.Kek(message.kek, message.stretch)
    if not message.sealed_domain_keys:
        return custody.new_domain(kek, message.deployment_id, entropy)
    domain = custody.Domain(message.sealed_domain_keys, message.key_check)
    return custody.rotate_domain(kek, message.deployment_id, domain, entropy)


def main() -> int:
    parser = argparse.ArgumentParser(prog="kms.hsm", description="started by keystead serve")
    parser.add_argument("--boot-fd", type=int, required=True)
    parser.add_argument("--parent-pid", type=int, required=True)
    parser.add_argument("--domain", action="store_true", help="make or rotate domain keys, then end")
    parser.add_argument("--listen-fd", type=int)
    parser.add_argument("--parent-fd", type=int)
    parser.add_argument("--heartbeat-fd", type=int)
    arguments = parser.parse_args()
    try:
        hardening.harden(arguments.parent_pid)
        message = boot.read_all(arguments.boot_fd)
        if arguments.domain:
            made = order(msgspec.msgpack.decode(message, type=boot.DomainOrder))
            sys.stdout.buffer.write(msgspec.msgpack.encode((made.sealed, made.check)))
            return 0
        listener = socket.socket(fileno=arguments.listen_fd)
        wires = Wires(listener, arguments.parent_fd, arguments.heartbeat_fd)
        serve(msgspec.msgpack.decode(message, type=boot.Boot), wires)
    except ChainError as error:
        print(f"core: trail: {error}", file=sys.stderr)  # noqa: T201 - the supervisor logs what its children say
        return boot.EXIT_TRAIL
    except WrongUnsealSecret as error:
        print(f"core: {error}", file=sys.stderr)  # noqa: T201 - the supervisor logs what its children say
        return boot.EXIT_SECRET
    except (CoreError, msgspec.DecodeError) as error:
        print(f"core: {error}", file=sys.stderr)  # noqa: T201 - the supervisor logs what its children say
        return boot.EXIT_BOOT
    return 0


if __name__ == "__main__":
    sys.exit(main())
