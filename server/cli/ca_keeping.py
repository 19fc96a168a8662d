"""`keystead ca subordinate`, `lock`, `unlock`, `rotate-key`, `cross-sign`"""

from pathlib import Path

import click

from server.admin.protocol import CommandFailed
from server.cli.durations import duration
from server.cli.shared import call, data_option, env_option, print_pairs


@click.command()
@data_option
@click.option("--parent", required=True, metavar="ARN", help="The authority that signs it.")
@click.option(
    "--subject", required=True, metavar="NAME", help="A CN, or a whole name: 'CN=Lab CA,O=Example,C=GB'."
)
@click.option(
    "--permit-dns", multiple=True, metavar="NAME", help="It may issue for this domain and all below it."
)
@click.option(
    "--exclude-dns",
    multiple=True,
    metavar="NAME",
    help="But not for this one, which beats what is permitted.",
)
@click.option("--permit-ip", multiple=True, metavar="NET", help="It may issue for addresses of this network.")
@click.option("--exclude-ip", multiple=True, metavar="NET", help="But not for these.")
@click.option(
    "--permit-email", multiple=True, metavar="HOST", help="It may issue for mail addresses at this host."
)
@click.option("--exclude-email", multiple=True, metavar="HOST", help="But not at this one.")
@click.option("--permit-uri", multiple=True, metavar="HOST", help="It may issue for URIs of this host.")
@click.option("--exclude-uri", multiple=True, metavar="HOST", help="But not of this one.")
@click.option("--any-ip", is_flag=True, help="Leave IP addresses free where only DNS names are confined.")
@click.option(
    "--path-length",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="How many CAs may be below it.",
)
@click.option(
    "--key-algorithm", metavar="NAME", help="Such as EC_prime256v1 or RSA_2048; its parent's by default."
)
@click.option(
    "--days",
    type=click.IntRange(1),
    help="How long it lives; five years by default, or as long as its parent.",
)
@env_option
def subordinate(data: Path, parent: str, subject: str, any_ip: bool, env: bool, **rest: object) -> None:
    """Make a CA below another that can issue for certain names only, and issue with it at once.

    The names go into its certificate as critical name constraints (RFC 5280 4.2.1.10): clients refuse what it issues
    outside of them, and so does keystead before it signs. A kind of name that is not mentioned would be free; so where
    DNS names are confined and nothing is said of IP addresses, it gets none, unless --any-ip.

    \b
    Examples:
      keystead ca subordinate --data ./data --parent "$ROOT_CA_ARN" --subject "Lab CA" --permit-dns lab.example.test
      keystead ca subordinate --data ./data --parent "$ROOT_CA_ARN" --subject "CN=Plant CA,O=Example" \\
          --permit-dns plant.example.test --exclude-dns office.plant.example.test --permit-ip 10.1.0.0/16 --env
    """
    asked = {name: list(value) if isinstance(value, tuple) else value for name, value in rest.items()}
    confined = asked["permit_dns"] or asked["exclude_dns"]
    if confined and not (asked["permit_ip"] or asked["exclude_ip"] or any_ip):
        asked["exclude_ip"] = ["0.0.0.0/0", "::/0"]
    made = call(data, "ca.subordinate", {"parent": parent, "subject": subject, **asked})
    print_pairs(
        {"CA_ARN": made["arn"], "CRL_URL": made["crl_url"]},
        env=env,
        prose=f"{made['subject']} issues until {made['not_after']}:",
    )


@click.command()
@data_option
@click.option(
    "--authority", required=True, metavar="ARN", help="The authority; a root that only signs subordinates."
)
@click.option(
    "--crl-days",
    type=click.IntRange(1, 5000),
    default=90,
    show_default=True,
    help="How long its last CRL is good for.",
)
@env_option
def lock(data: Path, authority: str, crl_days: int, env: bool) -> None:
    """Take a CA offline: sign its last CRL and lock its key in the key core, which then refuses every use of it.

    To others it is DISABLED. What it issued stays good, and its CRL is served on; unlock it before that runs out, for
    nobody can sign the next one meanwhile. An authority that is unlocked for a while is locked again at once. Copies of
    the database from before still hold the key unlocked: keep no more of them than you must.

    \b
    Example:
      keystead ca lock --data ./data --authority "$ROOT_CA_ARN" --crl-days 180
    """
    made = call(data, "ca.lock", {"authority": authority, "crl_days": crl_days})
    print_pairs(
        {"CA_ARN": made["arn"], "CA_STATUS": made["status"]},
        env=env,
        prose=f"{made['subject']} is locked. `keystead ca unlock` opens it within {crl_days} days for its next CRL:",
    )


@click.command()
@data_option
@click.option("--authority", required=True, metavar="ARN", help="The locked authority.")
@click.option(
    "--for",
    "window",
    required=True,
    metavar="TIME",
    help="For how long, such as 15m or 2h; 24 hours at most.",
)
@click.option("--reason", required=True, metavar="TEXT", help="What for: it goes into the audit trail.")
@env_option
def unlock(data: Path, authority: str, window: str, reason: str, env: bool) -> None:
    """Let a locked CA sign for a stated time; then it locks itself again, whatever happens to the server.

    The end is sealed into what the key core gets, so nobody can put it off. Its CRL is signed anew meanwhile.

    \b
    Example:
      keystead ca unlock --data ./data --authority "$ROOT_CA_ARN" --for 15m --reason "sign the 2027 issuing CA"
    """
    try:
        seconds = int(duration(window).total_seconds())
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    made = call(data, "ca.unlock", {"authority": authority, "seconds": seconds, "reason": reason})
    print_pairs(
        {"CA_ARN": authority, "UNLOCKED_UNTIL": made["until"]},
        env=env,
        prose="It signs until then, and `keystead ca lock` ends that sooner:",
    )


@click.command("rotate-key")
@data_option
@click.option("--authority", required=True, metavar="ARN", help="The authority that gets a new key.")
@click.option("--key-algorithm", metavar="NAME", help="Of the new key; the old one's by default.")
@click.option(
    "--days",
    type=click.IntRange(1),
    help="How long the new certificate lives; as long as the old one did by default.",
)
@env_option
def rotate_key(data: Path, authority: str, key_algorithm: str | None, days: int | None, env: bool) -> None:
    """Give a CA a new key under its old name. Certificates are issued with the new key from now on.

    The new key is an authority of its own (NEW_CA_ARN); what ACM and /v1 are asked for with the old ARN is issued by it.
    The old one is DISABLED and keeps its CRL and OCSP until it expires. A root's two keys certify each other, so that
    clients may trust either root: OLD_WITH_NEW is for who trusts the new root and meets old certificates, NEW_WITH_OLD
    for who trusts only the old root. Both files hold a certificate and what is above it.

    \b
    Example:
      keystead ca rotate-key --data ./data --authority "$ROOT_CA_ARN"
    """
    asked = {"authority": authority, "key_algorithm": key_algorithm, "days": days}
    made = call(data, "ca.rotate-key", asked)
    names = {"old_with_new": "OLD_WITH_NEW", "new_with_old": "NEW_WITH_OLD"}
    print_pairs(
        {
            "OLD_CA_ARN": made["old"],
            "NEW_CA_ARN": made["new"],
            **{name: made[key] for key, name in names.items() if key in made},
        },
        env=env,
        prose="The new key issues. Clients should trust the new root beside the old one:"
        if "old_with_new" in made
        else "The new key issues; the parent vouches for both:",
    )


@click.command("cross-sign")
@data_option
@click.option(
    "--authority", required=True, metavar="ARN", help="The authority whose name and key are certified."
)
@click.option("--by", required=True, metavar="ARN", help="The authority that signs.")
@click.option("--days", type=click.IntRange(1), help="For how long; as long as both live by default.")
@env_option
def cross_sign(data: Path, authority: str, by: str, days: int | None, env: bool) -> None:
    """Have another CA certify a CA's name and key, so that who trusts that one accepts what this one issues.

    The certificate is served with its chain at CROSS_URL, as an alternative to the chain that the CA has. It is
    revoked like any other that the signing CA issued.

    \b
    Example:
      keystead ca cross-sign --data ./data --authority "$SUBORDINATE_CA_ARN" --by "$OTHER_ROOT_ARN"
    """
    made = call(data, "ca.cross-sign", {"authority": authority, "by": by, "days": days})
    print_pairs({"CROSS_URL": made["url"]}, env=env, prose=f"{made['certificate']}Served with its chain at:")
