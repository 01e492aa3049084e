# Sourced by the scripts beside it. stdout is for the one result; the rest goes to stderr.
# shellcheck shell=bash disable=SC2034  # who sources this uses the variables
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=/run/authenticate-testbed
# Not under HOME or XDG_CACHE_HOME: tests set those to places of their own, and this takes a minute to fill.
cache=/var/cache/authenticate-testbed
test_user=authtest
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
[ -n "${HOME:-}" ] || { unset HOME && export HOME=~; }

say() { echo "testbed: $*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || die "the test bed needs root on Debian (it installs packages and starts container engines)"
mkdir -p "$state"

# alone NAME: from here to the end of the script, no other process is past the same line.
alone() {
    exec {lock}>"$state/$1.lock"
    flock "$lock"
}

# start SOCKET NAME COMMAND...: makes sure that the engine NAME answers on SOCKET.
start() {
    local socket=$1 name=$2 starts=0 _
    for _ in {1..300}; do
        ! answers "$socket" || return 0
        # Several times, because one that was killed is in the way of the next until its parent has reaped it.
        if ! running "$name"; then
            [ "$starts" -lt 4 ] || break
            sleep "$starts"
            starts=$((starts + 1))
            say "starting $name"
            background "${@:2}"
        fi
        sleep 0.1
    done
    tail -n 20 "$state/$name.log" >&2 || true
    die "$name does not answer on $socket; its log is $state/$name.log"
}

# background NAME COMMAND...: starts a daemon that outlives us, holds none of our file descriptors
# (a caller that reads our stdout must see its end, and `alone` must be released), and can be stopped by `down`.
background() {
    local name=$1
    shift
    (
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        # Where Podman's conmon drops its "oom" files, too.
        cd "$state"
        exec setsid "$@" </dev/null >>"$state/$name.log" 2>&1
    ) &
    # The start time tells our daemon from a later process that was given the same number.
    echo "$! $(started "$!")" >"$state/$name.pid"
}

# started PROCESS: when it started, in clock ticks; nothing if it is gone or only waits to be reaped.
started() { { sed -n 's/.*) [^Z] //p' "/proc/$1/stat" | cut -d' ' -f19; } 2>/dev/null || true; }

# running NAME: is the daemon that we started still there?
running() {
    local pid='' start=''
    [ ! -e "$state/$1.pid" ] || read -r pid start <"$state/$1.pid" || true
    [ -n "$start" ] && [ "$(started "$pid")" = "$start" ]
}

# answers SOCKET: is there an engine's API behind it? A busy one is given time; a dead socket refuses at once.
answers() {
    [ -S "$1" ] && [ "$(curl --silent --max-time 30 --noproxy '*' --unix-socket "$1" http://localhost/_ping)" = OK ]
}

# session: makes the ordinary user's runtime directory, and sets what comes before a command of his: `as_user`.
session() {
    home=/home/$test_user
    runtime=/run/user/$(id -u "$test_user")
    theirs=(-o "$test_user" -g "$test_user")
    as_user=(
        setpriv --reuid "$test_user" --regid "$test_user" --init-groups
        env --ignore-environment --chdir="$home" HOME="$home" USER="$test_user" PATH="$PATH" XDG_RUNTIME_DIR="$runtime"
    )
    mkdir -p /run/user
    install -d -m 700 "${theirs[@]}" "$runtime"
}
