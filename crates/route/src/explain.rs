//! Why a route was chosen: the winner of a lookup, and for every other pattern why it lost.

use crate::method::MethodFit;
use crate::pattern::Pattern;
use crate::rank::Rank;
use crate::table::{Found, Miss, PatternIndex, RouteId, Table};

/// A lookup, explained.
#[derive(Clone, Debug)]
pub struct Explanation<'t> {
    /// What [`Table::find`] returns for the request.
    pub outcome: Result<Found, Miss>,
    /// Every pattern: the winner first, then those that match by rank, then the others, the nearest first.
    pub candidates: Vec<Candidate<'t>>,
}

/// A pattern and its fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'t> {
    /// Which pattern.
    pub index: PatternIndex,
    /// The pattern.
    pub pattern: &'t Pattern,
    /// Its route.
    pub route: RouteId,
    /// Why it did not win; `None` for the winner.
    pub lost: Option<Lost>,
}

/// Why a pattern did not win. The first seven match the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lost {
    /// It would have won, but was not admitted: see [`Table::find_where`].
    NotAdmitted,
    /// The winner names the method, or GET for a HEAD request.
    LessSpecificMethod,
    /// The winner has no `/*`.
    BelowNotExact,
    /// The winner has a literal where this one has a capture, and left of that they are alike.
    CaptureNotLiteral,
    /// The winner's path is longer.
    ShorterPath,
    /// The winner has an exact host, or a longer wildcard.
    LessSpecificHost,
    /// Host and path match, the method does not.
    MethodDiffers,
    /// The host matches, the path does not.
    PathDiffers,
    /// The host does not match.
    HostDiffers,
}

impl Lost {
    /// The reason in plain words, to follow "because".
    pub fn message(self) -> &'static str {
        match self {
            Self::NotAdmitted => "its condition does not hold",
            Self::LessSpecificMethod => "the winner names the method",
            Self::BelowNotExact => "the winner's path matches exactly, this one everything below",
            Self::CaptureNotLiteral => "the winner spells out a segment that is in braces here",
            Self::ShorterPath => "the winner's path is longer",
            Self::LessSpecificHost => "the winner's host is more specific",
            Self::MethodDiffers => "the method differs",
            Self::PathDiffers => "the path differs",
            Self::HostDiffers => "the host differs",
        }
    }
}

impl Table {
    /// Looks a request up, see [`Table::find`], and tells why each other pattern lost. Takes time in proportion to
    /// the number of patterns.
    pub fn explain(&self, method: &[u8], host: &[u8], path: &[u8]) -> Explanation<'_> {
        self.explain_where(method, host, path, |_| true)
    }

    /// The same for [`Table::find_where`].
    pub fn explain_where(
        &self,
        method: &[u8],
        host: &[u8],
        path: &[u8],
        mut admits: impl FnMut(&Found) -> bool,
    ) -> Explanation<'_> {
        let mut refused = Vec::new();
        let outcome = self.find_where(method, host, path, |found| {
            let admitted = admits(found);
            if !admitted {
                refused.push(found.pattern);
            }
            admitted
        });
        let winner = outcome.as_ref().ok().and_then(|found| self.get(found.pattern));
        let winner = winner.and_then(|(pattern, _)| Some((Rank::of(pattern), pattern.fit_method(method)?)));
        let won = outcome.as_ref().ok().map(|found| found.pattern);
        let mut candidates: Vec<_> = self
            .iter()
            .map(|(index, pattern, route)| {
                let lost = match judge(pattern, method, host, path) {
                    _ if won == Some(index) => None,
                    Ok(fit)
                        if refused.contains(&index) && winner.is_none_or(|best| (Rank::of(pattern), fit) < best) =>
                    {
                        Some(Lost::NotAdmitted)
                    }
                    Ok(fit) => Some(why_lower(winner, (Rank::of(pattern), fit))),
                    Err(lost) => Some(lost),
                };
                Candidate { index, pattern, route, lost }
            })
            .collect();
        candidates.sort_by_cached_key(|candidate| (candidate.lost, Rank::of(candidate.pattern), candidate.index));
        Explanation { outcome, candidates }
    }
}

/// Whether a pattern matches a request by itself.
fn judge(pattern: &Pattern, method: &[u8], host: &[u8], path: &[u8]) -> Result<MethodFit, Lost> {
    if !pattern.matches_host(host) {
        return Err(Lost::HostDiffers);
    }
    if !pattern.matches_path(path) {
        return Err(Lost::PathDiffers);
    }
    pattern.fit_method(method).ok_or(Lost::MethodDiffers)
}

/// The first thing in which a pattern that matches is behind the winner.
fn why_lower(winner: Option<(Rank, MethodFit)>, loser: (Rank, MethodFit)) -> Lost {
    let Some((winner, _)) = winner else { return Lost::MethodDiffers };
    let (rank, _) = loser;
    if winner.host != rank.host {
        Lost::LessSpecificHost
    } else if winner.path.shortness != rank.path.shortness {
        Lost::ShorterPath
    } else if winner.path.captures != rank.path.captures {
        Lost::CaptureNotLiteral
    } else if winner.path.below != rank.path.below {
        Lost::BelowNotExact
    } else {
        Lost::LessSpecificMethod
    }
}
