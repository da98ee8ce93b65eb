"""A language server that answers from the last line before the cursor; argument `--die-on METHOD` ends it there."""

from __future__ import annotations

import json
import sys

ANSWERS = {
    "        text = path.": "read_text(encoding='utf-8')",
    "        words.": "extend(re.findall(r'\\w+', text.lower()))",
    "    ret": "urn words",
    "    return ": "Counter(words)",
}


def main() -> None:
    die_on = sys.argv[sys.argv.index("--die-on") + 1] if "--die-on" in sys.argv else ""
    lines: list[str] = []
    while (message := _read()) is not None:
        method, params = message.get("method"), message.get("params") or {}
        if method == die_on:
            sys.stderr.write("the fake server was told to end\n")
            sys.exit(3)
        if method == "textDocument/didOpen":
            lines = params["textDocument"]["text"].split("\n")
        elif method == "textDocument/didChange":
            for change in params["contentChanges"]:
                lines = _edited(lines, change)
        elif method == "exit":
            return
        if "id" in message and method is not None:
            _write({"id": message["id"], **_answer(method, params, lines)})


def _answer(method: str, params: dict, lines: list[str]) -> dict:
    if method == "initialize":
        return {"result": {"capabilities": {}}}
    if method == "fimble/status":
        return {"result": {"state": "ready"}}
    if method == "textDocument/inlineCompletion":
        place = params["position"]
        answer = ANSWERS.get(lines[place["line"]][: place["character"]])
        items = [{"insertText": answer, "range": {"start": place, "end": place}}] if answer else []
        return {"result": {"items": items}}
    if method in ("shutdown", "workspace/executeCommand"):
        return {"result": None}
    return {"error": {"code": -32601, "message": "no such method"}}


def _edited(lines: list[str], change: dict) -> list[str]:
    start, end = change["range"]["start"], change["range"]["end"]
    before = [*lines[: start["line"]], lines[start["line"]][: start["character"]]]
    after = [lines[end["line"]][end["character"] :], *lines[end["line"] + 1 :]]
    return ("\n".join(before) + change["text"] + "\n".join(after)).split("\n")


def _read() -> dict | None:
    n_body_bytes = 0
    while (line := sys.stdin.buffer.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length"):
            n_body_bytes = int(line.split(b":")[1])
    return json.loads(sys.stdin.buffer.read(n_body_bytes)) if n_body_bytes else None


def _write(message: dict) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
