"""Captions: a grammar with synonyms and varied word order. Deterministic by seed.

Words are short and common, so that a caption stays under 28 WordPiece tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .scene import Scene, Thing, _Draw, direction_of

NOUNS = {
    "ball": ("ball", "sphere", "round ball"),
    "cube": ("cube", "box", "block"),
    "cylinder": ("cylinder", "drum"),
    "cone": ("cone",),
    "ring": ("ring", "hoop", "donut"),
    "capsule": ("capsule", "pill"),
    "pyramid": ("pyramid",),
}
COLOUR_WORDS = {
    "red": ("red", "bright red", "deep red"),
    "orange": ("orange", "bright orange"),
    "yellow": ("yellow", "bright yellow", "sunny yellow"),
    "green": ("green", "bright green"),
    "blue": ("blue", "bright blue", "deep blue"),
    "purple": ("purple", "violet", "deep purple"),
    "pink": ("pink", "bright pink", "rose pink"),
    "white": ("white", "pure white"),
    "black": ("black", "jet black"),
}
MATERIAL_WORDS = {
    "matte": ("matte", "plain", "dull"),
    "shiny": ("shiny", "glossy", "polished"),
    "glowing": ("glowing", "luminous", "shining"),
}
PLACE_PHRASES = {
    "grass": ("on grass", "on the grass", "on a lawn", "in a green field", "on green grass", "in a meadow"),
    "sand": ("on sand", "on the sand", "on a beach", "in the desert", "on a sandy beach", "on golden sand"),
    "snow": ("on snow", "in the snow", "on white snow", "on a snowy field", "in winter snow", "on fresh snow"),
    "water": ("on water", "over water", "on the sea", "on a lake", "on blue water", "over the ocean"),
    "night": ("on a neon grid", "on a night grid", "at night on a grid", "on a glowing grid at night", "on a dark neon grid"),
    "studio": ("in a studio", "on a studio floor", "in a white studio", "on a clean floor", "in a bright studio"),
}
# Present participle and third person, aligned.
MOTION_WORDS = {
    "still": (("resting", "rests"), ("standing still", "stands still"), ("sitting", "sits"), ("lying still", "lies still")),
    "bounce": (("bouncing", "bounces"), ("bouncing up and down", "bounces up and down"), ("hopping", "hops")),
    "roll": (("rolling", "rolls"), ("rolling along", "rolls along"), ("rolling past", "rolls past")),
    "fall": (("falling", "falls"), ("falling down", "falls down"), ("dropping from above", "drops from above"),
             ("falling from the sky", "falls from the sky")),
    "spin": (("spinning", "spins"), ("rotating", "rotates"), ("turning around", "turns around"), ("twirling", "twirls")),
    "orbit": (("circling", "circles"), ("going in a circle", "goes in a circle"), ("moving around", "moves around"),
              ("orbiting", "orbits")),
    "slide": (("sliding in", "slides in"), ("gliding in", "glides in"), ("sliding to a stop", "slides to a stop")),
    "float": (("floating", "floats"), ("hovering", "hovers"), ("floating in the air", "floats in the air"),
              ("hovering gently", "hovers gently")),
}  # fmt: skip
CAMERA_PHRASES = {
    "static": ("static camera", "fixed camera", "still shot"),
    "pan": ("camera panning", "panning shot", "camera sliding sideways"),
    "orbit": ("camera orbiting", "orbiting camera", "the camera circles"),
    "zoom": ("camera zooming in", "zoom in", "slow zoom in"),
}
PAIR_WORDS = ("next to", "beside", "near", "and", "with")
_LONG_NOUNS = ("round ball", "donut")  # several tokens: for captions about one object
_LONGEST = 17  # words and commas; two-object captions beyond it leave the camera out
STARTS = ("", "a video of ", "a clip of ")


def _article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _noun_phrase(thing: Thing, draw: _Draw, brief: bool = False) -> str:
    colour = thing.colour if brief else draw.one_of(COLOUR_WORDS[thing.colour])
    noun = draw.one_of(n for n in NOUNS[thing.object] if not (brief and n in _LONG_NOUNS))
    # A plain surface goes unnamed more often than one that stands out.
    named = draw.unit() < {"matte": 0.35, "shiny": 0.75, "glowing": 0.9}[thing.material]
    words = f"{draw.one_of(MATERIAL_WORDS[thing.material])} {colour} {noun}" if named else f"{colour} {noun}"
    return _article(words)


def _way(thing: Thing, draw: _Draw) -> str:
    direction = direction_of(thing)
    if direction is None or draw.unit() < 0.4:
        return ""
    other = "left" if direction == "right" else "right"
    options = (f" from the {other}",) if thing.motion == "slide" else (
        f" to the {direction}", f" from the {other}", f" from {other} to {direction}")
    return draw.one_of(options)


def _verbs(thing: Thing, brief: bool) -> tuple[tuple[str, str], ...]:
    """Ways to say the motion; the brief ones have at most two words."""
    return tuple(v for v in MOTION_WORDS[thing.motion] if not brief or v[0].count(" ") < 2)


def single_forms(start: str, subject: str, ing: str, third: str, way: str, place: str) -> tuple[str, ...]:
    """The word orders of a caption about one object."""
    return (
        f"{start}{subject} {ing}{way} {place}",
        f"{subject} {third}{way} {place}",
        f"{place}, {subject} {third}{way}",
        f"{place}, {subject} {ing}{way}",
        f"{start}{subject} {place}, {ing}{way}",
        f"{subject} {ing} {place}{way}",
    )


def leaves_open(text: str, attributes: Mapping[str, Any]) -> frozenset[str]:
    """Which attributes of a scene its `caption` does not tell: "material", "camera", both or none. What is not told cannot be
    asked of a clip that was made from the caption. Of two materials both must be told."""
    words = text.replace(",", " ").split()
    told = all(any(word in words for word in MATERIAL_WORDS[thing["material"]]) for thing in attributes["objects"])
    filmed = any(phrase in text for phrase in CAMERA_PHRASES[attributes["camera"]])
    return frozenset(name for name, said in (("material", told), ("camera", filmed)) if not said)


def caption(scene: Scene, seed: int) -> str:
    """A sentence that describes the scene; the seed chooses the wording."""
    draw = _Draw(seed * 2654435761 + 97)
    draw.unit()
    pair = len(scene.things) == 2
    place = draw.one_of(PLACE_PHRASES[scene.place])
    first = scene.things[0]
    verbs = _verbs(first, pair)
    ing, third = verbs[int(draw.unit() * len(verbs))]
    way = _way(first, draw)
    subject = _noun_phrase(first, draw, brief=pair)
    if not pair:
        form = int(draw.unit() * 6)
        start = draw.one_of(STARTS)
        text = single_forms(start, subject, ing, third, way, place)[form]
    else:
        second = scene.things[1]
        other = _noun_phrase(second, draw, brief=True)
        verbs = _verbs(second, pair)
        ing2, third2 = verbs[int(draw.unit() * len(verbs))]
        link = draw.one_of(PAIR_WORDS)
        joint = "around" if first.motion == "orbit" else link
        form = int(draw.unit() * 5)
        if joint == "around":
            turning = draw.one_of(("circling", "orbiting", "moving"))
            joined = f"{subject} {turning} around {other}"
            text = (f"{joined} {place}", f"{place}, {joined}")[form % 2]
            if form >= 3 and second.motion != "still":
                text = f"{joined} that {third2} {place}"
        else:
            text = (
                f"{subject} {ing} {link} {other} {ing2} {place}",
                f"{subject} {third} and {other} {third2} {place}",
                f"{place}, {subject} {third} {link} {other} {ing2}",
                f"{place}, {subject} {third} and {other} {third2}",
                f"{subject} {ing}, {other} {ing2}, {place}",
            )[form]
    mention = 0.08 if scene.camera == "static" else 0.8
    if draw.unit() < mention:
        phrase = draw.one_of(CAMERA_PHRASES[scene.camera])
        if len(text.split()) + text.count(",") + len(phrase.split()) > _LONGEST:
            return text
        text = f"{text}, {phrase}" if draw.unit() < 0.75 else f"{phrase}, {text}"
    return text
