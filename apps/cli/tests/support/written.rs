//! Reads what `predict` wrote.

use crate::run::Ran;

/// The records of a CSV text: RFC 4180, lines may end with CR.
pub fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
            (_, '"') => quoted = !quoted,
            (true, c) => field.push(c),
            (false, ',') => record.push(std::mem::take(&mut field)),
            (false, '\r') => {}
            (false, '\n') => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            (false, c) => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the last line is not whole");
    all
}

/// The `prediction` of each row.
pub fn predictions(ran: &Ran) -> Vec<String> {
    let records = records(&ran.out);
    let at = records[0].iter().position(|name| name == "prediction").expect("there is a prediction");
    records[1..].iter().map(|record| record[at].clone()).collect()
}
