"""From trained torch networks to ONNX files that take pictures as they are: uint8, NHWC, BGR."""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.plates.province import SIZE as PROVINCE_SIZE
from models.training.nets import REFINER_SIZE, Detector, ProvinceReader, Reader

# mypy: disable-error-code="misc"
# torch brings no types where it is not installed: its Module is Any there, and may be subclassed.


class _FromPictures(nn.Module):
    """``net`` fed ``(N, H, W, 3)`` uint8; logits of readers become probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        out = self.net(pictures.permute(0, 3, 1, 2).float())
        if isinstance(out, tuple):
            return tuple(part.softmax(-1) for part in out)
        result: Tensor = out.softmax(-1) if isinstance(self.net, ProvinceReader) else out
        return result


def _size(net: nn.Module) -> tuple[int, int]:
    if isinstance(net, Reader):
        return net.size
    if isinstance(net, ProvinceReader):
        return PROVINCE_SIZE, PROVINCE_SIZE
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
