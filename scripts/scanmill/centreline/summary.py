"""What a vessel's course tells of it in a few numbers, by the columns of the table."""

import numpy as np

from scanmill.centreline.course import Course
from scanmill.centreline.sections import Section

Measures = dict[str, float]


def summary(courses: list[Course]) -> Measures:
    """Columns `centreline_...`, `section_...` and `neck_...` of a vessel.

    Its first course is the main one, from its root to the end that is farthest.
    """
    main = courses[0]
    found: Measures = {
        "centreline_length_mm": main.length,
        "centreline_tortuosity": main.tortuosity,
        "centreline_branches": len(courses),
    }
    across = [(s, p) for c in courses for s, p in zip(c.sections, c.points, strict=True) if s]
    if not across:
        return found
    widest, place = max(across, key=lambda pair: pair[0].widest)
    found |= {
        "section_max_diameter_mm": widest.widest,
        "section_max_diameter_across_mm": widest.narrowest,
        "section_max_area_mm2": max(section.area for section, _ in across),
    }
    found |= {
        f"section_max_diameter_{axis}_mm": float(x) for axis, x in zip("xyz", place, strict=True)
    }
    before = _before_widest(main)
    if before:
        found["neck_diameter_mm"] = min(map(equivalent_diameter, before))
    return found


def equivalent_diameter(section: Section) -> float:
    """Of the circle that has the section's area, mm."""
    return 2 * float(np.sqrt(section.area / np.pi))


def _before_widest(course: Course) -> list[Section]:
    """The sections from the root to the widest of a course."""
    sections = [section for section in course.sections if section]
    widths = [section.widest for section in sections]
    return sections[: int(np.argmax(widths)) + 1] if sections else []
