/** The user's settings as the server wants them. Knows no option by name: the list is generated into package.json. */

import * as vscode from "vscode";

export const SECTION = "fimble";

/** Settings of the extension itself; the server has never heard of them. */
const OWN_KEYS: ReadonlySet<string> = new Set(["path", "arguments", "package", "trace.server"]);

export type Options = Record<string, unknown>;

interface Manifest {
  readonly contributes: { readonly configuration: { readonly properties: Record<string, unknown> } };
}

/**
 * Reads what the user set, and only that.
 *
 * Defaults are not sent: they would overrule the user's `config.toml`, which other editors share.
 */
export class OptionReader {
  private readonly keys: readonly string[];
  private initial: Options = {};

  constructor(manifest: Manifest) {
    this.keys = Object.keys(manifest.contributes.configuration.properties)
      .map((name) => name.slice(SECTION.length + 1))
      .filter((key) => !OWN_KEYS.has(key));
  }

  /** Give the options that a server is started with, and remember them. */
  readInitial(): Options {
    this.initial = this.read();
    return this.initial;
  }

  /** Give the options as they are now; `overrides` lie over what the user set (a pause). */
  read(overrides: Options = {}): Options {
    const configuration = vscode.workspace.getConfiguration(SECTION);
    const options: Options = {};
    for (const key of this.keys) {
      const found = configuration.inspect(key);
      const explicit = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
      if (explicit !== undefined) {
        options[key] = explicit;
      }
    }
    return { ...options, ...overrides };
  }

  /** Say whether the user took back what the server was started with: only a new start forgets that. */
  hasTakenBack(): boolean {
    const now = this.read();
    return Object.keys(this.initial).some((key) => !(key in now));
  }
}

/** Give one of the extension's own settings. */
export function ownSetting(key: "path" | "package"): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>(key, "").trim();
}

export function ownArguments(): readonly string[] {
  return vscode.workspace.getConfiguration(SECTION).get<string[]>("arguments", []);
}
