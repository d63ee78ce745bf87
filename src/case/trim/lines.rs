//! Texts cut down by lines; the first, which may be a header, stays.

use crate::engine::ItemRead;

use super::drop_what_can_go;

/// Cuts a text down to the lines that are needed.
pub(super) fn cut(text: &str, read: &ItemRead, tried: &mut dyn FnMut(String) -> bool) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut start = 0;
    let mut free: Vec<Vec<usize>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 && !read.touches(&(start..start + line.len())) {
            free.push(vec![at]);
        }
        start += line.len();
    }
    if free.is_empty() {
        // What points at the text as a whole says nothing of its lines.
        free = (1..lines.len()).map(|at| vec![at]).collect();
    }
    let mut dropped = vec![false; lines.len()];
    drop_what_can_go(&free, &mut dropped, &mut |dropped| {
        let kept = lines.iter().zip(dropped).filter(|(_, dropped)| !**dropped);
        tried(kept.map(|(line, _)| *line).collect())
    });
}
