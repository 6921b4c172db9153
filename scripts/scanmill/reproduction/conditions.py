"""What is not here as it was where a run was done: code, lock and versions."""

from collections.abc import Iterator
from typing import Any

from scanmill import lineage
from scanmill.sidecar import checksum, software


def changes(provenance: dict[str, Any]) -> Iterator[str]:
    """A sentence for each condition that is another here than in the provenance of a run."""
    here = lineage.code()
    there = provenance["code"]
    files = sorted(f for f in here.keys() | there.keys() if here.get(f) != there.get(f))
    if files:
        right = f"; commit {provenance['commit']} would be right" if provenance["commit"] else ""
        yield f"Code: {len(files)} files are not the run's: {', '.join(files)}{right}."
    if checksum(lineage.LOCK) != provenance["lock_sha256"]:
        yield "Lock: not the run's."
    now = software()
    for then in provenance["software"]:
        other = [name for name in then if then[name] != now.get(name)]
        changed = [f"{name} {then[name]}, here {now.get(name)}" for name in other]
        if changed:
            yield f"Versions: {'; '.join(changed)}."
