"""KMS's one door for other rooms: everything that can be asked about keys, for one call."""

from collections.abc import Callable
from typing import Generic, TypeVar

from foundation.identity import Resource, account_resource
from foundation.trail import KeyUse
from kms.keys.agreement import Agreement
from kms.keys.aliases import Aliases
from kms.keys.changes import Changes
from kms.keys.context import Context
from kms.keys.creation import Creation
from kms.keys.data_keys import DataKeys
from kms.keys.editing import Editing
from kms.keys.encryption import Encryption
from kms.keys.errors import NotFound
from kms.keys.found import PLAIN, FoundKey, Question
from kms.keys.grants import Grants
from kms.keys.imports import Imports
from kms.keys.keys import Lookup
from kms.keys.lifecycle import Lifecycle
from kms.keys.listing import Listing
from kms.keys.macs import Macs
from kms.keys.policies import DEFAULT_NAME, check_lockout, default_policy, judge_policy, shown_policy
from kms.keys.recipients import Recipients
from kms.keys.regions import Regions
from kms.keys.rotation import Rotation
from kms.keys.signing import Signing
from kms.keys.tags import Tags

T = TypeVar("T")


class part(Generic[T]):  # noqa: N801 -- used as cached_property is; that one takes a lock, which costs more than the part
    """A part of a service, made when it is first asked for. A service is one call's, so one thread's."""

    def __init__(self, make: "Callable[[KeyService], T]") -> None:
        self._make = make

    def __get__(self, service: "KeyService", _owner: "type[KeyService]") -> T:
        made = service.__dict__[self._make.__name__] = self._make(service)
        return made


class KeyService:
    """One call's view of keys. Its parts are made when first asked for, so that Encrypt pays for none of them.

    Errors are `kms.keys.errors`; the store's and the core's pass through to whoever maps them for all services.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.lookup = Lookup(context)

    # What a call is asked about

    def resource(self, key_id: str, operation: str, question: Question = PLAIN) -> Resource:
        """The key as `operation` is asked about it; see `Lookup.resource`."""
        return self.lookup.resource(key_id, operation, question)

    def account_resource(self) -> Resource:
        """What creations and lists are asked about."""
        return account_resource(self.context.call)

    # Parts

    @part
    def editing(self) -> Editing:
        return Editing(self.context, self.lookup)

    @part
    def creation(self) -> Creation:
        return Creation(self.context)

    @part
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(self.context, self.editing)

    @part
    def aliases(self) -> Aliases:
        return Aliases(self.context, self.lookup, self.editing)

    @part
    def tags(self) -> Tags:
        return Tags(self.editing, self.context.rooms.settings.tags_per_key)

    @part
    def rotation(self) -> Rotation:
        return Rotation(self.context, self.lookup, self.editing)

    @part
    def regions(self) -> Regions:
        return Regions(self.context, self.lookup, self.editing)

    @part
    def listing(self) -> Listing:
        return Listing(self.context, self.lookup)

    @part
    def grants(self) -> Grants:
        return Grants(self.context, self.lookup)

    @part
    def encryption(self) -> Encryption:
        return Encryption(self.context, self.lookup)

    @part
    def recipients(self) -> Recipients:
        return Recipients(self.context)

    @part
    def data_keys(self) -> DataKeys:
        return DataKeys(self.context, self.lookup)

    @part
    def signing(self) -> Signing:
        return Signing(self.context, self.lookup)

    @part
    def macs(self) -> Macs:
        return Macs(self.context, self.lookup)

    @part
    def agreement(self) -> Agreement:
        return Agreement(self.context, self.lookup)

    @part
    def imports(self) -> Imports:
        return Imports(self.context, self.lookup, self.editing)

    # Reading

    def find(self, key_id: str, operation: str) -> FoundKey:
        """The key by any form of KeyId that the operation takes; see `Lookup.find`."""
        return self.lookup.find(key_id, operation)

    def usable(self, key_id: str, operation: str, usage: str | None = None) -> FoundKey:
        """The key, ready for a cryptographic operation: state and usage checked; see `Lookup.usable`."""
        return self.lookup.usable(key_id, operation, usage)

    def last_use(self, found: FoundKey) -> KeyUse | None:
        """The last successful cryptographic operation with the key in this Region."""
        return self.context.rooms.uses.last_use(found.scope.account, found.scope.region, found.id)

    # Policies

    def new_policy(self, text: str | None, arn: str, *, bypass: bool) -> str:
        """A key policy as it will be stored: the default one when none is given. Raises what refuses it."""
        call = self.context.call
        if text is None:
            return judge_policy(default_policy(call.account), self.context.rooms.principals)
        stored = judge_policy(text, self.context.rooms.principals)
        if not bypass:
            check_lockout(stored, call, arn)
        return stored

    def policy(self, key_id: str, name: str) -> str:
        """GetKeyPolicy. NotFound for every name but `default`, RAM's included: no key has another."""
        found = self.find(key_id, "GetKeyPolicy")
        if name != DEFAULT_NAME:
            raise NotFound(f"No such policy exists: {name}")
        return shown_policy(found.policy, self.context.rooms.principals)

    def put_policy(self, key_id: str, text: str, *, bypass: bool) -> None:
        """PutKeyPolicy: in force on every worker when this returns."""
        found = self.find(key_id, "PutKeyPolicy")
        stored = self.new_policy(text, found.arn, bypass=bypass)
        self.editing.edit(
            key_id, "PutKeyPolicy", lambda rows: Changes(updates=[(rows.key, {"policy": stored})])
        )
