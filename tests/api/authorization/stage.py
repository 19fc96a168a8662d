"""What the matrix asks about: for each declared operation parameters that name real things of one account."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api.iam.conftest import allow, trust
from tests.api.pca import acting
from tests.support.world import Caller

Params = dict[str, Any]
Target = Callable[["Stage"], Params]
TAGS = [{"Key": "a", "Value": "b"}]


class Stage:
    """One account's things, made when they are asked for. `mark` keeps the names of one operation apart."""

    def __init__(self, caller: Caller, mark: str) -> None:
        self.caller = caller
        self.mark = mark.lower()
        self.clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.caller.client(service)
        return self.clients[service]

    # ACM

    @property
    def certificate(self) -> str:
        made = self.client("acm").request_certificate(DomainName=f"{self.mark}.example.test")
        arn: str = made["CertificateArn"]
        return arn

    # IAM

    @property
    def user(self) -> str:
        self.client("iam").create_user(UserName=self.mark, Tags=TAGS)
        return self.mark

    @property
    def role(self) -> str:
        trusted = trust(self.caller.account)
        self.client("iam").create_role(RoleName=self.mark, AssumeRolePolicyDocument=trusted, Tags=TAGS)
        return self.mark

    @property
    def policy(self) -> str:
        made = self.client("iam").create_policy(PolicyName=self.mark, PolicyDocument=allow("kms:*"))
        arn: str = made["Policy"]["Arn"]
        return arn

    def held(self, kind: str, name: str, what: str) -> Params:
        """The user or role with something that can be shown and taken away, and how that is named."""
        iam, named = self.client("iam"), {f"{kind}Name": name}
        if what == "inline":
            put = getattr(iam, f"put_{kind.lower()}_policy")
            put(**named, PolicyName="p", PolicyDocument=allow("kms:*"))
            return {**named, "PolicyName": "p"}
        policy = self.policy
        if what == "attached":
            getattr(iam, f"attach_{kind.lower()}_policy")(**named, PolicyArn=policy)
            return {**named, "PolicyArn": policy}
        getattr(iam, f"put_{kind.lower()}_permissions_boundary")(**named, PermissionsBoundary=policy)
        return named

    @property
    def access_key(self) -> Params:
        name = self.user
        made = self.client("iam").create_access_key(UserName=name)["AccessKey"]
        return {"UserName": name, "AccessKeyId": made["AccessKeyId"]}

    @property
    def version(self) -> Params:
        arn = self.policy
        self.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=allow("sts:*"))
        return {"PolicyArn": arn, "VersionId": "v2"}

    # Private CA

    @property
    def authority(self) -> str:
        return acting.create(self.client("acm-pca"))

    @property
    def issued(self) -> Params:
        made = acting.hierarchy(self.client("acm-pca"))
        arn = made.issue(acting.request(f"{self.mark}.example.test"))
        return {"CertificateAuthorityArn": made.subordinate, "CertificateArn": arn}

    @property
    def revocable(self) -> Params:
        issued = self.issued
        serial = issued["CertificateArn"].rpartition("/")[2]
        return {
            "CertificateAuthorityArn": issued["CertificateAuthorityArn"],
            "CertificateSerial": serial,
            "RevocationReason": "SUPERSEDED",
        }

    @property
    def issuable(self) -> Params:
        return {
            "CertificateAuthorityArn": self.issued["CertificateAuthorityArn"],
            "Csr": acting.request(f"{self.mark}.example.test"),
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Validity": {"Type": "DAYS", "Value": 30},
        }

    @property
    def ca_policy(self) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": self.caller.account},
            "Action": "acm-pca:DescribeCertificateAuthority",
            "Resource": "*",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    # KMS

    def key(self, **options: Any) -> str:
        arn: str = self.client("kms").create_key(**options)["KeyMetadata"]["Arn"]
        return arn

    @property
    def alias(self) -> Params:
        name, key = f"alias/{self.mark}", self.key()
        self.client("kms").create_alias(AliasName=name, TargetKeyId=key)
        return {"AliasName": f"alias/{self.mark}", "TargetKeyId": key}

    @property
    def ciphertext(self) -> Params:
        key = self.key()
        blob = self.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
        return {"KeyId": key, "CiphertextBlob": blob}

    @property
    def signing(self) -> Params:
        key = self.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        return {"KeyId": key, "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}

    @property
    def macs(self) -> Params:
        key = self.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        return {"KeyId": key, "Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}

    @property
    def agreement(self) -> Params:
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        key = self.key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
        return {"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": der}

    @property
    def kem(self) -> Params:
        key = self.key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
        return {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}

    @property
    def grant(self) -> Params:
        key = self.key()
        made = self.client("kms").create_grant(
            KeyId=key, GranteePrincipal=self.caller.made.admin_arn, Operations=["Encrypt"]
        )
        return {"KeyId": key, "GrantId": made["GrantId"]}

    @property
    def imports(self) -> Params:
        key = self.key(Origin="EXTERNAL")
        given = self.client("kms").get_parameters_for_import(
            KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        return {
            "KeyId": key,
            "ImportToken": given["ImportToken"],
            "EncryptedKeyMaterial": b"\x01" * 256,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        }

    @property
    def key_policy(self) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{self.caller.account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def on_key(**more: Any) -> Target:
    """A symmetric key by its ARN, and further parameters."""
    return lambda stage: {"KeyId": stage.key(), **more}


def on_authority(**more: Any) -> Target:
    return lambda stage: {"CertificateAuthorityArn": stage.authority, **more}


def on_certificate(**more: Any) -> Target:
    return lambda stage: {"CertificateArn": stage.certificate, **more}


def on_policy(**more: Any) -> Target:
    return lambda stage: {"PolicyArn": stage.policy, **more}


def nothing(_stage: Stage) -> Params:
    return {}


def _iam_of(kind: str) -> dict[str, Target]:
    """The operations that users and roles have alike."""
    name = f"{kind}Name"

    def on(**more: Any) -> Target:
        return lambda stage: {name: getattr(stage, kind.lower()), **more}

    def held(what: str) -> Target:
        return lambda stage: stage.held(kind, getattr(stage, kind.lower()), what)

    def with_policy(parameter: str) -> Target:
        return lambda stage: {name: getattr(stage, kind.lower()), parameter: stage.policy}

    return {
        f"Get{kind}": on(),
        f"Delete{kind}": on(),
        f"Tag{kind}": on(Tags=[{"Key": "c", "Value": "d"}]),
        f"Untag{kind}": on(TagKeys=["a"]),
        f"List{kind}Tags": on(),
        f"List{kind}Policies": on(),
        f"ListAttached{kind}Policies": on(),
        f"Put{kind}Policy": on(PolicyName="p", PolicyDocument=allow("kms:*")),
        f"Get{kind}Policy": held("inline"),
        f"Delete{kind}Policy": held("inline"),
        f"Attach{kind}Policy": with_policy("PolicyArn"),
        f"Detach{kind}Policy": held("attached"),
        f"Put{kind}PermissionsBoundary": with_policy("PermissionsBoundary"),
        f"Delete{kind}PermissionsBoundary": held("boundary"),
        f"List{kind}s": nothing,
    }


IAM: Mapping[str, Target] = {
    **_iam_of("User"),
    **_iam_of("Role"),
    "CreateUser": lambda stage: {"UserName": stage.mark},
    "UpdateUser": lambda stage: {"UserName": stage.user, "NewPath": "/moved/"},
    "CreateRole": lambda stage: {
        "RoleName": stage.mark,
        "AssumeRolePolicyDocument": trust(stage.caller.account),
    },
    "UpdateRole": lambda stage: {"RoleName": stage.role, "Description": "anew"},
    "UpdateRoleDescription": lambda stage: {"RoleName": stage.role, "Description": "anew"},
    "UpdateAssumeRolePolicy": lambda stage: {
        "RoleName": stage.role,
        "PolicyDocument": trust(stage.caller.made.admin_arn),
    },
    "CreateAccessKey": lambda stage: {"UserName": stage.user},
    "ListAccessKeys": lambda stage: {"UserName": stage.user},
    "UpdateAccessKey": lambda stage: {**stage.access_key, "Status": "Inactive"},
    "DeleteAccessKey": lambda stage: stage.access_key,
    "GetAccessKeyLastUsed": lambda stage: {"AccessKeyId": stage.access_key["AccessKeyId"]},
    "CreatePolicy": lambda stage: {"PolicyName": stage.mark, "PolicyDocument": allow("kms:*")},
    "GetPolicy": on_policy(),
    "ListPolicies": nothing,
    "DeletePolicy": on_policy(),
    "CreatePolicyVersion": on_policy(PolicyDocument=allow("sts:*")),
    "GetPolicyVersion": on_policy(VersionId="v1"),
    "ListPolicyVersions": on_policy(),
    "SetDefaultPolicyVersion": lambda stage: stage.version,
    "DeletePolicyVersion": lambda stage: stage.version,
    "ListEntitiesForPolicy": on_policy(),
    "TagPolicy": on_policy(Tags=TAGS),
    "UntagPolicy": on_policy(TagKeys=["a"]),
    "ListPolicyTags": on_policy(),
    "SimulatePrincipalPolicy": lambda stage: {
        "PolicySourceArn": f"arn:aws:iam::{stage.caller.account}:user/{stage.user}",
        "ActionNames": ["kms:Encrypt"],
    },
    "SimulateCustomPolicy": lambda _stage: {
        "PolicyInputList": [allow("kms:*")],
        "ActionNames": ["kms:Encrypt"],
    },
    "GetAccountSummary": nothing,
    "GetAccountAuthorizationDetails": nothing,
}

STS: Mapping[str, Target] = {
    "AssumeRole": lambda stage: {
        "RoleArn": f"arn:aws:iam::{stage.caller.account}:role/{stage.role}",
        "RoleSessionName": "session",
    },
    "GetAccessKeyInfo": lambda stage: {"AccessKeyId": stage.caller.made.access_key_id},
    "GetCallerIdentity": nothing,
    "GetSessionToken": nothing,
}

ACM: Mapping[str, Target] = {
    "RequestCertificate": lambda stage: {"DomainName": f"{stage.mark}.example.test"},
    "DescribeCertificate": on_certificate(),
    "GetCertificate": on_certificate(),
    "DeleteCertificate": on_certificate(),
    "ListCertificates": nothing,
    "AddTagsToCertificate": on_certificate(Tags=TAGS),
    "RemoveTagsFromCertificate": on_certificate(Tags=TAGS),
    "ListTagsForCertificate": on_certificate(),
}

KMS: Mapping[str, Target] = {
    "CancelKeyDeletion": on_key(),
    "CreateAlias": lambda stage: {"AliasName": f"alias/{stage.mark}", "TargetKeyId": stage.key()},
    "CreateGrant": lambda stage: {
        "KeyId": stage.key(),
        "GranteePrincipal": stage.caller.made.admin_arn,
        "Operations": ["Encrypt"],
    },
    "CreateKey": nothing,
    "Decapsulate": lambda stage: {**stage.kem, "SharedSecretCiphertextBlob": bytes(1088)},
    "Decrypt": lambda stage: stage.ciphertext,
    "DeleteAlias": lambda stage: {"AliasName": stage.alias["AliasName"]},
    "DeleteImportedKeyMaterial": lambda stage: {"KeyId": stage.key(Origin="EXTERNAL")},
    "DeriveSharedSecret": lambda stage: stage.agreement,
    "DescribeKey": on_key(),
    "DisableKey": on_key(),
    "DisableKeyRotation": on_key(),
    "EnableKey": on_key(),
    "EnableKeyRotation": on_key(),
    "Encapsulate": lambda stage: stage.kem,
    "Encrypt": on_key(Plaintext=b"secret"),
    "GenerateDataKey": on_key(KeySpec="AES_256"),
    "GenerateDataKeyPair": on_key(KeyPairSpec="ECC_NIST_P256"),
    "GenerateDataKeyPairWithoutPlaintext": on_key(KeyPairSpec="ECC_NIST_P256"),
    "GenerateDataKeyWithoutPlaintext": on_key(KeySpec="AES_256"),
    "GenerateMac": lambda stage: stage.macs,
    "GenerateRandom": lambda _stage: {"NumberOfBytes": 32},
    "GetKeyLastUsage": on_key(),
    "GetKeyPolicy": on_key(),
    "GetKeyRotationStatus": on_key(),
    "GetParametersForImport": lambda stage: {
        "KeyId": stage.key(Origin="EXTERNAL"),
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
    },
    "GetPublicKey": lambda stage: {"KeyId": stage.signing["KeyId"]},
    "ImportKeyMaterial": lambda stage: stage.imports,
    "ListAliases": nothing,
    "ListGrants": on_key(),
    "ListKeyPolicies": on_key(),
    "ListKeyRotations": on_key(),
    "ListKeys": nothing,
    "ListResourceTags": on_key(),
    "ListRetirableGrants": lambda stage: {"RetiringPrincipal": stage.caller.made.admin_arn},
    "PutKeyPolicy": lambda stage: {"KeyId": stage.key(), "Policy": stage.key_policy},
    "ReEncrypt": lambda stage: {
        "CiphertextBlob": stage.ciphertext["CiphertextBlob"],
        "DestinationKeyId": stage.key(),
    },
    "ReplicateKey": lambda stage: {"KeyId": stage.key(MultiRegion=True), "ReplicaRegion": "eu-west-1"},
    "RetireGrant": lambda stage: stage.grant,
    "RevokeGrant": lambda stage: stage.grant,
    "RotateKeyOnDemand": on_key(),
    "ScheduleKeyDeletion": on_key(),
    "Sign": lambda stage: stage.signing,
    "TagResource": on_key(Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": on_key(TagKeys=["a"]),
    "UpdateAlias": lambda stage: {"AliasName": stage.alias["AliasName"], "TargetKeyId": stage.key()},
    "UpdateKeyDescription": on_key(Description="anew"),
    "UpdatePrimaryRegion": lambda stage: {
        "KeyId": stage.key(MultiRegion=True),
        "PrimaryRegion": "eu-west-1",
    },
    "Verify": lambda stage: {**stage.signing, "Signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    "VerifyMac": lambda stage: {**stage.macs, "Mac": bytes(32)},
}

CA_CONFIGURATION = {
    "KeyAlgorithm": "EC_prime256v1",
    "SigningAlgorithm": "SHA256WITHECDSA",
    "Subject": {"CommonName": "Test CA"},
}
PCA: Mapping[str, Target] = {
    "CreateCertificateAuthority": lambda _stage: {
        "CertificateAuthorityConfiguration": CA_CONFIGURATION,
        "CertificateAuthorityType": "ROOT",
    },
    "DescribeCertificateAuthority": on_authority(),
    "ListCertificateAuthorities": nothing,
    "GetCertificateAuthorityCsr": on_authority(),
    "ImportCertificateAuthorityCertificate": on_authority(Certificate=b"no certificate"),
    "GetCertificateAuthorityCertificate": on_authority(),
    "UpdateCertificateAuthority": on_authority(Status="DISABLED"),
    "DeleteCertificateAuthority": on_authority(),
    "RestoreCertificateAuthority": on_authority(),
    "TagCertificateAuthority": on_authority(Tags=TAGS),
    "UntagCertificateAuthority": on_authority(Tags=TAGS),
    "ListTags": on_authority(),
    "IssueCertificate": lambda stage: stage.issuable,
    "GetCertificate": lambda stage: stage.issued,
    "RevokeCertificate": lambda stage: stage.revocable,
    "PutPolicy": lambda stage: {"ResourceArn": stage.authority, "Policy": stage.ca_policy},
    "GetPolicy": lambda stage: {"ResourceArn": stage.authority},
    "DeletePolicy": lambda stage: {"ResourceArn": stage.authority},
    "CreatePermission": on_authority(Principal="acm.amazonaws.com", Actions=["IssueCertificate"]),
    "ListPermissions": on_authority(),
    "DeletePermission": on_authority(Principal="acm.amazonaws.com"),
    "CreateCertificateAuthorityAuditReport": on_authority(
        S3BucketName="some-bucket", AuditReportResponseFormat="JSON"
    ),
    "DescribeCertificateAuthorityAuditReport": on_authority(
        AuditReportId="12345678-1234-1234-1234-123456789012"
    ),
}

TARGETS: Mapping[str, Mapping[str, Target]] = {
    "acm": ACM,
    "acm-pca": PCA,
    "cloudtrail": {"LookupEvents": nothing},
    "iam": IAM,
    "kms": KMS,
    "sts": STS,
}
