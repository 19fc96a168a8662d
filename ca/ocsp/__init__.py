"""The OCSP responder (RFC 6960, RFC 5019): delegated signers, answers, and how HTTP carries them."""
