# Sourced by infra/test and infra/demo, which have changed to the top folder: makes the environment in .venv.
# Needs Python 3.11 or later and a package index; nothing is done when .venv already holds what requirements.txt says.

find_python() {
    local candidate
    for candidate in python3.11 python3 python3.12 python3.13; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$candidate"
            return
        fi
    done
    echo "Refrain needs Python 3.11 or later, and found none." >&2
    return 1
}

wanted_environment() {
    "$1" -c 'import hashlib, pathlib, sys
print(sys.version.split()[0], hashlib.sha256(pathlib.Path("infra/requirements.txt").read_bytes()).hexdigest())'
}

is_environment() {
    # The second question finds an environment whose folder was moved or copied: its scripts point elsewhere.
    [ "$(cat .venv/made_from 2>/dev/null)" = "$1" ] && .venv/bin/pip --version >/dev/null 2>&1
}

prepare_environment() {
    local python wanted
    python=$(find_python)
    wanted=$(wanted_environment "$python")
    if is_environment "$wanted"; then
        return
    fi
    # Two that start at once would empty .venv under each other: the second waits for the first, and finds it made.
    # The lock is on this very file, as any file in .venv goes with it.
    (
        if command -v flock >/dev/null; then flock 9; fi
        if ! is_environment "$wanted"; then make_environment "$python" "$wanted"; fi
    ) 9<infra/environment.sh
}

make_environment() {
    echo "Making the environment in .venv (once; about a minute) ..."
    if ! "$1" -m venv --clear .venv; then
        echo "Python could not make an environment. On Debian and Ubuntu, install python3-venv." >&2
        return 1
    fi
    .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r infra/requirements.txt
    echo "$2" >.venv/made_from
}

find_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

# Leaves the browser's path in REFRAIN_CHROMIUM. Without one the browser tests do not run: said aloud, and wrong in CI.
prepare_chromium() {
    if ! find_chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Chromium for the browser tests ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null ||
            echo "Chromium could not be installed." >&2
    fi
    if REFRAIN_CHROMIUM=$(find_chromium); then
        export REFRAIN_CHROMIUM
        return
    fi
    echo "There is no Chromium here: THE BROWSER TESTS DO NOT RUN. (Debian: apt-get install chromium)" >&2
    [ "${CI:-}" != true ]
}
