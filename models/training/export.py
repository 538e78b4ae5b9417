"""From trained torch networks to ONNX files that take pictures as they are: uint8, NHWC, BGR."""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.nets import REFINER_SIZE, Detector, Reader

# mypy: disable-error-code="misc"
# torch brings no types where it is not installed: its Module is Any there, and may be subclassed.


class _FromPictures(nn.Module):
    """``net`` fed ``(N, H, W, 3)`` uint8; the reader's logits become probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        out = self.net(pictures.permute(0, 3, 1, 2).float())
        if isinstance(out, tuple):
            return tuple(part.softmax(-1) for part in out)
        result: Tensor = out
        return result


def _size(net: nn.Module) -> tuple[int, int]:
    if isinstance(net, Reader):
        return net.size
    return (320, 320) if isinstance(net, Detector) else REFINER_SIZE


def export(net: nn.Module, path: Path) -> None:
    """Write ``net`` to ``path``; the batch is free, and the detector's height and width too."""
    outputs = ["slots", "colour", "rows"] if isinstance(net, Reader) else ["out"]
    size = _size(net)
    free = {0: "n", 1: "height", 2: "width"} if isinstance(net, Detector) else {0: "n"}
    net = net.to(memory_format=torch.contiguous_format)
    torch.onnx.export(
        _FromPictures(net).eval(),
        (torch.zeros(2, *size, 3, dtype=torch.uint8),),
        str(path),
        input_names=["pictures"],
        output_names=outputs,
        dynamic_axes={"pictures": free, **{name: {0: "n"} for name in outputs}},
        opset_version=17,
        dynamo=False,
    )


def load_checkpoint(kind: type[nn.Module], path: Path) -> nn.Module:
    """The moving average in a checkpoint of :func:`models.training.loop.train`."""
    state = torch.load(path, weights_only=True)["average"]
    net = kind()
    net.load_state_dict(
        {k.removeprefix("module."): v for k, v in state.items() if k != "n_averaged"}
    )
    return net.eval()


def average(before: Path, after: Path) -> None:
    """Halfway between two exports of one network, weight by weight, written to ``after``."""
    import onnx
    from onnx import numpy_helper

    old, new = onnx.load(str(before)), onnx.load(str(after))
    for one, other in zip(old.graph.initializer, new.graph.initializer, strict=True):
        a, b = numpy_helper.to_array(one), numpy_helper.to_array(other)
        if a.dtype.kind == "f":
            other.CopyFrom(numpy_helper.from_array(((a + b) / 2).astype(a.dtype), other.name))
    onnx.save(new, str(after))
