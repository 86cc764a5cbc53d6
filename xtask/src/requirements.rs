//! `cargo xtask requirements`: every sentence of an RFC that obliges is met somewhere, or is a written exception.

mod exceptions;
mod quotes;
mod register;
mod sentences;

use crate::{Failure, rfc::Texts, shell, tree::Tree};
use exceptions::Exception;
use quotes::{Place, Quote};
use register::{Counts, Register, Standing};
use sentences::{Sentence, obliges, squeeze};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

const USAGE: &str = "usage: cargo xtask requirements [--write | --open] [rfcNNNN]...
--write writes the files of the register, and that of an RFC named here for the first time; --open lists the
requirements that nothing is said of";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let (tree, texts) = (Tree::load()?, Texts::find());
    println!("requirements: {}", texts.describe());
    let outcome = Outcome::of(&tree, &texts, &options)?;
    if options.mode == Mode::Open {
        println!("{}", outcome.open.join("\n"));
        return Ok(());
    }
    if options.mode == Mode::Write {
        for (path, text) in &outcome.files {
            let path = shell::root().join(path);
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    println!("{}", outcome.summary.join("\n"));
    let complaints = [outcome.complaints, outcome.open].concat();
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    mode: Mode,
    /// None is all.
    documents: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Check,
    Open,
    Write,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self { mode: Mode::Check, documents: Vec::new() };
        for argument in arguments {
            match argument.as_str() {
                "--write" => options.mode = Mode::Write,
                "--open" => options.mode = Mode::Open,
                name if name.starts_with("rfc") => options.documents.push(name.to_owned()),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }

    fn wants(&self, document: &str) -> bool {
        self.documents.is_empty() || self.documents.iter().any(|name| name == document)
    }
}

/// What is right and wrong with the register.
#[derive(Debug, Default)]
struct Outcome {
    /// What the files should hold, by path.
    files: BTreeMap<String, String>,
    complaints: Vec<String>,
    /// Requirements that nothing is said of.
    open: Vec<String>,
    summary: Vec<String>,
}

/// What the code and the exceptions say.
struct Said {
    quotes: Vec<Quote>,
    tests: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

impl Outcome {
    fn of(tree: &Tree, texts: &Texts, options: &Options) -> Result<Self, Failure> {
        let said = Said::of(tree)?;
        let mut outcome = Self::default();
        let registered: BTreeSet<&str> = tree.paths().filter_map(register::document).collect();
        let named = options.documents.iter().map(String::as_str).filter(|_| options.mode == Mode::Write);
        let documents: BTreeSet<&str> = registered.into_iter().chain(named).collect();
        for document in documents.iter().copied().filter(|document| options.wants(document)) {
            outcome.look_at(document, tree, texts, &said, options.mode)?;
        }
        for exception in said.exceptions.iter().filter(|row| !documents.contains(row.document.as_str())) {
            let (line, document) = (exception.line, &exception.document);
            outcome.complain(exceptions::DOCUMENT, line, &format!("{document} is not in the register"));
        }
        Ok(outcome)
    }

    fn look_at(
        &mut self,
        document: &str,
        tree: &Tree,
        texts: &Texts,
        said: &Said,
        mode: Mode,
    ) -> Result<(), Failure> {
        let path = register::path(document);
        let old = tree.text(&path);
        let register = old.map(Register::parse).unwrap_or_default();
        let written: Vec<Sentence> = register.rows.iter().map(|(sentence, _)| sentence.clone()).collect();
        let sentences = match texts.get(document) {
            Some(text) => sentences::of(&text),
            None if old.is_none() => return Err(format!("{document}: its text is not at hand")),
            None => written.clone(),
        };
        if mode == Mode::Check {
            self.compare_sentences(&path, &written, &sentences);
        }
        self.check_said(document, &sentences, said);
        let rows: Vec<(Sentence, Standing)> = sentences
            .into_iter()
            .map(|sentence| {
                let standing = said.standing(document, &sentence);
                (sentence, standing)
            })
            .collect();
        let number = document.trim_start_matches("rfc");
        let title = register.title.clone().unwrap_or_else(|| format!("# RFC {number}"));
        let text = register::show(&title, &rows, &said.named_after(document, &rows));
        if mode == Mode::Check && old != Some(text.as_str()) {
            self.compare_places(&path, &register, &rows);
        }
        for (sentence, _) in rows.iter().filter(|(_, standing)| *standing == Standing::Open) {
            self.open.push(format!(
                "{document} §{}: neither quoted nor excepted: {}",
                sentence.section, sentence.words
            ));
        }
        self.summary.push(format!("{document}: {}", Counts::of(&rows)));
        self.files.insert(path, text);
        Ok(())
    }

    fn complain(&mut self, path: &str, line: usize, what: &str) {
        self.complaints.push(format!("{path}:{line}: {what}"));
    }

    /// The register has the sentences of the text.
    fn compare_sentences(&mut self, path: &str, written: &[Sentence], wanted: &[Sentence]) {
        let complaint = |sentence: &Sentence, what: &str| {
            format!("{path}: §{}: {what}: {}", sentence.section, sentence.words)
        };
        let missing = wanted.iter().filter(|sentence| !written.contains(sentence));
        let strange = written.iter().filter(|sentence| !wanted.contains(sentence));
        self.complaints.extend(missing.map(|sentence| complaint(sentence, "is missing")));
        self.complaints.extend(strange.map(|sentence| complaint(sentence, "is not in the text")));
    }

    /// The register says where the code says. Called when something is different.
    fn compare_places(&mut self, path: &str, register: &Register, rows: &[(Sentence, Standing)]) {
        let before = self.complaints.len();
        for (sentence, standing) in rows {
            let wanted = standing.to_string();
            for (_, written) in register.rows.iter().filter(|(written, _)| written == sentence) {
                if *written != wanted {
                    let section = &sentence.section;
                    self.complaints.push(format!("{path}: §{section}: says {written}, and it is {wanted}"));
                }
            }
        }
        let what = if self.complaints.len() == before { "is not as the tool writes it: " } else { "" };
        self.complaints.push(format!("{path}: {what}run `cargo xtask requirements --write`"));
    }

    /// Quotes and exceptions lead somewhere.
    fn check_said(&mut self, document: &str, sentences: &[Sentence], said: &Said) {
        for quote in said.quotes.iter().filter(|quote| quote.document == document) {
            if quote.place == Place::Nowhere {
                self.complain(&quote.path, quote.line, "a quote in tests stands above a test or in one");
            }
            if obliges(&quote.words) && !sentences.iter().any(|sentence| matches(quote, sentence)) {
                let what = format!("the register has no such requirement in {document} §{}", quote.section);
                self.complain(&quote.path, quote.line, &what);
            }
        }
        for exception in said.exceptions.iter().filter(|exception| exception.document == document) {
            let covered: Vec<&Sentence> =
                sentences.iter().filter(|sentence| exception.covers(sentence)).collect();
            let mut quoted = covered.iter().map(|sentence| said.is_quoted(document, sentence));
            let what = if covered.is_empty() {
                "there is no such requirement"
            } else if exception.is_for_the_rest() {
                continue;
            } else if exception.is_partial() && !quoted.all(|is_quoted| is_quoted) {
                "`In part` is for what is quoted"
            } else if !exception.is_partial() && quoted.any(|is_quoted| is_quoted) {
                "the requirement is quoted as well: take it out, or begin the reason with `In part: `"
            } else {
                continue;
            };
            self.complain(exceptions::DOCUMENT, exception.line, what);
        }
    }
}

impl Said {
    fn of(tree: &Tree) -> Result<Self, Failure> {
        let mut said = Self { quotes: Vec::new(), tests: BTreeSet::new(), exceptions: Vec::new() };
        // This program quotes to test itself.
        for (path, source) in tree.rust().filter(|(path, _)| !path.starts_with("xtask/")) {
            let found = quotes::of(path, source);
            said.quotes.extend(found.quotes);
            said.tests.extend(found.tests);
        }
        said.exceptions = exceptions::parse(tree.text(exceptions::DOCUMENT).unwrap_or_default())?;
        Ok(said)
    }

    fn quotes_of(&self, document: &str, sentence: &Sentence) -> impl Iterator<Item = &Quote> {
        self.quotes.iter().filter(move |quote| quote.document == document && matches(quote, sentence))
    }

    fn is_quoted(&self, document: &str, sentence: &Sentence) -> bool {
        self.quotes_of(document, sentence).next().is_some()
    }

    fn standing(&self, document: &str, sentence: &Sentence) -> Standing {
        let (mut files, mut tests) = (BTreeSet::new(), BTreeSet::new());
        for quote in self.quotes_of(document, sentence) {
            match &quote.place {
                Place::Code => files.insert(quote.path.clone()),
                Place::Test(name) => tests.insert(name.clone()),
                Place::Nowhere => continue,
            };
        }
        let covering = self.exceptions.iter().filter(|row| row.document == document && row.covers(sentence));
        // What is said of the sentence itself goes before what is said of its section.
        let reason = |is_met| {
            let fitting = covering.clone().filter(|row| row.is_partial() == is_met);
            fitting.min_by_key(|row| row.is_for_the_rest()).map(|row| row.reason.clone())
        };
        if files.is_empty() && tests.is_empty() {
            return reason(false).map_or(Standing::Open, Standing::Exception);
        }
        let (files, tests) = (files.into_iter().collect(), tests.into_iter().collect());
        Standing::Met { files, tests, without: reason(true) }
    }

    /// Tests named `rfcNNNN_x_y_…`, by section.
    fn named_after(&self, document: &str, rows: &[(Sentence, Standing)]) -> Vec<(String, String)> {
        let known: BTreeSet<&str> = rows.iter().map(|(sentence, _)| sentence.section.as_str()).collect();
        let mut named = Vec::new();
        for name in &self.tests {
            let Some(rest) = name.strip_prefix(document).and_then(|rest| rest.strip_prefix('_')) else {
                continue;
            };
            let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
            let mut parts: Vec<&str> = rest.split('_').take_while(is_number).collect();
            while !parts.is_empty() && !known.contains(parts.join(".").as_str()) {
                parts.pop();
            }
            if !parts.is_empty() {
                named.push((parts.join("."), name.clone()));
            }
        }
        named
    }
}

/// The fewest letters that name a sentence.
const SHORTEST_QUOTE: usize = 20;

/// Whether a quote is of a sentence: a part of it, or several sentences.
fn matches(quote: &Quote, sentence: &Sentence) -> bool {
    let (quoted, whole) = (squeeze(&quote.words), squeeze(&sentence.words));
    quote.section == sentence.section
        && (quoted.contains(&whole) || quoted.len() >= SHORTEST_QUOTE && whole.contains(&quoted))
}

/// The cells of a row of a table, as they read.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix("| ")?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match (letter, cells.last_mut()) {
            ('|', _) => cells.push(String::new()),
            ('\\', Some(cell)) => cell.extend(letters.next()),
            (other, Some(cell)) => cell.push(other),
            (_, None) => return None,
        }
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Words as Markdown shows them unchanged in a table.
fn escape(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for letter in words.chars() {
        if r"\|<*_`".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = "\
1.  Words

   An agent MUST answer at once with a token.  It MUST NOT wait for others.

1.1.  More

   The token SHALL be random and secret.  It is REQUIRED.

2.  Others

   IANA MUST note it.
";
    const CODE: &str = "\
fn f() {
    //= rfc1234 §1
    //# An agent MUST answer at once
    g();
}
#[cfg(test)]
mod tests {
    //= rfc1234 §1.1
    //= type=test
    //# The token SHALL be random and secret. It is REQUIRED.
    #[test]
    fn rfc1234_1_1_tokens() {}
}
";
    const EXCEPTIONS: &str =
        "| rfc1234 §1 | It MUST NOT wait … | Nobody waits \\| here |\n| rfc1234 §2 | * | For IANA |\n";

    fn outcome(mode: Mode, files: &[(&str, &str)], rfc: Option<&str>) -> Outcome {
        let texts: Vec<(&str, &str)> = rfc.map(|text| ("rfc1234", text)).into_iter().collect();
        let options = Options { mode, documents: vec!["rfc1234".to_owned()] };
        Outcome::of(&Tree::of(files), &Texts::of(&texts), &options).unwrap()
    }

    /// The file of the register that belongs to these.
    fn written(code: &str, exceptions: &str) -> String {
        let files = [("crates/a/src/b.rs", code), (exceptions::DOCUMENT, exceptions)];
        let files = outcome(Mode::Write, &files, Some(RFC)).files;
        files.get("docs/requirements/rfc1234.md").unwrap().clone()
    }

    /// What is said of a register after the code or the exceptions changed.
    fn after(register: &str, code: &str, exceptions: &str) -> String {
        let files = [
            ("crates/a/src/b.rs", code),
            (exceptions::DOCUMENT, exceptions),
            ("docs/requirements/rfc1234.md", register),
        ];
        let found = outcome(Mode::Check, &files, None);
        [found.complaints, found.open].concat().join("\n")
    }

    #[test]
    fn what_was_written_is_fine_with_and_without_the_text() {
        let register = written(CODE, EXCEPTIONS);
        assert!(
            register
                .starts_with("# RFC 1234\n\n5 requirements: 2 implemented with a test, 1 implemented, 2 exc")
        );
        assert!(register.contains("| 1.1 | It is REQUIRED. | test `rfc1234_1_1_tokens` |"), "{register}");
        assert!(register.contains("| exception: Nobody waits \\| here |"), "{register}");
        assert!(register.contains("\n* §1.1: `rfc1234_1_1_tokens`\n"), "{register}");
        assert_eq!(after(&register, CODE, EXCEPTIONS), "");
        let files = [
            ("crates/a/src/b.rs", CODE),
            (exceptions::DOCUMENT, EXCEPTIONS),
            ("docs/requirements/rfc1234.md", &register),
        ];
        assert_eq!(outcome(Mode::Check, &files, Some(RFC)).complaints, Vec::<String>::new());
        let changed = RFC.replace("at once", "soon");
        let complaints = outcome(Mode::Check, &files, Some(&changed)).complaints.join("\n");
        assert!(
            complaints.contains("§1: is missing: An agent MUST answer soon with a token."),
            "{complaints}"
        );
        assert!(complaints.contains("is not in the text: An agent MUST answer at once"), "{complaints}");
    }

    #[test]
    fn the_first_line_is_kept() {
        let register = written(CODE, EXCEPTIONS).replace("# RFC 1234", "# RFC 1234: Tokens");
        assert_eq!(after(&register, CODE, EXCEPTIONS), "");
    }

    #[test]
    fn requirements_that_nothing_is_said_of_are_open() {
        let register = written(CODE, "");
        assert!(register.contains(", 2 open.") && register.contains("| IANA MUST note it. | **open** |"));
        assert_eq!(
            after(&register, CODE, ""),
            "rfc1234 §1: neither quoted nor excepted: It MUST NOT wait for others.\n\
             rfc1234 §2: neither quoted nor excepted: IANA MUST note it."
        );
    }

    #[test]
    fn a_register_that_is_out_of_date_is_found() {
        let register = written(CODE, EXCEPTIONS);
        let said = after(&register, &CODE.replace("//= rfc1234 §1\n", "//= rfc1235 §1\n"), EXCEPTIONS);
        assert!(said.contains("§1: says `crates/a/src/b.rs`, and it is **open**"), "{said}");
        let said = after(&register.replace("5 requirements", "6 requirements"), CODE, EXCEPTIONS);
        assert_eq!(
            said,
            "docs/requirements/rfc1234.md: is not as the tool writes it: run `cargo xtask requirements --write`"
        );
    }

    #[test]
    fn quotes_and_exceptions_lead_somewhere() {
        let register = written(CODE, EXCEPTIONS);
        let said = |code: &str, exceptions: &str| after(&register, code, exceptions);
        let strange = format!("{CODE}//= rfc1234 §2\n//# An agent MUST answer at once\nfn h() {{}}\n");
        assert!(
            said(&strange, EXCEPTIONS)
                .contains("b.rs:14: the register has no such requirement in rfc1234 §2")
        );
        let plain = strange.replace("§2\n//# An agent MUST answer", "§2\n//# An agent may answer");
        assert!(!said(&plain, EXCEPTIONS).contains("no such requirement"));
        assert!(said(&CODE.replace("    #[test]\n", ""), EXCEPTIONS).contains("b.rs:8: a quote in tests"));
        let more = |row: &str| said(CODE, &format!("{EXCEPTIONS}{row}\n"));
        assert!(
            more("| rfc1234 §1 | It MUST fly high … | x |").contains("exceptions.md:3: there is no such")
        );
        assert!(
            more("| rfc1234 §1 | An agent MUST … | x |").contains("3: the requirement is quoted as well")
        );
        assert!(more("| rfc1235 §1 | * | x |").contains("3: rfc1235 is not in the register"));
    }

    #[test]
    fn short_quotes_prove_nothing() {
        let register = written(&CODE.replace("MUST answer at once", "MUST"), EXCEPTIONS);
        assert!(register.contains("with a token. | **open** |"), "{register}");
    }

    #[test]
    fn options_choose_a_mode_and_documents() {
        let parse = |words: &[&str]| {
            Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>())
        };
        let options = parse(&["--write", "rfc1234"]).unwrap();
        assert!(options.mode == Mode::Write && options.wants("rfc1234") && !options.wants("rfc1235"));
        assert!(parse(&[]).unwrap().wants("rfc1235"));
        assert!(parse(&["--all"]).is_err());
    }
}
