//! What a store's parts use of their node, as the kernel counts it, read from inside of their containers.

use crate::shop::Shop;

/// What one container uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Memory that belongs to its processes alone, in MiB.
    pub(crate) resident: f64,
    /// What counts for its limit, less what the kernel would give up for others, in MiB.
    pub(crate) working_set: f64,
    /// CPU time since its start, in seconds.
    pub(crate) cpu: f64,
}

/// A part that can be asked, and a program in it that prints files.
const PARTS: [(&str, &str, &[&str]); 3] = [
    ("database", "postgres-0", &["cat"]),
    ("API", "deployment/medusa-api", &["node", "-e", PRINT]),
    ("storefront", "deployment/medusa-storefront", &["node", "-e", PRINT]),
];
/// Images with Node.js have no other program.
const PRINT: &str = "for (const file of process.argv.slice(1)) process.stdout.write(fs.readFileSync(file, 'utf8'))";

/// Where the numbers are with control groups of version 1, and of version 2.
const FILES: [[&str; 3]; 2] = [
    [
        "/sys/fs/cgroup/memory/memory.stat",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/cpuacct/cpuacct.usage",
    ],
    ["/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/cpu.stat"],
];

/// What each of a store's parts uses now.
pub(crate) fn of(shop: &Shop) -> [(&'static str, Usage); 3] {
    PARTS.map(|(part, pod, print)| {
        let read = |files: &[&str]| shop.exec(pod, &[print, files].concat());
        let [old, new] = FILES.map(|files| read(&files));
        let (text, old) = if old.ok { (old.stdout, true) } else { (new.ok(), false) };
        (part, parse(&text, old))
    })
}

fn parse(text: &str, old: bool) -> Usage {
    let field = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("there is no {name} in {text}")).trim().parse().unwrap()
    };
    // Lines of one number: the memory in use, and in version 1 the CPU time in nanoseconds.
    let mut bare = text.lines().filter_map(|line| line.trim().parse::<f64>().ok());
    let used = bare.next().unwrap();
    let (resident, idle, cpu) = if old {
        (field("total_rss"), field("total_inactive_file"), bare.next().unwrap() / 1e9)
    } else {
        (field("anon"), field("inactive_file"), field("usage_usec") / 1e6)
    };
    const MIB: f64 = 1024.0 * 1024.0;
    Usage { resident: resident / MIB, working_set: (used - idle) / MIB, cpu }
}
