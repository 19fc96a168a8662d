"""Key states, rotations, imports and grants against a model of them, through the front door, in two Regions of an account."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.api.kms.grants import Person, user
from tests.api.kms.support import answer, create, describe
from tests.api.kms.test_imports import bring
from tests.support.world import ELSEWHERE, REGION, Caller, World

DAY = timedelta(days=1)
ENABLED, DISABLED, DELETING, EMPTY, GONE = "Enabled", "Disabled", "PendingDeletion", "PendingImport", "gone"
STATES: Final = (ENABLED, DISABLED, DELETING, EMPTY, GONE)
_CODES: Final = {".": "", "D": "DisabledException", "S": "KMSInvalidStateException", "N": "NotFoundException"}
# What the developer guide's table of key states says, in the order of STATES.
EXPECTED: Final = {
    "use": ". D S S N",
    "enable": ". . S S N",
    "disable": ". . S S N",
    "schedule": ". . S . N",
    "cancel": "S S . S N",
    "rotate": ". D S S N",
    "switch": ". D S S N",
    "grant": ". D S S N",
    "import": ". . S . N",
    "empty": ". . . . N",
}
keys = st.sampled_from([0, 1])


@dataclass
class Modelled:
    """A key as the model has it. Times are on the service's clock, since the example began."""

    id: str
    kms: Any
    external: bytes | None
    state: str = ENABLED
    deleted_at: timedelta | None = None
    held: bool = True
    on_demand: int = 0
    automatic: int = 0
    rotates_at: timedelta | None = None
    rotated_at: timedelta | None = None
    blobs: list[tuple[bytes, bytes, str]] = field(default_factory=list)
    grants: dict[str, str] = field(default_factory=dict)

    def code(self, what: str) -> str:
        """The error code that the table has for this operation in the present state; "" for success."""
        return _CODES[EXPECTED[what].split()[STATES.index(self.state)]]

    def rest(self) -> str:
        """The state in which a key is when it is neither pending deletion nor enabled by hand."""
        return DISABLED if self.held else EMPTY


class Keys(RuleBasedStateMachine):
    """An administrator, and Ann, whom grants alone let in; a key of KMS's making, and one of imported material."""

    world: World
    caller: Caller
    ann: Person

    def __init__(self) -> None:
        super().__init__()
        self.clock = timedelta()
        self.keys: list[Modelled] = []
        for region, material in ((REGION, None), (ELSEWHERE, b"\x17" * 32)):
            kms = self.caller.client("kms", region=region)
            made = create(kms, Origin="EXTERNAL") if material else create(kms)
            if material:
                bring(kms, made["KeyId"], material)
            self.keys.append(Modelled(made["Arn"], kms, material))

    def teardown(self) -> None:
        """Leave nothing that falls due in the examples to come."""
        for key in self.keys:
            answer(partial(key.kms.enable_key, KeyId=key.id))
            answer(partial(key.kms.disable_key_rotation, KeyId=key.id))
            answer(partial(key.kms.schedule_key_deletion, KeyId=key.id, PendingWindowInDays=7))

    @rule(key=keys, by_ann=st.booleans())
    def encrypt(self, key: int, by_ann: bool) -> None:
        it = self.keys[key]
        plaintext = f"text {len(it.blobs)}".encode()
        if by_ann and it.state == GONE:
            return
        client = self.ann.client(region=REGION if key == 0 else ELSEWHERE) if by_ann else it.kms
        expected = it.code("use")
        if by_ann and "Encrypt" not in it.grants.values():
            expected = "AccessDeniedException"
        made: list[dict[str, Any]] = []
        assert (
            answer(
                lambda: made.append(
                    client.encrypt(KeyId=it.id, Plaintext=plaintext, EncryptionContext={"a": "b"})
                )
            )
            == expected
        )
        if made:
            material = describe(it.kms, it.id)["CurrentKeyMaterialId"]
            it.blobs.append((made[0]["CiphertextBlob"], plaintext, material))

    @precondition(lambda self: any(key.blobs for key in self.keys))
    @rule(data=st.data(), as_context=st.sampled_from([{"a": "b"}, {"a": "c"}, {}]))
    def decrypt(self, data: st.DataObject, as_context: dict[str, str]) -> None:
        it = data.draw(st.sampled_from([key for key in self.keys if key.blobs]))
        blob, plaintext, material = data.draw(st.sampled_from(it.blobs))
        # A blob alone does not tell whether its key ever was.
        expected = "AccessDeniedException" if it.state == GONE else it.code("use")
        if not expected and as_context != {"a": "b"}:
            expected = "InvalidCiphertextException"
        got: list[dict[str, Any]] = []
        call = lambda: got.append(it.kms.decrypt(CiphertextBlob=blob, EncryptionContext=as_context))  # noqa: E731  # once, twice used
        assert answer(call) == expected
        for found in got:
            assert (found["Plaintext"], found["KeyId"], found["KeyMaterialId"]) == (
                plaintext,
                it.id,
                material,
            )

    @rule(key=keys)
    def enable(self, key: int) -> None:
        it = self.keys[key]
        assert answer(lambda: it.kms.enable_key(KeyId=it.id)) == it.code("enable")
        if not it.code("enable"):
            it.state = ENABLED
            self._settle()

    @rule(key=keys)
    def disable(self, key: int) -> None:
        it = self.keys[key]
        assert answer(lambda: it.kms.disable_key(KeyId=it.id)) == it.code("disable")
        if not it.code("disable"):
            it.state = DISABLED

    @rule(key=keys, days=st.integers(7, 30))
    def schedule(self, key: int, days: int) -> None:
        it = self.keys[key]
        expected = it.code("schedule")
        assert answer(lambda: it.kms.schedule_key_deletion(KeyId=it.id, PendingWindowInDays=days)) == expected
        if not expected:
            it.state, it.deleted_at = DELETING, self.clock + days * DAY

    @rule(key=keys)
    def cancel(self, key: int) -> None:
        it = self.keys[key]
        expected = it.code("cancel")
        assert answer(lambda: it.kms.cancel_key_deletion(KeyId=it.id)) == expected
        if not expected:
            it.state, it.deleted_at = it.rest(), None

    @rule()
    def rotate(self) -> None:
        it = self.keys[0]
        expected = it.code("rotate")
        if not expected and it.rotated_at is not None and self.clock - it.rotated_at < timedelta(minutes=20):
            expected = "ConflictException"
        assert answer(lambda: it.kms.rotate_key_on_demand(KeyId=it.id)) == expected
        if not expected:
            self._pass(timedelta(seconds=10))
            it.on_demand += 1

    @rule(on=st.booleans())
    def switch_rotation(self, on: bool) -> None:
        it = self.keys[0]
        call = it.kms.enable_key_rotation if on else it.kms.disable_key_rotation
        more = {"RotationPeriodInDays": 90} if on else {}
        assert answer(lambda: call(KeyId=it.id, **more)) == it.code("switch")
        if not it.code("switch"):
            it.rotates_at = self.clock + 90 * DAY if on else None

    @rule(key=keys, operation=st.sampled_from(["Encrypt", "Decrypt"]))
    def grant(self, key: int, operation: str) -> None:
        it = self.keys[key]
        made: list[str] = []

        def call() -> None:
            given = it.kms.create_grant(KeyId=it.id, GranteePrincipal=self.ann.arn, Operations=[operation])
            made.append(given["GrantId"])

        assert answer(call) == it.code("grant")
        it.grants.update(dict.fromkeys(made, operation))

    @precondition(lambda self: any(key.grants and key.state != GONE for key in self.keys))
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        it = data.draw(st.sampled_from([key for key in self.keys if key.grants and key.state != GONE]))
        grant_id = data.draw(st.sampled_from(sorted(it.grants)))
        it.kms.revoke_grant(KeyId=it.id, GrantId=grant_id)
        del it.grants[grant_id]

    @rule(same=st.booleans())
    def bring_material(self, same: bool) -> None:
        it = self.keys[1]
        expected = it.code("import") or ("" if same else "IncorrectKeyMaterialException")
        material = it.external if same else b"\x18" * 32
        assert material is not None
        assert answer(lambda: bring(it.kms, it.id, material)) == expected
        if not expected:
            it.held = True
            it.state = ENABLED if it.state == EMPTY else it.state

    @rule()
    def empty(self) -> None:
        it = self.keys[1]
        assert answer(lambda: it.kms.delete_imported_key_material(KeyId=it.id)) == it.code("empty")
        if it.state != GONE:
            it.held = False
            it.state = DELETING if it.state == DELETING else EMPTY

    @rule(days=st.sampled_from([1, 6, 8, 31, 91]))
    def wait(self, days: int) -> None:
        self._pass(days * DAY)

    @rule(key=keys)
    def look(self, key: int) -> None:
        it = self.keys[key]
        if it.state == GONE:
            assert answer(lambda: it.kms.describe_key(KeyId=it.id)) == "NotFoundException"
            return
        assert describe(it.kms, it.id)["KeyState"] == it.state
        if it.external is None:
            done = it.kms.list_key_rotations(KeyId=it.id, Limit=100)["Rotations"]
            kinds = [entry["RotationType"] for entry in done]
            assert (kinds.count("ON_DEMAND"), kinds.count("AUTOMATIC")) == (it.on_demand, it.automatic)
        assert {g["GrantId"] for g in it.kms.list_grants(KeyId=it.id, Limit=100)["Grants"]} == set(it.grants)

    def _pass(self, by: timedelta) -> None:
        self.world.advance(by)
        until = self.clock + by
        for it in self.keys:
            while it.rotates_at is not None and it.rotates_at <= until and it.state == ENABLED:
                it.automatic, it.rotated_at = it.automatic + 1, it.rotates_at
                it.rotates_at += 90 * DAY
            if it.deleted_at is not None and it.deleted_at <= until:
                it.state, it.deleted_at, it.rotates_at = GONE, None, None
        self.clock = until

    def _settle(self) -> None:
        """What was due while the key was disabled is made up for now."""
        before = {id(it): it.automatic for it in self.keys}
        self._pass(timedelta(seconds=10))
        for it in self.keys:
            if it.automatic != before[id(it)]:
                it.automatic, it.rotated_at = before[id(it)] + 1, self.clock
                it.rotates_at = self.clock + 90 * DAY


def run(world: World, examples: int, steps: int) -> None:
    """So many examples, each of so many steps, on keys of an account of their own."""

    class Here(Keys):
        pass

    Here.world, Here.caller = world, world.account()
    Here.ann = user(Here.caller, "ann")
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_keys_do_what_their_model_does(world: World) -> None:
    run(world, examples=6, steps=15)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(10))
def test_keys_do_what_their_model_does_in_5000_examples(world: World, part: int) -> None:
    assert part in range(10)
    run(world, examples=500, steps=12)
