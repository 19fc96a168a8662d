"""ASN1Subject, the API's form of a distinguished name, and X.509's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca.pca.errors import InvalidArgs

# In the order in which they are written.
ATTRIBUTES: Final = MappingProxyType(
    {
        "Country": NameOID.COUNTRY_NAME,
        "State": NameOID.STATE_OR_PROVINCE_NAME,
        "Locality": NameOID.LOCALITY_NAME,
        "Organization": NameOID.ORGANIZATION_NAME,
        "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "DistinguishedNameQualifier": NameOID.DN_QUALIFIER,
        "CommonName": NameOID.COMMON_NAME,
        "SerialNumber": NameOID.SERIAL_NUMBER,
        "Title": NameOID.TITLE,
        "Surname": NameOID.SURNAME,
        "GivenName": NameOID.GIVEN_NAME,
        "Initials": NameOID.INITIALS,
        "Pseudonym": NameOID.PSEUDONYM,
        "GenerationQualifier": NameOID.GENERATION_QUALIFIER,
    }
)
CUSTOM: Final = "CustomAttributes"


def name_of(subject: Mapping[str, Any]) -> x509.Name:
    """The name. Raises InvalidArgs for custom attributes beside others, and for what X.509 cannot say."""
    if CUSTOM in subject and len(subject) > 1:
        raise InvalidArgs("CustomAttributes cannot stand beside the standard attributes of a subject")
    try:
        if CUSTOM in subject:
            return x509.Name(
                [
                    x509.NameAttribute(x509.ObjectIdentifier(each["ObjectIdentifier"]), each["Value"])
                    for each in subject[CUSTOM]
                ]
            )
        return x509.Name(
            [x509.NameAttribute(oid, subject[key]) for key, oid in ATTRIBUTES.items() if subject.get(key)]
        )
    except ValueError as error:
        raise InvalidArgs(f"The subject is not a name that X.509 can say: {error}") from error


def subject_of(name: x509.Name) -> dict[str, Any]:
    """The API's form of a name that was made elsewhere; repeated or other attributes make all of them custom."""
    known = {oid: key for key, oid in ATTRIBUTES.items()}
    found = [(attribute.oid, str(attribute.value)) for attribute in name]
    if all(oid in known for oid, _ in found) and len({oid for oid, _ in found}) == len(found):
        return {known[oid]: value for oid, value in found}
    return {CUSTOM: [{"ObjectIdentifier": oid.dotted_string, "Value": value} for oid, value in found]}
