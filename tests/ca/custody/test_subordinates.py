"""Subordinates confined to names, made in one step."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from ca import AuthorityView, Confinement, LintFailure, NewSubordinate, OrderRefused
from tests.ca.conftest import World
from tests.ca.custody.foreign import custody

LAB = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")])
CONFINED = Confinement(
    permitted=(("dns", ".Lab.example.test"), ("ip", "10.1.0.0/16")),
    excluded=(("dns", "hr.lab.example.test"), ("email", "example.test"), ("uri", "example.test")),
)


def made(world: World, **changes: object) -> AuthorityView:
    root, _ = world.service().init()
    given: dict[str, object] = {"parent_arn": root.arn, "subject": LAB, "confinement": CONFINED}
    return custody(world).subordinate(NewSubordinate(**{**given, **changes}))  # type: ignore[arg-type]  # each of its field


def test_its_certificate_says_critically_what_it_may_issue_for(quick_world: World) -> None:
    authority = made(quick_world, path_length=1)
    certificate = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(tree.value) for tree in constraints.value.permitted_subtrees or ()] == [
        "lab.example.test",
        "10.1.0.0/16",
    ]
    excluded = ["hr.lab.example.test", "example.test", "example.test"]
    assert [str(tree.value) for tree in constraints.value.excluded_subtrees or ()] == excluded
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 1


def test_it_issues_inside_its_names_and_signs_nothing_outside(quick_world: World) -> None:
    authority = made(quick_world)
    assert quick_world.issue(authority.arn, "a.lab.example.test")
    signed = len(quick_world.signatures())
    for name in ("www.example.test", "payroll.hr.lab.example.test"):
        with pytest.raises(LintFailure, match="name constraints"):
            quick_world.issue(authority.arn, name)
    assert len(quick_world.signatures()) == signed


@pytest.mark.slow
def test_it_has_its_parents_kind_of_key_and_ends_with_it_unless_told_otherwise(quick_world: World) -> None:
    authority = made(quick_world)
    root, _ = quick_world.service().init()
    assert (authority.key_spec, authority.parent_arn) == (root.key_spec, root.arn)
    other = made(quick_world, spec="EC_secp384r1", validity=timedelta(days=30), confinement=Confinement())
    assert other.key_spec == "EC_secp384r1"
    certificate = x509.load_pem_x509_certificate(other.certificate_pem.encode())
    assert not [each for each in certificate.extensions if isinstance(each.value, x509.NameConstraints)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", "*.example.test"),
        ("dns", ""),
        ("dns", "a..test"),
        ("ip", "10.1.0.1/16"),
        ("ip", "x"),
        ("phone", "1"),
    ],
)
def test_a_subtree_that_nobody_could_read_is_refused_before_a_key_is_made(
    quick_world: World, kind: str, text: str
) -> None:
    with pytest.raises(OrderRefused):
        made(quick_world, confinement=Confinement(permitted=((kind, text),)))
    assert len(custody(quick_world).lineage(every=False)[0].below) == 1


def test_below_a_path_length_of_zero_nothing_is_made(quick_world: World) -> None:
    _, issuing = quick_world.service().init()
    with pytest.raises(LintFailure, match="path length"):
        made(quick_world, parent_arn=issuing.arn)
