//! Lists the files below `rulebooks/` for the binary, cases excepted.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rulebooks");
    let mut names = Vec::new();
    collect(Path::new("rulebooks"), &mut names)?;
    names.sort();
    let mut code = String::from("&[\n");
    for name in names {
        code.push_str(&format!(
            "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),\n",
            format!("/{name}")
        ));
    }
    code.push_str("]\n");
    let directory = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .ok_or(io::ErrorKind::NotFound)?;
    fs::write(directory.join("embedded.rs"), code)
}

fn collect(directory: &Path, names: &mut Vec<String>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("cases") {
            collect(&path, names)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "rhai")
        {
            names.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
