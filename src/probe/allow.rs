//! What may be done: shipped rulebooks run their probes, others only what the user allows.

use std::path::Path;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::{Action, KINDS};

/// What probes of rulebooks from elsewhere may do, as the user has said.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    allowed: Vec<(&'static str, GlobMatcher)>,
    planned: bool,
}

/// A check of what a probe comes upon while it runs: where a redirect leads, which file a glob finds.
pub type Permits = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Allowance {
    /// Reads what `--allow` says: `KIND=WHAT`, where several of one kind may follow after commas.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(texts: &[String]) -> Result<Allowance, String> {
        let mut allowance = Allowance::default();
        texts.iter().try_for_each(|text| allowance.add(text))?;
        Ok(allowance)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let (mut kind, mut what) =
            kind_of(text).ok_or_else(|| format!("`{text}` names nothing that can be allowed"))?;
        // Names of files may have commas, as globs do.
        while kind != "file"
            && let Some((first, rest)) = what.split_once(',')
        {
            self.push(kind, first)?;
            (kind, what) = kind_of(rest).unwrap_or((kind, rest));
        }
        self.push(kind, what)
    }

    fn push(&mut self, kind: &'static str, what: &str) -> Result<(), String> {
        if what.is_empty() {
            return Err(format!("`{kind}=` allows nothing"));
        }
        let glob = GlobBuilder::new(what).literal_separator(true).build();
        let glob = glob.map_err(|error| format!("`{what}` is no glob: {}", error.kind()))?;
        self.allowed.push((kind, glob.compile_matcher()));
        Ok(())
    }

    /// Allows all that is planned, as the user who has read the plan does.
    pub fn allow_planned(&mut self) {
        self.planned = true;
    }

    /// Whether an action may be tried; what only shows while it runs is asked of [`Allowance::permits`].
    pub fn allows(&self, shipped: bool, action: &Action<String>) -> bool {
        let searches = matches!(action, Action::File(file) if super::file::is_glob(&file.path));
        shipped || self.planned || searches || self.names(action.kind(), &action.target())
    }

    /// What an action may come upon while it runs.
    pub fn permits(&self, shipped: bool, action: &Action<String>) -> Permits {
        let (allowance, kind) = (self.clone(), action.kind());
        let own = shipped || self.planned;
        Arc::new(move |target| {
            // A redirect leads out of any plan; a file that a planned glob finds is within it.
            (own && kind == "file") || allowance.names(kind, target)
        })
    }

    fn names(&self, kind: &str, target: &str) -> bool {
        let climbs = kind == "file" && Path::new(target).components().any(|part| part.as_os_str() == "..");
        !climbs
            && self
                .allowed
                .iter()
                .any(|(allowed, glob)| *allowed == kind && glob.is_match(target))
    }
}

/// The kind that stands before the first `=`.
fn kind_of(text: &str) -> Option<(&'static str, &str)> {
    let (kind, what) = text.split_once('=')?;
    let kind = KINDS.iter().find(|known| **known == kind)?;
    Some((kind, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Exec, Http, ReadFile};

    fn allowance(texts: &[&str]) -> Allowance {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Allowance::parse(&texts).unwrap()
    }

    fn exec(program: &str) -> Action<String> {
        let argv = vec![program.to_owned(), "-x".to_owned()];
        Action::Exec(Exec { argv })
    }

    fn get(url: &str) -> Action<String> {
        Action::Http(Http {
            url: url.to_owned(),
            headers: Vec::new(),
        })
    }

    fn read(path: &str) -> Action<String> {
        Action::File(ReadFile { path: path.to_owned() })
    }

    #[test]
    fn shipped_rulebooks_need_no_leave_and_others_do() {
        assert!(Allowance::default().allows(true, &exec("ps")));
        assert!(!Allowance::default().allows(false, &exec("ps")));
    }

    #[test]
    fn several_may_stand_after_commas() {
        let allowance = allowance(&["exec=ps,ss,http=a:80,b:*", "file=/var/log/{a,b}.log"]);
        for action in [
            exec("ps"),
            exec("ss"),
            get("http://a/x"),
            get("http://b:9/"),
            read("/var/log/b.log"),
        ] {
            assert!(allowance.allows(false, &action), "{action:?}");
        }
        for action in [
            exec("/tmp/ps"),
            exec("sh"),
            get("https://a/"),
            get("http://c/"),
            read("/var/log/c.log"),
        ] {
            assert!(!allowance.allows(false, &action), "{action:?}");
        }
    }

    #[test]
    fn globs_allow_nothing_beyond_what_they_name() {
        let allowance = allowance(&["file=/var/log/**"]);
        assert!(allowance.allows(false, &read("/var/log/a/b")));
        assert!(!allowance.allows(false, &read("/var/log/../../etc/shadow")));
        let permits = allowance.permits(false, &read("/**"));
        assert!(permits("/var/log/x") && !permits("/etc/shadow"));
    }

    #[test]
    fn even_a_shipped_request_is_not_led_elsewhere() {
        let permits = Allowance::default().permits(true, &get("http://a/"));
        assert!(!permits("b:80"));
        let permits = allowance(&["http=b:80"]).permits(true, &get("http://a/"));
        assert!(permits("b:80"));
    }

    #[test]
    fn what_cannot_be_allowed_is_told() {
        for text in ["ps", "run=ps", "exec=", "exec=a,", "http=["] {
            assert!(Allowance::parse(&[text.to_owned()]).is_err(), "{text}");
        }
    }
}
