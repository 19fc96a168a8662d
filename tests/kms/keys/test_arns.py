"""The four forms of a KeyId, and everything that is none of them."""

import pytest

from foundation.store import Scope
from foundation.wire import AwsError
from kms.keys.arns import KeyName, alias_arn, key_arn, parse
from kms.keys.errors import InvalidArn, NotFound

HERE = Scope("111122223333", "eu-central-1")
THERE = Scope("444455556666", "eu-central-1")
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ID, KeyName("key", HERE, ID, whole=False)),
        (MRK, KeyName("key", HERE, MRK, whole=False)),
        (key_arn(HERE, ID), KeyName("key", HERE, ID, whole=True)),
        (key_arn(THERE, MRK), KeyName("key", THERE, MRK, whole=True)),
        ("alias/app", KeyName("alias", HERE, "alias/app", whole=False)),
        ("alias/aws/s3", KeyName("alias", HERE, "alias/aws/s3", whole=False)),
        (alias_arn(THERE, "alias/a/b"), KeyName("alias", THERE, "alias/a/b", whole=True)),
    ],
)
def test_a_key_id_is_told_by_its_form(text: str, name: KeyName) -> None:
    assert parse(text, HERE) == name
    assert parse(name.arn, HERE).arn == name.arn


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", NotFound),
        ("nonsense", NotFound),
        (ID.upper(), NotFound),
        (ID + "\n", NotFound),
        ("mrk-1234", NotFound),
        ("arn:", InvalidArn),
        ("arn:aws:s3:::bucket", InvalidArn),
        (key_arn(HERE, ID).replace("aws", "aws-cn", 1), InvalidArn),
        (key_arn(HERE, ID).replace(":kms:", ":acm:"), InvalidArn),
        (key_arn(HERE, ID).replace("111122223333", "1"), InvalidArn),
        (key_arn(HERE, ID).replace("111122223333", ""), InvalidArn),
        (key_arn(HERE, ID).replace("eu-central-1", ""), InvalidArn),
        (key_arn(HERE, ID).replace(":key/", ":grant/"), InvalidArn),
        (key_arn(HERE, ID).replace("eu-central-1", "us-east-1"), NotFound),
        (key_arn(HERE, "x"), NotFound),
    ],
)
def test_anything_else_is_refused_with_aws_own_code(text: str, refusal: type[AwsError]) -> None:
    with pytest.raises(refusal):
        parse(text, HERE)
