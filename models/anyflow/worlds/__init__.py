"""Worlds: small lit 3D scenes with captions and ground truth, drawn by ray casting in PyTorch."""

from .captions import caption, leaves_open
from .free_captions import free_caption
from .render import render
from .scene import Scene, Thing, WorldConfig, is_held_out, sample_scene, scene_from_attributes, scene_is_held_out
from .sheet import contact_sheet
from .vocabulary import DEFAULT_FRAMES, FPS

__all__ = [
    "DEFAULT_FRAMES",
    "FPS",
    "Scene",
    "Thing",
    "WorldConfig",
    "caption",
    "contact_sheet",
    "free_caption",
    "is_held_out",
    "leaves_open",
    "render",
    "sample_scene",
    "scene_from_attributes",
    "scene_is_held_out",
]
