"""Which windows of which scans a network is shown, and in which order."""

from dataclasses import dataclass

import numpy as np

from scanmill.learning.augmentation import Size, drawn, plain, window

# Of the windows, those about a labelled voxel; the others lie anywhere in a scan.
LABELLED = 0.6


@dataclass(frozen=True)
class Lesson:
    """A labelled scan as the network sees it: [a, b, c] along its axes.

    image: float32, normalised. labels: 0 background, 1, 2, ... the classes. places: by class from 1,
    up to some thousands of its voxels, [n, 3].
    """

    image: np.ndarray
    labels: np.ndarray
    places: list[np.ndarray]


MOST_PLACES = 5000


def lesson(image: np.ndarray, labels: np.ndarray, classes: int) -> Lesson:
    """A lesson of a scan; classes: with the background."""
    places = [np.argwhere(labels == n) for n in range(1, classes)]
    return Lesson(image, labels, [p[:: 1 + len(p) // MOST_PLACES] for p in places])


def batch(
    lessons: list[Lesson], size: Size, number: int, iteration: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Windows [number, a, b, c] and their labels: of that iteration, whatever came before it."""
    shown = [_drawn_window(lessons, size, (seed, iteration, n)) for n in range(number)]
    return np.stack([image for image, _ in shown]), np.stack([labels for _, labels in shown])


def fixed_windows(lessons: list[Lesson], size: Size) -> list[tuple[np.ndarray, np.ndarray]]:
    """One unchanged window of each lesson, about the middle of what is labelled."""
    windows = []
    for known in lessons:
        found = np.concatenate(known.places)
        middle = np.median(found, axis=0) if len(found) else np.array(known.image.shape) / 2
        view = plain(_within(middle, known.image.shape, size), size)
        random = np.random.default_rng(0)
        windows.append(window(known.image, known.labels, size, view, random))
    return windows


def _drawn_window(
    lessons: list[Lesson], size: Size, key: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(key)
    known = lessons[random.integers(len(lessons))]
    centre = _within(_centre(random, known), known.image.shape, size)
    view = drawn(random, centre, size)
    return window(known.image, known.labels, size, view, random)


def _centre(random: np.random.Generator, known: Lesson) -> np.ndarray:
    """A voxel of one of the classes, each as likely as another, or any voxel."""
    present = [p for p in known.places if len(p)]
    if present and random.random() < LABELLED:
        own = present[random.integers(len(present))]
        return own[random.integers(len(own))].astype(float)
    return random.uniform(0, np.array(known.image.shape) - 1)


def _within(centre: np.ndarray, shape: tuple[int, ...], size: Size) -> np.ndarray:
    """The nearest centre of a window that shows no more than it must of what lies beyond the scan."""
    half, last = (np.array(size) - 1) / 2, np.array(shape) - 1
    return np.where(last > 2 * half, np.clip(centre, half, last - half), last / 2)
