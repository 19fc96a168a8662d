"""Make a good and a bad certificate for each rule of ca/lints: `python certs-fixtures/lints/generate.py [RULE...]`.

Each folder is named after a rule; each file holds a certificate and its issuer's. Each bad certificate breaks its rule and, as far as can be, no other. Keys are made anew by each run and thrown
away; signatures of certificates that had to be patched do not verify, and lints do not look at them.
"""

import ast
import json
import sys
from pathlib import Path

import cases
import names
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from drawing import ROOT

HERE = Path(__file__).parent
CASES = {**cases.CASES, **names.CASES}
GOOD_ISSUERS = {**cases.GOOD_ISSUERS, **names.GOOD_ISSUERS}


def write(rules: list[str]) -> None:
    """The fixtures of these rules, of all when none is named; the page and the table of profiles in any case."""
    profiles = {}
    lines = [
        "# A good and a bad certificate for each rule of `ca/lints`",
        "",
        "Origin: `generate.py` in this folder, which also wrote this page and `profiles.json`. Each run makes new keys.",
        "`tests/ca/test_lints.py` checks that each bad one breaks its own rule and each good one breaks none.",
        "",
        "| rule | what it wants | profile | bad certificates, by their fault |",
        "|---|---|---|---|",
    ]
    for rule, (profile, good, bad) in CASES.items():
        folder = HERE / rule
        folder.mkdir(exist_ok=True)
        made_now = not rules or rule in rules
        if made_now:
            _put(folder / "good.pem", good, GOOD_ISSUERS.get(rule, ROOT))
        profiles[f"{rule}/good.pem"] = profile
        for fault, made in bad.items():
            leaf, issuer, *other = made if isinstance(made, tuple) else (made, ROOT)
            if made_now:
                _put(folder / f"bad-{fault}.pem", leaf, issuer, *other[1:])
            profiles[f"{rule}/bad-{fault}.pem"] = other[0] if other else profile
        module = ast.parse((HERE.parents[1] / "ca" / "lints" / f"{rule}.py").read_text())
        wants = (ast.get_docstring(module) or "").rstrip(".")
        lines.append(f"| `{rule}` | {wants} | {profile} | {', '.join(bad)} |")
    (HERE / "profiles.json").write_text(json.dumps(profiles, indent=1) + "\n")
    (HERE / "README.md").write_text("\n".join([*lines, ""]))


def _put(path: Path, *chain: x509.Certificate) -> None:
    """The certificate, then its issuer's, and those of CAs above where the fault is about them."""
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))


if __name__ == "__main__":
    write(sys.argv[1:])
