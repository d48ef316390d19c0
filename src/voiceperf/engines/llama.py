"""llama.cpp through llama-cpp-python: the reply, token by token, and the scores behind the quality gate.

The loop is our own, over llama.cpp's public sampler functions: it counts the first token, suppresses the end
of the sequence natively where a fixed length is asked for, and costs no Python callback per token.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import llama_cpp

from voiceperf.conversation import Message, without_oldest
from voiceperf.engines import compiled, preload
from voiceperf.engines.base import (
    FIRST_TOKEN,
    LIBRARY_DEFAULT,
    PART,
    Answered,
    Capability,
    Mark,
    Passage,
    Prompt,
    Recited,
    Reply,
    Request,
    Scores,
    installed_version,
    refuse,
    wrong_request,
)
from voiceperf.engines.chat import ChatFormat, steering
from voiceperf.engines.llama_params import CACHE_TYPES, PRELOADED, LlamaParams
from voiceperf.engines.llama_scores import recited, scores_of
from voiceperf.engines.proof import unproven
from voiceperf.engines.text_parts import TextParts
from voiceperf.errors import EngineError, ParameterError
from voiceperf.log import log_event, quiet
from voiceperf.models.store import locate

_NEVER = -1e9  # a logit bias that no logit outweighs


class LlamaEngine:
    """A loaded language model with one conversation's prefix kept warm."""

    Params: ClassVar[type[LlamaParams]] = LlamaParams

    def __init__(self, params: LlamaParams) -> None:
        refuse(params, missing(params) or unproven(params, PRELOADED, llama_cpp.llama_cpp._lib._name))
        self.params = params
        self._llm = _load(locate(params.model), params)
        vocabulary = llama_cpp.llama_model_get_vocab(self._llm.model)
        self._n_vocab = self._llm.n_vocab()
        self._ends = [t for t in range(self._n_vocab) if llama_cpp.llama_vocab_is_eog(vocabulary, t)]
        template = self._llm.metadata.get("tokenizer.chat_template")
        if template is None:
            raise EngineError(f"{params.model}: the GGUF file carries no chat template; use an instruct model")
        ends = (self._llm.token_eos(), self._llm.token_bos())
        controls, own = steering(vocabulary, self._ends)
        self._format = ChatFormat(
            params.model,
            template,
            (self._text_of(ends[0]), self._text_of(ends[1])),
            controls,
            lambda text, is_begin, special: self._llm.tokenize(text.encode(), add_bos=is_begin, special=special),
            own=own,
            told=params.template_values(),
        )
        self._warm: list[int] = []
        self._fitted: tuple[Prompt | None, tuple[list[Message], int]] = (None, ([], 0))  # the last request

    def _text_of(self, token: int) -> str:
        text: str = self._llm.detokenize([token], special=True).decode(errors="replace")
        return text

    def prepare(self, request: Request) -> None:
        """Read the conversation up to the caller's last words, as a live agent has done by then."""
        if isinstance(request, Prompt):
            self._rewind([] if request.cold else self._warm_prefix(request))

    def _longest(self, request: Prompt) -> int:
        """The most tokens that the reply may have."""
        return len(self._script(request)) or request.n_tokens or self.params.max_tokens

    def _fitting(self, request: Prompt) -> tuple[list[Message], int]:
        """What of the conversation fits the context together with the reply, and how many messages do not.

        Raises:
            ParameterError: not even the system prompt and the last words do.
        """
        if request == self._fitted[0]:
            return self._fitted[1]
        room = self.params.n_ctx - self._longest(request)
        found = without_oldest(
            request.messages, lambda some: len(self._format.tokens(some, reply_follows=not request.is_ahead)) <= room
        )
        if found is None:
            raise ParameterError(
                f"llama.n_ctx = {self.params.n_ctx}: too short for the system prompt, the last words and"
                f" {self._longest(request)} tokens of reply; raise it, or lower llama.max_tokens"
            )
        if found[1]:
            log_event("dropped", engine="llama", messages=found[1], n_ctx=self.params.n_ctx)
        self._fitted = request, found
        return found

    def _warm_prefix(self, request: Prompt) -> list[int]:
        messages, _ = self._fitting(request)
        if request.is_ahead:
            return self._format.tokens(messages, reply_follows=False)
        prompt = self._format.tokens(messages, reply_follows=True)
        history = self._format.tokens(messages[:-1], reply_follows=False) if messages[:-1] else []
        return prompt[: llama_cpp.Llama.longest_token_prefix(history, prompt)]

    def _rewind(self, prefix: list[int]) -> None:
        """Make the prefix, read in one go, what the context holds.

        A longer conversation that merely begins with it will not do: its keys and values come from batches of
        another shape, differ in their last bits, and so would make a sampled reply depend on earlier calls.
        """
        if prefix == self._warm:
            self._llm.n_tokens = len(prefix)
        else:
            self._llm.reset()
            if prefix:
                self._llm.eval(prefix)
                llama_cpp.llama_synchronize(self._llm.ctx)  # a GPU may still read when the call is back
            self._warm = prefix

    def run(self, request: Request, mark: Mark) -> Reply | Scores | Recited:
        if isinstance(request, Passage | Answered):
            self._warm = []  # scoring clears the context
            if isinstance(request, Passage):
                return scores_of(self._llm, request.text)
            return recited(self._llm, self._format.tokens(request.messages, reply_follows=True), request.text)
        if not isinstance(request, Prompt):
            raise ParameterError(wrong_request("llama", request))
        if request.is_ahead:
            return Reply("", (), 0)
        messages, dropped = self._fitting(request)
        prompt, longest = self._format.tokens(messages, reply_follows=True), self._longest(request)
        unread = self._unread(prompt)
        self._llm.eval(unread)
        script = self._script(request)
        ends_itself = request.n_tokens is None and not script
        reply: list[int] = []
        parts = TextParts(self.params.stop)
        for sampled in self._sampled(endless=not ends_itself):
            token = script[len(reply)] if script else sampled
            if not reply:
                mark(FIRST_TOKEN)
            if ends_itself and (token in self._ends or self._stopped(reply)):
                break
            if part := parts.add(self._llm.detokenize([token], prev_tokens=reply)):
                mark(PART, part)
            reply.append(token)
            if len(reply) == longest:
                break
            self._llm.eval([token])
        if part := parts.rest():
            mark(PART, part)
        return Reply(self._text(reply), tuple(reply), len(unread), dropped)

    def _script(self, request: Prompt) -> list[int]:
        tokens: list[int] = self._llm.tokenize(request.script.encode(), add_bos=False) if request.script else []
        return tokens

    def _unread(self, prompt: list[int]) -> list[int]:
        """What of the prompt is not in the context yet; at least its last token, whose logits are needed."""
        held = self._llm.input_ids[: self._llm.n_tokens].tolist()
        known = min(llama_cpp.Llama.longest_token_prefix(held, prompt), len(prompt) - 1)
        self._llm.n_tokens = known
        return prompt[known:]

    def _sampled(self, *, endless: bool) -> Iterator[int]:
        """Tokens from the current logits, one for each time the caller has evaluated the one before."""
        with self._sampler(endless=endless) as sampler:
            while True:
                yield llama_cpp.llama_sampler_sample(sampler, self._llm.ctx, -1)

    @contextlib.contextmanager
    def _sampler(self, *, endless: bool) -> Iterator[Any]:
        """The sampler chain in llama-cpp-python's order, after a bias against every end of sequence."""
        p = self.params
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        links = []
        if endless:
            biases = (llama_cpp.llama_logit_bias * len(self._ends))(*[(token, _NEVER) for token in self._ends])
            links.append(llama_cpp.llama_sampler_init_logit_bias(self._n_vocab, len(self._ends), biases))
        if p.repeat_penalty != 1.0:
            links.append(llama_cpp.llama_sampler_init_penalties(self._n_vocab, 64, p.repeat_penalty, 0.0, 0.0))
        if p.temperature == 0.0:
            links.append(llama_cpp.llama_sampler_init_greedy())
        else:
            links += [
                llama_cpp.llama_sampler_init_top_k(p.top_k),
                llama_cpp.llama_sampler_init_top_p(p.top_p, 1),
                llama_cpp.llama_sampler_init_min_p(p.min_p, 1),
                llama_cpp.llama_sampler_init_temp(p.temperature),
                llama_cpp.llama_sampler_init_dist(p.seed),
            ]
        for link in links:
            llama_cpp.llama_sampler_chain_add(chain, link)
        try:
            yield chain
        finally:
            llama_cpp.llama_sampler_free(chain)

    def _stopped(self, reply: list[int]) -> bool:
        return bool(self.params.stop) and any(text in self._text(reply) for text in self.params.stop)

    def _text(self, reply: list[int]) -> str:
        text: str = self._llm.detokenize(reply).decode(errors="replace")
        for stop in self.params.stop:
            text = text.split(stop, 1)[0]
        return text.strip()

    def kernels(self) -> preload.Kernels:
        return preload.kernels(self.params, PRELOADED)

    def close(self) -> None:
        self._llm.close()


def _load(path: Path, params: LlamaParams) -> llama_cpp.Llama:
    counts = {name: params.threads(name) for name in params.thread_names}
    try:
        return llama_cpp.Llama(
            str(path),
            n_ctx=params.n_ctx,
            n_batch=params.n_batch,
            n_ubatch=params.n_ubatch,
            **{name: None if count == LIBRARY_DEFAULT else count for name, count in counts.items()},
            n_gpu_layers=params.n_gpu_layers,
            # without layers on the GPU nothing is there: by itself, llama.cpp takes large products there all the same
            offload_kqv=bool(params.n_gpu_layers),
            op_offload=bool(params.n_gpu_layers),
            flash_attn=params.flash_attn,
            type_k=CACHE_TYPES[params.type_k],
            type_v=CACHE_TYPES[params.type_v],
            use_mmap=params.use_mmap,
            use_mlock=params.use_mlock,
            verbose=False,
        )
    except (ValueError, RuntimeError) as error:
        raise EngineError(f"llama.cpp cannot load {path}: not a whole GGUF model? ({error})") from None


def capabilities() -> list[Capability]:
    """What this build of llama-cpp-python can do."""
    with quiet():  # it says which GPUs there are
        system = llama_cpp.llama_print_system_info().decode()
    wide = "AVX512 = 1" in system or "NEON = 1" in system
    return [
        Capability(f"llama-cpp-python {installed_version('llama-cpp-python')}", True),
        Capability("flash attention", True),
        Capability("GPU", llama_cpp.llama_supports_gpu_offload(), "rebuild with CMAKE_ARGS=-DGGML_CUDA=on (or METAL)"),
        Capability("mmap", llama_cpp.llama_supports_mmap()),
        Capability("mlock", llama_cpp.llama_supports_mlock()),
        *(library.capability() for library in PRELOADED),
        Capability("this CPU's widest vectors", wide, "rebuild on this machine with GGML_NATIVE=ON"),
    ]


def missing(params: LlamaParams) -> dict[str, str]:
    """The parameters that this build and machine have no means for, with the reason."""
    able = {capability.name: capability for capability in capabilities()}
    found = compiled.missing(params, PRELOADED)
    if params.n_gpu_layers and not able["GPU"].available:
        found["n_gpu_layers"] = f"this build of llama.cpp has or sees no GPU; {able['GPU'].remedy}"
    if params.use_mlock and not able["mlock"].available:
        found["use_mlock"] = "this system cannot lock memory; leave it off"
    return found
