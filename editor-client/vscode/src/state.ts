/** What fimble is doing, as the user sees it. Pure: no editor and no process may enter here. */

/** What `fimble/status` and `fimble/statusChanged` say. */
export interface ServerStatus {
  readonly state: string;
  readonly message: string;
  readonly hint?: string | null;
  readonly model?: string | null;
  /** 0 to 1 while the model loads, where the server knows. */
  readonly progress?: number | null;
}

/** Where the extension's own part of the way stands; `server` means that the server's word counts. */
export type Stage =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "restarting"; readonly attempt: number; readonly delayMs: number }
  | { readonly kind: "crashed"; readonly message: string }
  | { readonly kind: "notFound"; readonly message: string }
  | { readonly kind: "server"; readonly status: ServerStatus | undefined };

/** What the status item shows. */
export interface Appearance {
  readonly text: string;
  readonly tooltip: string;
  readonly level: "normal" | "warning" | "error";
}

/** Say how a stage looks; a pause hides everything but errors, since then nothing else is wanted. */
export function appearance(stage: Stage, pausedUntil: Date | undefined): Appearance {
  const shown = stageAppearance(stage);
  if (pausedUntil !== undefined && shown.level !== "error") {
    const time = pausedUntil.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return normal("$(debug-pause) fimble", `Paused until ${time}`);
  }
  return shown;
}

function stageAppearance(stage: Stage): Appearance {
  switch (stage.kind) {
    case "stopped":
      return normal("$(circle-slash) fimble", "fimble is stopped");
    case "starting":
      return normal("$(loading~spin) fimble", "fimble is starting");
    case "restarting":
      return {
        text: "$(sync~spin) fimble",
        tooltip: `The server ended; start ${stage.attempt} in ${(stage.delayMs / 1000).toFixed(1)} s`,
        level: "warning",
      };
    case "crashed":
    case "notFound":
      return { text: "$(error) fimble", tooltip: stage.message, level: "error" };
    case "server":
      return stage.status === undefined
        ? normal("$(loading~spin) fimble", "fimble is starting")
        : serverAppearance(stage.status);
  }
}

function serverAppearance(status: ServerStatus): Appearance {
  const explained = [status.model, status.message, status.hint].filter(Boolean).join("\n\n");
  switch (status.state) {
    case "ready":
      return normal("$(sparkle) fimble", explained);
    case "unloaded":
    case "loading": {
      const percent = typeof status.progress === "number" ? ` ${Math.round(status.progress * 100)} %` : "";
      return normal(`$(loading~spin) fimble${percent}`, explained);
    }
    case "off":
      return normal("$(circle-slash) fimble", explained);
    case "missing":
      return { text: "$(cloud-download) fimble", tooltip: explained, level: "warning" };
    default:
      return { text: "$(error) fimble", tooltip: explained, level: "error" };
  }
}

function normal(text: string, tooltip: string): Appearance {
  return { text, tooltip, level: "normal" };
}
