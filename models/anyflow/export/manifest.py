"""``manifest.json`` (format anyflow-studio/1, documented in models/README.md): writing it, and checking a package by it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

FORMAT = "anyflow-studio/1"
GRAPHS = ("text", "step", "cache", "decoder", "encoder")
_DTYPES = {TensorProto.FLOAT: "float32", TensorProto.INT32: "int32", TensorProto.INT64: "int64"}


class PackageError(ValueError):
    """A model package that does not agree with its manifest."""


@dataclass(frozen=True)
class PackageInfo:
    """What the weights cannot tell: names, provenance, and how the student was trained to be sampled."""

    id: str
    name: str
    description: str
    config: str
    date: str
    commit: str
    shift: float
    chunk_first: int
    chunk_rest: int
    fps: int = 16
    max_frames: int = 33
    default_frames: int = 33
    guidance_fused: bool = True
    stage: str = "student"
    licence: Mapping[str, str] = field(default_factory=lambda: {"name": "Apache-2.0"})
    metrics: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[tuple[str, int], ...] = ()


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def file_entry(directory: Path, path: str) -> dict[str, Any]:
    """One item of the manifest's ``files``."""
    return {"path": path, "bytes": (directory / path).stat().st_size, "sha256": sha256(directory / path)}


def _tensor(value: onnx.ValueInfoProto, sizes: Mapping[str, int]) -> dict[str, Any]:
    tensor = value.type.tensor_type
    shape = [sizes.get(d.dim_param, d.dim_param) if d.HasField("dim_param") else d.dim_value for d in tensor.shape.dim]
    return {"name": value.name, "dtype": _DTYPES[tensor.elem_type], "shape": shape}


def graph_entry(directory: Path, name: str, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """One item of the manifest's ``graphs``, read from the ONNX file. ``sizes`` fixes named axes."""
    model = onnx.load(directory / f"{name}.onnx", load_external_data=False)
    external = {entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"}
    inputs = [_tensor(value, sizes or {}) for value in model.graph.input]
    entry: dict[str, Any] = {
        "file": f"{name}.onnx",
        "externalData": sorted(external),
        "inputs": inputs,
        "outputs": [_tensor(value, sizes or {}) for value in model.graph.output],
    }
    states = [tensor for tensor in inputs if tensor["name"].startswith("state_")]
    if states:
        entry["state"] = [{"input": tensor["name"], "output": f"next_{tensor['name']}", "shape": tensor["shape"]} for tensor in states]
    return entry


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, whole or not at all; a list of numbers takes one line, however long it is."""
    text = json.dumps(manifest, indent=2)
    text = re.sub(r"\[\s+([-+.\deE,\s]+?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, path)


def check_package(directory: Path) -> dict[str, Any]:
    """Read the manifest of ``directory`` and hold every file against it.

    Raises:
        PackageError: no manifest, another format, a missing file, or one whose size or hash differs.
    """
    path = directory / "manifest.json"
    if not path.is_file():
        raise PackageError(f"{directory} has no manifest.json; export the model again")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise PackageError(f"{path}: format {manifest.get('format')!r}, this code reads {FORMAT!r}")
    for entry in manifest["files"]:
        if not (directory / entry["path"]).is_file():
            raise PackageError(f"{directory} lacks {entry['path']}, which the manifest lists; export the model again")
        found = file_entry(directory, entry["path"])
        if found != entry:
            raise PackageError(
                f"{entry['path']}: {found['bytes']} bytes, sha256 {found['sha256'][:12]}; the manifest says "
                f"{entry['bytes']} bytes, {entry['sha256'][:12]}; export the model again"
            )
    listed = {entry["path"] for entry in manifest["files"]}
    for name, graph in manifest["graphs"].items():
        if missing := {graph["file"], *graph["externalData"]} - listed:
            raise PackageError(f"graph {name!r} needs {sorted(missing)}, absent from the manifest's files")
    return manifest
