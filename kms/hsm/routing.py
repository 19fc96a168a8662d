"""Where a request is done: in the core's loop, or by a helper process because it would stall the loop."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.hsm import frames
from kms.hsm.specs import Spec, found_spec

LOOP: Final = ""
QUICK: Final = "quick"  # milliseconds
SLOW: Final = "slow"  # RSA key generation, long CRLs: up to seconds


def helper_for(body: frames.AnyBody) -> str:
    """LOOP, QUICK or SLOW. What names an unknown spec is refused in the loop."""
    route = _ROUTES.get(type(body))
    return LOOP if route is None else route(body)


def _private(body: Any) -> str:
    """Uses of a private key."""
    return _if(body.label.spec, lambda spec: spec.slow)


def _signature(body: frames.Sign) -> str:
    """A long CRL is read through and hashed as a whole, whatever the key: that is no work for the loop."""
    if len(body.message) > frames.SMALL:
        return SLOW
    return QUICK if body.algorithm == "ED25519_PH_SHA_512" else _private(body)


def _verification(body: frames.Verify) -> str:
    """RSA's public half is fast."""
    if body.algorithm == "ED25519_PH_SHA_512":
        return QUICK
    return _if(body.label.spec, lambda spec: spec.slow and spec.family != "rsa")


def _pair(body: frames.GenerateDataKeyPair) -> str:
    spec = found_spec(body.spec)
    if spec is not None and spec.family == "rsa":
        return SLOW
    return QUICK if spec is not None and spec.slow else LOOP


def _birth(body: frames.GenerateKey) -> str:
    spec = found_spec(body.label.spec)
    return SLOW if spec is not None and spec.family == "rsa" else QUICK


def _if(name: str, slow: Callable[[Spec], bool]) -> str:
    spec = found_spec(name)
    return QUICK if spec is not None and slow(spec) else LOOP


_ROUTES: Mapping[type[frames.Body], Callable[[Any], str]] = {
    frames.GenerateKey: _birth,
    frames.ImportParameters: lambda _: SLOW,
    frames.ImportMaterial: lambda _: QUICK,
    frames.GenerateDataKeyPair: _pair,
    frames.Sign: _signature,
    frames.Verify: _verification,
    frames.Decrypt: _private,
    frames.ReEncrypt: _private,
    frames.DeriveSharedSecret: _private,
}
