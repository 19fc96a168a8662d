"""The AWS managed policies that keystead has: what they are called, what they allow, and their compiled form.

They allow what AWS's policies of the same name allow, cut to the services that keystead has.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from foundation.identity.policy.compiled import Policy, compile_policy

__all__ = ["AWS_POLICIES", "MANAGED", "AwsPolicy"]

EVERYTHING: Final = "*"
CREATED_AT: Final = datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AwsPolicy:
    """One policy of AWS's. It has a single version, v1."""

    name: str
    description: str
    statements: tuple[Mapping[str, Any], ...]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::aws:policy/{self.name}"

    @property
    def id(self) -> str:
        """A unique id in AWS's form, always the same."""
        return "ANPA" + base64.b32encode(hashlib.sha256(self.name.encode()).digest()).decode()[:17]

    @property
    def created_at(self) -> datetime:
        return CREATED_AT

    @property
    def document(self) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": list(self.statements)}, indent=4)


def _allow(*actions: str, resource: str | list[str] = EVERYTHING, **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


_LIST: Final = (
    AwsPolicy(
        "AdministratorAccess",
        "Provides full access to AWS services and resources.",
        ({"Effect": "Allow", "Action": "*", "Resource": "*"},),
    ),
    AwsPolicy(
        "PowerUserAccess",
        "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        (
            {
                "Effect": "Allow",
                "NotAction": ["iam:*", "organizations:*", "account:*"],
                "Resource": "*",
            },
            _allow("iam:ListRoles"),
        ),
    ),
    AwsPolicy(
        "ReadOnlyAccess",
        "Provides read-only access to AWS services and resources.",
        (
            _allow(
                *(
                    "acm:Describe*",
                    "acm:Get*",
                    "acm:List*",
                    "acm-pca:Describe*",
                    "acm-pca:Get*",
                    "acm-pca:List*",
                ),
                *("cloudhsm:Describe*", "cloudhsm:List*", "cloudtrail:LookupEvents", "iam:Get*", "iam:List*"),
                *("iam:Simulate*", "kms:Describe*", "kms:Get*", "kms:List*", "secretsmanager:Describe*"),
                *("secretsmanager:GetResourcePolicy", "secretsmanager:List*", "sts:GetAccessKeyInfo"),
                *("sts:GetCallerIdentity", "sts:GetSessionToken"),
            ),
        ),
    ),
    AwsPolicy(
        "SecurityAudit",
        "The security audit template grants access to read security configuration metadata.",
        (
            _allow(
                *("acm:Describe*", "acm:List*", "acm-pca:Describe*", "acm-pca:GetPolicy", "acm-pca:List*"),
                *("cloudtrail:LookupEvents", "iam:Get*", "iam:List*", "iam:Simulate*", "kms:Describe*"),
                *("kms:Get*", "kms:List*", "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets"),
                *("secretsmanager:DescribeSecret", "sts:GetAccessKeyInfo"),
            ),
        ),
    ),
    AwsPolicy(
        "IAMFullAccess", "Provides full access to IAM via the AWS Management Console.", (_allow("iam:*"),)
    ),
    AwsPolicy(
        "IAMReadOnlyAccess",
        "Provides read only access to IAM via the AWS Management Console.",
        (_allow("iam:Get*", "iam:List*", "iam:Simulate*"),),
    ),
    AwsPolicy(
        "AWSKeyManagementServicePowerUser",
        "Provides access to AWS Key Management Service (KMS).",
        (
            _allow(
                *(
                    "kms:CreateAlias",
                    "kms:CreateKey",
                    "kms:DeleteAlias",
                    "kms:Describe*",
                    "kms:GenerateRandom",
                ),
                *("kms:Get*", "kms:List*", "kms:TagResource", "kms:UntagResource", "iam:ListGroups"),
                *("iam:ListRoles", "iam:ListUsers"),
            ),
        ),
    ),
    AwsPolicy(
        "SecretsManagerReadWrite",
        "Provides read/write access to AWS Secrets Manager.",
        (_allow("secretsmanager:*", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys"),),
    ),
    AwsPolicy(
        "AWSCertificateManagerFullAccess",
        "Provides full access to AWS Certificate Manager (ACM).",
        (_allow("acm:*"),),
    ),
    AwsPolicy(
        "AWSCertificateManagerReadOnly",
        "Provides read only access to AWS Certificate Manager (ACM).",
        (
            _allow(
                *("acm:DescribeCertificate", "acm:ListCertificates", "acm:GetCertificate"),
                *("acm:ListTagsForCertificate", "acm:GetAccountConfiguration"),
            ),
        ),
    ),
    AwsPolicy(
        "AWSPrivateCAFullAccess",
        "Provides full access to AWS Private Certificate Authority.",
        (_allow("acm-pca:*"),),
    ),
    AwsPolicy(
        "AWSPrivateCAReadOnly",
        "Provides read only access to AWS Private Certificate Authority.",
        (
            _allow(
                *("acm-pca:DescribeCertificateAuthority", "acm-pca:DescribeCertificateAuthorityAuditReport"),
                *("acm-pca:ListCertificateAuthorities", "acm-pca:GetCertificateAuthorityCsr"),
                *(
                    "acm-pca:GetCertificateAuthorityCertificate",
                    "acm-pca:GetCertificate",
                    "acm-pca:GetPolicy",
                ),
                *("acm-pca:ListPermissions", "acm-pca:ListTags"),
            ),
        ),
    ),
    AwsPolicy(
        "AWSCloudTrail_ReadOnlyAccess",
        "Provides read only access to AWS CloudTrail.",
        (_allow("cloudtrail:Get*", "cloudtrail:Describe*", "cloudtrail:List*", "cloudtrail:LookupEvents"),),
    ),
)

AWS_POLICIES: Final[Mapping[str, AwsPolicy]] = {policy.arn: policy for policy in _LIST}
"""AWS's policies by ARN."""

MANAGED: Final[Mapping[str, Policy]] = {
    arn: compile_policy(policy.document, arn) for arn, policy in AWS_POLICIES.items()
}
"""The same, compiled."""
