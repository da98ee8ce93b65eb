"""The resolved settings of one session: every value is valid. Raw input does not enter here; see `options`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any


def _setting(default: Any, doc: str, **rules: Any) -> Any:
    """Declare a setting with its documentation; `choices`, `minimum` and `maximum` bound what is valid."""
    return field(default=default, metadata={"doc": doc, **rules})


SECRET_GLOBS = (
    "**/.env",
    "**/.env.*",
    "**/*.pem",
    "**/*.key",
    "**/*.p12",
    "**/*.pfx",
    "**/*.keystore",
    "**/*.jks",
    "**/id_rsa*",
    "**/id_ed25519*",
    "**/id_ecdsa*",
    "**/.netrc",
    "**/.npmrc",
    "**/.pypirc",
    "**/.git-credentials",
    "**/.aws/credentials",
    "**/.ssh/*",
    "**/*credentials*.json",
    "**/*secret*.y*ml",
    "**/*.kdbx",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one editor session runs with. Each field's documentation feeds the README and the editors' settings."""

    enabled: bool = _setting(True, "Offer ghost text at all. Off means no request reaches the model.")
    model: str = _setting(
        "qwen2.5-coder-0.5b",
        "Model id as `fimble models list` shows it; `auto` takes, of those installed, the largest that holds"
        " `target_ms` on this machine.",
    )
    engine: str = _setting(
        "ctranslate2",
        "What runs the model. `openai` sends prompts to the server at `remote_url`; `scripted` answers from"
        " `FIMBLE_SCRIPT` and is for tests.",
        choices=("ctranslate2", "openai", "scripted"),
    )
    remote_url: str = _setting(
        "",
        "Base URL of an OpenAI-compatible server for `engine = openai`, such as `http://127.0.0.1:8080/v1`. The key"
        " comes from `FIMBLE_API_KEY` or the system's keyring (service `fimble`, user: the host).",
    )
    remote_model: str = _setting("", "What the server calls the model; empty sends the id in `model`.")
    remote_timeout_ms: int = _setting(10_000, "Latest moment of a server's answer.", minimum=100, maximum=600_000)
    device: str = _setting("auto", "Where the model runs.", choices=("auto", "cpu", "cuda"))
    compute_type: str = _setting(
        "auto",
        "CTranslate2 compute type; `auto` takes the one the weights were stored in, and `float16` on a GPU.",
        choices=("auto", "int8", "int8_float16", "int8_float32", "float16", "float32"),
    )
    n_threads: int = _setting(
        0, "Threads of one generation on CPU; 0 takes the physical cores.", minimum=0, maximum=256
    )
    languages_off: tuple[str, ...] = _setting((), "LSP language ids without ghost text.")
    globs_off: tuple[str, ...] = _setting(
        SECRET_GLOBS, "Files that are never read, completed or put into a prompt (globs on the whole path)."
    )
    ignore_files: tuple[str, ...] = _setting(
        (".gitignore", ".fimbleignore"),
        "Names of files whose patterns, as git reads them, also switch ghost text off; `.gitignore` within a"
        " repository only.",
    )
    multiline: str = _setting(
        "auto",
        "Whether a suggestion may span lines; `auto` decides from the place.",
        choices=("auto", "never", "always"),
    )
    delay_ms: int = _setting(
        75,
        "How long to wait for the next key before the model is asked mid-line, while the typist is not known or"
        " `adaptive_delay` is off; less by default where the model reads quickly.",
        minimum=0,
        maximum=2000,
    )
    adaptive_delay: bool = _setting(
        True,
        "Wait as long as this typist's next key takes as a rule, 250 ms at most, and no longer than the answer does;"
        " who types more slowly is not waited for.",
    )
    target_ms: int = _setting(
        500,
        "How soon after a key a suggestion should be there. The size of prompts, and which model `auto` is, are derived"
        " from it, within bounds that keep answers good.",
        minimum=50,
        maximum=60_000,
    )
    calibrate: bool = _setting(
        True,
        "Measure once, in idle time, how fast the model is on this machine, keep the figures, and derive from them what"
        " `target_ms` leaves room for. Options that are set are never changed by it.",
    )
    show_parts: bool = _setting(
        False,
        "At `target_ms` show a part of the answer, up to a whole word or line, and the rest when it is reached, instead"
        " of waiting for all of it.",
    )
    reuse_running: bool = _setting(
        True, "Go on with the answer under way while the keys agree with it, instead of asking anew."
    )
    prefetch: bool = _setting(
        True,
        "Prepare what comes after a suggestion while it is read. Stops at a key within one token; never done on a"
        " remote server.",
    )
    hold: bool = _setting(
        True,
        "Let the model wait where a suggested line ends, for 10 seconds at most, so that the next line needs no prompt"
        " to be read once this one is taken or typed. One at a time, in memory of at most a prompt's length.",
    )
    next_line: bool = _setting(
        True,
        "Show the next line below one that was just taken; off, it comes with Enter. Not with `multiline = never`.",
    )
    begun_words: bool = _setting(
        True,
        "Have the model write a word that is begun at the cursor again from its start, as what was typed of it allows."
        " Needs `head_mib_max`; never done on a remote server.",
    )
    n_type_ahead: int = _setting(
        0,
        "Other lines than the one shown that are written while it is read, where the model was unsure, so that a key"
        " against it may show one at once; 0 writes none. Needs `head_mib_max`, and counts as prepared.",
        minimum=0,
        maximum=8,
    )
    ahead_wasted_per_100_tokens: int = _setting(
        3,
        "Of 100 decoded tokens so many may have been prepared in vain; beyond that nothing more is prepared.",
        minimum=0,
        maximum=100,
    )
    head_mib_max: int = _setting(
        132,
        "Memory in MiB for beginnings of prompts that the model keeps read, so that a key costs the last lines only;"
        " 0 keeps none. 132 hold 804 tokens of the 0.5B and 402 of the 1.5B. Shared by all sessions of one model; the"
        " first one's counts.",
        minimum=0,
        maximum=65_536,
    )
    idle_unload_s: int = _setting(
        1_800,
        "The model's weights leave memory after so long without a request, and come back with the next one, in about"
        " half a second; 0 keeps them. The first session's counts.",
        minimum=0,
        maximum=604_800,
    )
    ahead_on_battery: bool = _setting(False, "Prepare text and heads in advance on battery power too.")
    deadline_ms: int = _setting(
        4000, "Latest moment of an answer; what is decoded by then is shown.", minimum=100, maximum=60000
    )
    block_ms_max: int = _setting(
        1500,
        "While you type, a block that takes longer is shown up to the line it has come to; the rest is written once"
        " that is taken. 0 waits for all of it.",
        minimum=0,
        maximum=60_000,
    )
    prefix_tokens_max: int = _setting(
        384,
        "Tokens before the cursor in the prompt, at most; twice as many when asked by a key. Fewer by default where the"
        " model reads slowly and nothing of the prompt is read yet.",
        minimum=16,
        maximum=16384,
    )
    suffix_tokens_max: int = _setting(
        128,
        "Tokens after the cursor in the prompt, at most; twice as many when asked by a key. Fewer by default where the"
        " model reads slowly and nothing of the prompt is read yet.",
        minimum=0,
        maximum=16384,
    )
    line_tokens_max: int = _setting(
        48,
        "Tokens decoded for a single line, at most; fewer by default where the model writes slowly.",
        minimum=1,
        maximum=1024,
    )
    block_tokens_max: int = _setting(128, "Tokens decoded for a block, at most.", minimum=1, maximum=4096)
    block_lines_max: int = _setting(16, "Lines of a block, at most.", minimum=1, maximum=200)
    n_alternatives: int = _setting(
        3, "Alternatives when asked by a key (the next/previous suggestion).", minimum=1, maximum=8
    )
    n_second_opinions: int = _setting(
        4,
        "Further answers looked at when the first one does not fit its place (it repeats what follows, breaks the "
        "indentation, or leaves out a name used below); 0 shows the first or nothing.",
        minimum=0,
        maximum=8,
    )
    document_bytes_max: int = _setting(5_000_000, "Larger documents get no ghost text.", minimum=1, maximum=500_000_000)
    line_chars_max: int = _setting(
        5_000, "No ghost text on longer lines (minified files).", minimum=80, maximum=1_000_000
    )
    completion_menu: str = _setting(
        "auto",
        "Also answer `textDocument/completion`; `auto` does so for clients without inline completion.",
        choices=("auto", "never", "always"),
    )
    actions: bool = _setting(True, "Offer code actions.")
    action_preview: bool = _setting(
        True, "Ask the editor to show a code action's change before it is made, where the editor can."
    )
    n_candidates: int = _setting(
        3, "Answers of a code action to choose from when the first does not pass.", minimum=1, maximum=8
    )
    action_tokens_max: int = _setting(768, "Tokens a code action may decode, at most.", minimum=16, maximum=8192)
    action_prompt_tokens_max: int = _setting(
        2048, "Tokens of a code action's prompt, at most.", minimum=64, maximum=32768
    )
    action_deadline_ms: int = _setting(
        120_000, "Latest moment at which a code action stops decoding.", minimum=1000, maximum=3_600_000
    )
    run_examples: bool = _setting(
        False,
        "Run the examples of a docstring or comment against generated Python, shut in (time, memory, no network), and"
        " choose between answers by them.",
    )
    statistics: bool = _setting(
        True,
        "Count on this machine how often suggestions and actions are shown, accepted and undone, for `fimble stats`;"
        " never text, never sent.",
    )
    log_level: str = _setting(
        "info", "What goes to stderr; never document text.", choices=("error", "warning", "info", "debug")
    )
    daemon_idle_exit_s: int = _setting(
        300,
        "The daemon that editors share leaves when none has been connected for so long; read from the file.",
        minimum=1,
        maximum=604_800,
    )
    daemon_memory_bytes_max: int = _setting(
        0,
        "Memory for the weights of all models in the daemon; the least recently used leaves. 0 takes half of the"
        " machine's; read from the file.",
        minimum=0,
        maximum=2**50,
    )
    http_port: int = _setting(
        0,
        "Loopback port for OpenAI's and llama.cpp's HTTP interfaces in the daemon; 0 is off. Needs the extra `http`;"
        " read from the file.",
        minimum=0,
        maximum=65535,
    )

    explicit: frozenset[str] = frozenset()
    """Names of the options that somebody set, be it to the default: these are never derived."""

    def options(self) -> dict[str, Any]:
        """Give every option's value by its name."""
        return {each.name: getattr(self, each.name) for each in declared()}

    @property
    def is_remote(self) -> bool:
        """Whether another server runs the model."""
        return self.engine == "openai"


AUTO_MODEL = "auto"
DEFAULT_MODEL = Settings().model

ASKED_ONCE: Mapping[str, object] = {
    "show_parts": False,
    "block_ms_max": 0,
    "prefetch": False,
    "hold": False,
    "head_mib_max": 0,
    "calibrate": False,
}
"""Options for a question behind which nobody types on: all of the answer is waited for, and nothing comes after it."""


def declared() -> tuple[Field[Any], ...]:
    """Give the options in their order; `metadata` has what `_setting` was told."""
    return tuple(each for each in fields(Settings) if "doc" in each.metadata)
