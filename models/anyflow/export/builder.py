"""A small ONNX graph builder: nodes by name, weights in one external-data file that several graphs may share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
CONTRIB = "com.microsoft"
_ALIGNMENT = 64
_INLINE_BYTES = 1024  # shapes, scalars and small vectors stay in the graph, where shape inference can read them


class WeightFile:
    """One external-data file; a tensor added twice under one name (from two graphs) is stored once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._data = bytearray()
        self._entries: dict[str, tuple[int, bytes]] = {}

    def add(self, name: str, array: np.ndarray) -> TensorProto:
        """Store ``array`` and return an initializer called ``name`` that refers to it."""
        raw = np.ascontiguousarray(array).tobytes()
        if name not in self._entries:
            self._data.extend(b"\0" * (-len(self._data) % _ALIGNMENT))
            self._entries[name] = (len(self._data), raw)
            self._data.extend(raw)
        offset, stored = self._entries[name]
        if stored != raw:
            raise ValueError(f"Two different tensors were both called {name!r} in {self.name}")
        tensor = TensorProto(name=name, dims=array.shape, data_location=TensorProto.EXTERNAL)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        for key, value in (("location", self.name), ("offset", str(offset)), ("length", str(len(raw)))):
            tensor.external_data.add(key=key, value=value)
        return tensor

    def write(self, directory: Path) -> Path:
        """Write the file into ``directory``."""
        path = directory / self.name
        path.write_bytes(bytes(self._data))
        return path


class GraphBuilder:
    """Collects inputs, nodes, weights and outputs, then makes a checked ``ModelProto``."""

    def __init__(self, name: str, weights: WeightFile) -> None:
        self.name = name
        self.weights = weights
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, TensorProto] = {}
        self._ready: dict[str, str] = {}
        self._counter = 0

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        """Declare a graph input; strings in ``shape`` are dynamic axes."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def output(self, value: str, name: str, dtype: int, shape: Sequence[int | str]) -> None:
        """Make ``value`` (a node's result) the graph output called ``name``."""
        if not any(value in node.output for node in self._nodes):
            raise ValueError(f"{value!r} is no node's result, so it cannot be the output {name!r}")
        for node in self._nodes:
            for names in (node.input, node.output):
                for index, existing in enumerate(names):
                    if existing == value:
                        names[index] = name
        self._outputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))

    def op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: object) -> str:
        """Append a node and return its first output (``ops`` returns all)."""
        return self.ops(kind, *inputs, outputs=outputs, domain=domain, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: object) -> list[str]:
        """Append a node with several outputs."""
        self._counter += 1
        stem = f"{kind}_{self._counter}"
        names = [stem if outputs == 1 else f"{stem}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=stem, domain=domain, **attributes))
        return names

    def constant(self, array: np.ndarray | Sequence[int], dtype: type = np.int64) -> str:
        """An inline constant (shapes, axes, scalars), shared by equal content."""
        value = np.asarray(array, dtype=dtype)
        key = f"const_{value.dtype}_{'x'.join(map(str, value.shape))}_{value.tobytes().hex()}"
        if key not in self._ready:
            self._ready[key] = f"constant_{len(self._ready)}"
            self._initializers[self._ready[key]] = numpy_helper.from_array(value, self._ready[key])
        return self._ready[key]

    def scalar(self, value: float) -> str:
        """An inline float32 scalar."""
        return self.constant(np.float32(value), np.float32)

    def raw_weight(self, name: str, array: np.ndarray) -> str:
        """A weight stored as it is."""
        if name not in self._initializers:
            small = array.nbytes <= _INLINE_BYTES
            self._initializers[name] = numpy_helper.from_array(array, name) if small else self.weights.add(name, array)
        return name

    def weight(self, name: str, array: np.ndarray) -> str:
        """A float weight stored as float16, with a Cast to float32 that onnxruntime folds when the session is made."""
        if name not in self._ready:
            if np.abs(array).max(initial=0) > np.finfo(np.float16).max:
                raise ValueError(f"{name} has values beyond float16's 65504; this network cannot be stored in fp16")
            self.raw_weight(name, array.astype(np.float16))
            self._ready[name] = f"{name}_f32"
            self._nodes.append(helper.make_node("Cast", [name], [f"{name}_f32"], name=f"cast_{name}", to=TensorProto.FLOAT))
        return self._ready[name]

    def reshape(self, value: str, *shape: int) -> str:
        """Reshape; 0 copies the input's axis, -1 is what is left."""
        return self.op("Reshape", value, self.constant(shape))

    def save(self, directory: Path) -> Path:
        """Write ``<name>.onnx``; the weight file is written by its owner."""
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, list(self._initializers.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, producer_name="anyflow-studio", opset_imports=opsets, ir_version=10)
        path = directory / f"{self.name}.onnx"
        onnx.save(model, path)
        return path
