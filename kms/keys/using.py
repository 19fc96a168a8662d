"""What all cryptographic operations share: the checks that follow authorisation, and the core's refusals in KMS's words."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final

from foundation.wire import AwsError
from kms.hsm import (
    Asker,
    BadPublicKey,
    BadSeal,
    CoreError,
    CoreUnavailable,
    InvalidMac,
    InvalidSignature,
    KeyLabel,
    KeyRefused,
)
from kms.keys import errors
from kms.keys.context import Context
from kms.keys.found import FoundKey, Material
from kms.keys.keys import Lookup

Held = tuple[bytes, KeyLabel]
"""A material's token, with the label that it opens under: the first two arguments of the core's operations."""


class Using:
    """One call's use of keys. Call it after authorisation; what is wrong comes out in AWS's order (TRAPS 14)."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._context = context
        self._lookup = lookup
        self.core = context.rooms.core

    def key(self, key_id: str, operation: str, usage: str, algorithm: str) -> FoundKey:
        """The key: its state allows the operation, its usage is the operation's, its spec has the algorithm.

        Raises the state's refusal and InvalidKeyUsage.
        """
        found = self._lookup.usable(key_id, operation, usage)
        if algorithm not in found.algorithms:
            raise errors.InvalidKeyUsage(
                f"The algorithm {algorithm} is incompatible with the key spec {found.spec.name} of {found.arn}."
            )
        return found

    def asker(self, *, dry_run: bool) -> Asker:
        """Who asks the core: with the call's record, unless the call will be refused in the end."""
        return self._context.asker if dry_run else self._context.carrying()


def current(found: FoundKey) -> Held:
    """The material that encrypts, signs and derives."""
    material = found.current
    if material is None:
        raise errors.InvalidState(f"{found.arn} has no key material.")
    return held(found, material)


def held(found: FoundKey, material: Material) -> Held:
    """A material ready for use. Raises InvalidState for one that was deleted or has expired."""
    if material.token is None:
        raise errors.InvalidState(f"{found.arn} is pending import.")
    return material.token, found.label(material.version)


def refuse_dry_run(dry_run: bool) -> None:
    """Where a call would have succeeded: DryRun is answered by an error, the last of all (TRAPS 4, 14)."""
    if dry_run:
        raise errors.DryRun("The request would have succeeded, but the DryRun option is set.")


class Words:
    """A context in which the core's refusals become KMS's errors; what it does not list passes through."""

    def __init__(self, words: Mapping[type[CoreError], Callable[[CoreError], AwsError]]) -> None:
        self._words: dict[type[CoreError], Callable[[CoreError], AwsError]] = {
            CoreUnavailable: _unavailable,
            **words,
        }

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, CoreError) and type(error) in self._words:
            raise self._words[type(error)](error) from error


def _unavailable(_: CoreError) -> AwsError:
    return errors.KeyUnavailable("The key is not available now; repeat the call.", retry_after=1)


def timed_out(_: CoreError) -> AwsError:
    """The same, of operations whose list in the model has no KeyUnavailableException."""
    return errors.DependencyTimeout("The key core did not answer; repeat the call.", retry_after=1)


def _ciphertext(_: CoreError) -> AwsError:
    return errors.InvalidCiphertext(NOT_VALID)


NOT_VALID: Final = "The ciphertext, or the encryption context that came with it, is not valid."
"""One text for every reason: which one it was is nobody's to know."""

PLAIN_WORDS: Final = Words({
    BadPublicKey: lambda error: errors.ValidationError(f"The public key is not valid: {error}."),
    InvalidSignature: lambda _: errors.InvalidSignature("The signature is not valid for the message and key."),
    InvalidMac: lambda _: errors.InvalidMac("The MAC is not valid for the message and key."),
})  # fmt: skip
KEYLESS_WORDS: Final = Words({
    CoreUnavailable: timed_out,
    BadPublicKey: lambda error: errors.ValidationError(f"The public key is not valid: {error}."),
})  # fmt: skip
"""Where no key of the caller's is used."""
OPENING_WORDS: Final = Words({BadSeal: _ciphertext})
"""Where the core opens a ciphertext that the caller brought."""
MOVING_WORDS: Final = Words({
    BadSeal: _ciphertext,
    KeyRefused: lambda _: errors.ValidationError(
        "The decrypted data is longer than the destination key encrypts with that algorithm."
    ),
})  # fmt: skip
"""Where it encrypts what it opened, whose length nobody else knows."""
