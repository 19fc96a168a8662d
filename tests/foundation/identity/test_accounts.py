"""Accounts: what is made, what is refused, and that a secret is nowhere in the clear."""

import re
from datetime import timedelta

import pytest

from foundation.identity import (
    ADMINISTRATOR_ACCESS,
    Accounts,
    EntityAlreadyExists,
    InvalidInput,
    NewAccount,
    NoSuchEntity,
)
from foundation.store import SYSTEM, Store
from foundation.wire import AwsError
from tests.foundation.identity.conftest import Clock, counted_entropy
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, OpenCore


def test_an_account_comes_with_root_and_an_administrator(accounts: Accounts) -> None:
    made = accounts.create()
    assert re.fullmatch(r"[1-9][0-9]{11}", made.account_id)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made.access_key_id)
    admin = accounts.principal(made.admin_arn)
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", admin.principal_id)
    assert (admin.kind, admin.name, admin.policies) == ("user", "admin", (ADMINISTRATOR_ACCESS,))
    root = accounts.principal(f"arn:aws:iam::{made.account_id}:root")
    assert (root.kind, root.principal_id) == ("root", made.account_id)


def test_ids_and_keys_may_be_given_as_local_test_doubles_do(any_store: Store, clock: Clock) -> None:
    accounts = Accounts(any_store, OpenCore(), counted_entropy(), clock)
    made = accounts.create("000000000000", "LKIAQAAAAAAAAAAAAAAA", "a secret-free-secret".replace(" ", "-"))
    assert made.account_id == "000000000000"
    assert made.secret_access_key == "a-secret-free-secret"
    assert accounts.ids() == ("000000000000",)


@pytest.mark.parametrize(
    "account",
    ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２", "111122223333\n"],
)
def test_an_account_id_is_twelve_digits(accounts: Accounts, account: str) -> None:
    with pytest.raises(InvalidInput, match="12 digits"):
        accounts.create(account)


@pytest.mark.parametrize(
    "key", ["", "abc", "A" * 129, "AKIA-0000-0000-0000-0", "AKIAÉ00000000000000", "A" * 16 + "\n"]
)
def test_an_access_key_id_has_iams_form(accounts: Accounts, key: str) -> None:
    with pytest.raises(InvalidInput, match="4 to 128 letters, digits and underscores"):
        accounts.create(ACCOUNT, key)


@pytest.mark.parametrize("secret", ["", "abc", "x" * 129, "with a space inside it", "ümlautümlautümlaut"])
def test_a_secret_that_is_short_or_odd_is_refused(accounts: Accounts, secret: str) -> None:
    with pytest.raises(InvalidInput, match="secret access key is 4 to 128"):
        accounts.create(ACCOUNT, "AKIAEXAMPLE000000000", secret)
    assert accounts.ids() == ()


def test_the_short_keys_of_test_doubles_may_be_kept(accounts: Accounts) -> None:
    assert accounts.create("000000000000", "test", "test").access_key_id == "test"


def test_a_second_account_of_one_id_is_refused_and_changes_nothing(any_store: Store, clock: Clock) -> None:
    accounts = Accounts(any_store, OpenCore(), counted_entropy(), clock)
    first = accounts.create(ACCOUNT)
    with pytest.raises(EntityAlreadyExists, match=f"The account {ACCOUNT} already exists"):
        accounts.create(ACCOUNT)
    assert accounts.principal(first.admin_arn).name == "admin"


def test_an_access_key_of_another_account_is_refused(any_store: Store, clock: Clock) -> None:
    accounts = Accounts(any_store, OpenCore(), counted_entropy(), clock)
    first = accounts.create(ACCOUNT)
    with pytest.raises(EntityAlreadyExists, match=f"The access key {first.access_key_id} already exists"):
        accounts.create(OTHER_ACCOUNT, first.access_key_id)
    assert accounts.ids() == (ACCOUNT,)


def test_the_first_account_is_the_oldest(accounts: Accounts, clock: Clock) -> None:
    assert accounts.first() is None
    accounts.create(OTHER_ACCOUNT)
    clock.ahead = timedelta(seconds=1)
    accounts.create(ACCOUNT)
    assert accounts.first() == OTHER_ACCOUNT
    assert accounts.ids() == (ACCOUNT, OTHER_ACCOUNT)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "admin",
        f"arn:aws:iam::{ACCOUNT}:user/nobody",
        f"arn:aws:iam::{ACCOUNT}:role/admin",
        f"arn:aws:iam::{OTHER_ACCOUNT}:user/admin",
        f"arn:aws:iam::{OTHER_ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:user/admin\n",
    ],
)
def test_an_arn_that_names_nobody_is_an_error(accounts: Accounts, account: NewAccount, arn: str) -> None:
    with pytest.raises(NoSuchEntity):
        accounts.principal(arn)


def test_disabling_a_key_that_is_not_there_is_an_error(accounts: Accounts) -> None:
    with pytest.raises(NoSuchEntity):
        accounts.set_access_key_active("AKIAEXAMPLE000000000", active=False)


def test_the_event_of_a_creation_is_committed_with_it(accounts: Accounts, store: Store) -> None:
    accounts.create(ACCOUNT, unit=store.unit(SYSTEM, b'{"eventID":"e"}', "e"))
    assert store.pending() == [("e", b'{"eventID":"e"}')]


def test_a_new_account_does_not_print_its_secret(account: NewAccount) -> None:
    assert account.secret_access_key not in repr(account)


@pytest.mark.parametrize("error", [EntityAlreadyExists, InvalidInput, NoSuchEntity])
def test_refusals_have_iams_names(error: type[AwsError]) -> None:
    from botocore.loaders import Loader  # the record of IAM's errors

    shapes = Loader().load_service_model("iam", "service-2")["shapes"]
    assert shapes[f"{error.code}Exception"]["error"]["httpStatusCode"] == error.status
