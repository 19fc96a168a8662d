"""What IAM answers on the wire: each module declares the operations of one noun."""

import foundation.identity.iam.access_keys
import foundation.identity.iam.held
import foundation.identity.iam.managed
import foundation.identity.iam.roles
import foundation.identity.iam.simulation
import foundation.identity.iam.summary
import foundation.identity.iam.users  # noqa: F401 -- imported for what it declares, as those above
from foundation.identity.iam.registry import iam

__all__ = ["iam"]
