"""ONNX Runtime sessions with explicit threads and providers: the one place that opens a network.

In: the path of a verified ``.onnx`` file. Out: a session whose ``run`` may be called from any number
of threads at once (ONNX Runtime's guarantee). On a processor a network is rewritten first where that costs
less and gives the same numbers (`models.rewrites`). It never picks a provider that was not asked for, and
never falls back to the CPU in silence.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from models.rewrites import without_prelu
from wire.errors import ModelError

PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cpu": "CPUExecutionProvider",
        "cuda": "CUDAExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
    }
)
"""Our names of the providers, and ONNX Runtime's."""

_INSTALL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cpu": "pip install onnxruntime",
        "cuda": "pip uninstall -y onnxruntime && pip install onnxruntime-gpu",
        "openvino": "pip uninstall -y onnxruntime && pip install onnxruntime-openvino",
    }
)


class Session(Protocol):
    """The part of ``onnxruntime.InferenceSession`` that we use. Safe to share between threads."""

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Run the network once; arrays in the order of `output_names`, all of them for None."""
        ...

    def get_inputs(self) -> list[Any]:
        """Inputs, each with ``name``, ``shape`` and ``type``."""
        ...

    def get_outputs(self) -> list[Any]:
        """Outputs, each with ``name``, ``shape`` and ``type``."""
        ...

    def get_providers(self) -> list[str]:
        """ONNX Runtime's names of the providers that are active, first choice first."""
        ...

    def get_modelmeta(self) -> Any:
        """Metadata; ``custom_metadata_map`` is a dict of str."""
        ...


def open_session(path: Path, *, threads: int, providers: Sequence[str] = ("cpu",)) -> Session:
    """Open the network at `path`, which the caller has verified (`models.packs`).

    Args:
        path: an ``.onnx`` file.
        threads: threads inside one operator, 1 or more. With several cameras 1 is usually best: the
            workers then are the parallelism.
        providers: names of `PROVIDERS`, most wanted first. ``cpu`` takes what the others cannot.

    Raises:
        ModelError: a provider is unknown or not installed here, or the file is no network.
    """
    try:
        cheaper = without_prelu(path.read_bytes()) if list(providers[:1]) == ["cpu"] else None
    except Exception as error:  # onnx raises types of its own; a file that is not there, OSError
        raise ModelError(f"{path} cannot be opened as a network: {error}") from error
    return _open(cheaper or str(path), str(path), threads, providers)


def open_graph(
    graph: bytes, name: str, *, threads: int, providers: Sequence[str] = ("cpu",)
) -> Session:
    """Open a network that was made in memory; `name` says in errors which. Otherwise :func:`open_session`."""
    return _open(graph, name, threads, providers)


def _open(network: bytes | str, name: str, threads: int, providers: Sequence[str]) -> Session:
    import onnxruntime

    wanted = _onnxruntime_names(providers, onnxruntime.get_available_providers())
    try:
        session: Session = onnxruntime.InferenceSession(
            network, sess_options=_options(onnxruntime, threads), providers=wanted
        )
    except Exception as error:  # ONNX Runtime raises a dozen types of its own, all of one meaning
        raise ModelError(f"{name} cannot be opened as a network: {error}") from error
    active = session.get_providers()
    if active[0] != wanted[0]:  # it only warns when, say, the CUDA libraries do not load
        raise ModelError(
            f"{Path(name).name}: provider {providers[0]!r} is installed but did not start"
            f" (got {active[0]}); check its drivers, or use providers = ['cpu']"
        )
    return session


def _onnxruntime_names(providers: Sequence[str], available: Sequence[str]) -> list[str]:
    if not providers:
        raise ModelError(f"no provider given; choose from {', '.join(PROVIDERS)}")
    for name in providers:
        if name not in PROVIDERS:
            raise ModelError(f"no provider is called {name!r}; choose from {', '.join(PROVIDERS)}")
        if PROVIDERS[name] not in available:
            have = [ours for ours, theirs in PROVIDERS.items() if theirs in available]
            raise ModelError(
                f"provider {name!r} is not installed here (there is: {', '.join(have) or 'none'});"
                f" to get it: {_INSTALL[name]}"
            )
    return [PROVIDERS[name] for name in providers]


def _options(onnxruntime: Any, threads: int) -> Any:
    """Session options. Threads that wait do not spin: they would take the cores of other cameras.

    Source: ONNX Runtime, "Thread management" (``session.intra_op.allow_spinning``).
    """
    if threads < 1:
        raise ModelError(f"threads must be 1 or more, got {threads}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: they are raised as well
    return options
