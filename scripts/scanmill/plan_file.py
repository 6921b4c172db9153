"""What was checked when a run was planned, for its jobs on other machines.

Such a job reads the workflow anew. With this file it need not check the sheet again, scan by scan,
and does what was planned, whatever has become of the sheet meanwhile. It names the scans' paths, so
only its owner can read it; which file it is, jobs learn from their environment, which Slurm hands on.
"""

import hashlib
import os
import pickle
from dataclasses import fields
from pathlib import Path

from scanmill.atomic import replacing
from scanmill.settings import Settings

VARIABLE = "SCANMILL_PLAN"


def keep(settings: Settings, folder: Path) -> None:
    """Write the settings of a run into a folder, under a name that other settings do not have."""
    content = pickle.dumps(settings)
    path = folder.absolute() / f"plan-{hashlib.sha256(content).hexdigest()[:16]}"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_bytes(content)
    os.environ[VARIABLE] = str(path)


def recall() -> Settings | None:
    """The settings that this job's run was planned with, if its environment says where they are."""
    path = os.environ.get(VARIABLE)
    return pickle.loads(Path(path).read_bytes()) if path else None


def latest(folder: Path) -> Settings:
    """The settings of the run that was planned last in a working directory. folder: its `sources`.

    Raises ValueError where none was, or by another version of ScanMill.
    """
    plans = sorted(folder.glob("plan-*"), key=lambda path: path.stat().st_mtime)
    if not plans:
        raise ValueError(f"{folder} was found without a plan; a folder where ScanMill ran is right")
    found = pickle.loads(plans[-1].read_bytes())
    if vars(found).keys() != {field.name for field in fields(Settings)}:
        raise ValueError(
            f"the plan in {folder} is of another version of ScanMill; that of a run, or of a "
            "--dry-run, with this one would be right"
        )
    return found
