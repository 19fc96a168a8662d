"""The operator's command for trust bundles: what clients are to trust, in the form that they take it in."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ca import BUNDLE_FORMS, TRUSTSTORE_PASSWORD, BadPassword, PublicPki, bundle, certificates_in
from foundation.store import SYSTEM
from server.admin import acting
from server.admin.acting import Arguments
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress
from server.door_certificate import DoorCertificate

if TYPE_CHECKING:
    from server.assembly import Assembly


def make(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ content (base64), certificates: how many it holds."""
    form, arn = acting.text(arguments, "form") or "pem", acting.text(arguments, "ca")
    if form not in BUNDLE_FORMS:
        raise CommandFailed(f"there is no form {form}: use one of {', '.join(BUNDLE_FORMS)}")
    pki = PublicPki(assembly.store.unit(SYSTEM))
    if arn is None:
        door = DoorCertificate(assembly.settings.data).root
        text = pki.every_root().encode() + (door.read_bytes() if door.exists() else b"")
    else:
        found = pki.file(f"{arn.rpartition('/')[2]}/bundle.pem")
        if found is None:
            raise CommandFailed(f"there is no authority {arn} with a certificate", NOTHING_THERE)
        text = found[1]
    certificates = certificates_in(text)
    if not certificates:
        raise CommandFailed("there are no roots yet: `keystead ca init` makes one", NOTHING_THERE)
    if arn is not None and BUNDLE_FORMS[form].anchors:
        certificates = certificates[-1:]
    try:
        made = bundle(form, certificates, acting.text(arguments, "password") or TRUSTSTORE_PASSWORD)
    except BadPassword as bad:
        raise CommandFailed(str(bad)) from bad
    return {"content": base64.b64encode(made).decode(), "certificates": len(certificates)}


COMMANDS: Mapping[str, acting.Command] = {"ca.bundle": make}
