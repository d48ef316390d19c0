"""Engines behind a URL, beside a small server that answers as it is told: what is sent, timed, reported and hidden."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from voiceperf import engines
from voiceperf.audio import as_wav
from voiceperf.engines.base import Line, Passage, Prompt, Utterance
from voiceperf.errors import EngineError, ParameterError
from voiceperf.measure.clock import SystemClock, Timing, timed_run
from voiceperf.measure.contender import Contender
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.quality.outputs import decisive
from voiceperf.suite.workloads import paced_ns

KEY = "sk-this-is-a-secret"
ASKED = Prompt(({"role": "user", "content": "May I come at two?"},), 32)
SPEECH = (0.1 * np.sin(np.arange(16_000) / 10)).astype(np.float32)


def chunk(content=None, usage=None):
    choices = [] if content is None else [{"index": 0, "delta": {"content": content}, "finish_reason": None}]
    fields = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return f"data: {json.dumps({**fields, 'choices': choices, 'usage': usage})}\n\n".encode()


@contextlib.contextmanager
def serving(answers):
    """A server with an answer for each path: a status, a type and the pieces of a body; it keeps what it was sent."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, kind, pieces = answers[self.path]
            self.send_response(status)
            self.send_header("content-type", kind)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

        do_GET = do_POST = answer  # noqa: N815  # the library's names

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def loaded(name, **values):
    engine = engines.load(engines.params_class(name).parse(values))
    try:
        yield engine
    finally:
        engine.close()


def test_a_reply_is_timed_and_counted():
    """The first token is marked, the parts are put together, and the server's own count of tokens is used."""
    said = [chunk(""), chunk("At two"), chunk(" is fine."), chunk(usage=usage(9, 5)), b"data: [DONE]\n\n"]
    with (
        serving({"/chat/completions": (200, "text/event-stream", said)}) as (url, seen),
        loaded("openai_thinking", url=url, model="m") as engine,
    ):
        timing, reply = timed_run(engine, ASKED, SystemClock())
    assert (reply.text, reply.tokens, reply.prompt_tokens) == ("At two is fine.", 5, 9)
    assert 0 < timing.ttft_ms <= timing.wall_ms
    sent = json.loads(seen[0][2])
    assert (sent["messages"], sent["max_tokens"], sent["stream"]) == (list(ASKED.messages), 32, True)


def usage(read, written):
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def test_a_server_that_counts_nothing_has_its_parts_counted():
    """Without a usage in the stream every part counts as a token."""
    said = [chunk("a"), chunk("b"), b"data: [DONE]\n\n"]
    with (
        serving({"/chat/completions": (200, "text/event-stream", said)}) as (url, _),
        loaded("openai_thinking", url=url, model="m") as engine,
    ):
        assert timed_run(engine, ASKED, SystemClock())[1].tokens == 2


def test_replies_of_other_lengths_are_compared_at_their_own_pace():
    """A reply that ends after 11 tokens costs what 32 would have taken at its pace."""
    timing = took(first=100, wall=300, tokens=11)
    assert paced_ns(timing) == 100 + 20 * 31
    assert paced_ns(took(first=100, wall=300, tokens=1)) == 300


def took(first, wall, tokens):
    return Timing(wall, 0, {"first_token": first}, tokens)


def test_speech_is_sent_as_a_file_and_heard():
    """An utterance goes out as a WAV file with the language; the text comes back stripped."""
    answer = (200, "application/json", [json.dumps({"text": " At two. "}).encode()])
    with (
        serving({"/audio/transcriptions": answer}) as (url, seen),
        loaded("openai_hearing", url=url, model="w") as engine,
    ):
        transcript = timed_run(engine, Utterance(SPEECH), SystemClock())[1]
    assert (transcript.text, transcript.audio_s) == ("At two.", 1.0)
    assert as_wav(SPEECH, 16_000) in seen[0][2]
    assert b'name="language"\r\n\r\nen' in seen[0][2]


@pytest.mark.parametrize("form", ["wav", "pcm"])
def test_sound_is_taken_as_it_comes(form):
    """The first sound is marked when it comes, not with the header before it; silence around it is not heard."""
    rate_hz = 24_000
    tone = (0.5 * np.sin(np.arange(rate_hz) / 10)).astype(np.float32)
    sound = np.concatenate([np.zeros(rate_hz, np.float32), tone])
    wav = as_wav(sound, rate_hz)
    pieces = [wav[:44], wav[44:9000], wav[9000:]] if form == "wav" else [wav[44:9001], wav[9001:]]
    with (
        serving({"/audio/speech": (200, "audio/wav", pieces)}) as (url, seen),
        loaded("openai_speaking", url=url, model="k", voice="v", form=form) as engine,
    ):
        timing, speech = timed_run(engine, Line("At two."), SystemClock())
    assert speech.audio == pytest.approx(sound, abs=1e-4)
    assert (speech.rate_hz, speech.audio_s, speech.heard_s) == (rate_hz, 2.0, pytest.approx(1.0, abs=0.03))
    assert "first_audio" in timing.marks_ns
    assert json.loads(seen[0][2])["response_format"] == form


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_refusal_is_one_line_and_not_tried_again(status, monkeypatch, one_line):
    """The status and what the server says are reported once, without the key, even where the server repeats it."""
    monkeypatch.setenv("MY_KEY", KEY)
    body = [json.dumps({"error": {"message": f"bad key\n{KEY}", "type": "x"}}).encode()]
    with (
        serving({"/chat/completions": (status, "application/json", body)}) as (url, seen),
        loaded("openai_thinking", url=url, model="m", key_env="MY_KEY") as engine,
        pytest.raises(EngineError) as caught,
    ):
        timed_run(engine, ASKED, SystemClock())
    one_line(caught.value, url, str(status))
    assert KEY not in str(caught.value)
    assert len(seen) == 1
    assert seen[0][1]["authorization"] == f"Bearer {KEY}"


def test_a_server_that_is_not_there_is_one_line(one_line):
    """Nobody listens at the address."""
    with (
        loaded("openai_thinking", url="http://127.0.0.1:9/v1", model="m") as engine,
        pytest.raises(EngineError) as caught,
    ):
        timed_run(engine, ASKED, SystemClock())
    one_line(caught.value, "http://127.0.0.1:9/v1", "onnection")


def test_a_service_that_is_not_there_is_one_line(one_line):
    """The same of Wyoming, when the engine starts."""
    with pytest.raises(EngineError) as caught, loaded("wyoming_hearing", url="tcp://127.0.0.1:9"):
        pass
    one_line(caught.value, "tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no address"),
        ({"url": "localhost:8000"}, "no address"),
        ({"url": "http://:99999"}, "no address"),
        ({"url": f"http://me:{KEY}@host/v1"}, "may hold no user"),
        ({"url": f"http://host/v1?api_key={KEY}"}, "may hold no user"),
        ({"url": "http://host/v1", "key_env": KEY}, "never the key itself"),
    ],
)
def test_keys_are_refused_where_they_would_be_shown(values, said, one_line):
    """An address or a name that may hold a key is refused without being repeated."""
    with pytest.raises(ParameterError) as caught:
        engines.params_class("openai_thinking").parse(values)
    one_line(caught.value, "openai_thinking", said)
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_set_is_said(monkeypatch, one_line):
    """The variable is named, before anything is asked."""
    monkeypatch.delenv("MY_KEY", raising=False)
    with (
        pytest.raises(ParameterError) as caught,
        loaded("openai_thinking", url="http://127.0.0.1:9/v1", key_env="MY_KEY"),
    ):
        pass
    one_line(caught.value, "MY_KEY", "no such variable is set")


@pytest.mark.parametrize("request_", [Passage("a"), Line("a"), Prompt(ASKED.messages, 1, cold=True)])
def test_what_a_server_cannot_do_is_refused(request_):
    """Scores, other roles' requests, and forgetting what it has read."""
    with loaded("openai_thinking", url="http://127.0.0.1:9/v1", model="m") as engine, pytest.raises(ParameterError):
        timed_run(engine, request_, SystemClock())


def contender(url):
    return Contender("a", engines.params_class("openai_thinking").parse({"url": url, "model": "m"}))


def test_a_fingerprint_has_what_the_server_says_of_itself():
    """Its program and its models; a server that says nothing is none the worse."""
    models = {"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "me"}]}
    with serving({"/models": (200, "application/json", [json.dumps(models).encode()])}) as (url, _):
        found = fingerprint([contender(url)])
    assert found["servers"]["thinking of a"]["models"] == ["m"]
    assert fingerprint([contender("http://127.0.0.1:9")])["servers"] == {"thinking of a": {}}


def test_outputs_of_a_server_are_not_kept():
    """What is behind a URL may be another model tomorrow."""
    assert decisive(contender("http://127.0.0.1:9")) is None


@pytest.mark.parametrize("said_bytes", [0, 0xFFFFFFFF])
def test_sound_whose_header_was_written_before_its_length_was_known_is_whole(said_bytes):
    """A server that streams a WAV file says no length, or a made-up one: what came counts."""
    wav = bytearray(as_wav(SPEECH, 24_000))
    wav[4:8] = wav[40:44] = said_bytes.to_bytes(4, "little")
    with (
        serving({"/audio/speech": (200, "audio/wav", [bytes(wav)])}) as (url, _),
        loaded("openai_speaking", url=url, model="k") as engine,
    ):
        speech = timed_run(engine, Line("At two."), SystemClock())[1]
    assert len(speech.audio) == len(SPEECH)


@pytest.mark.parametrize("form", ["wav", "pcm"])
def test_an_answer_without_sound_is_one_line(form, one_line):
    """It names the server and what was to be said."""
    empty = as_wav(SPEECH[:0], 24_000) if form == "wav" else b""
    with (
        serving({"/audio/speech": (200, "audio/wav", [empty])}) as (url, _),
        loaded("openai_speaking", url=url, model="k", form=form) as engine,
        pytest.raises(EngineError) as caught,
    ):
        timed_run(engine, Line("At two."), SystemClock())
    one_line(caught.value, url, "At two.")


@pytest.mark.parametrize(
    ("name", "path", "answer", "request_"),
    [
        ("openai_hearing", "/audio/transcriptions", ("text/html", b"<p>Welcome</p>"), Utterance(SPEECH)),
        (
            "openai_thinking",
            "/chat/completions",
            ("text/event-stream", chunk("x").replace(b'{"content": "x"}', b"null") + b"data: [DONE]\n\n"),
            ASKED,
        ),
    ],
)
def test_an_answer_of_another_form_is_one_line_that_names_the_server(name, path, answer, request_, one_line):
    """A page instead of JSON, an event without its parts: no traceback."""
    kind, body = answer
    with (
        serving({path: (200, kind, [body])}) as (url, _),
        loaded(name, url=url, model="m") as engine,
        pytest.raises(EngineError) as caught,
    ):
        timed_run(engine, request_, SystemClock())
    one_line(caught.value, url)


@pytest.mark.parametrize("key", [KEY * 20, 'sk-with-"quotes"-and-\\slashes'])
def test_a_key_that_a_server_repeats_is_never_shown(key, monkeypatch, one_line):
    """Not where a long message is cut within it, nor where it is quoted."""
    monkeypatch.setenv("MY_KEY", key)
    body = json.dumps({"error": {"message": "x" * 250 + key}}).encode()
    with (
        serving({"/audio/transcriptions": (401, "application/json", [body])}) as (url, _),
        loaded("openai_hearing", url=url, model="m", key_env="MY_KEY") as engine,
        pytest.raises(EngineError) as caught,
    ):
        timed_run(engine, Utterance(SPEECH), SystemClock())
    one_line(caught.value, url, "401")
    assert key[:12] not in str(caught.value)


def test_a_server_may_take_as_long_as_its_profile_says():
    """The limit that tells a hung worker from a slow one is beyond the server's own."""
    params = engines.params_class("openai_thinking").parse({"url": "http://localhost:1/v1", "timeout_s": 300.0})
    assert params.patience_s() == 300
