//! A network of its own for browsers and peers: they find an interface with an address and a default route, and
//! nothing they send leaves this machine.

use std::{
    env, fs, io,
    process::{Command, ExitStatus},
};

/// Set in the process that runs inside.
const INSIDE: &str = "PEERLANE_INTEROP_INSIDE";

/// What the inside looks like: documentation addresses (RFC 5737, RFC 3849) on one veth, a resolver that fails at
/// once instead of after a time-out, and this machine's name.
const SETUP: &str = r#"
set -e
mount --make-rprivate /
ip link set lo up
ip link add peerlane0 type veth peer name peerlane1
ip addr add 192.0.2.1/24 dev peerlane0
ip -6 addr add 2001:db8::1/64 dev peerlane0 nodad
ip link set peerlane0 up
ip link set peerlane1 up
ip route add default via 192.0.2.254 dev peerlane0
ip route add 224.0.0.0/4 dev peerlane0
folder=$(mktemp -d)
echo 'nameserver 127.0.0.1' > "$folder/resolv.conf"
{ echo '127.0.0.1 localhost'; echo '::1 localhost'; echo "127.0.0.1 $(hostname)"; } > "$folder/hosts"
mount --bind "$folder/resolv.conf" /etc/resolv.conf
mount --bind "$folder/hosts" /etc/hosts
exec "$0" "$@"
"#;

/// Whether this process runs inside already.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this program again inside, with the same arguments, and waits for its end. `None` when this machine does not
/// let us make a network.
pub(crate) fn run_inside() -> io::Result<Option<ExitStatus>> {
    if !is_possible() {
        return Ok(None);
    }
    let program = env::current_exe()?;
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", SETUP])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1");
    let mut child = command.spawn()?;
    child.wait().map(Some)
}

/// Root, `unshare` and `ip` are there, and the kernel lets us use them.
fn is_possible() -> bool {
    let root = fs::metadata("/proc/self")
        .map(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0)
        .unwrap_or(false);
    root && Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", "ip link add a0 type veth peer name a1"])
        .output()
        .is_ok_and(|output| output.status.success())
}
