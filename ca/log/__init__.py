"""The append-only Merkle log of everything issued and revoked (RFC 6962, C2SP tlog-tiles)."""
