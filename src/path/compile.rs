//! From the syntax tree of `jsonpath-rust` to a plan, with the checks that the library leaves out.

use super::PathError;
use super::lex::{Lexed, lex};
use super::pattern::Pattern;
use super::plan::{
    Literal, Logical, Match, NameIndex, Operand, Operator, PatternSource, Plan, Query, Segment, Selector, Start,
};
use jsonpath_rust::parser::errors::JsonPathError;
use jsonpath_rust::parser::model as ast;
use jsonpath_rust::parser::{Rule, parse_json_path};
use pest::error::{Error as PestError, ErrorVariant, InputLocation};
use rustc_hash::FxHashMap;

/// How deep the evaluator may recurse: segments that branch, one after another and within filters.
const MAX_DEPTH: usize = 256;

/// Reads and checks a query.
pub(super) fn compile(text: &str) -> Result<Plan, PathError> {
    let lexed = lex(text)?;
    let query = parse_json_path(&lexed.text).map_err(|error| explain(error, &lexed))?;
    let mut compiler = Compiler {
        lexed: &lexed,
        call: 0,
        names: Vec::new(),
        known: FxHashMap::default(),
    };
    let segments = compiler.segments(query.segments)?;
    let depth = segments_depth(&segments);
    if depth > MAX_DEPTH {
        let message = format!("the path branches more than {MAX_DEPTH} times on the way down");
        return Err(PathError {
            message,
            offset: None,
            help: None,
        });
    }
    Ok(Plan {
        segments,
        names: compiler.names,
    })
}

/// Says in words what the library found.
fn explain(error: JsonPathError, lexed: &Lexed<'_>) -> PathError {
    // These come without a place; with one call only it can be no other.
    let offset = if let [only] = lexed.calls.as_slice() {
        Some(*only)
    } else {
        None
    };
    let message = match error {
        JsonPathError::PestError(error) => return explain_syntax(&error),
        JsonPathError::InvalidJsonPath(message) if message.starts_with("Invalid argument") => NO_PATH.to_owned(),
        JsonPathError::InvalidJsonPath(message) if message.ends_with("not comparable") => NO_VALUE.to_owned(),
        JsonPathError::InvalidJsonPath(message) => message,
        other => other.to_string(),
    };
    PathError {
        message,
        offset,
        help: None,
    }
}

const NO_PATH: &str = "the argument of this function must be a path";
const NO_VALUE: &str = "this function gives true or false, which cannot be compared or passed on";

fn explain_syntax(error: &PestError<Rule>) -> PathError {
    let offset = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let mut expected: Vec<&str> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.iter().filter_map(|rule| in_words(*rule)).collect(),
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    expected.dedup();
    match expected.as_slice() {
        [] => PathError::new("this is no JSONPath (RFC 9535)", offset),
        [one] => PathError::new(format!("expected {one}"), offset),
        [most @ .., last] => PathError::new(format!("expected {} or {last}", most.join(", ")), offset),
    }
}

fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => "the end",
        Rule::segment | Rule::segments | Rule::name_segment | Rule::index_segment => "`.name`, `..name` or `[...]`",
        Rule::member_name_shorthand | Rule::name_first | Rule::ALPHA => "a name",
        Rule::wildcard_selector => "`*`",
        Rule::selector => "a selector: 'name', *, 0, 1:2 or ?filter",
        Rule::int | Rule::start | Rule::end | Rule::index_selector => "an integer",
        Rule::comp_op => "a comparison (`==`, `!=`, `<`, `<=`, `>`, `>=`)",
        Rule::comparable => "a number, a string, a path to one value or a function",
        Rule::logical_expr | Rule::logical_expr_and | Rule::atom_expr => "a condition",
        Rule::function_argument => "an argument",
        Rule::string | Rule::name_selector => "a string",
        Rule::test | Rule::rel_query | Rule::jp_query => "a path from `@` or `$`",
        _ => return None,
    })
}

struct Compiler<'a> {
    lexed: &'a Lexed<'a>,
    /// How many calls have been met: they come in the order of the text.
    call: usize,
    names: Vec<String>,
    known: FxHashMap<String, NameIndex>,
}

type Compiled<T> = Result<T, PathError>;

impl Compiler<'_> {
    fn segments(&mut self, segments: Vec<ast::Segment>) -> Compiled<Vec<Segment>> {
        segments.into_iter().map(|segment| self.segment(segment)).collect()
    }

    fn segment(&mut self, segment: ast::Segment) -> Compiled<Segment> {
        Ok(match segment {
            ast::Segment::Descendant(inner) => Segment {
                descend: true,
                ..self.segment(*inner)?
            },
            ast::Segment::Selector(one) => Segment {
                descend: false,
                selectors: vec![self.selector(one)?],
            },
            ast::Segment::Selectors(several) => {
                let selectors = several
                    .into_iter()
                    .map(|one| self.selector(one))
                    .collect::<Compiled<_>>()?;
                Segment {
                    descend: false,
                    selectors,
                }
            }
        })
    }

    fn selector(&mut self, selector: ast::Selector) -> Compiled<Selector> {
        Ok(match selector {
            ast::Selector::Name(name) => Selector::Name(self.name(name)),
            ast::Selector::Wildcard => Selector::Wildcard,
            ast::Selector::Index(index) => Selector::Index(index),
            ast::Selector::Slice(start, end, step) => Selector::Slice {
                start,
                end,
                step: step.unwrap_or(1),
            },
            ast::Selector::Filter(filter) => Selector::Filter(self.logical(filter)?),
        })
    }

    fn name(&mut self, name: String) -> NameIndex {
        if let Some(index) = self.known.get(&name) {
            return *index;
        }
        let index = NameIndex(self.names.len());
        self.known.insert(name.clone(), index);
        self.names.push(name);
        index
    }

    fn logical(&mut self, filter: ast::Filter) -> Compiled<Logical> {
        Ok(match filter {
            ast::Filter::Or(parts) => {
                let mut flat = Vec::new();
                for part in parts {
                    match self.logical(part)? {
                        Logical::Or(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Logical::Or(flat)
            }
            ast::Filter::And(parts) => {
                let mut flat = Vec::new();
                for part in parts {
                    match self.logical(part)? {
                        Logical::And(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Logical::And(flat)
            }
            ast::Filter::Atom(atom) => self.atom(atom)?,
        })
    }

    fn atom(&mut self, atom: ast::FilterAtom) -> Compiled<Logical> {
        let (inner, not) = match atom {
            ast::FilterAtom::Filter { expr, not } => (self.logical(*expr)?, not),
            ast::FilterAtom::Test { expr, not } => (self.test(*expr)?, not),
            ast::FilterAtom::Comparison(comparison) => (self.comparison(*comparison)?, false),
        };
        Ok(if not { Logical::Not(Box::new(inner)) } else { inner })
    }

    fn test(&mut self, test: ast::Test) -> Compiled<Logical> {
        match test {
            ast::Test::Function(call) => self.logical_call(*call),
            query => self.query(query).map(Logical::Exists),
        }
    }

    /// A query that is no call.
    fn query(&mut self, test: ast::Test) -> Compiled<Query> {
        let (from, segments) = match test {
            ast::Test::RelQuery(segments) => (Start::Current, segments),
            ast::Test::AbsQuery(query) => (Start::Root, query.segments),
            ast::Test::Function(_) => return Err(self.misuse("a function gives no nodes; a path is needed here")),
        };
        Ok(Query {
            from,
            segments: self.segments(segments)?,
        })
    }

    fn comparison(&mut self, comparison: ast::Comparison) -> Compiled<Logical> {
        let (operator, left, right) = match comparison {
            ast::Comparison::Eq(left, right) => (Operator::Equal, left, right),
            ast::Comparison::Ne(left, right) => (Operator::NotEqual, left, right),
            ast::Comparison::Gt(left, right) => (Operator::Greater, left, right),
            ast::Comparison::Gte(left, right) => (Operator::GreaterOrEqual, left, right),
            ast::Comparison::Lt(left, right) => (Operator::Less, left, right),
            ast::Comparison::Lte(left, right) => (Operator::LessOrEqual, left, right),
        };
        let left = self.comparable(left)?;
        Ok(Logical::Compare(operator, left, self.comparable(right)?))
    }

    fn comparable(&mut self, comparable: ast::Comparable) -> Compiled<Operand> {
        match comparable {
            ast::Comparable::Literal(literal) => Ok(Operand::Literal(self.literal(literal))),
            ast::Comparable::Function(call) => self.value_call(call),
            ast::Comparable::SingularQuery(query) => Ok(Operand::Query(self.singular(query))),
        }
    }

    fn singular(&mut self, query: ast::SingularQuery) -> Query {
        let (from, segments) = match query {
            ast::SingularQuery::Current(segments) => (Start::Current, segments),
            ast::SingularQuery::Root(segments) => (Start::Root, segments),
        };
        let one = |segment| match segment {
            ast::SingularQuerySegment::Index(index) => Selector::Index(index),
            ast::SingularQuerySegment::Name(name) => Selector::Name(self.name(name)),
        };
        let selectors = segments.into_iter().map(one);
        Query {
            from,
            segments: selectors
                .map(|one| Segment {
                    descend: false,
                    selectors: vec![one],
                })
                .collect(),
        }
    }

    fn literal(&self, literal: ast::Literal) -> Literal {
        match literal {
            ast::Literal::Null => Literal::Null,
            ast::Literal::Bool(value) => Literal::Bool(value),
            ast::Literal::Int(value) => Literal::Int(value),
            ast::Literal::Float(value) => Literal::Float(value),
            ast::Literal::String(value) => match self.lexed.number(&value) {
                Some(number) => number
                    .parse()
                    .map_or_else(|_| Literal::Number(number.to_owned()), Literal::Int),
                None => Literal::String(value),
            },
        }
    }

    /// A call that stands as a condition.
    fn logical_call(&mut self, call: ast::TestFunction) -> Compiled<Logical> {
        let (text, pattern, whole) = match call {
            ast::TestFunction::Match(text, pattern) => (text, pattern, true),
            ast::TestFunction::Search(text, pattern) => (text, pattern, false),
            _ => return Err(self.misuse("this function gives a value, which must be compared with another")),
        };
        self.call += 1;
        let text = self.argument(text)?;
        let pattern = match self.argument(pattern)? {
            Operand::Literal(Literal::String(pattern)) => PatternSource::Fixed(Pattern::new(&pattern, whole)),
            other => PatternSource::Found(other),
        };
        Ok(Logical::Match(Box::new(Match { text, pattern, whole })))
    }

    /// A call that gives a value.
    fn value_call(&mut self, call: ast::TestFunction) -> Compiled<Operand> {
        match call {
            ast::TestFunction::Length(of) => {
                self.call += 1;
                Ok(Operand::Length(Box::new(self.argument(*of)?)))
            }
            ast::TestFunction::Count(of) => self.nodes_argument(of).map(Operand::Count),
            ast::TestFunction::Value(of) => self.nodes_argument(of).map(Operand::Value),
            _ => Err(self.misuse(NO_VALUE)),
        }
    }

    /// An argument that must be a value: RFC 9535, 2.4.3.
    fn argument(&mut self, argument: ast::FnArg) -> Compiled<Operand> {
        match argument {
            ast::FnArg::Literal(literal) => Ok(Operand::Literal(self.literal(literal))),
            ast::FnArg::Filter(_) => Err(self.misuse_of_last("a condition cannot be an argument of this function")),
            ast::FnArg::Test(test) => match *test {
                ast::Test::Function(call) => self.value_call(*call),
                query => {
                    let call = self.call;
                    let query = self.query(query)?;
                    if query.is_singular() {
                        return Ok(Operand::Query(query));
                    }
                    self.call = call;
                    let help = "take one value with `value(...)`, or name one member or item";
                    Err(self
                        .misuse_of_last("the argument of this function may select several nodes")
                        .help(help))
                }
            },
        }
    }

    /// An argument that must be nodes.
    fn nodes_argument(&mut self, argument: ast::FnArg) -> Compiled<Query> {
        self.call += 1;
        match argument {
            ast::FnArg::Test(test) if !matches!(*test, ast::Test::Function(_)) => self.query(*test),
            _ => Err(self.misuse_of_last(NO_PATH)),
        }
    }

    /// An error about the call to come.
    fn misuse(&self, message: &str) -> PathError {
        PathError {
            message: message.to_owned(),
            offset: self.lexed.calls.get(self.call).copied(),
            help: None,
        }
    }

    /// An error about the call whose arguments are being read.
    fn misuse_of_last(&self, message: &str) -> PathError {
        let offset = self
            .call
            .checked_sub(1)
            .and_then(|last| self.lexed.calls.get(last))
            .copied();
        PathError {
            message: message.to_owned(),
            offset,
            help: None,
        }
    }
}

/// How deep the evaluator recurses for these segments.
fn segments_depth(segments: &[Segment]) -> usize {
    let branching = segments.iter().filter(|segment| !segment.is_singular()).count();
    let filters = segments
        .iter()
        .flat_map(|segment| &segment.selectors)
        .map(|selector| match selector {
            Selector::Filter(filter) => 1 + logical_depth(filter),
            _ => 0,
        });
    branching + filters.max().unwrap_or(0)
}

fn logical_depth(logical: &Logical) -> usize {
    match logical {
        Logical::Or(parts) | Logical::And(parts) => 1 + parts.iter().map(logical_depth).max().unwrap_or(0),
        Logical::Not(inner) => 1 + logical_depth(inner),
        Logical::Exists(query) => 1 + segments_depth(&query.segments),
        Logical::Compare(_, left, right) => 1 + operand_depth(left).max(operand_depth(right)),
        Logical::Match(call) => {
            let pattern = match &call.pattern {
                PatternSource::Fixed(_) => 0,
                PatternSource::Found(operand) => operand_depth(operand),
            };
            1 + operand_depth(&call.text).max(pattern)
        }
    }
}

fn operand_depth(operand: &Operand) -> usize {
    match operand {
        Operand::Literal(_) => 0,
        Operand::Length(inner) => 1 + operand_depth(inner),
        Operand::Query(query) | Operand::Count(query) | Operand::Value(query) => 1 + segments_depth(&query.segments),
    }
}
