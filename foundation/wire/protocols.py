"""Which services keystead answers, and in which of AWS's protocols."""

import enum
from typing import Final


class Codec(enum.Enum):
    """How a call is spelled on the wire."""

    JSON11 = "json-1.1"
    CBOR = "rpc-v2-cbor"
    QUERY = "query"


SERVED: Final = {
    "acm": (Codec.JSON11,),
    "acm-pca": (Codec.CBOR, Codec.JSON11),
    "cloudhsmv2": (Codec.CBOR, Codec.JSON11),
    "cloudtrail": (Codec.JSON11,),
    "iam": (Codec.QUERY,),
    "kms": (Codec.JSON11,),
    "secretsmanager": (Codec.JSON11,),
    "sts": (Codec.QUERY,),
}
"""Every served service, by botocore's name, with its protocols in the model's order."""

CONTENT_TYPES: Final = {
    Codec.JSON11: "application/x-amz-json-1.1",
    Codec.CBOR: "application/cbor",
    Codec.QUERY: "application/x-www-form-urlencoded",
}
"""What a request in each protocol calls its body."""
