"""Another host for a deployment that exists: proves that the secret opens it, then keeps where it is."""

import os

from server.boot import KEPT, Opening, keep_settings, private_directory
from server.forking import Refused
from server.hardening import hide_memory
from server.serve_lock import AlreadyServed, ServeLock
from server.settings import Settings
from server.unsealed import SecretPage


def join(settings: Settings) -> str:
    """→ the deployment's id. Raises `Refused`; nothing but the empty directory is left behind then."""
    hide_memory()
    os.umask(0o077)
    if settings.database_url.startswith("sqlite"):
        raise Refused(
            "a SQLite database serves one host: hosts are joined over PostgreSQL (--database postgresql://…)"
        )
    if (settings.unseal or "").startswith(("fd:", "passphrase-fd:")) or settings.unseal == "passphrase":
        raise Refused(
            "join keeps where the secret is: name a file or a credential, which `serve` can read again"
        )
    private_directory(settings.data)
    if (settings.data / KEPT).exists() or (settings.data / "keystead.db").exists():
        raise Refused(f"{settings.data} belongs to a deployment already: join with an empty directory")
    try:
        with ServeLock(settings.data):
            page = SecretPage()
            opened = Opening(settings, page, make=False).result()
            page.wipe()
            keep_settings(settings)
    except AlreadyServed as error:
        raise Refused(str(error)) from error
    return opened.deployment_id
