"""The whole service in one process, for tests that come in by the front door."""

from tests.support.world import any_world, make_world, mortal_world, shared_world, world

__all__ = ["any_world", "make_world", "mortal_world", "shared_world", "world"]
