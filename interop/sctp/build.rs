//! Links Debian's usrsctp where it is installed. The static library: its clock can be replaced by ours that way.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=USRSCTP_FOLDER");
    let given = env::var_os("USRSCTP_FOLDER").map(PathBuf::from);
    let folders = given.into_iter().chain(debian());
    for folder in folders {
        if folder.join("libusrsctp.a").is_file() {
            println!("cargo::rustc-cfg=usrsctp");
            println!("cargo::rustc-link-search=native={}", folder.display());
            println!("cargo::rustc-link-lib=static=usrsctp");
            return;
        }
    }
}

/// `/usr/lib` and the folders of Debian's architectures below it.
fn debian() -> Vec<PathBuf> {
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    below.chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/local/lib")]).collect()
}
