"""The parameters of llama.cpp."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from voiceperf import gpu
from voiceperf.engines import preload
from voiceperf.engines.base import IDLE_SPINS, LIBRARY_DEFAULT, idle_environment
from voiceperf.engines.exported import Export, Exported, arguments, command_line, left_over
from voiceperf.errors import ParameterError
from voiceperf.log import Progress
from voiceperf.models.quantisations import quantisations
from voiceperf.models.store import locate
from voiceperf.params import ALL_CORES, EngineParams, tunable
from voiceperf.roles import ABILITIES, THINKING

PRELOADED = (preload.STATIC_SPLIT, preload.MATRIX_KERNELS)
ALL_LAYERS = -1
CACHE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}  # ggml's type numbers (ggml.h)

_OF_THE_CONVERSATION = ("messages", "functions", "function_call", "tools", "tool_choice", "add_generation_prompt",
                        "eos_token", "bos_token", "raise_exception", "strftime_now")  # fmt: skip


@dataclass(frozen=True)
class LlamaParams(EngineParams):
    """Everything about llama.cpp that is worth tuning for a voice agent's short replies."""

    engine: ClassVar[str] = "llama"
    role: ClassVar[str] = THINKING
    can: ClassVar[frozenset[str]] = ABILITIES
    title: ClassVar[str] = "llama.cpp"
    home: ClassVar[str] = "https://github.com/ggml-org/llama.cpp"
    distributions: ClassVar[tuple[str, ...]] = ("llama-cpp-python",)
    thread_names: ClassVar[tuple[str, ...]] = ("n_threads", "n_threads_batch")

    model: str = tunable(
        "smollm2-135m-instruct-q4_1",
        "catalogue name, or the path of a GGUF file",
        tries=("smollm2-135m-instruct-q4_0", "smollm2-135m-instruct-q4_1", "smollm2-135m-instruct-q8_0"),
    )
    n_ctx: int = tunable(1024, "context: prompt and reply together", low=64, high=131_072, unit="tokens")
    n_batch: int = tunable(512, "largest batch handed over at once", low=1, high=8192, unit="tokens")
    n_ubatch: int = tunable(
        512, "largest batch computed at once", low=1, high=8192, unit="tokens", tries=(64, 128, 512)
    )
    n_threads: int = tunable(
        ALL_CORES, "threads to decode; 0: performance cores; -1: the library's default", low=-1, high=256
    )
    n_threads_batch: int = tunable(
        ALL_CORES,
        "threads to read the prompt; 0: performance cores; -1: the library's default",
        low=-1,
        high=256,
    )
    n_gpu_layers: int = tunable(0, "layers on the GPU; -1: all", low=-1, high=1000, tries=(0, -1))
    flash_attn: bool = tunable(False, "fused attention", tries=(False, True))
    type_k: str = tunable("f16", "type of the key cache", choices=CACHE_TYPES)
    type_v: str = tunable("f16", "type of the value cache; a quantised one needs flash_attn", choices=CACHE_TYPES)
    temperature: float = tunable(0.8, "0: greedy", low=0.0, high=5.0, tries=(0.0, 0.8))
    top_k: int = tunable(40, "sample among the k likeliest; 0: all", low=0, high=1000)
    top_p: float = tunable(0.95, "sample within this probability mass", low=0.0, high=1.0)
    min_p: float = tunable(0.05, "drop tokens below this share of the likeliest", low=0.0, high=1.0)
    repeat_penalty: float = tunable(1.0, "1: none", low=0.5, high=2.0)
    seed: int = tunable(61, "seed of the sampler; a fixed one makes replies repeatable", low=0, high=2**32 - 2)
    max_tokens: int = tunable(96, "longest reply", low=1, high=4096, unit="tokens")
    stop: tuple[str, ...] = tunable((), "texts that end a reply")
    template_args: tuple[str, ...] = tunable((), "what the chat template is told, as in enable_thinking=false")
    use_mmap: bool = tunable(True, "map the file instead of reading it", neutral=True, tries=(False, True))
    static_split: bool = tunable(
        False,
        "give each thread one contiguous piece of every matrix (Linux, needs a C++ compiler)",
        neutral=True,
        tries=(False, True),
    )
    vnni_kernels: bool = tunable(
        False,
        "voiceperf's own products of quantised matrices (Linux, AVX-512 VNNI, needs a C++ compiler)",
        tries=(False, True),
    )
    use_mlock: bool = tunable(False, "keep the weights from being swapped out", neutral=True)
    nice: int = tunable(
        0,
        "let the other engines' processes go first: the caller waits for the first words to be spoken, not for the last"
        " ones to be thought (Unix)",
        low=0,
        high=19,
        neutral=True,
        tries=(0, 10),
        beside=True,
    )
    idle_spins: int = tunable(
        LIBRARY_DEFAULT, IDLE_SPINS, low=-1, high=10**9, neutral=True, tries=(-1, 10_000), beside=True
    )
    huge_pages: bool = tunable(
        False, "large buffers in huge pages (glibc); takes use_mmap = false", neutral=True, tries=(False, True)
    )

    def check(self) -> None:
        if self.type_v.startswith("q") and not self.flash_attn:
            raise ParameterError(f"llama.type_v = {self.type_v!r}: a quantised value cache needs flash_attn = true")
        if self.n_ubatch > self.n_batch:
            raise ParameterError(f"llama.n_ubatch = {self.n_ubatch}: cannot exceed n_batch ({self.n_batch})")
        self.template_values()

    def wording(self) -> tuple[Any, ...]:
        sampler = (self.temperature, self.top_k, self.top_p, self.min_p, self.repeat_penalty, self.seed)
        return (*sampler, self.max_tokens, self.stop, self.template_args)

    def template_values(self) -> dict[str, Any]:
        """What the chat template is told, by name: JSON where a value is some, as true and 3 are, else a text.

        Raises:
            ParameterError: one that is no `name=value`, or takes a name that the conversation itself has.
        """
        found: dict[str, Any] = {}
        for written in self.template_args:
            name, equals, value = written.partition("=")
            if not equals or not name.isidentifier() or name in _OF_THE_CONVERSATION:
                raise ParameterError(f"llama.template_args: {written!r} is none; write it as enable_thinking=false")
            try:
                found[name] = json.loads(value)
            except ValueError:
                found[name] = value
        return found

    def exports(self) -> dict[str, Export]:
        return {"llama-cpp-python": self._as_llama_cpp_python, "llama-server": self._as_llama_server}

    def _as_llama_cpp_python(self) -> Exported:
        loaded = ("n_ctx", "n_batch", "n_ubatch", "n_gpu_layers", "flash_attn", "use_mmap", "use_mlock", "seed")
        asked = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty", "max_tokens", "seed")
        threads = {name: self.threads(name) for name in self.thread_names if self.threads(name) != LIBRARY_DEFAULT}
        types = {name: CACHE_TYPES[getattr(self, name)] for name in ("type_k", "type_v")}
        values = {name: getattr(self, name) for name in loaded} | threads | types | {"verbose": False}
        request = {name: getattr(self, name) for name in asked} | ({"stop": list(self.stop)} if self.stop else {})
        text = (
            "from llama_cpp import Llama\n\n"
            f"llm = Llama(\n    {str(locate(self.model))!r},\n{arguments(values)})\n"
            "answer = llm.create_chat_completion(\n"
            '    [{"role": "user", "content": "When do you open?"}],\n'
            f"{arguments(request)})\n"
            'print(answer["choices"][0]["message"]["content"])\n'
        )
        return Exported(text, left_over(self, (*values, *self.thread_names, *request, "model", "stop")))

    def _as_llama_server(self) -> Exported:
        """Flags of llama.cpp's own server. One slot, which has the whole context, as here."""
        threads = {f"--{name[2:].replace('_', '-')}": self.threads(name) for name in self.thread_names}
        sampled = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty", "seed")
        loaded = {(True, True): "mmap+mlock", (True, False): "mmap", (False, True): "mlock", (False, False): "none"}
        flags = {
            "--model": locate(self.model),
            "--parallel": 1,
            "--ctx-size": self.n_ctx,
            "--batch-size": self.n_batch,
            "--ubatch-size": self.n_ubatch,
            **{flag: count for flag, count in threads.items() if count != LIBRARY_DEFAULT},
            "--gpu-layers": "all" if self.n_gpu_layers == ALL_LAYERS else self.n_gpu_layers,
            "--flash-attn": "on" if self.flash_attn else "off",
            "--cache-type-k": self.type_k,
            "--cache-type-v": self.type_v,
            "--load-mode": loaded[self.use_mmap, self.use_mlock],
            "--predict": self.max_tokens,
            **{f"--{name.replace('_', '-')}": getattr(self, name) for name in sampled},
            **({"--chat-template-kwargs": json.dumps(self.template_values())} if self.template_args else {}),
        }
        taken = (
            "model", "n_ctx", "n_batch", "n_ubatch", "n_gpu_layers", "flash_attn", "type_k", "type_v", "use_mmap",
            "use_mlock", "max_tokens", "template_args", *self.thread_names, *sampled,
        )  # fmt: skip
        return Exported(command_line("llama-server", flags), left_over(self, taken))

    def safer(self) -> list[dict[str, Any]]:
        """The processor, llama.cpp's own products, then unfused attention with a plain cache."""
        return [
            *([{"n_gpu_layers": 0}] if self.n_gpu_layers else []),
            {"vnni_kernels": False, "static_split": False},
            {"flash_attn": False, "type_k": "f16", "type_v": "f16"},
        ]

    def other_weights(self, making: Progress | None = None) -> list[str]:
        return [str(path) for path in quantisations(locate(self.model), making)]

    def outcome(self) -> tuple[tuple[str, Any], ...]:
        """Threads decide the output only with flash attention, where each sums its own part of the keys."""
        decisive = super().outcome()
        return decisive if self.flash_attn else tuple(one for one in decisive if one[0] not in self.thread_names)

    def niceness(self) -> int:
        return self.nice

    def alone(self) -> dict[str, Any]:
        return {"nice": 0}

    def environment(self) -> dict[str, str]:
        pages = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if self.huge_pages else {}
        return preload.environment(self, PRELOADED) | idle_environment(self.idle_spins) | pages


def is_built_for_cuda() -> bool:
    """Whether the installed llama-cpp-python has ggml's code for NVIDIA's GPUs."""
    return bool(gpu.files_of("llama_cpp", "lib/*ggml-cuda*"))
