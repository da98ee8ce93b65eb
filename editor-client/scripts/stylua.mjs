// Format the plugin's Lua, or with `--check` say which files are not formatted. StyLua as WebAssembly: no binary.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const clients = dirname(dirname(fileURLToPath(import.meta.url)));
const stylua = createRequire(join(clients, "vscode", "package.json"))("@johnnymorganz/stylua");
const plugin = join(clients, "nvim");

const settings = readFileSync(join(plugin, "stylua.toml"), "utf8");
const setting = (name) => new RegExp(`^${name} = "?([^"\\n]*)"?$`, "m").exec(settings)[1];

// A configuration is used up by the call that it is given to.
function configuration() {
  const config = stylua.Config.new();
  config.column_width = Number(setting("column_width"));
  config.indent_type = stylua.IndentType[setting("indent_type")];
  config.indent_width = Number(setting("indent_width"));
  config.quote_style = stylua.QuoteStyle[setting("quote_style")];
  return config;
}

let isClean = true;
for (const name of readdirSync(plugin, { recursive: true }).filter((file) => file.endsWith(".lua"))) {
  const before = readFileSync(join(plugin, name), "utf8");
  const after = stylua.formatCode(before, configuration(), undefined, stylua.OutputVerification.None);
  if (before === after) continue;
  if (process.argv.includes("--check")) {
    isClean = false;
    console.error(`not formatted: ${name}`);
  } else {
    writeFileSync(join(plugin, name), after);
  }
}
process.exitCode = isClean ? 0 : 1;
