"""The noise of a scan: normal for CT, as its reconstruction kernel correlates it; Rician for MR."""

import numpy as np
from scipy import fft

from scanmill.grid import Triple


def white(image: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Normal noise with standard deviation `sigma`, independent from voxel to voxel."""
    return image + sigma * random.standard_normal(image.shape)


def rician(image: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Noise of MR: the magnitude of a complex signal with normal noise of `sigma` on both channels.

    Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618.
    """
    return np.hypot(white(image, sigma, random), sigma * random.standard_normal(image.shape))


NOISE = {"CT": white, "MR": rician}


def kernel_noise(
    shape: tuple[int, int, int], spacing: Triple, peak: float, random: np.random.Generator
) -> np.ndarray:
    """Noise of filtered back projection, [z, y, x]: normal, mean 0, standard deviation 1.

    Correlated within each slice by the power spectrum f exp(-f / peak): from zero at first with
    the frequency f, as the ramp filter makes it, then falling as the kernel does. peak: of the
    spectrum, 1/mm; about 0.2 for soft kernels to 0.7 for sharp ones (Solomon, Christianson and Samei
    2012, doi:10.1118/1.4752209).
    """
    y, x = fft.fftfreq(shape[1], spacing[1]), fft.rfftfreq(shape[2], spacing[0])
    power = _power(np.hypot(y[:, None], x), peak)
    mean = _power(np.hypot(y[:, None], fft.fftfreq(shape[2], spacing[0])), peak).mean()
    spectrum = fft.rfft2(random.standard_normal(shape)) * np.sqrt(power / mean)
    return fft.irfft2(spectrum, shape[1:])


def _power(frequency: np.ndarray, peak: float) -> np.ndarray:
    return frequency * np.exp(-frequency / peak)


def add_noise(image: np.ndarray, modality: str, sigma: float, seed: int) -> np.ndarray:
    """A noisy scan, int16 [z, y, x], the same for the same seed. Raises KeyError on no modality."""
    random = np.random.Generator(np.random.PCG64(seed))
    return stored(NOISE[modality](image, sigma, random))


def add_kernel_noise(
    image: np.ndarray, spacing: Triple, sigma: float, peak: float, seed: int
) -> np.ndarray:
    """A CT, int16 [z, y, x], with the noise of a reconstruction kernel (`kernel_noise`)."""
    random = np.random.Generator(np.random.PCG64(seed))
    return stored(image + sigma * kernel_noise(image.shape, spacing, peak, random))


def stored(image: np.ndarray) -> np.ndarray:
    """An image as a scanner stores it: whole numbers, int16."""
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(image), limits.min, limits.max).astype(np.int16)
