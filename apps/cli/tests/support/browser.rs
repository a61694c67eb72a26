//! A page in a headless browser.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Where the browser is; `SMIDGEN_NEED_BROWSER` makes its absence a failure.
pub fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()));
    assert!(found.is_some() || std::env::var_os("SMIDGEN_NEED_BROWSER").is_none(), "there is no browser");
    found
}

/// What a page leaves as `data-found` of its body, and what it says in the console. `address` follows `file://`.
pub fn found(browser: &str, folder: &Path, address: &str, flags: &[&str]) -> (Value, String) {
    let out = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args(["--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(flags)
        .arg(format!("file://{address}"))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&out.stdout).into_owned();
    let found = dom.split("data-found=\"").nth(1).and_then(|rest| rest.split('"').next());
    let found =
        found.unwrap_or_else(|| panic!("the page did not run: {}", String::from_utf8_lossy(&out.stderr)));
    let told = String::from_utf8_lossy(&out.stderr);
    let console = told.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (serde_json::from_str(&found.replace("&quot;", "\"").replace("&amp;", "&")).unwrap(), console)
}
