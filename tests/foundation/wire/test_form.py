"""Query forms: flat names become nested values, and names that contradict one another are refused."""

from typing import Any

import pytest

from foundation.wire import Params, SerializationError
from tests.foundation.wire.calls import form_call, the_wire

ROLE = "arn:aws:iam::123456789012:role/x"


def decode(operation: str, form: dict[str, str] | bytes, version: str = "2011-06-15") -> Params:
    if isinstance(form, dict):
        form = {"Action": operation, "Version": version, **form}
    call = form_call(form)
    return the_wire().decode(the_wire().address(call), call)


def assume(**members: str) -> Params:
    dotted = {name.replace("__", "."): value for name, value in members.items()}
    return decode("AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "me", **dotted})


def test_structures_in_lists_are_read_in_the_order_of_their_numbers() -> None:
    params = assume(
        Tags__member__10__Key="c",
        Tags__member__10__Value="3",
        Tags__member__2__Key="b",
        Tags__member__2__Value="ä =+",
    )
    assert params["Tags"] == [{"Key": "b", "Value": "ä =+"}, {"Key": "c", "Value": "3"}]


def test_lists_of_strings_are_read() -> None:
    params = assume(TransitiveTagKeys__member__1="a", TransitiveTagKeys__member__2="b")
    assert params["TransitiveTagKeys"] == ["a", "b"]


def test_a_list_may_be_given_empty() -> None:
    assert assume(TransitiveTagKeys="")["TransitiveTagKeys"] == []


def test_numbers_are_read_from_text() -> None:
    assert assume(DurationSeconds="0900")["DurationSeconds"] == 900


def test_booleans_are_read_from_text() -> None:
    form = {"AllowUsersToChangePassword": "true", "HardExpiry": "FALSE"}
    params = decode("UpdateAccountPasswordPolicy", form, "2010-05-08")
    assert params == {"AllowUsersToChangePassword": True, "HardExpiry": False}


def test_a_boolean_is_true_or_false_and_nothing_else() -> None:
    with pytest.raises(SerializationError):
        decode("UpdateAccountPasswordPolicy", {"HardExpiry": "yes"}, "2010-05-08")


def test_names_that_the_model_lacks_are_ignored() -> None:
    assert "Nope" not in assume(Nope="1", Nope2__x__y="2")


def test_of_a_repeated_name_the_last_counts() -> None:
    form = (
        f"Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=me&RoleSessionName=you".encode()
    )
    assert decode("", form)["RoleSessionName"] == "you"


@pytest.mark.parametrize(
    "members",
    [
        {"Tags": "x"},
        {"Tags.1.Key": "x"},
        {"Tags.member": "x"},
        {"Tags.member.x.Key": "x"},
        {"Tags.member.-1.Key": "x"},
        {"Tags.member.²": "x"},
        {"Tags.member." + "1" * 5000: "x"},
        {"Tags.member.1": "x"},
        {"RoleArn.x": "x"},
        {"Tags.member.1.Key": "x", "Tags.member.1.Key.y": "x"},
        {"Tags.member.1.Key.y": "x", "Tags.member.1.Key": "x"},
        {".".join("a" * 100): "x"},
        {"a." * 80: "x"},
        {"DurationSeconds": "x"},
        {"DurationSeconds": "9" * 30},
        {"DurationSeconds": "1.0"},
        {"DurationSeconds": "٣"},
        {"DurationSeconds": ""},
        {"DurationSeconds.x": "1"},
        {f"x{n}.{'a.' * 50}": "x" for n in range(250)},
    ],
    ids=lambda members: next(iter(members))[:30],
)
def test_a_form_that_contradicts_itself_or_the_model_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(SerializationError):
        decode("AssumeRole", {"RoleSessionName": "me", **members})


def test_maps_timestamps_blobs_and_fractions_of_a_form_are_read_by_their_shapes() -> None:
    from datetime import UTC, datetime

    from foundation.wire import Codec
    from foundation.wire.checkers import Checkers
    from foundation.wire.form import nest
    from foundation.wire.models import OperationShape, ServiceModel, Shape

    shapes = {
        "Input": Shape(
            "structure", members={"M": "Map", "T": "Time", "B": "Blob", "D": "Number", "S": "Inner"}
        ),
        "Inner": Shape("structure", members={"X": "Text"}),
        "Map": Shape("map", key="Text", value="Text"),
        "Text": Shape("string"),
        "Time": Shape("timestamp"),
        "Blob": Shape("blob"),
        "Number": Shape("double"),
    }
    model = ServiceModel("iam", "", "", "iam", "", shapes, {"Say": OperationShape("Input", "", "", ())}, {})

    def read(**form: str) -> Params:
        dotted = {name.replace("__", "."): value for name, value in form.items()}
        return Checkers(model, Codec.QUERY).check("Say", nest(dotted, model, "Say"))

    assert read(
        M__entry__1__key="k",
        M__entry__1__value="v",
        T="2026-01-01T02:00:00+02:00",
        B="AAE=",
        D="-1.5",
        S__X="x",
    ) == {
        "M": {"k": "v"},
        "T": datetime(2026, 1, 1, tzinfo=UTC),
        "B": b"\x00\x01",
        "D": -1.5,
        "S": {"X": "x"},
    }
    for broken in (
        {"M__entry__1__key": "k"},
        {"M__entry__1": "k"},
        {"M__entry__1__value": "k"},
        {"T": "2026-01-01T02:00:00"},
        {"T": "0001-01-01T00:00:00+12:00"},
        {"T": "yesterday"},
        {"B": "?"},
        {"D": "1e5"},
        {"D": "nan"},
        {"D": ""},
        {"S": "x"},
    ):
        with pytest.raises(SerializationError):
            read(**broken)
