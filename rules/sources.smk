# Where the cases' scans and labels lie: the sheet's own files, phantoms, downloads; and the cards by which
# jobs learn of them, so that Snakemake's log names none.
from scanmill import disk
from scanmill.card import write_card

PHANTOM = "phantom:"
PACS = ("dicomweb:", "dimse:")


def state(paths):
    """Names, sizes and times of files, and of those in folders: a file that was replaced by an older
    one, or a slice that was overwritten in its folder, has not become newer in Snakemake's eyes."""
    seen = hashlib.sha256()
    for path in map(Path, paths):
        for file, entry in disk.files(path):
            seen.update(f"{file.name}\0{entry.st_size}\0{entry.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def scan_state(wildcards):
    return state(path for path in scan_of(wildcards) if path not in made_scan(wildcards))


def labels_state(wildcards):
    files = [*labels_of(wildcards), *seeds_of(wildcards), *models_of(wildcards)]
    return state(path for path in files if path not in made_labels(wildcards))


def located(source, case, part):
    """Where a source of the sheet lies, and whether a job of ours makes it: `part` (scan, labels or
    reference) of a phantom, or fetched from a PACS."""
    if source.startswith(PHANTOM):
        file = "scan" if part == "scan" else "labels"
        return f"results/phantoms/{source.removeprefix(PHANTOM)}/{file}.nii.gz", True
    if source.startswith(PACS):
        return f"downloads/{case}/{part}", True
    return source, False


def detached(path):
    """The file of voxels that a header of its own (.mhd, .nhdr) names, if that is what the path is."""
    if not path.lower().endswith((".mhd", ".nhdr")):
        return []
    from scanmill.source import files_of

    return [str(file) for file in files_of(Path(path))[1:]]


def reference_state(wildcards):
    files = reference_of(wildcards)
    return state(path for path in files if path not in made_reference(wildcards))


def scan_of(wildcards):
    """The case's scan, and the file of its voxels where it has a detached header."""
    scan, _ = located(ROWS[wildcards.case].scan, wildcards.case, "scan")
    return [scan, *detached(scan)]


def masks_of(masks, case, part):
    """Label files in the sheet's order, then the files of voxels of those with detached headers."""
    files = [located(source, case, part)[0] for _, source in masks]
    return files + [voxels for file in files for voxels in detached(file)]


def labels_of(wildcards):
    return masks_of(ROWS[wildcards.case].labels, wildcards.case, "labels")


def reference_of(wildcards):
    return masks_of(ROWS[wildcards.case].reference, wildcards.case, "reference")


def seeds_of(wildcards):
    """The file of the case's seeds, if it has one."""
    return [seeds] if (seeds := ROWS[wildcards.case].seeds) else []


def made(sources, case, part):
    """What rules make of the sources, and the cards by which a change of what is asked is seen."""
    found = [located(source, case, part) for source in sources]
    asked = [query_card(case, part)] if any(source.startswith(PACS) for source in sources) else []
    return [path for path, by_rule in found if by_rule] + asked


def made_scan(wildcards):
    return made([ROWS[wildcards.case].scan], wildcards.case, "scan")


def made_labels(wildcards):
    return made([path for _, path in ROWS[wildcards.case].labels], wildcards.case, "labels")


def made_reference(wildcards):
    return made([path for _, path in ROWS[wildcards.case].reference], wildcards.case, "reference")


def scan_card(wildcards):
    """The card of the case's scan: its files, and which of what they hold the sheet wants."""
    case = ROWS[wildcards.case]
    path = f"sources/{wildcards.case}/scan.card"
    write_card(Path(path), scan_of(wildcards), wanted_series=case.series, wanted_volume=case.volume)
    return path


def labels_card(wildcards):
    """The card of the case's label files, if it has any."""
    path = f"sources/{wildcards.case}/labels.card"
    files = labels_of(wildcards)
    if files:
        write_card(Path(path), files)
    return path if files else []


def reference_card(wildcards):
    """The card of the files that the case is compared with."""
    path = f"sources/{wildcards.case}/reference.card"
    write_card(Path(path), reference_of(wildcards))
    return path


def seeds_card(wildcards):
    """The card of the file of the case's seeds, if it has one."""
    path = f"sources/{wildcards.case}/seeds.card"
    files = seeds_of(wildcards)
    if files:
        write_card(Path(path), files)
    return path if files else []


def query_card(case, part):
    """The card of what is asked of a PACS for a case's scan or labels."""
    row = ROWS[case]
    path = f"sources/{case}/{part}-query.card"
    masks = {"labels": row.labels, "reference": row.reference}
    write_card(Path(path), [], query=row.scan if part == "scan" else masks[part][0][1])
    return path
