"""The JSON of `/v1`: what goes in and what comes out, from which flask-openapi3 makes the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from acm import CertificateView

ALL_KEY_TYPES = ("RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
"""`/v1` hides nothing; ListCertificates shows RSA only unless told (TRAPS 28)."""

PEM_TYPES = frozenset({"application/x-pem-file", "application/pkcs10", "application/pem-certificate-request"})

REGION = Field("us-east-1", description="Region of the certificate", pattern=r"^[a-z]{2}(-[a-z]+)+-\d{1,2}$")


def _encodable(text: str) -> str:
    """JSON's escapes can spell half a surrogate pair, which is no character (RFC 8259 section 8.2)."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a surrogate pair is not text")
    return text


Text = Annotated[str, AfterValidator(_encodable)]


class CertificateRequest(BaseModel):
    """A certificate asked for: by a CSR, whose key stays with its owner, or by names, for a key made in the key core."""

    model_config = ConfigDict(extra="forbid")

    csr: Text | None = Field(None, description="PKCS#10 request, PEM", max_length=65536)
    names: list[Text] | None = Field(
        None,
        description="DNS names; with a CSR: exactly the names in it that are wanted",
        min_length=1,
        max_length=1000,
    )
    certificate_authority_arn: Text | None = Field(
        None,
        description="a private CA that issues at once; without it the deployment's own hierarchy, after validation",
        max_length=200,
    )
    key_algorithm: Literal["RSA_2048", "EC_prime256v1", "EC_secp384r1"] | None = Field(
        None, description="of the key that the core makes; not with a CSR"
    )
    idempotency_token: str | None = Field(
        None, description="repeats within an hour give the same certificate", pattern=r"^\w{1,32}$"
    )
    region: str = REGION

    @model_validator(mode="before")
    @classmethod
    def _pem_body(cls, body: Any) -> Any:
        """A body that is the CSR itself, for `curl --data-binary @app.csr`; the other members come from the query."""
        if body is None and request.mimetype in PEM_TYPES:
            return {**request.args.to_dict(), "csr": request.get_data(as_text=True)}
        if body is None:
            raise ValueError("send a JSON object (application/json) or a CSR in PEM (application/x-pem-file)")
        return body


class RegionQuery(BaseModel):
    """Which Region to look in."""

    model_config = ConfigDict(extra="forbid")
    region: str = REGION


class PageQuery(RegionQuery):
    """One page of certificates."""

    limit: int = Field(100, ge=1, le=1000)
    next_token: Text | None = Field(None, max_length=10000)


class CertificatePath(BaseModel):
    """The certificate's id: the last part of its ARN."""

    id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Record(BaseModel):
    """The DNS record that proves control of a name. It must stay in place: renewals look for it again."""

    type: Literal["CNAME"] = "CNAME"
    name: str
    value: str


class Domain(BaseModel):
    """One name and how its proof stands."""

    name: str
    status: str
    record: Record | None
    detail: str | None = Field(description="what is wrong, and what to do")
    published: bool = Field(description="keystead wrote the record itself, by RFC 2136")


class Renewal(BaseModel):
    """How the managed renewal stands."""

    status: str
    detail: str | None


class Certificate(BaseModel):
    """One certificate, whole."""

    id: str
    arn: str
    status: str
    failure_reason: str | None
    failure_detail: str | None
    names: list[str]
    domains: list[Domain]
    key_algorithm: str
    certificate_authority_arn: str | None
    created_at: datetime
    issued_at: datetime | None
    not_before: datetime | None
    not_after: datetime | None
    serial: str | None
    renews_at: datetime | None
    renewal: Renewal | None
    certificate: str | None = Field(description="PEM")
    chain: str | None = Field(description="PEM, issuer first, root last")


class CertificatePage(BaseModel):
    """Certificates, and the token of the next page when there is one."""

    certificates: list[Certificate]
    next_token: str | None


class Problem(BaseModel):
    """An RFC 9457 problem document; `code` is the AWS error code of the same fault."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str


def shown(view: CertificateView) -> Certificate:
    """ACM's view of a certificate, as `/v1` shows it."""
    domains = [
        Domain(
            name=domain.name,
            status=domain.status,
            record=Record(name=domain.cname_name, value=domain.cname_value)
            if domain.cname_name is not None and domain.cname_value is not None
            else None,
            detail=domain.detail or domain.publish_error,
            published=domain.published_at is not None,
        )
        for domain in view.domains
    ]
    renewal = (
        None if view.renewal is None else Renewal(status=view.renewal.status, detail=view.renewal.detail)
    )
    return Certificate(
        id=view.id,
        arn=view.arn,
        status=view.status,
        failure_reason=view.failure_reason,
        failure_detail=view.failure_detail,
        names=list(view.names),
        domains=domains,
        key_algorithm=view.key_algorithm,
        certificate_authority_arn=view.authority_arn,
        created_at=view.created_at,
        issued_at=view.issued_at,
        not_before=view.not_before,
        not_after=view.not_after,
        serial=view.serial,
        renews_at=view.renews_at,
        renewal=renewal,
        certificate=view.certificate_pem,
        chain=view.chain_pem,
    )
