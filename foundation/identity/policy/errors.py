"""What can be wrong with a policy document: plain errors, which the slices turn into their service's codes."""

__all__ = ["LockedOut", "MalformedPolicy", "PolicyTooLong"]


class MalformedPolicy(Exception):
    """The document breaks the policy grammar. The argument is the reason, in words for the caller."""

    @property
    def reason(self) -> str:
        """The reason, as a sentence."""
        return str(self)


class PolicyTooLong(MalformedPolicy):
    """The document is over 32 kB (KMS answers LimitExceededException instead)."""


class LockedOut(Exception):
    """The document would leave its author unable to replace it again."""
