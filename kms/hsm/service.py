"""What the core does with one request: checks, crypto, and the records that must be durable before the answer."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from kms.hsm import frames, iam, usage
from kms.hsm.errors import CoreError, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import EVENT_LIMIT, Peer, canonical
from kms.hsm.material import Backing, Sealed
from kms.hsm.records import use_records
from kms.hsm.specs import spec_named
from kms.hsm.uses import KeyUses

SEEN = 65_536  # event ids remembered; an outbox that starts again repeats far fewer
UNRECORDED = (
    frames.Ping,
    frames.Mac,
    frames.Macs,
    frames.Append,
    frames.GenerateRandom,
)  # they use no key of anybody's


class Outcome(NamedTuple):
    """The answer, and the records (kind, body) that must be durable before it leaves."""

    answer: frames.Result | frames.Refusal
    records: tuple[tuple[str, bytes], ...] = ()


class _Event(msgspec.Struct):
    event_id: str = msgspec.field(name="eventID")


class _Call(msgspec.Struct):
    event: _Event


class KeyService:
    """Answers requests with the domain keys it was given. One per process (core and helpers), one thread."""

    def __init__(
        self, domain: DomainKeys, entropy: Callable[[int], bytes], wall: Callable[[], datetime]
    ) -> None:
        self._domain = domain
        self._entropy = entropy
        self._wall = wall
        self._backing = Backing(domain, entropy, wall)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._event = msgspec.json.Decoder(_Event)
        self._called = msgspec.json.Decoder(_Call)
        uses = self._uses = KeyUses(self._backing, entropy)
        self._acts: dict[type[frames.Body], Callable[..., frames.Result]] = {
            frames.GenerateKey: self._generate_key,
            frames.Reseal: self._reseal,
            frames.Lock: self._lock,
            frames.Unlock: self._unlock,
            frames.ImportParameters: self._import_parameters,
            frames.ImportMaterial: self._import_material,
            frames.Sign: uses.sign,
            frames.Verify: uses.verify,
            frames.Encrypt: uses.encrypt,
            frames.Decrypt: uses.decrypt,
            frames.ReEncrypt: uses.re_encrypt,
            frames.GenerateDataKey: uses.generate_data_key,
            frames.GenerateDataKeyPair: uses.generate_data_key_pair,
            frames.GenerateRandom: uses.generate_random,
            frames.GenerateMac: uses.generate_mac,
            frames.VerifyMac: uses.verify_mac,
            frames.DeriveSharedSecret: uses.derive_shared_secret,
            frames.Encapsulate: uses.encapsulate,
            frames.Decapsulate: uses.decapsulate,
            frames.Seal: self._seal,
            frames.Open: self._open,
            frames.Mac: self._mac,
            frames.Macs: self._macs,
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
            answer = self._acts[type(body)](body)
        except CoreError as refused:
            answer = refusal = frames.Refusal(type(refused).__name__, str(refused))
        if not recorded(body):
            return Outcome(answer)
        records = use_records(ask, peer, self._wall(), refusal)
        return Outcome(answer, tuple([("use", record) for record in records]))

    def joined(self, event: bytes, outcome: Outcome) -> Outcome:
        """A success and the event of the call that it is for, as one record of kind "call".

        An event that is known already is a repeat: what the repeat did is recorded by itself, as it is for an event
        that is malformed, which refuses the answer.
        """
        if not event or isinstance(outcome.answer, frames.Refusal):
            return outcome
        if [kind for kind, _ in outcome.records if kind != "use"]:
            return outcome
        try:
            name = self._name(event)
        except KeyRefused as malformed:
            return Outcome(frames.Refusal(KeyRefused.__name__, str(malformed)), outcome.records)
        if name in self._seen:
            return outcome
        self._keep(name)
        uses = b",".join([body for _, body in outcome.records])
        return Outcome(outcome.answer, (("call", b'{"event":%b,"uses":[%b]}' % (event, uses)),))

    def remember(self, kind: str, body: bytes) -> None:
        """A record that the trail already holds (read at start): its event's repeat will be dropped, and the log goes on
        from its last checkpoint.
        """
        if kind == "use":
            self._uses.checkpoints.recall(body)
        elif kind == "event":
            self._keep(self._event.decode(body).event_id)
        elif kind == "call":
            self._keep(self._called.decode(body).event.event_id)

    def _fresh(self, events: list[bytes]) -> list[bytes]:
        """The events that are not repeats; none is kept when one is malformed."""
        named: dict[str, bytes] = {}
        for event in events:
            named.setdefault(self._name(event), event)
        fresh = [event for name, event in named.items() if name not in self._seen]
        for name in named:
            self._keep(name)
        return fresh

    def _name(self, event: bytes) -> str:
        """The event's id. Raises KeyRefused for what is no event."""
        if len(event) > EVENT_LIMIT or event[:1] != b"{" or event[-1:] != b"}" or b"\n" in event:
            raise KeyRefused(f"an event is one JSON object of at most {EVENT_LIMIT} bytes on one line")
        try:
            return self._event.decode(event).event_id
        except msgspec.DecodeError as malformed:
            raise KeyRefused(f"an event is a JSON object with an eventID: {malformed}") from malformed

    def _keep(self, name: str) -> None:
        self._seen[name] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)

    def _generate_key(self, body: frames.GenerateKey) -> frames.Result:
        usage.check_label(body.label)
        usage.check_made_here(body.label)
        return _sealed(self._backing.make(body.label))

    def _reseal(self, body: frames.Reseal) -> frames.Result:
        usage.check_label(body.label)
        if body.region != body.label.region and not body.label.multi_region:
            raise KeyRefused("only a multi-Region key (mrk-) can be sealed for another Region")
        other = replace(body.label, region=body.region)
        return frames.Result(self._backing.reseal(body.token, body.label, other))

    def _lock(self, body: frames.Lock) -> frames.Result:
        usage.check_lockable(body.label)
        return frames.Result(self._backing.lock(body.token, body.label))

    def _unlock(self, body: frames.Unlock) -> frames.Result:
        usage.check_lockable(body.label)
        return frames.Result(self._backing.unlock(body.token, body.label, body.until))

    def _import_parameters(self, body: frames.ImportParameters) -> frames.Result:
        usage.check_imported(body.label)
        made = self._backing.parameters(body.label, body.algorithm, spec_named(body.wrapping_spec), body.note)
        return frames.Result(*made)

    def _import_material(self, body: frames.ImportMaterial) -> frames.Result:
        usage.check_imported(body.label)
        return _sealed(self._backing.take_in(body.token, body.label, body.wrapped, body.known))

    def _seal(self, body: frames.Seal) -> frames.Result:
        usage.check_seal(body.purpose)
        return frames.Result(self._domain.seal(f"for {body.purpose}", canonical(*body.place), body.plaintext))

    def _open(self, body: frames.Open) -> frames.Result:
        usage.check_seal(body.purpose)
        return frames.Result(self._domain.open(f"for {body.purpose}", canonical(*body.place), body.sealed))

    def _mac(self, body: frames.Mac) -> frames.Result:
        usage.check_mac(body.purpose)
        return frames.Result(self._domain.mac(body.purpose, body.data))

    def _macs(self, body: frames.Macs) -> frames.Result:
        usage.check_mac(body.purpose)
        return frames.Result(b"".join(self._domain.mac(body.purpose, each) for each in body.data))

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
    if not isinstance(body, (frames.Seal, frames.Open)):
        return type(body) not in UNRECORDED
    purpose = usage.PURPOSES.get(body.purpose)
    return purpose is None or not purpose.seals or purpose.recorded


def _sealed(key: Sealed) -> frames.Result:
    return frames.Result(key.token, key.spki, key.material_id.encode(), key.version)
