"""Two callers at once: one CNAME, one certificate per token (TRAPS 25, 27)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.acm.world import World, signing_request

CALLERS = 6


def test_many_first_requests_for_one_domain_get_one_cname(any_world: World) -> None:
    start = Barrier(CALLERS)
    services = [any_world.acm(region=region) for region in ("eu-central-1", "us-east-1") * (CALLERS // 2)]

    def ask(number: int) -> str:
        start.wait()
        return services[number].request("example.com", key_algorithm="EC_prime256v1")

    with ThreadPoolExecutor(CALLERS) as pool:
        arns = list(pool.map(ask, range(CALLERS)))
    views = [services[number].view(arn) for number, arn in enumerate(arns)]
    assert len(set(arns)) == CALLERS
    assert len({view.domains[0].cname_name for view in views}) == 1
    assert len({view.domains[0].cname_value for view in views}) == 1


def test_many_calls_with_one_token_make_one_certificate(any_world: World) -> None:
    start = Barrier(CALLERS)
    services = [any_world.acm() for _ in range(CALLERS)]

    def ask(number: int) -> str:
        start.wait()
        return services[number].request("example.com", token="same")

    with ThreadPoolExecutor(CALLERS) as pool:
        arns = list(pool.map(ask, range(CALLERS)))
    assert len(set(arns)) == 1


def test_many_csr_calls_with_one_token_sign_one_certificate(any_world: World) -> None:
    authority, (pem, _) = any_world.private_ca, signing_request("db.example.com")
    start = Barrier(CALLERS)
    services = [any_world.acm() for _ in range(CALLERS)]

    def ask(number: int) -> str | None:
        start.wait()
        return services[number].request_from_csr(pem, authority_arn=authority, token="same").serial

    with ThreadPoolExecutor(CALLERS) as pool:
        serials = list(pool.map(ask, range(CALLERS)))
    assert len(set(serials)) == 1
    assert serials[0] is not None
    assert len(set(any_world.given)) == 1
