"""The shipped networks back into torch, so that training can go on where it ended.

In: an exported ONNX file and a fresh network of the same layout. Out: that network with the file's
weights. Export folds each batch norm into its convolution; here it gets statistics again, those of
pictures it is shown, and a scale and shift that undo them: in evaluation nothing has changed, in
training it starts where it should.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wire.errors import InputError


def _folded(net: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions of ``net`` in the order they run, each with the batch norm after it."""
    modules = list(net.modules())
    for index, module in enumerate(modules):
        if isinstance(module, nn.Conv2d):
            after = modules[index + 1] if index + 1 < len(modules) else None
            yield module, after if isinstance(after, nn.BatchNorm2d) else None


def _plain(norm: nn.BatchNorm2d, shift: Tensor) -> None:
    """Make ``norm`` add ``shift`` in evaluation, and nothing else."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.fill_((1.0 + norm.eps) ** 0.5)
    norm.bias.copy_(shift)


def _read(path: Path) -> tuple[list[Any], dict[str, Tensor]]:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    values = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
        for item in graph.initializer
    }
    return list(graph.node), values


def restore(net: nn.Module, path: Path) -> None:
    """Load the weights of the ONNX file at ``path`` into ``net``.

    Raises:
        InputError: the file holds another network.
    """
    nodes, values = _read(path)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    layers = list(_folded(net))
    if len(convolutions) != len(layers):
        raise InputError(f"{path}: {len(convolutions)} convolutions, {len(layers)} expected")
    with torch.no_grad():
        for node, (layer, norm) in zip(convolutions, layers, strict=True):
            weight, bias = (values[name] for name in node.input[1:3])
            if weight.shape != layer.weight.shape:
                raise InputError(f"{path}: {node.name} is {tuple(weight.shape)}")
            layer.weight.copy_(weight)
            if norm is not None:
                _plain(norm, bias)
            elif layer.bias is not None:
                layer.bias.copy_(bias)
        done = {parameter for pair in layers for m in pair if m for parameter in m.parameters()}
        named = _named(nodes, values)
        for name, parameter in net.named_parameters():
            if parameter in done:
                continue
            if name not in named:
                raise InputError(f"{path}: lacks {name}")
            parameter.copy_(named[name])


def _named(nodes: list[Any], values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights outside convolutions by the name of their parameter."""
    names = {name.removeprefix("net."): value for name, value in values.items()}
    for node in nodes:  # a linear layer on more than one axis is a plain product in the file
        if node.op_type == "MatMul" and node.input[1] in values:
            module = node.name.strip("/").split("/")[-2]
            names[f"{module}.weight"] = values[node.input[1]].T
    return names


def settle(net: nn.Module, pictures: Tensor) -> None:
    """Give the batch norms of a restored ``net`` the statistics of ``pictures`` (N, 3, H, W)."""
    hooks, seen = [], {}
    for layer, norm in _folded(net):
        if norm is not None:

            def keep(_: nn.Module, __: object, out: Tensor, norm: nn.BatchNorm2d = norm) -> None:
                seen[norm] = out.var((0, 2, 3)), out.mean((0, 2, 3))

            hooks.append(layer.register_forward_hook(keep))
    with torch.no_grad():
        net.eval()(pictures)
        for norm, (variance, mean) in seen.items():
            norm.bias.add_(mean)
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
    for hook in hooks:
        hook.remove()
