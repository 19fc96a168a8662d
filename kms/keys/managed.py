"""AWS managed keys: `alias/aws/SERVICE`, made at their first use, rotated yearly, managed by nobody (TRAPS 17, 19)."""

from datetime import timedelta
from typing import Final

from foundation.store import Duplicate, Unit
from kms.keys.arns import MANAGED_PREFIX, alias_arn
from kms.keys.context import Context
from kms.keys.creation import Creation, Order
from kms.keys.found import AWS
from kms.keys.policies import managed_policy
from kms.keys.specs import ENCRYPT_DECRYPT, KEY_SPECS, SYMMETRIC_DEFAULT

SERVICES: Final = (
    "acm", "backup", "codecommit", "dynamodb", "ebs", "elasticfilesystem", "es", "fsx", "glue", "kinesis", "lambda",
    "lightsail", "rds", "redshift", "s3", "secretsmanager", "sns", "sqs", "ssm", "workspaces", "xray",
)  # fmt: skip
"""Services whose alias is predefined in every account."""

YEARLY: Final = 365
PREDEFINED: Final = tuple(MANAGED_PREFIX + service for service in SERVICES)


def description(service: str) -> str:
    """What DescribeKey says of the key of a service."""
    return f"Default key that protects my {service} data when no other key is defined"


class Managed:
    """Makes AWS managed keys in the caller's account and Region."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rooms = context.rooms

    def key_for(self, alias: str) -> str | None:
        """The id of the key behind a predefined alias, which is made now if this is its first use.

        None when the alias is not predefined. Two workers' first uses make one key: the alias is unique.
        """
        if alias not in PREDEFINED:
            return None
        scope = self._context.here
        service = alias.removeprefix(MANAGED_PREFIX)
        order = Order(
            spec=KEY_SPECS[SYMMETRIC_DEFAULT],
            usage=ENCRYPT_DECRYPT,
            policy=managed_policy(scope.account, scope.region, service),
            description=description(service),
            manager=AWS,
            alias=alias,
            rotation_days=YEARLY,
            rotation_due=self._rooms.now() + timedelta(days=YEARLY),
        )

        def make(unit: Unit) -> None:
            Creation(self._context).create(order, unit)

        details = {"aliasArn": alias_arn(scope, alias), "keyManager": AWS}
        try:
            self._rooms.journal.act(scope, "CreateKey", details, (), make)
        except Duplicate as raced:
            if raced.table != "kms_alias":
                raise
        return self._rooms.cache.alias(scope, alias)
