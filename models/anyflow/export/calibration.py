"""Captions for calibrating and judging the text encoder's quantisation: scene captions plus everyday sentences."""

from __future__ import annotations

import random

_COLOURS = [
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "purple",
    "pink",
    "white",
    "black",
    "cyan",
    "golden",
    "silver",
    "turquoise",
    "crimson",
    "teal",
    "violet",
    "lime",
    "magenta",
]
_LOOKS = ["matte", "shiny", "glowing", "glossy", "metallic", "dull", "polished", "luminous", "small", "large", "tiny", "big"]
_THINGS = [
    "ball",
    "sphere",
    "cube",
    "box",
    "cylinder",
    "cone",
    "ring",
    "torus",
    "pyramid",
    "capsule",
    "disc",
    "block",
    "pillar",
    "donut",
    "orb",
]
_PLACES = [
    "grass",
    "a meadow",
    "the sand",
    "a beach",
    "snow",
    "a frozen lake",
    "water",
    "the sea",
    "a neon grid at night",
    "a studio floor",
    "a wooden table",
    "a desert",
    "a stone plaza",
    "an empty room",
    "a lawn under a blue sky",
]
_MOTIONS = [
    "bouncing",
    "rolling to the left",
    "rolling to the right",
    "falling",
    "spinning",
    "orbiting",
    "sliding in from the side",
    "floating upwards",
    "hovering",
    "tumbling down",
    "drifting slowly",
    "jumping up and down",
    "turning around",
    "landing",
]
_CAMERAS = [
    "",
    "the camera pans left",
    "camera moving closer",
    "seen from above",
    "slow zoom out",
    "the camera circles around it",
    "at sunset",
    "in the morning light",
    "with soft shadows",
    "in the fog",
    "static shot",
    "low angle view",
]
_SENTENCES = [
    "a dog runs along the beach at sunset",
    "waves crash against a rocky shore",
    "a woman is reading a book by the window",
    "two children play football in the park",
    "steam rises from a cup of coffee",
    "a train crosses a bridge in the mountains",
    "city traffic at night, time lapse",
    "a cat jumps onto the kitchen table",
    "leaves fall from an old tree in autumn",
    "an astronaut walks on the surface of the moon",
    "close-up of a bee landing on a flower",
    "a candle burns in a dark room",
    "a sailing boat drifts on a calm lake",
    "fireworks explode over the harbour",
    "a robot paints a portrait",
    "snow falls on a quiet village",
    "a horse gallops through a field of wheat",
    "clouds move over a green valley",
    "a chef cuts vegetables very quickly",
    "an old man feeds pigeons on the square",
    "rain on a car window",
    "a rocket lifts off into a clear sky",
    "fish swim around a coral reef",
    "a skateboarder does a trick on the stairs",
    "nothing",
    "",
    "hello world",
    "zzz qqq 123",
    "A GOLDEN CUBE!!!",
    "the ball's shadow moves; it doesn't bounce.",
]


def captions(count: int, seed: int) -> list[str]:
    """``count`` captions, the same for the same seed; one in five is an everyday sentence."""
    draw = random.Random(seed)

    def thing() -> str:
        words = [draw.choice(_COLOURS), draw.choice(_THINGS)]
        if draw.random() < 0.4:
            words.insert(draw.randrange(2), draw.choice(_LOOKS))
        return "a " + " ".join(words)

    result = []
    for _ in range(count):
        if draw.random() < 0.2:
            result.append(draw.choice(_SENTENCES))
            continue
        text = f"{thing()} {draw.choice(_MOTIONS)} {draw.choice(['on', 'over', 'above', 'in'])} {draw.choice(_PLACES)}"
        if draw.random() < 0.3:
            text += f" and {thing()} {draw.choice(_MOTIONS)}"
        camera = draw.choice(_CAMERAS)
        result.append(f"{text}, {camera}" if camera else text)
    return result
