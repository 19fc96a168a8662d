"""What a new deployment needs before it answers: its first account, and the HTTPS door's certificate."""

from foundation.wire import AwsError
from server.assembly import Assembly
from server.boot import first_steps_left
from server.chance import entropy
from server.door_certificate import DoorCertificate, door_names
from server.forking import Refused
from server.settings import Settings

FIRST_ACCOUNT = """\
keystead: the first account, and the access key of its user admin. The secret is not shown again:
AWS_ACCESS_KEY_ID={key}
AWS_SECRET_ACCESS_KEY={secret}
ACCOUNT_ID={account}"""


def take(settings: Settings) -> None:
    """Does what is missing, and prints the first account's key. May be repeated."""
    assembly = Assembly.open(settings, "admin")
    door = DoorCertificate(settings.data)
    names = door_names(settings.tls_names)
    if settings.tls_listen is not None and door.due(names, assembly.clock.wall()):
        door.renew(assembly.core, names, assembly.clock.wall(), entropy)
    left = first_steps_left(settings)
    if left.exists() and assembly.accounts.first() is None:
        try:
            made = assembly.accounts.create()
        except AwsError as error:
            raise Refused(error.message) from error
        print(  # noqa: T201 - the one time that the secret is shown
            FIRST_ACCOUNT.format(
                key=made.access_key_id, secret=made.secret_access_key, account=made.account_id
            ),
            flush=True,
        )
    left.unlink(missing_ok=True)
    assembly.close()
