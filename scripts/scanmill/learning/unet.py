"""A small 3D U-Net for processors without a graphics card.

As the one of Isensee et al. 2021 (doi:10.1038/s41592-020-01008-z), with skips that are added, not
joined, and one convolution a level on the way up: a third of the work.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE, EPSILON = 0.01, 1e-5


class Block(nn.Module):
    """Convolution, instance norm, leaky ReLU."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(inside, outside, 3, stride, 1, bias=False)
        self.scale = nn.Parameter(torch.ones(outside))
        self.shift = nn.Parameter(torch.zeros(outside))
        nn.init.kaiming_normal_(self.convolution.weight, SLOPE)

    def forward(self, image: Tensor) -> Tensor:
        """[n, channels, a, b, c]."""
        found = self.convolution(image)
        # The same for one image, and several times as fast on a CPU.
        if len(found) == 1:
            found = functional.batch_norm(
                found, None, None, self.scale, self.shift, training=True, eps=EPSILON
            )
        else:
            found = functional.instance_norm(found, weight=self.scale, bias=self.shift, eps=EPSILON)
        return functional.leaky_relu(found, SLOPE, inplace=True)


class UNet(nn.Module):
    """From an image to scores of each class, at each level but the lowest, the finest first."""

    def __init__(self, classes: int, widths: list[int]) -> None:
        super().__init__()
        above = [1, *widths]
        self.encoder = nn.ModuleList(
            nn.Sequential(Block(above[n], width, 2 if n else 1), Block(width, width))
            for n, width in enumerate(widths)
        )
        levels = list(pairwise(widths))
        self.up = nn.ModuleList(nn.ConvTranspose3d(low, high, 2, 2) for high, low in levels)
        self.decoder = nn.ModuleList(Block(high, high) for high, _ in levels)
        self.heads = nn.ModuleList(nn.Conv3d(high, classes, 1) for high, _ in levels)

    def forward(self, image: Tensor) -> list[Tensor]:
        """[n, classes, a, b, c] of [n, 1, a, b, c], and the same halved, quartered, ..."""
        seen = []
        for level in self.encoder:
            image = level(image)
            seen.append(image)
        scores = []
        for n in reversed(range(len(self.up))):
            image = self.decoder[n](self.up[n](image) + seen[n])
            scores.append(self.heads[n](image))
        return scores[::-1]
