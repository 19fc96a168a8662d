"""The one place that knows everything and decides nothing: it puts the rooms together from the settings."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

import acm
import kms.keys
from acm import AcmService, AcmSettings, JobContext
from ca import (
    CaService,
    CaSettings,
    KnownAuthorities,
    MerkleLog,
    OcspResponder,
    Pca,
    PcaContext,
    PublicLog,
    PublicPki,
    TrailJournal,
    pca,
)
from ca import jobs as ca_jobs
from foundation.identity import (
    AccessKeys,
    Accounts,
    Authenticator,
    Bearer,
    Call,
    Iam,
    IamRooms,
    Principals,
    Sessions,
    Sts,
    iam,
    sts,
)
from foundation.store import SYSTEM, Job, Scope, Store, Timekeeper, Unit
from foundation.trail import Heads, KeyUses, Lookup, Recorder, Recording, Shipper, TrailIndex, cloudtrail
from foundation.wire import BadToken, Operation, Wire
from kms.hsm import Asker, CoreClient, SealOverCore
from kms.keys import Context, Journal, KeyCache, KeyRows, KeyService, KmsSettings, Rooms, Work
from server.chance import entropy, identifiers
from server.clock import Clocks, clocks, machine, wall
from server.logs import Log, make_log
from server.metrics import Metrics
from server.outside import Outside, open_outside
from server.pipeline import Factory, Pipeline
from server.regions import DEFAULT_REGION, served_regions
from server.settings import Settings

Role = Literal["worker", "scheduler", "admin"]

CORE_SOCKET = "core.sock"
TRAIL = "trail"
MODELS = "models"

REGISTRIES = (acm.operations, pca, kms.keys.operations, iam, sts, cloudtrail)
OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    registry.service: registry.declared for registry in REGISTRIES
}


@cache
def shared_wire(models: Path) -> Wire:
    """One Wire for a process and all that it forks: the compiled tables are read, never written."""
    return Wire(models)


def preload(settings: Settings) -> None:
    """Loads the service models once, before the supervisor forks, so that its children share them."""
    shared_wire(settings.data / MODELS).preload(*REGISTRIES)
    served_regions(settings.regions)


@dataclass(frozen=True)
class Assembly:
    """One process's rooms. Open it after the fork; close it before the end."""

    settings: Settings
    version: str
    role: Role
    clock: Clocks
    store: Store
    core: CoreClient
    seal: SealOverCore
    principals: Principals
    accounts: Accounts
    bearer: Bearer
    recorder: Recorder
    trail_index: TrailIndex
    shipper: Shipper
    outside: Outside
    wire: Wire
    log: Log
    metrics: Metrics

    @classmethod
    def open(cls, settings: Settings, role: Role) -> Self:
        """Puts everything together. Raises what the store raises for a database that may not be used."""
        data = settings.data
        store = Store.open(settings.database_url, wall=wall, directory=data)
        # The supervisor starts no worker whose settings and deployment disagree about the test clock.
        clock = clocks(store, wall, moves=role != "worker" or settings.test_clock)
        core = CoreClient(data / CORE_SOCKET, role, store.assert_no_transaction)
        log = make_log(settings.log_level, role, clock.wall)
        metrics = Metrics()

        def alarm(account: str, what: str) -> None:
            metrics.alarmed("RecordTampered")
            log.critical("ALARM", account=account, what=what)

        principals = Principals(store, core, alarm)
        accounts = Accounts(store, core, entropy, clock.now, principals)
        wire = shared_wire(data / MODELS)
        trail_index = TrailIndex(data / "trail-index.db")
        return cls(
            settings=settings,
            version=version("keystead"),
            role=role,
            clock=clock,
            store=store,
            core=core,
            seal=SealOverCore(core, BadToken),
            principals=principals,
            accounts=accounts,
            bearer=Bearer(store, core, accounts, entropy, clock.wall, DEFAULT_REGION),
            recorder=Recorder(core, wire.redacted, clock.wall, clock.now, identifiers),
            trail_index=trail_index,
            shipper=Shipper(data / TRAIL, trail_index),
            outside=open_outside(settings, entropy, store.assert_no_transaction, clock.wall),
            wire=wire,
            log=log,
            metrics=metrics,
        )

    @cached_property
    def timekeeper(self) -> Timekeeper:
        """Tells the clock's leaps, for what ends after a waiting time."""

        def alarm(leap: timedelta) -> None:
            self.metrics.alarmed("ClockLeapt")
            self.log.error("ALARM ClockLeapt", seconds=int(leap.total_seconds()))

        return Timekeeper(lambda: self.store.unit(SYSTEM), machine(), self.clock.wall, self.clock.now, alarm)

    @cached_property
    def heads(self) -> Heads:
        """The head of this host's chain, in the database."""
        return Heads(self.store, self.core, self.settings.data / TRAIL, self.shipper.reached)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The path of every call."""
        factories: dict[str, Factory] = {
            "acm": lambda call, unit, _: self.acm(call, unit),
            "acm-pca": lambda call, unit, _: self.pca(call, unit),
            "kms": self.kms,
            "iam": lambda call, unit, _: Iam(self.iam, unit, call),
            "sts": lambda call, unit, _: Sts(call, unit, self.principals, self.sessions, self.iam.keys),
            "cloudtrail": lambda call, *_: Lookup(self.trail_index, call, self.seal),
        }
        regions = served_regions(self.settings.regions)
        return Pipeline(
            wire=self.wire,
            authenticator=Authenticator(
                self.store,
                self.core,
                self.clock.wall,
                regions,
                principals=self.principals,
                sessions=self.sessions,
            ),
            operations=OPERATIONS,
            factories=factories,
            store=self.store,
            recorder=self.recorder,
            entropy=identifiers,
            log=self.log,
            metrics=self.metrics,
        )

    @cached_property
    def iam(self) -> IamRooms:
        """What all calls to IAM share."""
        return IamRooms(
            principals=self.principals,
            keys=AccessKeys(self.core, self.principals.watch, entropy, self.clock.now),
            seal=self.seal,
            entropy=entropy,
            now=self.clock.now,
            settle=self._settle,
            last_use=self.trail_index,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """Temporary credentials: issued here, opened by the authenticator."""
        seal = SealOverCore(self.core, BadToken, under="session")
        return Sessions(self.core, seal, entropy, self.clock.wall)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Everything that the scheduler runs when it is due."""
        context = JobContext(
            store=self.store,
            authority_for=self.ca_for,
            core=self.core,
            prover=self.outside.prover,
            publisher=self.outside.publisher,
            now=self.clock.now,
            settings=acm_settings(self.settings),
        )
        return (
            *acm.jobs(context),
            *ca_jobs(self._ca_of_jobs, self.timekeeper.leaps),
            *kms.keys.jobs(self._kms_work),
        )

    def ca_for(self, unit: Unit, asker: Asker) -> CaService:
        """The CA, working for `asker` on one tenant's rows."""
        return CaService(
            unit,
            asker,
            self.core,
            now=self.clock.now,
            entropy=entropy,
            settings=ca_settings(self.settings),
            sink=self.outside.sink,
            known=self.authorities,
            journal=TrailJournal(self.store, self.recorder, self.trail_index, self.clock.wall),
        )

    def _ca_of_jobs(self, scope: Scope) -> CaService:
        return self.ca_for(self.store.unit(scope), Asker("job", "acm-pca.amazonaws.com"))

    def ca(self, call: Call, unit: Unit) -> CaService:
        """The CA, for one caller."""
        return self.ca_for(unit, Asker(*call.asker))

    def acm(self, call: Call, unit: Unit) -> AcmService:
        """ACM, for one caller."""
        return AcmService(
            unit,
            call,
            ca=self.ca(call, unit),
            core=self.core,
            publisher=self.outside.publisher,
            now=self.clock.now,
            entropy=entropy,
            seal=self.seal,
            settings=acm_settings(self.settings),
        )

    def pca(self, call: Call, unit: Unit) -> Pca:
        """Private CA, for one caller."""
        context = PcaContext(
            unit,
            call,
            self.core,
            self.principals,
            self.seal,
            settle=self._settle,
            now=self.clock.now,
            entropy=entropy,
            settings=ca_settings(self.settings),
            sink=self.outside.sink,
            known=self.authorities,
        )
        return Pca(context)

    @cached_property
    def authorities(self) -> KnownAuthorities:
        """What all issuing shares: the authorities, in memory."""
        return KnownAuthorities(self.store.generation)

    @cached_property
    def keys(self) -> Rooms:
        """What all calls to KMS share: the cache of keys, the alarms, the clocks."""
        journal = Journal(self.store, self.recorder, self.clock.wall, self.log.error, self.metrics.alarmed)
        rows = KeyRows(self.core, journal.tampered)
        return Rooms(
            core=self.core,
            cache=KeyCache(self.store, rows),
            rows=rows,
            journal=journal,
            principals=self.principals,
            uses=KeyUses(self.trail_index),
            seal=self.seal,
            now=self.clock.now,
            entropy=entropy,
            settle=self._settle,
            settings=kms_settings(self.settings),
        )

    def kms(self, call: Call, unit: Unit, recording: Recording | None = None) -> KeyService:
        """KMS, for one caller."""
        return KeyService(Context(self.keys, unit, call, recording))

    @property
    def _kms_work(self) -> Work:
        return Work(
            self.store,
            self.core,
            self.keys.rows,
            self.keys.journal,
            now=self.clock.now,
            entropy=entropy,
            leaps=self.timekeeper.leaps,
        )

    def _settle(self) -> None:
        """Every worker has seen what is committed: its next look at the generations is due."""
        time.sleep(self.store.staleness)

    def pki(self, name: str) -> tuple[str, bytes] | None:
        """(content type, body) of a file under /pki/, or None."""
        return self.public_pki.file(name)

    @cached_property
    def public_pki(self) -> PublicPki:
        """What anybody may read of the authorities."""
        return PublicPki(self.store.unit(SYSTEM))

    @cached_property
    def public_log(self) -> PublicLog:
        """What anybody may read of the transparency log."""
        return PublicLog(self.store.unit(SYSTEM))

    @cached_property
    def merkle_log(self) -> MerkleLog:
        """The transparency log, for the scheduler and the operator: the core signs no checkpoint for a worker."""
        deployment = self.store.deployment()
        assert deployment is not None  # the supervisor made it
        place = self.settings.own_url.partition("://")[2]
        origin = f"{place}/log/{deployment.id}"
        return MerkleLog(self.store.unit(SYSTEM), self.core, name=deployment.id, origin=origin)

    @cached_property
    def ocsp(self) -> OcspResponder:
        """Answers OCSP requests, for anybody."""
        return OcspResponder(
            self.store.unit(SYSTEM),
            self.core,
            lambda scope, authority_id: self._ca_of_jobs(scope).ocsp_signer(authority_id),
            generation=self.store.generation,
            now=self.clock.now,
            monotonic=time.monotonic,
        )

    def close(self) -> None:
        """Lets go of the core and the databases; waits for writes that are under way."""
        self.trail_index.close()
        self.core.close()
        self.store.close()


def kms_settings(settings: Settings) -> KmsSettings:
    """The operator's settings in KMS's own terms."""
    return KmsSettings(
        keys=settings.kms_keys,
        aliases_per_key=settings.kms_aliases_per_key,
        grants_per_key=settings.kms_grants_per_key,
        grants_per_grantee=settings.kms_grants_per_grantee,
        on_demand_rotations=settings.kms_on_demand_rotations,
        tags_per_key=settings.kms_tags_per_key,
        attestation_root=settings.kms_attestation_root,
        regions=tuple(sorted(served_regions(settings.regions))),
    )


def ca_settings(settings: Settings) -> CaSettings:
    """The operator's settings in the CA's own terms."""
    return CaSettings(public_url=settings.own_url)


def acm_settings(settings: Settings) -> AcmSettings:
    """The operator's settings in ACM's own terms."""
    return AcmSettings(
        validity_days=settings.certificate_validity_days,
        renew_before_days=settings.renewal_before_days,
        validation_timeout_hours=settings.validation_timeout_hours,
        names_per_certificate=settings.certificate_names,
        renewal_eligible="aws" if settings.renewal_eligible == "aws" else "always",
    )
