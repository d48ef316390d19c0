"""Where trials are kept: one journal in `.benchmarks/`, or a database that like machines share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import ArgumentError

from voiceperf.errors import InputError
from voiceperf.files import reason_of, shown
from voiceperf.measure.contender import Contender
from voiceperf.measure.fingerprint import fingerprint, settings
from voiceperf.tune.choice import preferred
from voiceperf.tune.space import Space
from voiceperf.tune.trial import Trial

JOURNAL = "tune.journal"

optuna.logging.set_verbosity(optuna.logging.WARNING)  # what is found is told by us


def storage_at(folder: Path, url: str | None = None) -> BaseStorage:
    """The journal in a folder, or the database of a URL such as `postgresql://...`.

    Raises:
        InputError: the database cannot be opened, or the journal is damaged; names the line.
    """
    if url:
        return _database_at(url)
    path = folder / JOURNAL
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be opened ({reason_of(error)})") from None
    except Exception as error:  # whatever reading a line that is none of its own raises
        where = _damaged_line(path)
        raise InputError(
            f"{shown(path)}:{where} damaged ({type(error).__name__}); delete {'that line' if where else 'the file'}:"
            " what else was found is kept"
        ) from None


def _database_at(typed: str) -> RDBStorage:
    """No message shows the password that may be in a URL."""
    try:
        url = make_url(typed)
    except ArgumentError:
        raise InputError(
            "--database: cannot be opened (it is no URL of a database, as postgresql://USER@HOST/NAME is)"
        ) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")  # the driver of `voiceperf[fleet]`
    try:
        storage = RDBStorage(url.render_as_string(hide_password=False))
    except ImportError:
        driver = url.get_driver_name()
        remedy = "pip install 'voiceperf[fleet]'" if driver == "psycopg" else "install it"
        raise InputError(f"--database {url!r}: its driver {driver} is not installed; {remedy}") from None
    except Exception as error:  # whatever the database's driver raises
        raise InputError(f"--database {url!r}: cannot be opened ({str(error).splitlines()[0]})") from None
    if storage.engine.dialect.name == "sqlite":
        _one_after_another(storage.engine)
    return storage


def _damaged_line(path: Path) -> str:
    """The first line that is no JSON object, as words for a message."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            is_entry = isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            is_entry = False
        if not is_entry:
            return f" line {number}"
    return ""


def _one_after_another(engine: Engine) -> None:
    """SQLite locks no rows: two processes would find the same trial waiting, and both begin it.

    So each transaction takes the whole database, as SQLAlchemy's manual of its SQLite dialect shows.
    """
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    engine.dispose()  # what was opened before does not know


def _name_of(space: Space, baseline: Contender, material: str) -> str:
    """A study's name: the engine, the machine, and a digest of all that its trials depend on."""
    facts = fingerprint([baseline])
    values = {name: [str(value) for value in tried] for name, tried in space.values.items()}
    same = json.dumps([facts["id"], *settings([baseline]).values(), values, material], sort_keys=True)
    return f"{space.engine}-{facts['machine_id']}-{hashlib.sha256(same.encode()).hexdigest()[:8]}"


def study_of(storage: BaseStorage, space: Space, baseline: Contender, material: str) -> optuna.Study:
    """The study of one engine on machines like this one: same hardware, libraries, engines, baseline, space, material.

    Anything else that changes begins another study, so that its trials never mix with these.
    """
    return optuna.create_study(
        storage=storage,
        study_name=_name_of(space, baseline, material),
        load_if_exists=True,
        sampler=TPESampler(multivariate=True, constant_liar=True, n_startup_trials=1),
    )


def kept_study(storage: BaseStorage, space: Space, baseline: Contender, material: str) -> optuna.Study | None:
    """The same study where there is one; nothing is written."""
    try:
        return optuna.load_study(storage=storage, study_name=_name_of(space, baseline, material))
    except KeyError:
        return None


_KEPT = "outcome"


@dataclass(frozen=True)
class Outcome:
    """The trial whose setting was confirmed, if any, and the points of the frontier that did not hold."""

    chosen: Trial | None
    rejected: Sequence[str] = ()


def keep_outcome(study: optuna.Study, prefer: str, outcome: Outcome) -> None:
    """Remember the latest session's choice under a preference."""
    number = outcome.chosen.number if outcome.chosen else None
    kept = study.user_attrs.get(_KEPT, {})
    study.set_user_attr(_KEPT, {**kept, prefer: {"chosen": number, "rejected": list(outcome.rejected)}})


def outcome_of(study: optuna.Study, trials: Sequence[Trial], prefer: str) -> Outcome:
    """What was chosen; where no session has come to that yet, what the preference picks of the search."""
    kept = study.user_attrs.get(_KEPT, {}).get(prefer)
    if kept is None:
        return Outcome(preferred(trials, prefer))
    return Outcome(next((trial for trial in trials if trial.number == kept["chosen"]), None), kept["rejected"])
