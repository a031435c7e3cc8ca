"""Scenes: what is in a clip. Sampling is deterministic by seed; nothing here draws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, Literal

from .vocabulary import (
    CAMERAS,
    COLOURS,
    DEFAULT_FRAMES,
    MATERIALS,
    MOTIONS,
    PAIR_FIRST_MOTIONS,
    PAIR_SECOND_MOTIONS,
    PLACES,
    SHAPES,
    is_possible,
)

Split = Literal["train", "heldout", "any"]
HOLDOUT_SHARE = 0.12

_VOCABULARY: dict[str, tuple[str, ...]] = {
    "objects": tuple(SHAPES),
    "colours": tuple(COLOURS),
    "materials": MATERIALS,
    "places": tuple(PLACES),
    "motions": MOTIONS,
    "cameras": CAMERAS,
}


@dataclass(frozen=True)
class WorldConfig:
    """Which worlds may be drawn. The default is everything.

    Attributes:
        pair: probability of a second object.
        moving_camera: probability that the camera moves (among ``cameras`` other than static).
        size: height and width in pixels; frames: frames of a clip, at 16 a second.
        holdout: share of (object, colour, place, motion) combinations kept out of training.
    """

    objects: tuple[str, ...] = _VOCABULARY["objects"]
    colours: tuple[str, ...] = _VOCABULARY["colours"]
    materials: tuple[str, ...] = _VOCABULARY["materials"]
    places: tuple[str, ...] = _VOCABULARY["places"]
    motions: tuple[str, ...] = _VOCABULARY["motions"]
    cameras: tuple[str, ...] = _VOCABULARY["cameras"]
    pair: float = 0.25
    moving_camera: float = 0.4
    size: int = 128
    frames: int = DEFAULT_FRAMES
    holdout: float = HOLDOUT_SHARE

    def __post_init__(self) -> None:
        for name, known in _VOCABULARY.items():
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)
            if not values:
                raise ValueError(f"worlds.{name} is empty: list at least one of {', '.join(known)}")
            for value in values:
                if value not in known:
                    raise ValueError(f"worlds.{name} has {value!r}, which is unknown: use {', '.join(known)}")
        for name in ("pair", "moving_camera", "holdout"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"worlds.{name} is {value}: give a share between 0 and 1")
        if self.size < 16 or self.frames < 1:
            raise ValueError(f"worlds.size is {self.size} and frames {self.frames}: need at least 16 and 1")
        if not any(is_possible(o, c, m, v) for o in self.objects for c in self.colours for m in self.materials
                   for v in self.motions):
            raise ValueError("worlds: no possible combination (cones and pyramids do not roll, black does not glow)")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WorldConfig:
        """From a plain (YAML) dict; unknown keys are refused by name."""
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise ValueError(f"worlds.{key} is not a setting: use {', '.join(known)}")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclass(frozen=True)
class Thing:
    """One object. ``direction`` is +1 (rightward, anticlockwise) or -1; the rest are physical parameters in world units."""

    object: str
    colour: str
    material: str
    motion: str
    direction: int
    size: float  # scale of the unit shape
    x: float  # resting place
    z: float
    yaw: float  # radians
    pace: float  # 0..1: speed, height or rate within the motion's range
    phase: float  # 0..1


@dataclass(frozen=True)
class Scene:
    """Ground truth of one clip."""

    things: tuple[Thing, ...]
    place: str
    camera: str
    camera_direction: int
    azimuth: float  # radians: from where the camera looks
    sun_azimuth: float
    wind: float  # phase of the water, radians
    seed: int = field(default=0, compare=False)

    def attributes(self) -> dict[str, Any]:
        """What the clip shows, without its physical parameters."""
        return {
            "objects": [
                {
                    "object": t.object,
                    "colour": t.colour,
                    "material": t.material,
                    "motion": t.motion,
                    "direction": direction_of(t),
                }
                for t in self.things
            ],
            "place": self.place,
            "camera": self.camera,
            "camera_direction": _camera_direction(self),
        }


def direction_of(thing: Thing) -> str | None:
    """'left' or 'right' for motions that go somewhere, else None. It is the way the object moves."""
    return ("right" if thing.direction > 0 else "left") if thing.motion in ("roll", "slide") else None


def _camera_direction(scene: Scene) -> str | None:
    return ("right" if scene.camera_direction > 0 else "left") if scene.camera in ("pan", "orbit") else None


def is_held_out(object_: str, colour: str, place: str, motion: str, share: float = HOLDOUT_SHARE) -> bool:
    """The holdout rule: the first 8 bytes of SHA-256 over the four names, as a fraction, lie below ``share``."""
    digest = hashlib.sha256(f"anyflow-worlds|{object_}|{colour}|{place}|{motion}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2.0**64


def scene_is_held_out(scene: Scene, share: float = HOLDOUT_SHARE) -> bool:
    """A scene belongs to the held-out split when any of its objects' combinations does."""
    return any(is_held_out(t.object, t.colour, scene.place, t.motion, share) for t in scene.things)


class _Draw:
    """Random choices from ``Random.random`` alone, whose sequence Python guarantees across versions."""

    def __init__(self, seed: int):
        self._random = Random(seed)

    def unit(self) -> float:
        return self._random.random()

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def one_of(self, values: Iterable[str]) -> str:
        options = tuple(values)
        return options[int(self.unit() * len(options))]

    def sign(self) -> int:
        return 1 if self.unit() < 0.5 else -1


def _thing(draw: _Draw, names: dict[str, str], slot: int, count: int, direction: int | None) -> Thing:
    """Physical parameters for the ``slot``-th of ``count`` objects."""
    size = draw.between(0.70, 0.82) if count == 1 else draw.between(0.50, 0.57)
    x = draw.between(-0.22, 0.22) if count == 1 else (-0.82 if slot == 0 else 0.82) + draw.between(-0.08, 0.08)
    z = draw.between(-0.15, 0.15) if count == 1 else draw.between(-0.3, 0.3)
    sign = draw.sign()
    yaw = draw.between(0.35, 0.75) * draw.sign()
    return Thing(
        object=names["object"], colour=names["colour"], material=names["material"], motion=names["motion"],
        direction=sign if direction is None else direction,
        size=size, x=x, z=z, yaw=yaw, pace=draw.unit(), phase=draw.unit(),
    )


def _build(draw: _Draw, seed: int, names: list[dict[str, str]], place: str, camera: str,
           directions: list[int | None], camera_direction: int | None) -> Scene:
    things = [_thing(draw, n, i, len(names), directions[i]) for i, n in enumerate(names)]
    if len(things) == 2 and draw.unit() < 0.5:  # the first named may stand on either side
        a, b = things
        things = [_moved(a, b.x, b.z), _moved(b, a.x, a.z)]
    sign = draw.sign()
    return Scene(
        things=tuple(things), place=place, camera=camera,
        camera_direction=sign if camera_direction is None else camera_direction,
        azimuth=draw.between(-0.35, 0.35), sun_azimuth=draw.between(0.35, 0.95) * draw.sign(),
        wind=draw.between(0.0, 6.2831853), seed=seed,
    )


def _moved(thing: Thing, x: float, z: float) -> Thing:
    return Thing(**{**thing.__dict__, "x": x, "z": z})


def sample_scene(seed: int, config: WorldConfig, split: Split = "train") -> Scene:
    """The scene of ``seed`` (an integer >= 0): the same on every machine.

    Raises ValueError for an unknown split or a negative seed, and when the config leaves nothing to draw for that split.
    """
    if split not in ("train", "heldout", "any"):
        raise ValueError(f"split {split!r} is unknown: use train, heldout or any")
    if seed < 0:
        raise ValueError(f"seed {seed} is negative: give an integer from 0")
    draw = _Draw(seed)
    for _ in range(2000):
        count = 2 if draw.unit() < config.pair else 1
        names = []
        for slot in range(count):
            motions = config.motions
            if count == 2:
                allowed = PAIR_FIRST_MOTIONS if slot == 0 else PAIR_SECOND_MOTIONS
                motions = tuple(m for m in motions if m in allowed)
            names.append({
                "object": draw.one_of(config.objects), "colour": draw.one_of(config.colours),
                "material": draw.one_of(config.materials), "motion": draw.one_of(motions) if motions else "",
            })  # fmt: skip
        place = draw.one_of(config.places)
        moving = tuple(c for c in config.cameras if c != "static")
        moves = draw.unit() < config.moving_camera or "static" not in config.cameras
        camera = draw.one_of(moving) if moves and moving else "static"
        if not all(n["motion"] and is_possible(n["object"], n["colour"], n["material"], n["motion"]) for n in names):
            continue
        if count == 2 and (names[0]["object"], names[0]["colour"]) == (names[1]["object"], names[1]["colour"]):
            continue  # a caption could not tell them apart
        if camera != "static" and any(n["motion"] == "slide" for n in names):
            camera = "static" if "static" in config.cameras else camera
        scene = _build(draw, seed, names, place, camera, [None] * count, None)
        held = scene_is_held_out(scene, config.holdout)
        if split == "any" or held == (split == "heldout"):
            return scene
    raise ValueError(f"worlds: no scene of split {split!r} fits this config; widen its lists or change holdout")


def scene_from_attributes(attributes: dict[str, Any], seed: int) -> Scene:
    """A scene with given attributes (the form of ``Scene.attributes``); the seed chooses the rest.

    Optional per object: material (matte), motion (still), direction ('left', 'right'). Optional: camera (static),
    camera_direction. Raises ValueError that names the wrong entry.
    """
    things = attributes.get("objects")
    if not isinstance(things, list) or len(things) not in (1, 2):
        raise ValueError("attributes.objects must be a list of one or two objects")
    names = []
    for thing in things:
        entry = {"material": "matte", "motion": "still", **{k: v for k, v in thing.items() if v is not None}}
        for key, plural in (("object", "objects"), ("colour", "colours"), ("material", "materials"), ("motion", "motions")):
            if entry.get(key) not in _VOCABULARY[plural]:
                raise ValueError(f"attributes: {key} {entry.get(key)!r} is unknown: use {', '.join(_VOCABULARY[plural])}")
        if not is_possible(entry["object"], entry["colour"], entry["material"], entry["motion"]):
            raise ValueError(f"attributes: a {entry['material']} {entry['colour']} {entry['object']} cannot {entry['motion']}")
        names.append(entry)
    if len(names) == 2:
        for entry, allowed in zip(names, (PAIR_FIRST_MOTIONS, PAIR_SECOND_MOTIONS), strict=True):
            if entry["motion"] not in allowed:
                raise ValueError(f"attributes: with two objects this one cannot {entry['motion']}: use {', '.join(allowed)}")
    place, camera = attributes.get("place"), attributes.get("camera") or "static"
    if place not in PLACES:
        raise ValueError(f"attributes: place {place!r} is unknown: use {', '.join(PLACES)}")
    if camera not in CAMERAS:
        raise ValueError(f"attributes: camera {camera!r} is unknown: use {', '.join(CAMERAS)}")
    sides = {"right": 1, "left": -1, None: None}
    return _build(_Draw(seed), seed, names, place, camera, [sides[n.get("direction")] for n in names],
                  sides[attributes.get("camera_direction")])
