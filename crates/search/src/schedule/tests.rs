use super::*;
use crate::trial::Rungs;
use ir::Task;

fn space(names: &[&str], n_rows: usize) -> Space {
    let learners = names.iter().map(|name| (learn::learner(name).unwrap(), Vec::new())).collect();
    let facts =
        Facts { task: Task::Binary, n_rows, n_numbers: 3, n_categories: 0, rare: 1.0, is_limited: false };
    let (transforms, augment) = (Vec::new(), None);
    Space {
        learners,
        transforms,
        augment,
        added: Added::Auto,
        teachings: Vec::new(),
        first: Vec::new(),
        for_teacher: false,
        for_ensemble: false,
        facts,
        n_held_back: n_rows / 8,
        seed: Seed(0),
    }
}

/// The error of a trial in a world where forests are hopeless and small steps of boosting are best.
fn world(trial: &Trial) -> Outcome {
    let setting =
        |name: &str| trial.settings.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.parse::<f64>().ok());
    let error = match &trial.learner[..] {
        "gbdt" => 0.2 + 0.1 * (setting("learning_rate").unwrap_or(0.1).ln() - 0.02f64.ln()).abs(),
        "logistic" => 0.35 + 0.01 * (setting("c").unwrap_or(1.0).ln() - 3.0).abs(),
        _ => 0.9,
    };
    // A preparation that helps, others that do harm.
    let error = match trial.transforms.first().map(String::as_str) {
        Some("construct") => 0.9 * error,
        Some(_) => 1.1 * error,
        None => error,
    };
    let is_stopped = trial.bars[1].is_some_and(|bar| error > bar);
    let (rungs, work) = ([None, Some(error)], if is_stopped { 1.0 } else { 8.0 });
    Outcome { error: (!is_stopped).then_some(error), rungs, work, is_whole: true, ..Outcome::default() }
}

fn run(schedule: &mut Schedule, n_rounds: usize, round: usize) {
    for _ in 0..n_rounds {
        for asked in schedule.ask(round) {
            let outcome = world(&asked.trial);
            schedule.tell(asked, outcome);
        }
    }
}

#[test]
fn the_best_is_found_and_the_hopeless_left() {
    let mut schedule = Schedule::new(space(&["gbdt", "logistic", "forest"], 20_000)).unwrap();
    run(&mut schedule, 12, 8);
    let best = schedule.best().unwrap();
    assert_eq!(best.trial.learner, "gbdt");
    assert!(best.outcome.error.unwrap() < 0.21, "{best:?}");
    assert_eq!(best.trial.transforms, ["construct"]);
    let count = |name: &str| schedule.told().iter().filter(|t| t.trial.learner == name).count();
    assert!(count("gbdt") > 2 * count("forest"), "{} {}", count("gbdt"), count("forest"));
    // Nothing is tried twice; the hopeless stop behind one fold.
    let tried: BTreeSet<Vec<u8>> = schedule.told().iter().map(|t| t.trial.without_bars().bytes()).collect();
    assert_eq!(tried.len(), schedule.told().len());
    let late = schedule.told().iter().skip(16).filter(|t| t.trial.learner == "forest");
    assert!(late.clone().count() > 0 && late.clone().all(|t| t.outcome.error.is_none()));
}

/// Whatever a limit adds to what is tried; the other guesses of the learner come behind it.
#[test]
fn the_first_preparation_comes_among_the_first_guesses() {
    for is_limited in [false, true] {
        let mut space = space(&["gbdt", "logistic", "forest"], 20_000);
        space.facts.is_limited = is_limited;
        space.teachings = vec!["swaps of 7".to_owned()];
        let mut schedule = Schedule::new(space).unwrap();
        let n_guesses = schedule.n_guesses;
        run(&mut schedule, n_guesses + 1, 1);
        let is_prepared = |told: &Told| told.trial.transforms == ["construct"];
        let told = schedule.told();
        let first = told.iter().position(is_prepared).unwrap();
        assert_eq!((first, &told[first].trial.learner[..]), (n_guesses.div_ceil(2), "gbdt"));
        let boosted = told[first..].iter().filter(|told| told.trial.learner == "gbdt");
        assert!(boosted.clone().count() > 1 && boosted.clone().all(is_prepared));
        let others = told.iter().filter(|told| told.trial.learner != "gbdt");
        assert!(!others.clone().any(is_prepared));
    }
}

/// What is known to be too large is not tried again as it is, and what is small is, if it comes near.
#[test]
fn what_did_well_without_limits_is_tried_in_forms_that_have_room() {
    let trial = |learner: &str, rounds: &str| Trial {
        learner: learner.to_owned(),
        settings: vec![("max_trees".to_owned(), rounds.to_owned())],
        ..Trial::default()
    };
    let outcome = |error: f64, bytes: u64, rounds: u32| Outcome {
        error: Some(error),
        bytes: Some(bytes),
        rounds: Some(rounds),
        is_whole: true,
        ..Outcome::default()
    };
    let mut unlimited = Schedule::new(space(&["gbdt", "logistic", "knn"], 20_000)).unwrap();
    let knn = Trial { learner: "knn".to_owned(), ..Trial::default() };
    let all = [
        (trial("gbdt", "4000"), outcome(0.2, 4000, 800)),
        (trial("gbdt", "400"), outcome(0.202, 2000, 400)),
        (trial("gbdt", "500"), outcome(0.204, 2500, 500)),
        (trial("gbdt", "20"), outcome(0.205, 900, 20)),
        (trial("gbdt", "10"), outcome(0.25, 500, 10)),
        (knn, outcome(0.21, 1_000_000, 0)),
    ];
    unlimited.told.extend(all.map(|(trial, outcome)| Told { trial, outcome }));
    let excess = |outcome: &Outcome| (outcome.bytes.unwrap() as f64 / 1000.0 - 1.0).max(0.0);
    let first = unlimited.leaders(6, excess);
    let errors: Vec<f64> = first.iter().map(|told| told.outcome.error.unwrap()).collect();
    assert_eq!(errors, [0.2, 0.202, 0.205, 0.21]);
    let mut limited = Schedule::new(Space { first, ..space(&["gbdt", "logistic", "knn"], 20_000) }).unwrap();
    let asked: Vec<Trial> = limited.ask(3).into_iter().map(|asked| asked.trial).collect();
    let rounds =
        |trial: &Trial| trial.settings.iter().find(|(n, _)| n == "max_trees").map(|(_, v)| v.clone());
    let expected = [Some("180"), Some("180"), Some("20")].map(|n| n.map(str::to_owned));
    assert_eq!(asked.iter().map(rounds).collect::<Vec<_>>(), expected);
    let others = limited.ask(20);
    assert!(others.iter().all(|asked| asked.trial.learner != "knn"), "{others:?}");
    // What would be as good behind the transforms of the best one: with as many rounds, behind them.
    let construct = |trial: Trial| Trial { transforms: vec!["construct".to_owned()], ..trial };
    unlimited.told.push(Told { trial: construct(trial("gbdt", "4000")), outcome: outcome(0.19, 4000, 800) });
    let first = unlimited.leaders(7, excess);
    let known: Vec<(String, usize)> = first
        .iter()
        .map(|told| (rounds(&told.trial).unwrap_or_default(), told.trial.transforms.len()))
        .collect();
    let expected = [("4000", 1), ("400", 1), ("20", 1), ("", 0)];
    assert_eq!(known, expected.map(|(rounds, n)| (rounds.to_owned(), n)));
}

#[test]
fn a_learner_far_behind_gets_no_further_guess() {
    for (behind, n_guesses) in [(1.1, 3), (1.2, 2)] {
        let mut schedule = Schedule::new(space(&["logistic", "extra_trees"], 20_000)).unwrap();
        let mut n_asked = 0;
        for _ in 0..6 {
            for asked in schedule.ask(1) {
                let error = Some(if asked.trial.learner == "logistic" { 0.2 } else { 0.2 * behind });
                let rungs = [None, error];
                let outcome = Outcome { error, rungs, work: 1.0, is_whole: true, ..Outcome::default() };
                n_asked += usize::from(asked.why == GUESS);
                schedule.tell(asked, outcome);
            }
        }
        assert_eq!(n_asked, n_guesses);
    }
}

#[test]
fn an_ensemble_gets_the_best_of_learners_that_come_near() {
    // Linear models are 7 % worse than boosting, neighbours hopeless.
    let near = |trial: &Trial| {
        let error = match &trial.learner[..] {
            "gbdt" => 0.2 + 0.01 * (world(trial).rungs[1].unwrap() - 0.2).clamp(0.0, 0.1),
            "logistic" => 0.215,
            _ => 0.9,
        };
        let is_stopped = trial.bars[1].is_some_and(|bar| error > bar);
        let rungs = [None, Some(error)];
        Outcome {
            error: (!is_stopped).then_some(error),
            rungs,
            work: 1.0,
            is_whole: true,
            ..Outcome::default()
        }
    };
    for for_ensemble in [false, true] {
        let names = ["gbdt", "logistic", "knn"];
        let mut schedule = Schedule::new(Space { for_ensemble, ..space(&names, 20_000) }).unwrap();
        for _ in 0..60 {
            for asked in schedule.ask(1) {
                let outcome = near(&asked.trial);
                schedule.tell(asked, outcome);
            }
        }
        let whole = |name: &str| {
            let of = schedule.told().iter().filter(|t| t.trial.learner == name);
            of.skip(1).filter(|t| t.outcome.error.is_some()).count()
        };
        assert!(whole("gbdt") > 0 && whole("knn") == 0);
        assert_eq!(whole("logistic") > 0, for_ensemble);
    }
}

#[test]
fn students_begin_with_what_did_well_and_learn_from_the_teacher() {
    let names = ["gbdt", "knn", "logistic"];
    let mut unlimited = Schedule::new(Space { for_teacher: true, ..space(&names, 20_000) }).unwrap();
    run(&mut unlimited, 10, 4);
    assert!(unlimited.told().iter().all(|told| told.trial.for_teacher));
    let first = unlimited.leaders(40, |_| 0.0);
    assert!(first[0].trial == unlimited.best().unwrap().trial.without_bars());
    assert_eq!(unlimited.leaders(1, |_| 0.0).len(), 1);
    let teachings = vec!["swaps of 7".to_owned()];
    let mut students =
        Schedule::new(Space { first: first.clone(), teachings, ..space(&names, 20_000) }).unwrap();
    run(&mut students, 30, 1);
    let told = students.told();
    let expected: Vec<Trial> =
        first.into_iter().map(|told| Trial { for_teacher: false, ..told.trial }).collect();
    let begun: Vec<Trial> = told[..2 * expected.len()].iter().map(|t| t.trial.without_bars()).collect();
    assert_eq!(begun[0], expected[0]);
    assert!(expected.iter().all(|trial| begun.contains(trial)), "{begun:?}");
    // There are too many rows for neighbours.
    let is_tried = |name: &str| told.iter().any(|t| t.trial.learner == name);
    assert!(is_tried("gbdt") && is_tried("logistic"));
    let taught = |name: &str| {
        told.iter().any(|t| t.trial.learner == name && t.trial.taught.as_deref() == Some("swaps of 7"))
    };
    assert!(taught("gbdt") && !taught("knn"));
}

#[test]
fn trees_are_tried_onto_the_best_sum_of_columns() {
    // Trees that are added to a linear model are better.
    let better = |trial: &Trial| {
        let outcome = world(trial);
        let error = outcome.rungs[1].map(|error| if trial.onto.is_some() { 0.9 * error } else { error });
        Outcome { error, rungs: [None, error], ..outcome }
    };
    let told = |added| {
        let mut schedule =
            Schedule::new(Space { added, ..space(&["gbdt", "logistic", "knn"], 20_000) }).unwrap();
        for _ in 0..15 {
            for asked in schedule.ask(4) {
                let outcome = better(&asked.trial);
                schedule.tell(asked, outcome);
            }
        }
        (schedule.best().unwrap().trial.clone(), schedule.told().to_vec())
    };
    let (best, all) = told(Added::Auto);
    let onto = best.onto.unwrap();
    assert_eq!((&best.learner[..], &onto.learner[..]), ("gbdt", "logistic"));
    assert_eq!(*onto, onto.without_bars());
    assert!(all.iter().any(|t| t.trial.without_bars() == *onto));
    assert!(all.iter().all(|t| t.trial.onto.is_none() || t.trial.learner == "gbdt"));
    assert!(told(Added::Never).1.iter().all(|t| t.trial.onto.is_none()));
    let to = Box::new(Trial { learner: "ridge".to_owned(), ..Trial::default() });
    let (_, all) = told(Added::To(to.clone()));
    assert!(all.iter().all(|t| t.trial.onto.as_ref() == Some(&to) && t.trial.augment.is_none()));
}

#[test]
fn what_is_too_large_is_tried_smaller() {
    // Twenty rounds take all that is allowed, a share of them as large a share of it, or a smaller one; more rounds are
    // better.
    for power in [1.0, 1.4] {
        let sized = |trial: &Trial| {
            let setting = |name: &str| trial.settings.iter().find(|(n, _)| n == name);
            let most = setting("max_trees").and_then(|(_, v)| v.parse::<u32>().ok()).unwrap_or(200);
            let rounds = most.min(200);
            let (error, taken) = (Some(1.0 / f64::from(rounds)), (f64::from(rounds) / 20.0).powf(power));
            let excess = (taken - 1.0).max(0.0);
            let sizes = Outcome { taken: Some(taken), excess, rounds: Some(rounds), ..Outcome::default() };
            // What is too large is done to its end only while nothing fits.
            let whole = error.filter(|_| excess <= 0.0 || !trial.is_sized);
            Outcome { error: whole, rungs: [None, error], work: 1.0, is_whole: true, ..sizes }
        };
        let mut schedule = Schedule::new(space(&["gbdt"], 20_000)).unwrap();
        let mut reasons = BTreeSet::new();
        for _ in 0..5 {
            for asked in schedule.ask(4) {
                reasons.insert(asked.why);
                let outcome = sized(&asked.trial);
                schedule.tell(asked, outcome);
            }
        }
        let best = &schedule.best().unwrap().outcome;
        assert!(best.excess == 0.0 && (15..=20).contains(&best.rounds.unwrap()), "{power}: {best:?}");
        assert!(reasons.contains(SMALLER), "{power}");
        assert_eq!(reasons.contains(LARGER), power > 1.0, "{power}");
    }
}

#[test]
fn trees_become_larger_where_time_is_short_and_bytes_are_not() {
    let told = |trial: &Trial, bytes_taken: Option<f64>, taken: f64| {
        let leaves = trial.settings.iter().find(|(name, _)| name == "max_leaves");
        let error = leaves.map_or(0.3, |(_, n)| 1.0 / n.parse::<f64>().unwrap());
        let sizes = Outcome { taken: Some(taken), bytes_taken, rounds: Some(100), ..Outcome::default() };
        Outcome { error: Some(error), rungs: [None, Some(error)], work: 1.0, is_whole: true, ..sizes }
    };
    for (bytes_taken, taken, is_asked) in
        [(Some(0.3), 0.9, true), (None, 0.9, true), (Some(0.9), 0.9, false), (Some(0.1), 0.3, false)]
    {
        let mut schedule = Schedule::new(space(&["gbdt"], 20_000)).unwrap();
        let mut wider = Vec::new();
        for _ in 0..12 {
            for asked in schedule.ask(1) {
                let set = |name: &str| asked.trial.settings.iter().find(|(set, _)| set == name);
                if asked.why == WIDER {
                    wider.push(["max_leaves", "max_trees"].map(|name| set(name).unwrap().1.clone()));
                }
                let outcome = told(&asked.trial, bytes_taken, taken);
                schedule.tell(asked, outcome);
            }
        }
        assert_eq!(!wider.is_empty(), is_asked, "{bytes_taken:?} {taken}: {wider:?}");
        assert!(wider.len() <= 2 && wider.iter().all(|[_, n_trees]| n_trees == "50"), "{wider:?}");
        if is_asked {
            // Those of the first guess, as it is by default.
            assert_eq!(wider[0][0], "93");
        }
    }
}

#[test]
fn members_of_a_limited_ensemble_are_tried_at_shares_of_the_room() {
    // A hundred rounds take all the room; more rounds are better.
    let sized = |trial: &Trial| {
        let setting = |name: &str| trial.settings.iter().find(|(n, _)| n == name);
        let most = setting("max_trees").and_then(|(_, v)| v.parse::<u32>().ok()).unwrap_or(100);
        let rounds = most.min(100);
        let error = Some(1.0 / f64::from(rounds));
        let sizes = Outcome { taken: Some(f64::from(rounds) / 100.0), ..Outcome::default() };
        let rounds = Some(rounds);
        Outcome { error, rungs: [None, error], rounds, work: 1.0, is_whole: true, ..sizes }
    };
    for for_ensemble in [false, true] {
        let mut space = Space { for_ensemble, ..space(&["gbdt", "ebm"], 20_000) };
        space.facts.is_limited = true;
        let mut schedule = Schedule::new(space).unwrap();
        for _ in 0..15 {
            for asked in schedule.ask(4) {
                let outcome = sized(&asked.trial);
                schedule.tell(asked, outcome);
            }
        }
        let told = schedule.told();
        for share in [0.48, 0.24, 0.72, 0.12] {
            let is_there = told.iter().any(|told| told.outcome.taken == Some(share));
            assert_eq!(is_there, for_ensemble, "{share}");
        }
        let is_tried = |parts: &[&str]| {
            told.iter().any(|told| parts.iter().all(|part| told.trial.describe().contains(part)))
        };
        assert_eq!(is_tried(&["leaf_bits=6", "max_trees=60"]), for_ensemble);
        assert_eq!(is_tried(&["ebm", "pairs=3"]), for_ensemble);
    }
}

#[test]
fn the_same_is_asked_again_and_small_tables_end_early() {
    let told = |n_rows, round| {
        let mut schedule = Schedule::new(space(&["gbdt", "logistic", "knn"], n_rows)).unwrap();
        run(&mut schedule, 400 / round, round);
        schedule.told().to_vec()
    };
    assert_eq!(told(5_000, 8), told(5_000, 8));
    assert!(told(100, 1).len() < 60 && told(100, 1).len() < told(50_000, 1).len());
    // Folds of few rows stop nothing.
    assert!(told(100, 8).iter().all(|t| t.trial.bars == Rungs::default()));
}

#[test]
fn what_is_set_stays() {
    let mut space = space(&["gbdt"], 1000);
    space.learners[0].1 = vec![("learning_rate".to_owned(), "0.3".to_owned())];
    space.transforms = vec!["standard".to_owned()];
    let mut schedule = Schedule::new(space).unwrap();
    run(&mut schedule, 3, 8);
    for told in schedule.told() {
        let rates: Vec<_> = told.trial.settings.iter().filter(|(n, _)| n == "learning_rate").collect();
        assert_eq!((rates.len(), &rates[0].1[..]), (1, "0.3"));
        assert_eq!(told.trial.transforms, ["standard"]);
    }
    assert!(schedule.told().len() > 8);
}

#[test]
fn patience_grows_with_rows() {
    let all: Vec<f64> = [10, 100, 300, 500, 5000, 1_000_000].map(patience).to_vec();
    assert!(all.windows(2).all(|w| w[0] <= w[1]) && all[0] == 8.0 && all[5] == 150.0, "{all:?}");
}
