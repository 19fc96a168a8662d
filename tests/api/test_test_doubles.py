"""Whoever comes from a free test double of AWS keeps the keys that everything of theirs is configured with."""

from tests.support.world import Caller, World


def test_clients_that_were_set_up_for_a_test_double_work_unchanged(shared_world: World) -> None:
    made = shared_world.scheduler.accounts.create("000000000000", "test", "test")
    told = Caller(shared_world, made).client("sts").get_caller_identity()
    assert told["Arn"] == "arn:aws:iam::000000000000:user/admin"
