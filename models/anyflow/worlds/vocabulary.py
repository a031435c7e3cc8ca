"""What a world can contain, and how each thing looks.

Lengths are in world units (an object alone in a scene is about 1.5 units tall and the frame shows about
3.8 units at its distance), colours are linear RGB, times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

FPS = 16
DEFAULT_FRAMES = 33
GRAVITY = 6.0  # world units / s^2: slower than life, as a toy filmed close up looks natural

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """Parameters of the one signed distance function that all objects share (see ``shading.sdf``).

    A rounded rectangle of half-width ``width`` and corner radius ``corner`` in the xz plane, hollowed to a wall of
    half-thickness ``wall``, narrowed upwards by ``taper`` per unit, cut at ``|y| = height`` and rounded by ``round``.
    """

    width: float
    corner: float
    height: float
    round: float
    wall: float = 8.0
    taper: float = 0.0
    stripe: float = 0.0  # strength of the lighter stripe that makes rotation visible

    @property
    def bound(self) -> float:
        """Radius of a sphere around the origin that holds the shape."""
        flat = self.width if self.corner >= self.width else (self.width - self.corner) * sqrt(2) + self.corner
        if self.round >= self.height:  # ball and ring
            return flat
        if self.round >= self.width:  # capsule
            return self.height
        return sqrt(flat * flat + self.height * self.height)

    @property
    def values(self) -> tuple[float, ...]:
        cosine = 1.0 / sqrt(1.0 + self.taper * self.taper)
        return (self.width, self.corner, self.height, self.round, self.wall, self.taper, cosine, self.bound)


SHAPES: dict[str, Shape] = {
    "ball": Shape(1.0, 1.0, 1.0, 1.0, stripe=0.8),
    "cube": Shape(0.84, 0.14, 0.84, 0.12),
    "cylinder": Shape(0.76, 0.76, 0.95, 0.10, stripe=0.7),
    "cone": Shape(0.98, 0.98, 1.05, 0.06, taper=0.98 / 2.1, stripe=0.7),
    "ring": Shape(1.08, 1.08, 0.30, 0.30, wall=0.30, stripe=0.7),
    "capsule": Shape(0.56, 0.56, 1.08, 0.56, stripe=0.7),
    "pyramid": Shape(0.98, 0.06, 0.92, 0.06, taper=0.98 / 1.84),
}

COLOURS: dict[str, RGB] = {
    "red": (0.80, 0.020, 0.020),
    "orange": (0.95, 0.235, 0.008),
    "yellow": (0.95, 0.66, 0.015),
    "green": (0.020, 0.48, 0.050),
    "blue": (0.015, 0.090, 0.78),
    "purple": (0.27, 0.030, 0.62),
    "pink": (0.95, 0.22, 0.46),
    "white": (0.86, 0.86, 0.86),
    "black": (0.014, 0.014, 0.017),
}


def stripe_colour(colour: RGB) -> RGB:
    """A tint of the same hue (light objects get a grey one)."""
    luma = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    if luma > 0.75:
        return (0.36, 0.37, 0.40)
    mix = 0.05 if luma < 0.03 else 0.38
    r, g, b = (c + (1.0 - c) * mix for c in colour)
    return (r, g, b)


MATERIALS = ("matte", "shiny", "glowing")


@dataclass(frozen=True)
class Place:
    """Ground, sky and light of a scene."""

    sky_top: RGB
    sky_horizon: RGB
    sun: RGB  # colour times intensity
    sun_height: float  # y of the (unnormalised) direction to the light; x and z come from the scene
    ambient: RGB  # light from above
    ground_a: RGB
    ground_b: RGB
    patches: float = 0.0  # weight of the soft large patches of texture
    dunes: float = 0.0  # weight of wind ripples
    waves: float = 0.0  # slope of moving water
    grid: float = 0.0  # brightness of neon lines
    mirror: float = 0.0  # how much the ground reflects at normal incidence
    fog: float = 18.0  # distance of the haze


PLACES: dict[str, Place] = {
    "grass": Place(
        sky_top=(0.10, 0.32, 0.80), sky_horizon=(0.62, 0.80, 0.95), sun=(1.75, 1.62, 1.35), sun_height=1.5,
        ambient=(0.36, 0.46, 0.58), ground_a=(0.075, 0.27, 0.028), ground_b=(0.165, 0.42, 0.050), patches=1.0, fog=22.0,
    ),
    "sand": Place(
        sky_top=(0.16, 0.42, 0.78), sky_horizon=(0.95, 0.82, 0.62), sun=(1.70, 1.48, 1.10), sun_height=1.3,
        ambient=(0.42, 0.42, 0.44), ground_a=(0.56, 0.36, 0.16), ground_b=(0.78, 0.56, 0.29), patches=0.25, dunes=0.75,
        fog=20.0,
    ),
    "snow": Place(
        sky_top=(0.30, 0.50, 0.78), sky_horizon=(0.80, 0.86, 0.93), sun=(1.25, 1.18, 1.05), sun_height=1.2,
        ambient=(0.40, 0.48, 0.62), ground_a=(0.58, 0.66, 0.78), ground_b=(0.72, 0.76, 0.82), patches=1.0, fog=16.0,
    ),
    "water": Place(
        sky_top=(0.12, 0.36, 0.74), sky_horizon=(0.88, 0.80, 0.78), sun=(1.55, 1.40, 1.15), sun_height=1.3,
        ambient=(0.38, 0.44, 0.54), ground_a=(0.006, 0.085, 0.16), ground_b=(0.010, 0.16, 0.24), patches=1.0,
        waves=0.055, mirror=0.10, fog=26.0,
    ),
    "night": Place(
        sky_top=(0.004, 0.004, 0.020), sky_horizon=(0.050, 0.016, 0.105), sun=(1.30, 1.25, 1.45), sun_height=1.6,
        ambient=(0.24, 0.22, 0.38), ground_a=(0.010, 0.007, 0.026), ground_b=(0.014, 0.010, 0.034), patches=1.0,
        grid=1.0, mirror=0.16, fog=17.0,
    ),
    "studio": Place(
        sky_top=(0.50, 0.51, 0.54), sky_horizon=(0.78, 0.78, 0.79), sun=(1.10, 1.08, 1.05), sun_height=2.0,
        ambient=(0.46, 0.47, 0.50), ground_a=(0.62, 0.62, 0.63), ground_b=(0.66, 0.66, 0.67), patches=1.0,
        mirror=0.07, fog=13.0,
    ),
}

MOTIONS = ("still", "bounce", "roll", "fall", "spin", "orbit", "slide", "float")
CAMERAS = ("static", "pan", "orbit", "zoom")

# Motions that a shape can do, and motions that leave room for a second object.
CANNOT_ROLL = frozenset({"cone", "pyramid"})
PAIR_FIRST_MOTIONS = ("still", "bounce", "fall", "spin", "orbit", "float")
PAIR_SECOND_MOTIONS = ("still", "bounce", "spin", "float")


def is_possible(shape: str, colour: str, material: str, motion: str) -> bool:
    """Whether the combination makes sense: cones do not roll straight, black does not glow."""
    return not (motion == "roll" and shape in CANNOT_ROLL) and not (colour == "black" and material == "glowing")
