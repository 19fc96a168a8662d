"""Grants against a model of them: 200 steps of making, using, listing and ending, by several people."""

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from foundation.wire import AccessDenied
from kms.keys.errors import NotFound
from tests.kms.keys.acting import acting, arn_of, do, may
from tests.kms.keys.conftest import new_key
from tests.kms.keys.world import Process

PEOPLE = ("ann", "bob", "carl")
KEYS = (0, 1)
CONTEXTS: tuple[dict[str, str], ...] = ({}, {"a": "1"}, {"A": "1", "b": "2"}, {"a": "2"})
OPERATIONS = ("Encrypt", "Decrypt", "RetireGrant")

people = st.sampled_from(PEOPLE)
keys = st.sampled_from(KEYS)
contexts = st.sampled_from(CONTEXTS)
constraints = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["EncryptionContextSubset", "EncryptionContextEquals"]), contexts),
)


@dataclass(frozen=True)
class Modelled:
    """A grant as the model has it."""

    key: int
    name: str | None
    grantee: str
    retiring: str | None
    operations: frozenset[str]
    constraint: tuple[str, tuple[tuple[str, str], ...]] | None

    def allows(self, key: int, who: str, operation: str, context: dict[str, str]) -> bool:
        if (self.key, self.grantee) != (key, who) or operation not in self.operations:
            return False
        if self.constraint is None:
            return True
        kind, pairs = self.constraint
        wanted = {(name.lower(), value) for name, value in pairs}
        given = {(name.lower(), value) for name, value in context.items()}
        return wanted <= given if kind == "EncryptionContextSubset" else wanted == given

    def retired_by(self, who: str) -> bool:
        return who == self.retiring or (who == self.grantee and "RetireGrant" in self.operations)


class Grants(RuleBasedStateMachine):
    """People hold no policy: grants alone let them in. The account's root makes grants and revokes them."""

    process: Process

    def __init__(self) -> None:
        super().__init__()
        self.keys = [new_key(self.process) for _ in KEYS]
        self.root = self.process.service()
        self.grants: dict[str, Modelled] = {}
        self.tokens: dict[str, list[str]] = {}

    @rule(
        key=keys,
        name=st.sampled_from([None, "one", "two"]),
        grantee=people,
        retiring=st.one_of(st.none(), people),
        operations=st.sets(st.sampled_from(OPERATIONS), min_size=1),
        constraint=constraints,
    )
    def create(self, constraint: Any, operations: set[str], **asked: Any) -> None:
        frozen = None if constraint is None else (constraint[0], tuple(constraint[1].items()))
        wanted = Modelled(operations=frozenset(operations), constraint=frozen, **asked)
        params: dict[str, Any] = {
            "KeyId": self.keys[wanted.key].id,
            "GranteePrincipal": arn_of(wanted.grantee),
            "Operations": sorted(operations),
        }
        if wanted.name is not None:
            params["Name"] = wanted.name
        if wanted.retiring is not None:
            params["RetiringPrincipal"] = arn_of(wanted.retiring)
        if constraint is not None:
            params["Constraints"] = dict([constraint])
        made = do(self.root, "CreateGrant", **params)
        same = [grant_id for grant_id, grant in self.grants.items() if grant == wanted and grant.name]
        if same:
            assert [made["GrantId"]] == same
        else:
            assert made["GrantId"] not in self.grants
        self.grants[made["GrantId"]] = wanted
        self.tokens.setdefault(made["GrantId"], []).append(made["GrantToken"])
        assert sum(tokens.count(made["GrantToken"]) for tokens in self.tokens.values()) == 1

    @rule(key=keys, who=people, operation=st.sampled_from(["Encrypt", "Decrypt"]), context=contexts)
    def use(self, key: int, who: str, operation: str, context: dict[str, str]) -> None:
        expected = any(grant.allows(key, who, operation, context) for grant in self.grants.values())
        tokens = tuple(tokens[-1] for tokens in self.tokens.values())[:10]
        for presented in ((), tokens):
            try:
                may(acting(self.process, who), self.keys[key], operation, context, presented)
                allowed = True
            except AccessDenied:
                allowed = False
            assert allowed == expected

    @rule(key=keys, grantee=st.one_of(st.none(), people))
    def list(self, key: int, grantee: str | None) -> None:
        params = {} if grantee is None else {"GranteePrincipal": arn_of(grantee)}
        found: list[str] = []
        page = do(self.root, "ListGrants", KeyId=self.keys[key].id, Limit=2, **params)
        while True:
            found += [entry["GrantId"] for entry in page["Grants"]]
            if not page["Truncated"]:
                break
            page = do(
                self.root, "ListGrants",
                KeyId=self.keys[key].id, Limit=2, Marker=page["NextMarker"], **params,
            )  # fmt: skip
        assert found == sorted(
            grant_id
            for grant_id, grant in self.grants.items()
            if grant.key == key and grantee in {None, grant.grantee}
        )

    @rule(who=people)
    def list_retirable(self, who: str) -> None:
        asker = acting(self.process, who, admin=True)
        page = do(asker, "ListRetirableGrants", RetiringPrincipal=arn_of(who), Limit=100)
        mine = {key.arn for key in self.keys}  # other runs on the same store left theirs
        assert {entry["GrantId"] for entry in page["Grants"] if entry["KeyId"] in mine} == {
            grant_id for grant_id, grant in self.grants.items() if grant.retiring == who
        }

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), who=people, by_token=st.booleans())
    def retire(self, data: st.DataObject, who: str, by_token: bool) -> None:
        grant_id = data.draw(st.sampled_from(sorted(self.tokens)))
        grant = self.grants.get(grant_id)
        params = {"GrantToken": data.draw(st.sampled_from(self.tokens[grant_id]))}
        if not by_token:
            key = self.keys[0 if grant is None else grant.key]
            params = {"KeyId": key.arn, "GrantId": grant_id}
        try:
            do(acting(self.process, who), "RetireGrant", **params)
            ended = True
        except AccessDenied:
            ended = False
        assert ended == (grant is not None and grant.retired_by(who))
        if ended:
            del self.grants[grant_id]

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        grant_id = data.draw(st.sampled_from(sorted(self.tokens)))
        grant = self.grants.pop(grant_id, None)
        key = self.keys[0 if grant is None else grant.key]
        try:
            do(self.root, "RevokeGrant", KeyId=key.id, GrantId=grant_id)
            assert grant is not None
        except NotFound:
            assert grant is None


def test_grants_do_what_their_model_does_for_200_steps(process: Process) -> None:
    class Here(Grants):
        pass

    Here.process = process
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=4,
            stateful_step_count=50,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
