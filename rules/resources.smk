# What jobs ask a cluster for: from the size of the case's scan, and more at each attempt.
from scanmill import model_folder


def group_of(wildcards):
    """On a cluster, all of a case is one job. An atlas is one of its own: cases wait for it."""
    return "atlas" if is_atlas(wildcards.case) else "case"


def memory(base, per_megabyte):
    """Memory in MB from the scan's size; each new attempt may use as much again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)))

    return needed


# MB for each MB of a scan's file, by what is done about its intensities. Of a CT of 210 MB in a file of
# 92 MB, resample was seen to need 550 MB without corrections, 1070 with diffusion and 1220 with n4, in
# all: half of what is asked for, since files shrink differently. One follows another: the most counts.
CORRECTING = {"off": 7, "mark": 9, "inpaint": 11, "diffusion": 14, "n4": 16}


def memory_to_correct(base):
    """As `memory`, by the corrections that the recipe asks for."""

    def needed(wildcards, attempt):
        largest = max(CORRECTING[way] for way in correct_of(wildcards).values())
        return memory(base, largest)(wildcards, attempt)

    return needed


def memory_to_segment(wildcards, attempt):
    """As `memory`, and what the largest of the recipe's networks, or its atlases, need."""
    known = [model_folder.read(Path(m)).memory_mb for m in models_of(wildcards)]
    largest = max([*known, *(model_folder.MEMORY_MB for _ in learned_of(wildcards))], default=0)
    with_atlases = memory(1200, 30 * (1 + len(atlases_of(wildcards))))
    return attempt * largest + with_atlases(wildcards, attempt)


def memory_to_learn(wildcards, attempt):
    """Memory in MB from the sizes of the labelled scans, all of which a network learns from."""
    atlases = ATLASES[recipe_key(wildcards)]
    return int(attempt * (3000 + 20 * sum(scan_megabytes_of(case) for case in atlases)))


def minutes_to_learn(wildcards, attempt):
    """Run time in minutes: on a slow core a window takes three seconds."""
    course = course_of(wildcards)
    return attempt * (30 + course["iterations"] * course["batch"] // 20)


def minutes(base, per_megabyte):
    """Run time in minutes from the scan's size; each new attempt may take as long again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)) + 1)

    return needed


def attempt_number(wildcards, attempt):
    """For the script: a crash is not tried again (`attempts`)."""
    return attempt
