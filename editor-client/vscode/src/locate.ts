/** Where the `fimble` command is. Looks, installs nothing. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A command that exists, or why none was found. */
export type Location =
  | { readonly kind: "found"; readonly command: string; readonly source: "setting" | "PATH" | "managed" }
  | { readonly kind: "missing"; readonly message: string };

const IS_WINDOWS = process.platform === "win32";

/** Give the command: the setting alone if there is one, else the `PATH`, else the extension's own environment. */
export function locate(configured: string, managedFolder: string): Location {
  if (configured !== "") {
    const command = findExecutable(expandHome(configured));
    return command !== undefined
      ? { kind: "found", command, source: "setting" }
      : { kind: "missing", message: `The setting \`fimble.path\` names \`${configured}\`, which cannot be run` };
  }
  const onPath = findExecutable("fimble");
  if (onPath !== undefined) {
    return { kind: "found", command: onPath, source: "PATH" };
  }
  const managed = managedCommand(managedFolder);
  return isExecutable(managed)
    ? { kind: "found", command: managed, source: "managed" }
    : { kind: "missing", message: "The `fimble` command was not found" };
}

/** Give the command of an environment that lies in `folder`, whether it exists or not. */
export function managedCommand(folder: string): string {
  return IS_WINDOWS ? path.join(folder, "Scripts", "fimble.exe") : path.join(folder, "bin", "fimble");
}

function expandHome(name: string): string {
  return name === "~" || name.startsWith("~/") ? path.join(os.homedir(), name.slice(1)) : name;
}

/** Give the file that running `name` would start: a path as it is, a bare name by the `PATH`. */
export function findExecutable(name: string): string | undefined {
  const extensions = IS_WINDOWS ? (process.env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";") : [""];
  const folders = path.basename(name) === name ? (process.env.PATH ?? "").split(path.delimiter) : [""];
  for (const folder of folders) {
    for (const extension of IS_WINDOWS ? ["", ...extensions] : extensions) {
      const candidate = folder === "" ? name + extension : path.join(folder, name + extension);
      if (isExecutable(candidate)) {
        return candidate;
      }
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, IS_WINDOWS ? fs.constants.F_OK : fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
