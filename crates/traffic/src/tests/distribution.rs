use super::*;

const SEEDS: u64 = 64;
const PICKS: usize = 5_000;

/// Over many seeds the statistic may exceed its 99.9 % value as often as chance allows: one of 64 is usual,
/// and these are the same 64 each time.
#[track_caller]
fn check(picker: &Picker, weights: &[u32]) {
    let world = World::new(weights);
    let degrees = weights.iter().filter(|&&weight| weight > 0).count() - 1;
    let exceeding = (0..SEEDS).filter(|&seed| {
        let counts = Chooser::new(picker.clone(), seed).counts(&world, PICKS);
        chi_squared(&counts, weights) > chi_squared_max(degrees)
    });
    assert!(exceeding.count() <= 1, "{picker:?} over {weights:?}");
}

const WEIGHTS: [&[u32]; 5] = [&[1, 1], &[1, 1, 1, 1, 1, 1, 1], &[95, 5], &[5, 3, 0, 2, 1], &[100, 1, 1, 50]];

#[test]
fn random_follows_weights() {
    WEIGHTS.iter().for_each(|weights| check(&Picker::Random, weights));
}

#[test]
fn least_request_follows_weights_while_nothing_runs() {
    WEIGHTS.iter().for_each(|weights| check(&Picker::LeastRequest { choices: 2 }, weights));
    WEIGHTS.iter().for_each(|weights| check(&Picker::LeastRequest { choices: 5 }, weights));
}

#[test]
fn peak_ewma_follows_weights_while_nothing_is_known() {
    WEIGHTS.iter().for_each(|weights| check(&Picker::PeakEwma { decay_ms: 10_000 }, weights));
}

#[test]
fn round_robin_meets_weights_exactly_and_begins_elsewhere_on_each_worker() {
    for weights in WEIGHTS {
        let world = World::new(weights);
        let rounds = weights.iter().sum::<u32>() as usize;
        assert_eq!(
            Chooser::new(Picker::RoundRobin, 1).counts(&world, rounds * 3),
            weights.iter().map(|w| w * 3).collect::<Vec<_>>()
        );
    }
    let world = World::equal(4);
    let first = |worker| {
        let mut chooser = Chooser::new(Picker::RoundRobin, 1);
        chooser.roster = Roster::new(worker, 4);
        chooser.pick(&world)
    };
    assert_eq!([0, 1, 2, 3].map(first), [0, 1, 2, 3].map(Some));
}

#[test]
fn hashing_spreads_keys_by_weight() {
    for weights in WEIGHTS {
        let world = World::new(weights);
        for (table, tolerance) in [(world.ring(), 0.15), (world.maglev(), 0.02)] {
            let mut chooser = Chooser::by_table(table, None);
            let mut counts = vec![0; weights.len()];
            (0..40_000).for_each(|key| counts[chooser.pick_key(&world, key).unwrap()] += 1);
            for (count, weight) in counts.iter().zip(weights) {
                let fair = 40_000.0 * f64::from(*weight) / f64::from(weights.iter().sum::<u32>());
                let noise = 4.0 * fair.sqrt();
                assert!((f64::from(*count) - fair).abs() <= fair * tolerance + noise, "{counts:?} for {weights:?}");
            }
        }
    }
}

#[test]
fn a_request_without_a_key_goes_anywhere() {
    let world = World::equal(5);
    let exceeding = (0..SEEDS).filter(|&seed| {
        let mut chooser = Chooser::by_table(world.maglev(), None);
        chooser.random = Random::seeded(seed);
        chi_squared(&chooser.counts(&world, PICKS), &[1; 5]) > chi_squared_max(4)
    });
    assert!(exceeding.count() <= 1);
}

#[test]
fn what_was_tried_is_kept_away_from_while_there_are_others() {
    let world = World::equal(3);
    let table = Picker::ConsistentHash(Arc::new(HashTable { tiers: Box::new([world.ring()]), load_max_percent: None }));
    let all = [
        Picker::RoundRobin,
        Picker::Random,
        Picker::LeastRequest { choices: 2 },
        Picker::PeakEwma { decay_ms: 1 },
        table,
    ];
    for picker in all {
        let mut chooser = Chooser::new(picker, 7);
        for _ in 0..100 {
            let mut tried = Tried::default();
            let mut seen = Vec::new();
            for _ in 0..3 {
                let picked = chooser.pick_with(&world, Some(42), &tried).unwrap();
                assert!(!seen.contains(&picked), "{:?}", chooser.balance.picker);
                seen.push(picked);
                tried.add(picked);
            }
            assert!(chooser.pick_with(&world, Some(42), &tried).is_some(), "one that was tried is better than none");
        }
    }
}

#[test]
fn nobody_to_choose_is_no_choice() {
    let mut world = World::equal(2);
    for picker in [Picker::RoundRobin, Picker::Random, Picker::LeastRequest { choices: 2 }] {
        assert_eq!(Chooser::new(picker.clone(), 1).pick(&World::equal(0)), None);
        world.change(0, |one| one.weight = 0);
        world.change(1, |one| one.standing = Standing::Out);
        assert_eq!(Chooser::new(picker, 1).pick(&world), None);
    }
    assert_eq!(Chooser::by_table(World::equal(0).ring(), None).pick_key(&world, 1), None);
    assert_eq!(Chooser::by_table(World::equal(0).maglev(), None).pick_key(&world, 1), None);
}
