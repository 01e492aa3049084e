# Sourced by the scripts beside it. stdout is for the one result; the rest goes to stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=/run/authenticate-testbed
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/authenticate-testbed
test_user=authtest
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { echo "testbed: $*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || die "the test bed needs root on Debian (it installs packages and starts container engines)"
mkdir -p "$state"

# alone NAME: from here to the end of the script, no other process is past the same line.
alone() {
    exec {lock}>"$state/$1.lock"
    flock "$lock"
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
        exec setsid "$@" </dev/null >>"$state/$name.log" 2>&1
    ) &
    # The start time tells our daemon from a later process that was given the same number.
    echo "$! $(started "$!")" >"$state/$name.pid"
}

started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# answers SOCKET: is there an engine's API behind it?
answers() {
    [ -S "$1" ] && [ "$(curl --silent --max-time 5 --noproxy '*' --unix-socket "$1" http://localhost/_ping)" = OK ]
}

# wait_for NAME SOCKET
wait_for() {
    for _ in {1..300}; do
        ! answers "$2" || return 0
        sleep 0.1
    done
    tail -n 20 "$state/$1.log" >&2 || true
    die "$1 did not answer on $2 within 30 s; its log is $state/$1.log"
}
