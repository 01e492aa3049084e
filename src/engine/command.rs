//! The shell that runs in a container as process 1, with the command as its child.

use super::ContainerSpec;

/// Waits, for two seconds at most, for processes that were started from outside the container: they have no parent in
/// it. Such a process is a browser's connection to the command, which would lose the last page.
const LINGER: &str = r#"
left=20
while [ $left -gt 0 ]; do
  left=$((left - 1)) joined=
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- ${line##*) }
    case $line in "1 "*) ;; *) [ "$2" != 0 ] || joined=1 ;; esac
  done
  [ -n "$joined" ] || break
  sleep 0.1 2>/dev/null || sleep 1
done
"#;

/// Shows that the container writes into the host's directory: empties the file `$0` there, and starts the command when the
/// host, which has seen that, removes the file.
const SHOW: &str = r#"
[ -s "$0" ] && : >"$0" || exit 1
left=200000
while [ -e "$0" ]; do
  [ $left -gt 0 ] || exit 1
  left=$((left - 1))
  ! sleep 0.05 || left=$((left - 1000))
done
"#;

/// Sends signal `$1` to every process but process 1 and itself.
const SIGNAL_ALL: &str = "kill -s \"$1\" -- -1";

/// Wraps the command of `spec` in a shell that stays its parent. The kernel ignores signals to process 1 that it has
/// no handler for, and the command must get Ctrl-C. The shell sets the size of the terminal before the command starts,
/// because no engine does so in all its versions.
pub(super) fn wrap(spec: &ContainerSpec) -> Vec<String> {
    let size = spec.terminal.map(|size| format!("stty rows {} cols {} 2>/dev/null; ", size.rows, size.cols));
    let size = size.unwrap_or_default();
    let linger = if spec.linger { LINGER } else { "" };
    let marker = spec.marker.as_ref().map(|name| format!("{}/{name}", spec.mount));
    let show = if marker.is_some() { SHOW } else { "" };
    // No core: it would hold the login. Podman gives up its configured limits when it is told another one.
    //
    // The waiting shell would print how a signal ended the command, so it has no standard error. The subshell that
    // becomes the command gets it back.
    let script = format!(
        "ulimit -c 0; {size}exec 3>&2 2>/dev/null; {show}(exec \"$@\" 2>&3 3>&-); code=$?\n{linger}exit $code"
    );
    let shell = ["/bin/sh", "-c", &script, marker.as_deref().unwrap_or("sh")].map(str::to_owned);
    shell.into_iter().chain(spec.command.iter().cloned()).collect()
}

/// Returns the command that sends a signal to the container's command and everything that it started.
pub(super) fn signal_all(signal: &str) -> Vec<String> {
    ["/bin/sh", "-c", SIGNAL_ALL, "sh", signal].map(str::to_owned).to_vec()
}
