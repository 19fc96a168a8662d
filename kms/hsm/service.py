"""What the core does with one request: checks, crypto, and the records that must be durable before the answer."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from kms.hsm import ciphertext, frames, iam, outline, primitives, usage
from kms.hsm.algorithms import algorithm_for
from kms.hsm.errors import CoreError, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import RSA_BITS, Peer, canonical
from kms.hsm.material import Backing, OpenedKey
from kms.hsm.records import use_record

EVENT_LIMIT = 256 * 1024
SEEN = 65_536  # event ids remembered; an outbox that starts again repeats far fewer
UNRECORDED = (frames.Ping, frames.Mac, frames.Append)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, and the records (kind, body) that must be durable before it leaves."""

    answer: frames.Result | frames.Refusal
    records: tuple[tuple[str, bytes], ...] = ()


class _Event(msgspec.Struct):
    event_id: str = msgspec.field(name="eventID")


class KeyService:
    """Answers requests with the domain keys it was given. One per process (core and helpers), one thread."""

    def __init__(
        self, domain: DomainKeys, entropy: Callable[[int], bytes], wall: Callable[[], datetime]
    ) -> None:
        self._domain = domain
        self._entropy = entropy
        self._wall = wall
        self._backing = Backing(domain, entropy)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._event = msgspec.json.Decoder(_Event)
        self._acts: dict[type[frames.Body], Callable[..., frames.Result]] = {
            frames.GenerateKey: self._generate_key,
            frames.Reseal: self._reseal,
            frames.Sign: self._sign,
            frames.Encrypt: self._encrypt,
            frames.Decrypt: self._decrypt,
            frames.GenerateDataKey: self._generate_data_key,
            frames.Seal: self._seal,
            frames.Open: self._open,
            frames.Mac: self._mac,
            frames.NewAccessKey: self._new_access_key,
            frames.SigningKey: self._signing_key,
        }

    def perform(self, ask: frames.Ask, peer: Peer) -> Outcome:
        """Do what is asked, or say why not. Never raises for what a peer can send."""
        body = ask.body
        refusal = None
        answer: frames.Result | frames.Refusal
        try:
            usage.check_role(peer.role, body)
            if isinstance(body, frames.Append):
                return Outcome(frames.Result(), tuple(("event", event) for event in self._fresh(body.events)))
            act = self._acts.get(type(body))
            if act is None:
                raise KeyRefused(f"{type(body).__name__} is not an operation of this core")
            answer = act(body)
        except CoreError as refused:
            answer = refusal = frames.Refusal(type(refused).__name__, str(refused))
        if not recorded(body):
            return Outcome(answer)
        digest = hashlib.sha256(body.message).hexdigest() if isinstance(body, frames.Sign) else ""
        record = use_record(ask, peer, self._wall(), refusal, digest)
        return Outcome(answer, (("use", record),))

    def remember(self, event: bytes) -> None:
        """An event that the trail already holds (read at start): its repeat will be dropped."""
        self._keep(self._event.decode(event).event_id)

    def _fresh(self, events: list[bytes]) -> list[bytes]:
        """The events that are not repeats; none is kept when one is malformed."""
        named: dict[str, bytes] = {}
        for event in events:
            if len(event) > EVENT_LIMIT or event[:1] != b"{" or event[-1:] != b"}" or b"\n" in event:
                raise KeyRefused(f"an event is one JSON object of at most {EVENT_LIMIT} bytes on one line")
            try:
                named.setdefault(self._event.decode(event).event_id, event)
            except msgspec.DecodeError as malformed:
                raise KeyRefused(f"an event is a JSON object with an eventID: {malformed}") from malformed
        fresh = [event for name, event in named.items() if name not in self._seen]
        for name in named:
            self._keep(name)
        return fresh

    def _keep(self, name: str) -> None:
        self._seen[name] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)

    def _generate_key(self, body: frames.GenerateKey) -> frames.Result:
        usage.check_label(body.label)
        return frames.Result(*self._backing.make(body.label))

    def _reseal(self, body: frames.Reseal) -> frames.Result:
        usage.check_label(body.label)
        if body.region != body.label.region and not body.label.multi_region:
            raise KeyRefused("only a multi-Region key (mrk-) can be sealed for another Region")
        other = replace(body.label, region=body.region)
        return frames.Result(self._backing.reseal(body.token, body.label, other))

    def _sign(self, body: frames.Sign) -> frames.Result:
        usage.check_use(body.label, f"sign {body.kind}")
        algorithm = algorithm_for(body.algorithm, body.label.spec)
        limit = {"raw": frames.PLAINTEXT_LIMIT, "crl": frames.CRL_LIMIT}.get(body.kind, frames.SMALL)
        if len(body.message) > limit:
            raise KeyRefused(f"a {body.kind} message has at most {limit} bytes")
        key = self._backing.open(body.token, body.label)
        outline.judge(body.kind, body.message, algorithm, key.spki)
        if key.private is None:
            raise KeyRefused("a symmetric key does not sign")
        return frames.Result(primitives.sign(key.private, algorithm, body.message))

    def _encrypt(self, body: frames.Encrypt) -> frames.Result:
        key = self._symmetric(body, "encrypt")
        return frames.Result(
            ciphertext.encrypt(key.secret, body.label, body.plaintext, body.context, self._entropy)
        )

    def _decrypt(self, body: frames.Decrypt) -> frames.Result:
        key = self._symmetric(body, "decrypt")
        return frames.Result(ciphertext.decrypt(key.secret, body.label, body.ciphertext, body.context))

    def _generate_data_key(self, body: frames.GenerateDataKey) -> frames.Result:
        key = self._symmetric(body, "data-key")
        data_key = self._entropy(body.size)
        blob = ciphertext.encrypt(key.secret, body.label, data_key, body.context, self._entropy)
        return frames.Result(data_key, blob)

    def _symmetric(
        self, body: frames.Encrypt | frames.Decrypt | frames.GenerateDataKey, act: str
    ) -> OpenedKey:
        usage.check_use(body.label, act)
        if frames.oversize(body.context):
            raise KeyRefused(f"an encryption context has at most {frames.CONTEXT_LIMIT} characters")
        return self._backing.open(body.token, body.label)

    def _seal(self, body: frames.Seal) -> frames.Result:
        usage.check_seal(body.purpose)
        return frames.Result(self._domain.seal(f"for {body.purpose}", canonical(*body.place), body.plaintext))

    def _open(self, body: frames.Open) -> frames.Result:
        usage.check_seal(body.purpose)
        return frames.Result(self._domain.open(f"for {body.purpose}", canonical(*body.place), body.sealed))

    def _mac(self, body: frames.Mac) -> frames.Result:
        usage.check_mac(body.purpose)
        return frames.Result(self._domain.mac(body.purpose, body.data))

    def _new_access_key(self, body: frames.NewAccessKey) -> frames.Result:
        secret = body.secret if body.secret is not None else iam.new_secret(self._entropy)
        return frames.Result(
            iam.seal_secret(self._domain, body.account, body.access_key_id, secret), secret.encode()
        )

    def _signing_key(self, body: frames.SigningKey) -> frames.Result:
        secret = iam.open_secret(self._domain, body.account, body.access_key_id, body.sealed)
        return frames.Result(iam.signing_key(secret, body.date, body.region, body.service))


def recorded(body: frames.AnyBody) -> bool:
    """Whether a request leaves a `use` record: every one that uses a key, but for what usage.PURPOSES exempts."""
    if isinstance(body, (frames.Seal, frames.Open)):
        purpose = usage.PURPOSES.get(body.purpose)
        return purpose is None or not purpose.seals or purpose.recorded
    return not isinstance(body, UNRECORDED)


def helper_for(body: frames.AnyBody) -> str:
    """Which helper process does this: "" for none, "quick" for milliseconds, "slow" for RSA key generation."""
    if isinstance(body, frames.Sign):
        return "quick" if body.label.spec in RSA_BITS else ""
    if isinstance(body, frames.GenerateKey):
        return "slow" if body.label.spec in RSA_BITS else "quick"
    return ""
