"""The renderer: determinism, physics, the holdout rule, captions, pictures, and compiled against eager code."""

from __future__ import annotations

import json
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from anyflow.evaluate import PARAPHRASES
from anyflow.text import MAX_TOKENS
from anyflow.wordpiece import WordPiece
from anyflow.worlds import (
    FPS,
    WorldConfig,
    bodies,
    caption,
    contact_sheet,
    free_caption,
    is_held_out,
    leaves_open,
    render,
    sample_scene,
    scene_from_attributes,
    scene_is_held_out,
    shading,
)
from anyflow.worlds.captions import (
    COLOUR_WORDS,
    MATERIAL_WORDS,
    MOTION_WORDS,
    NOUNS,
    PLACE_PHRASES,
    single_forms,
)
from anyflow.worlds.free_captions import FREE_COLOURS, FREE_MOTIONS, FREE_NOUNS
from anyflow.worlds.layout import LAYOUT
from anyflow.worlds.motion import bounce_height, trajectory
from anyflow.worlds.packing import frame_parameters
from anyflow.worlds.view import in_picture
from anyflow.worlds.vocabulary import (
    CANNOT_ROLL,
    COLOURS,
    GRAVITY,
    MOTIONS,
    PLACES,
    SHAPES,
)

drawing = import_module("anyflow.worlds.render")  # the package exports a function of the same name

EVERYTHING = WorldConfig()
VOCABULARY = Path(__file__).resolve().parents[2] / "public" / "models" / "worlds-128" / "vocab.txt"


def one(object_: str = "ball", colour: str = "red", motion: str = "still", place: str = "studio", **rest: str):
    thing = {"object": object_, "colour": colour, "motion": motion, "material": rest.pop("material", "matte")}
    if "direction" in rest:
        thing["direction"] = rest.pop("direction")
    return scene_from_attributes({"objects": [thing], "place": place, **rest}, 3)


# --- scenes -----------------------------------------------------------------------------------------------------------
def test_a_seed_gives_one_scene_and_seeds_differ() -> None:
    scenes = [sample_scene(i, EVERYTHING, "any") for i in range(300)]
    assert scenes == [sample_scene(i, EVERYTHING, "any") for i in range(300)]
    assert len({str(s) for s in scenes}) == 300
    drawn = {t.object for s in scenes for t in s.things}, {s.place for s in scenes}, {t.motion for s in scenes for t in s.things}
    assert drawn == (set(SHAPES), set(PLACES), set(MOTIONS))


def test_holdout_share_and_splits() -> None:
    held = [is_held_out(*names) for names in product(SHAPES, COLOURS, PLACES, MOTIONS)]
    assert 0.10 < np.mean(held) < 0.14
    for seed in range(200):
        assert not scene_is_held_out(sample_scene(seed, EVERYTHING, "train"))
        assert scene_is_held_out(sample_scene(seed, EVERYTHING, "heldout"))


def test_attributes_make_the_scene_they_describe() -> None:
    for seed in range(100):
        attributes = sample_scene(seed, EVERYTHING, "any").attributes()
        assert scene_from_attributes(attributes, seed + 1).attributes() == attributes


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colours": ["red", "mauve"]}, "mauve"),
        ({"shapes": ["ball"]}, "worlds.shapes is not a setting"),
        ({"pair": 1.5}, "worlds.pair"),
        ({"objects": []}, "worlds.objects is empty"),
        ({"objects": ["cone"], "motions": ["roll"]}, "no possible combination"),
    ],
)
def test_bad_config_is_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WorldConfig.from_dict(values)


def test_other_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="unknown: use train"):
        sample_scene(1, EVERYTHING, "test")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        sample_scene(-1, EVERYTHING)
    with pytest.raises(ValueError, match="no scene of split"):
        sample_scene(1, WorldConfig(holdout=0.0), "heldout")
    with pytest.raises(ValueError, match="'moon'"):
        one(place="moon")
    with pytest.raises(ValueError, match="cannot roll"):
        one("cone", motion="roll")
    with pytest.raises(ValueError, match="at least 1 frame"):
        render([one()], 128, 0)
    with pytest.raises(ValueError, match="at least one scene"):
        render([], 128, 1)


# --- physics ----------------------------------------------------------------------------------------------------------
def test_bounce_obeys_gravity_and_restitution() -> None:
    t = np.linspace(0.0, 2.0, 4001)
    y = bounce_height(t, 1.0, 0.8)
    assert y.min() >= 0.0
    fall = t < np.sqrt(2.0 / GRAVITY) - 0.01
    np.testing.assert_allclose(y[fall], 1.0 - 0.5 * GRAVITY * t[fall] ** 2, atol=1e-9)
    peaks = y[1:-1][(y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:])]
    np.testing.assert_allclose(peaks[:2], [0.8**2, 0.8**4], atol=1e-4)


def _surface(object_: str) -> np.ndarray:
    """Points on the unit shape's surface, [N, 3], by tracing its distance function inwards from all sides."""
    d = np.random.default_rng(0).normal(size=(3000, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    shape = tuple(torch.tensor(v) for v in SHAPES[object_].values)
    at = torch.full((3000,), SHAPES[object_].bound, dtype=torch.float64)
    for _ in range(60):
        p = torch.from_numpy(d) * at[:, None]
        gap = bodies.sdf(shape, (p[:, 0], p[:, 1], p[:, 2]))
        at = at - gap
    hit = gap.abs().numpy() < 1e-3  # through the hole of a ring a ray meets nothing
    assert hit.mean() > 0.2
    return (d * at.numpy()[:, None])[hit]


@pytest.mark.parametrize("object_", list(SHAPES))
def test_nothing_sinks_into_the_ground(object_: str) -> None:
    t = np.arange(33) / FPS
    points = _surface(object_)
    for motion in MOTIONS:
        if motion == "roll" and object_ in CANNOT_ROLL:
            continue
        thing = one(object_, motion=motion).things[0]
        position, rotation = trajectory(thing, t, None)
        np.testing.assert_allclose(rotation @ rotation.transpose(0, 2, 1), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-9)
        low = position[:, 1] + (rotation[:, 1] @ points.T).min(axis=1) * thing.size
        assert low.min() > -0.03, motion
        if motion in ("still", "spin", "slide", "orbit", "roll"):
            assert low.max() < 0.06, motion  # on the ground


def test_rolling_does_not_slip() -> None:
    thing = one("ball", motion="roll", direction="right").things[0]
    t = np.linspace(0, 2, 2001)
    position, rotation = trajectory(thing, t, None)
    speed = np.gradient(position[:, 0], t)
    change = np.einsum("tij,tkj->tik", rotation[1:], rotation[:-1])  # small turn about z, in the world
    spin = -change[:, 1, 0] / np.diff(t)
    np.testing.assert_allclose(spin * thing.size, (speed[1:] + speed[:-1]) / 2, rtol=0.03)


# --- captions ---------------------------------------------------------------------------------------------------------
def test_over_a_million_distinct_captions() -> None:
    """Distinct strings that the grammar can produce for one matte or shiny object, first word orders, no camera."""
    nouns = [(o, n) for o in NOUNS for n in NOUNS[o]]
    looks = [f"{m}{c}" for m in ("", *(f"{w} " for w in MATERIAL_WORDS["shiny"])) for ws in COLOUR_WORDS.values() for c in ws]
    places = [p for ps in PLACE_PHRASES.values() for p in ps]
    seen: set[int] = set()
    for (object_, noun), (motion, verbs), look in product(nouns, MOTION_WORDS.items(), looks):
        if motion == "roll" and object_ in CANNOT_ROLL:
            continue
        for (ing, third), place in product(verbs, places):
            seen.update(hash(text) for text in single_forms("", f"a {look} {noun}", ing, third, "", place)[1:3])
        if len(seen) > 1_000_000:
            break
    assert len(seen) > 1_000_000


def test_captions_vary_fit_and_tell_the_truth() -> None:
    tokenizer = WordPiece.from_file(VOCABULARY)
    lengths, texts = [], []
    for seed in range(1500):
        scene = sample_scene(seed, EVERYTHING, "any")
        text = caption(scene, seed)
        assert text == caption(scene, seed)
        texts.append(text)
        lengths.append(len(tokenizer.encode(text)))
        for thing in scene.things:
            assert any(noun in text for noun in NOUNS[thing.object])
            assert any(word in text for word in COLOUR_WORDS[thing.colour])
        assert any(phrase in text for phrase in PLACE_PHRASES[scene.place])
    assert max(lengths) < 28, texts[int(np.argmax(lengths))]
    assert len(set(texts)) > 1450
    assert len({caption(sample_scene(5, EVERYTHING), seed) for seed in range(50)}) > 25


def test_what_a_caption_leaves_open_is_known() -> None:
    plain = {"objects": [{"material": "shiny"}], "camera": "static"}
    assert leaves_open("a red ball rolls on sand", plain) == {"material", "camera"}
    assert leaves_open("on sand, a glossy red ball rolls, fixed camera", plain) == frozenset()
    assert leaves_open("a shining ball", plain) == {"material", "camera"}, "that is another material's word"
    pair = {"objects": [{"material": "shiny"}, {"material": "matte"}], "camera": "zoom"}
    assert leaves_open("a polished red ball spins beside a blue cube, slow zoom in", pair) == {"material"}
    open_ = [leaves_open(caption(scene, 1), scene.attributes()) for scene in (sample_scene(s, EVERYTHING) for s in range(300))]
    assert 0.2 < np.mean(["material" in each for each in open_]) < 0.8


def test_free_captions_fit_and_are_not_the_evaluations() -> None:
    tokenizer = WordPiece.from_file(VOCABULARY)
    written = {entry["text"].lower() for entry in json.loads(PARAPHRASES.read_text())}
    texts = []
    for seed in range(3000):
        scene = sample_scene(seed, EVERYTHING, "any")
        text = free_caption(scene, seed)
        assert text == free_caption(scene, seed)
        assert len(tokenizer.encode(text)) <= MAX_TOKENS, text
        assert text not in written
        thing = scene.things[0]
        assert any(noun in text for noun in (*NOUNS[thing.object], *FREE_NOUNS[thing.object]))
        assert any(word in text for word in (*COLOUR_WORDS[thing.colour], *FREE_COLOURS[thing.colour]))
        texts.append(text)
    assert len(set(texts)) > 2900
    verbs = [forms for motion in FREE_MOTIONS.values() for forms in motion]
    assert all(ing.split()[0].endswith("ing") and third.split()[0].endswith("s") for _, third, ing in verbs)


# --- pictures ---------------------------------------------------------------------------------------------------------
def test_a_clip_does_not_depend_on_its_batch() -> None:
    scenes = [sample_scene(i, WorldConfig(pair=0.5), "any") for i in range(4)]
    together = render(scenes, 32, 3, compiled=False)
    assert together.shape == (4, 3, 3, 32, 32) and together.dtype == torch.uint8
    for i in (0, 3):
        assert torch.equal(render([scenes[i]], 32, 3, compiled=False)[0], together[i])
    # Sizes that tiles do not divide, and a longer clip with the same beginning.
    assert torch.equal(render(scenes[:1], 32, 5, compiled=False)[0, :3], together[0])
    assert render(scenes[:2], 44, 1, compiled=False).shape == (2, 1, 3, 44, 44)


def test_two_resolutions_show_the_same_picture() -> None:
    scenes = [sample_scene(i, WorldConfig(pair=0.5), "any") for i in range(3)]
    small = render(scenes, 48, 1, compiled=False).float()[:, 0]
    large = torch.nn.functional.avg_pool2d(render(scenes, 96, 1, compiled=False).float()[:, 0], 2)
    assert (small - large).abs().mean() < 2.0


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow", "white", "black"])
def test_the_object_has_its_colour(colour: str) -> None:
    picture = render([one("cube", colour)], 64, 1, compiled=False)[0, 0].float() / 255
    r, g, b = picture[:, 28:44, 28:36].mean(dim=(1, 2)).tolist()
    high, low = 0.55, 0.38
    expected = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "white": (1, 1, 1), "black": (0, 0, 0)}
    for value, on in zip((r, g, b), expected[colour], strict=True):
        assert value > high if on else value < low, (r, g, b)


def test_objects_cast_shadows_and_glow() -> None:
    plain, glowing = render([one("ball", "red", "float", "studio"), one("ball", "red", "float", "night", material="glowing")], 64, 1,
                            compiled=False)[:, 0].float()  # fmt: skip
    ground = plain[:, 44:, :].mean(0)
    assert ground.min() < 0.75 * ground.max()
    dark = render([one("ball", "red", "float", "night")], 64, 1, compiled=False)[0, 0].float()
    assert glowing[0].mean() > 1.3 * dark[0].mean()


@pytest.mark.parametrize("motion", [m for m in MOTIONS if m != "still"])
def test_moving_things_move_smoothly(motion: str) -> None:
    object_ = "ring" if motion == "spin" else "ball"
    clip = render([one(object_, "red", motion, "grass")], 48, 33, compiled=False)[0].float()
    step = (clip[1:] - clip[:-1]).abs().mean(dim=(1, 2, 3))
    assert step.max() > 0.3
    assert step.max() < 30.0
    still = render([one("ball", "red", "still", "grass")], 48, 2, compiled=False)[0].float()
    assert (still[1] - still[0]).abs().max() == 0


def test_tiles_without_objects_are_the_same_as_drawn_in_full() -> None:
    """``needs`` is never wrongly false: where it says no object is needed, the full picture equals the backdrop."""
    ys, xs = torch.meshgrid(torch.linspace(0.36, -0.36, 48), torch.linspace(-0.36, 0.36, 48), indexing="ij")
    px, py = xs.reshape(1, -1), ys.reshape(1, -1)
    for seed in range(12):
        scene = sample_scene(seed, WorldConfig(pair=0.5), "any")
        table = torch.from_numpy(frame_parameters(scene, 17)[::8])
        table[:, LAYOUT["pixel"][0]] = 0.72 / 48
        first, second = shading.needs(table, px, py)
        full = torch.stack(shading.shade(table, px, py, len(scene.things)))
        bare = torch.stack(shading.shade(table, px, py, 0))
        free = ~(first | second)
        assert free.float().mean() > 0.05
        assert (full - bare).abs()[:, free].max() < 1.0
        assert torch.isfinite(full).all()


@pytest.mark.parametrize("camera", ["static", "orbit", "zoom", "pan"])
@pytest.mark.parametrize("object_", ["ball", "cube"])
def test_a_clip_that_goes_on_begins_as_the_planned_one(object_: str, camera: str) -> None:
    """What rolls past is centred in the clip it was planned for, however long it is drawn."""
    scene = one(object_, motion="roll", camera=camera)
    planned, longer = frame_parameters(scene, 33), frame_parameters(scene, 65, planned=33)
    np.testing.assert_array_equal(longer[:33], planned)
    assert np.abs(frame_parameters(scene, 65)[:33] - planned).max() > 0.1
    assert np.isfinite(longer).all()


@pytest.mark.parametrize("camera", ["static", "pan"])
def test_what_is_in_the_picture_is_drawn(camera: str) -> None:
    scene = one(motion="roll", place="grass", camera=camera)
    frames = 81
    shown = in_picture(scene, frames, planned=33)
    red, green = render([scene], 48, frames, compiled=False, planned=33)[0, :, :2].float().unbind(1)
    drawn = (red - green > 60).any(-1).any(-1).numpy()  # the ball, on green
    assert shown[16] and drawn[shown].all()
    if camera == "static":  # it rolls out, for good: first its centre, then all of it
        assert not drawn[-1] and 0 < drawn[16:].sum() - shown[16:].sum() < 20
        assert in_picture(one(motion="spin"), frames, planned=33).all()


def test_compiled_equals_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full picture of one object, compiled as in production but with one tracing step: more only lengthen the program."""
    for name in ("PRIMARY_STEPS", "SHADOW_STEPS", "MIRROR_STEPS"):
        monkeypatch.setattr(shading, name, 1)
    table = torch.from_numpy(np.concatenate([
        frame_parameters(one("cube", "blue", "spin", "water", material="shiny"), 4),
        frame_parameters(one("ring", "yellow", "bounce", "night", material="glowing"), 4),
    ]))  # fmt: skip
    table[:, LAYOUT["pixel"][0]] = 0.72 / 32
    ys, xs = torch.meshgrid(torch.linspace(0.36, -0.36, 32), torch.linspace(-0.36, 0.36, 32), indexing="ij")
    px, py = xs.reshape(1, -1), ys.reshape(1, -1)
    eager = drawing._one(table, px, py).int()
    compiled = drawing._run(drawing._one, len(table), table, px, py).int()
    assert not drawing._broken, "torch.compile failed: is g++ installed?"
    assert ((compiled - eager).abs() <= 2).float().mean() > 0.999


def test_contact_sheet(tmp_path: Path) -> None:
    clips = list(render([one(), one("cone", "green")], 32, 4, compiled=False))
    contact_sheet(clips, tmp_path / "sheet.png", ["a red ball", "a green cone"], columns=3)
    assert Image.open(tmp_path / "sheet.png").size == (4 + 3 * 36, 4 + 2 * (32 + 18 + 4))
    with pytest.raises(ValueError, match="2 videos but 1 captions"):
        contact_sheet(clips, tmp_path / "sheet.png", ["one"])


def test_256_pixels_show_the_same_clip_as_128() -> None:
    """Shrunk to 128 pixels, the large clip is the small one but for the edges' smoothing."""
    scenes = [sample_scene(seed, EVERYTHING, "any") for seed in (5, 6)]
    small = render(scenes, size=128, frames=3).float()
    large = render(scenes, size=256, frames=3)
    assert large.shape == (2, 3, 3, 256, 256) and large.dtype == torch.uint8
    shrunk = torch.nn.functional.avg_pool2d(large.float().flatten(0, 1), 2).view_as(small)
    error = (shrunk - small).square().mean()
    assert 10 * torch.log10(255**2 / error) > 30
