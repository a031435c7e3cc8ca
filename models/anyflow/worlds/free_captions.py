"""Freer wordings than the grammar of `captions`: the way people type prompts, with rarer synonyms, no articles, requests.

A student that is distilled under these, while its teacher is told the same clip in the grammar's words, understands more
than its teacher was taught. The word lists were written without looking at the evaluation's hand-written prompts
(`paraphrases.json`), which stay outside of both. One object a scene; others get the grammar's caption.
"""

from __future__ import annotations

from .captions import COLOUR_WORDS, MATERIAL_WORDS, MOTION_WORDS, NOUNS, PLACE_PHRASES, caption
from .scene import Scene, Thing, _Draw, direction_of

FREE_NOUNS = {
    "ball": ("globe", "orb", "rubber ball", "beach ball", "bead", "toy ball", "bowling ball", "marble"),
    "cube": ("dice", "brick", "crate", "wooden block", "square box", "six sided die", "toy block"),
    "cylinder": ("tube", "can", "barrel", "tin", "column", "pipe", "log", "pillar"),
    "cone": ("traffic cone", "party hat", "pointed cone", "spike", "cone shape", "pointy hat", "funnel"),
    "ring": ("torus", "doughnut", "tyre", "loop", "bagel", "circular band", "round ring", "wheel", "bracelet"),
    "capsule": ("tablet", "medicine capsule", "lozenge", "rounded rod", "bean"),
    "pyramid": ("small pyramid", "four sided pyramid", "pointed block", "stone pyramid", "tent shape"),
}
FREE_COLOURS = {
    "red": ("crimson", "scarlet", "ruby", "cherry red", "blood red", "reddish", "brick red"),
    "orange": ("tangerine", "pumpkin orange", "amber", "orange coloured", "carrot orange"),
    "yellow": ("lemon", "golden", "canary yellow", "yellowish", "banana yellow", "gold"),
    "green": ("emerald", "lime", "mint green", "dark green", "olive green", "greenish", "jade"),
    "blue": ("navy", "azure", "cobalt", "sky blue", "sapphire", "royal blue", "bluish"),
    "purple": ("lilac", "lavender", "plum", "indigo", "mauve", "amethyst"),
    "pink": ("rosy", "magenta", "fuchsia", "hot pink", "bubblegum pink", "light pink", "salmon"),
    "white": ("ivory", "snow white", "milky", "white coloured", "pearl white", "chalk white"),
    "black": ("ebony", "coal black", "pitch black", "dark", "black coloured"),
}
FREE_MATERIALS = {
    "matte": ("flat", "unpolished", "rough", "chalky", "simple"),
    "shiny": ("gleaming", "metallic", "mirror like", "reflective", "lacquered", "chrome"),
    "glowing": ("lit", "radiant", "light emitting", "bright glowing", "shimmering"),
}
FREE_PLACES = {
    "grass": ("across a grassy field", "on the pasture", "in the garden", "in the park", "on turf", "over a green meadow"),
    "sand": ("on the dunes", "along the seashore", "at the beach", "in a sandbox", "across the desert", "on a sand dune"),
    "snow": ("in a winter landscape", "on a snowfield", "on the snowy ground", "in a white winter", "on powder snow", "on an icy plain"),
    "water": ("on a pond", "out at sea", "above the waves", "on the surface of a lake", "over rippling water", "at sea", "on a river"),
    "night": (
        "in a retro neon world",
        "on glowing lines in the dark",
        "in a cyber grid",
        "at midnight over a neon floor",
        "in a dark synthwave scene",
        "on a lit grid, night time",
    ),
    "studio": ("against a plain backdrop", "in a photo studio", "on a white table", "with an empty background", "on a smooth floor"),
}
# Base form, third person, participle.
FREE_MOTIONS = {
    "still": (
        ("stay put", "stays put", "staying put"),
        ("do nothing", "does nothing", "doing nothing"),
        ("rest", "rests", "resting"),
        ("stand there", "stands there", "standing there"),
        ("wait", "waits", "waiting"),
    ),
    "bounce": (
        ("jump", "jumps", "jumping"),
        ("leap up and down", "leaps up and down", "leaping up and down"),
        ("bounce again and again", "bounces again and again", "bouncing again and again"),
        ("spring up", "springs up", "springing up"),
        ("bob up and down", "bobs up and down", "bobbing up and down"),
    ),
    "roll": (
        ("trundle along", "trundles along", "trundling along"),
        ("roll by", "rolls by", "rolling by"),
        ("tumble along", "tumbles along", "tumbling along"),
        ("wheel past", "wheels past", "wheeling past"),
        ("roll across", "rolls across", "rolling across"),
    ),
    "fall": (
        ("drop", "drops", "dropping"),
        ("plummet", "plummets", "plummeting"),
        ("come down", "comes down", "coming down"),
        ("crash down", "crashes down", "crashing down"),
        ("land from above", "lands from above", "landing from above"),
    ),
    "spin": (
        ("whirl", "whirls", "whirling"),
        ("revolve", "revolves", "revolving"),
        ("turn on the spot", "turns on the spot", "turning on the spot"),
        ("pirouette", "pirouettes", "pirouetting"),
        ("spin round", "spins round", "spinning round"),
        ("rotate in place", "rotates in place", "rotating in place"),
    ),
    "orbit": (
        ("go round and round", "goes round and round", "going round and round"),
        ("run in circles", "runs in circles", "running in circles"),
        ("loop around", "loops around", "looping around"),
        ("trace a circle", "traces a circle", "tracing a circle"),
    ),
    "slide": (
        ("slip in", "slips in", "slipping in"),
        ("skid to a halt", "skids to a halt", "skidding to a halt"),
        ("skate in", "skates in", "skating in"),
        ("drift in and stop", "drifts in and stops", "drifting in and stopping"),
        ("slide along", "slides along", "sliding along"),
        ("glide over the ground", "glides over the ground", "gliding over the ground"),
    ),
    "float": (
        ("levitate", "levitates", "levitating"),
        ("hang in the air", "hangs in the air", "hanging in the air"),
        ("drift in mid air", "drifts in mid air", "drifting in mid air"),
        ("hover above the ground", "hovers above the ground", "hovering above the ground"),
        ("stay aloft", "stays aloft", "staying aloft"),
        ("float weightlessly", "floats weightlessly", "floating weightlessly"),
    ),
}
REQUESTS = ("show me", "i want to see", "please make", "draw", "generate", "animate", "give me", "can you show")
MEDIA = ("animation of", "short film of", "3d render of", "movie with", "scene with", "footage of", "video showing", "loop of")
NAMED = {"matte": 0.2, "shiny": 0.7, "glowing": 0.9}
_MOST_WORDS = 19  # so that rare words, several tokens each, stay under the text encoder's limit


def _rare(draw: _Draw, usual: tuple[str, ...], rare: tuple[str, ...]) -> str:
    """Half the time a word of the grammar: a rare one stands beside words that are known."""
    return draw.one_of(rare if draw.unit() < 0.5 else usual)


def _verbs(thing: Thing, draw: _Draw) -> tuple[str, str, str]:
    """Base form, third person, participle, all of one verb."""
    if draw.unit() < 0.6:
        forms = FREE_MOTIONS[thing.motion]
        return forms[int(draw.unit() * len(forms))]
    words = MOTION_WORDS[thing.motion]
    ing, third = words[int(draw.unit() * len(words))]
    first, _, rest = third.partition(" ")
    base = {"does": "do", "lies": "lie"}.get(first, first[:-1])
    return f"{base} {rest}".strip(), third, ing


def free_caption(scene: Scene, seed: int) -> str:
    """A prompt for the scene as somebody might type it; the seed chooses the wording. At most 19 words."""
    if len(scene.things) != 1:
        return caption(scene, seed)
    draw = _Draw(seed * 2246822519 + 31)
    draw.unit()
    thing = scene.things[0]
    colour = _rare(draw, COLOUR_WORDS[thing.colour], FREE_COLOURS[thing.colour])
    noun = _rare(draw, NOUNS[thing.object], FREE_NOUNS[thing.object])
    place = _rare(draw, PLACE_PHRASES[scene.place], FREE_PLACES[scene.place])
    base, third, ing = _verbs(thing, draw)
    named = draw.unit() < NAMED[thing.material]
    material = _rare(draw, MATERIAL_WORDS[thing.material], FREE_MATERIALS[thing.material]) if named else ""
    bare = " ".join(word for word in (material, colour, noun) if word)
    one = f"{'an' if bare[0] in 'aeiou' else 'a'} {bare}"
    direction = direction_of(thing)
    way = f" towards the {direction}" if direction and draw.unit() < 0.2 else ""
    forms = (
        f"{bare}, {ing}{way}, {place}",
        f"{bare} {ing} {place}",
        f"{place}: {one} {ing}{way}",
        f"{draw.one_of(REQUESTS)} {one} {ing}{way} {place}",
        f"{draw.one_of(MEDIA)} {one} {ing} {place}",
        f"{place} there is {one} that {third}{way}",
        f"make {one} {base} {place}",
        f"watch {one} {base}{way} {place}",
        f"the {noun} is {colour}, it {third}{way} {place}",
        f"the {bare} {third} {place}",
        f"{one} which is {ing} {place}",
        f"{ing}{way} {place}, {one}",
    )
    text = draw.one_of(forms)
    return text if len(text.split()) <= _MOST_WORDS else forms[1]
