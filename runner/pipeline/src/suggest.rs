//! "Did you mean": the nearest known name, and names quoted for messages.

/// The candidate nearest to `given`, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long "name" is no slip of anything, and the distance costs the product of the lengths.
    if given.len() > 100 {
        return None;
    }
    let given = given.to_lowercase();
    // In names of one or two letters, every other one would be near.
    let allowed = match given.chars().count() {
        0..=2 => 0,
        count => 1 + count / 4,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(given.len()) > allowed * 4 {
            continue;
        }
        let folded = candidate.to_lowercase();
        let same_but_joints = || folded.replace(['-', '_'], "") == given.replace(['-', '_'], "");
        let distance = strsim::osa_distance(&given, &folded);
        let distance = if distance > allowed && same_but_joints() { allowed } else { distance };
        if distance <= allowed && best.is_none_or(|(found, _)| distance < found) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean `x`?" or a list of what is known, when it is short.
pub(crate) fn did_you_mean<'a, I>(given: &str, known: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
    I::IntoIter: Clone,
{
    let known = known.into_iter();
    if let Some(near) = nearest(given, known.clone()) {
        return Some(format!("did you mean {}?", quoted(near)));
    }
    let count = known.clone().take(13).count();
    (1..13).contains(&count).then(|| format!("known here: {}", listed(known)))
}

/// Names as `` `a`, `b` and `c` ``.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

/// Text of the file in a message: in backticks, short, and without control characters.
///
/// What the file says is data; it must not be able to move a terminal's cursor or to begin a line of its own.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut out = String::from("`");
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN {
            out.push('…');
            break;
        }
        if hidden(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

/// Control characters, and those that turn the direction of text or cannot be seen.
pub(crate) fn hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
                | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        )
}

/// Takes the power out of a message, whatever it was made of.
pub(crate) fn tame(text: &mut String) {
    if text.chars().any(hidden) {
        let shown = |c: char| if hidden(c) { c.escape_unicode().to_string() } else { c.to_string() };
        *text = text.chars().map(shown).collect();
    }
}

/// A string as TOML writes it.
pub(crate) fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other if hidden(other) => match u32::from(other) {
                short @ ..=0xFFFF => out.push_str(&format!("\\u{short:04X}")),
                long => out.push_str(&format!("\\U{long:08X}")),
            },
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
