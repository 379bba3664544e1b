use super::*;

fn rotation(world: &World) -> Vec<u32> {
    Chooser::new(Picker::RoundRobin, 1).counts(world, 1_200)
}

#[test]
fn what_fails_or_is_out_gets_nothing_and_the_rest_shares_evenly() {
    let mut world = World::equal(4);
    world.change(1, |one| one.standing = Standing::Failing);
    assert_eq!(rotation(&world), [400, 0, 400, 400]);
    world.change(0, |one| one.standing = Standing::Out);
    assert_eq!(rotation(&world), [0, 0, 600, 600]);
}

#[test]
fn a_worker_follows_changes_and_returns() {
    let mut world = World::equal(2);
    let mut chooser = Chooser::new(Picker::RoundRobin, 1);
    assert_eq!(chooser.counts(&world, 10), [5, 5]);
    world.change(0, |one| (one.standing, one.until_ms) = (Standing::Failing, 1_005_000));
    assert_eq!(chooser.counts(&world, 10), [0, 10]);
    chooser.now_ms = 1_004_999;
    assert_eq!(chooser.counts(&world, 10), [0, 10]);
    chooser.now_ms = 1_005_000;
    assert_eq!(chooser.counts(&world, 10), [5, 5], "an ejection ends by time alone");
    world.change(1, |one| one.weight = 4);
    assert_eq!(chooser.counts(&world, 10), [2, 8], "a weight that was changed counts at once");
}

#[test]
fn below_the_threshold_all_are_used_but_those_that_are_out() {
    let mut world = World::equal(5);
    for failing in 0..2 {
        world.change(failing, |one| one.standing = Standing::Failing);
    }
    world.change(4, |one| one.standing = Standing::Out);
    assert_eq!(rotation(&world), [0, 0, 600, 600, 0], "two of four are enough");
    world.change(2, |one| one.standing = Standing::Failing);
    assert_eq!(rotation(&world), [300, 300, 300, 300, 0], "one of four is not");
    let mut calm = Chooser::new(Picker::RoundRobin, 1);
    calm.balance.panic_percent = 0;
    assert_eq!(calm.counts(&world, 12), [0, 0, 0, 12, 0]);
    world.change(3, |one| one.standing = Standing::Failing);
    assert_eq!(calm.pick(&world), None, "without a threshold nobody is left");
}

fn backed_up() -> World {
    let mut world = World::equal(12);
    (10..12).for_each(|backup| world.change(backup, |one| one.tier = 1));
    world
}

#[test]
fn a_backup_gets_what_the_first_tier_cannot_bear() {
    for (failing, expected) in [(0, 0.0), (2, 0.0), (3, 0.02), (5, 0.30), (9, 0.86), (10, 1.0)] {
        let mut world = backed_up();
        (0..failing).for_each(|at| world.change(at, |one| one.standing = Standing::Failing));
        let counts = Chooser::new(Picker::RoundRobin, 4).counts(&world, 20_000);
        let spilled = f64::from(counts[10] + counts[11]) / 20_000.0;
        assert!((spilled - expected).abs() < 0.01, "{spilled} spilled with {failing} of 10 failing");
        assert!(counts[..failing].iter().all(|&count| count == 0), "no panic while others bear everything: {counts:?}");
    }
}

#[test]
fn a_key_stays_in_its_tier() {
    let mut world = backed_up();
    (0..5).for_each(|at| world.change(at, |one| one.standing = Standing::Failing));
    let of_tier = |tier: u8| -> Table {
        let entries = world.entries();
        Table::maglev(
            &entries
                .into_iter()
                .filter(|entry| world.endpoints[usize::from(entry.endpoint)].tier == tier)
                .collect::<Vec<_>>(),
            TABLE_SIZE,
        )
    };
    let table = HashTable { tiers: Box::new([of_tier(0), of_tier(1)]), load_max_percent: None };
    let mut chooser = Chooser::new(Picker::ConsistentHash(Arc::new(table)), 1);
    let first: Vec<_> = (0..2_000).map(|key| chooser.pick_key(&world, key).unwrap()).collect();
    let again: Vec<_> = (0..2_000).map(|key| chooser.pick_key(&world, key).unwrap()).collect();
    assert_eq!(first, again);
    let spilled = first.iter().filter(|&&at| at >= 10).count();
    assert!((520..680).contains(&spilled), "{spilled} of 2000 in the second tier");
}

#[test]
fn slow_start_gives_a_growing_share() {
    let mut world = World::equal(4);
    world.change(0, |one| one.since_ms = Some(1_000_000));
    let mut chooser = Chooser::new(Picker::RoundRobin, 1);
    chooser.balance.slow_start = Some(Ramp { duration_ms: 64_000, share_min_percent: 10, aggression: 1.0 });
    for (elapsed_ms, part) in [(0, 0.1), (16_000, 0.25), (32_000, 0.5), (64_000, 1.0), (99_000, 1.0)] {
        chooser.now_ms = 1_000_000 + elapsed_ms;
        let counts = chooser.counts(&world, 31_000);
        let got = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((got - part).abs() < 0.01, "{got} of a share after {elapsed_ms} ms");
    }
}

/// A large upstream is not looked through at each change; what is chosen meanwhile is looked at instead.
#[test]
fn changes_of_many_cost_little_and_still_count_at_once() {
    let mut world = World::equal(10_000);
    let mut chooser = Chooser::new(Picker::Random, 1);
    chooser.pick(&world);
    for gone in 0..1_000 {
        world.change(gone, |one| one.standing = Standing::Failing);
        let picked = chooser.pick(&world).unwrap();
        assert!(picked > gone, "{picked} is failing");
    }
    chooser.now_ms += 100;
    assert!((0..1_000).all(|_| chooser.pick(&world).unwrap() >= 1_000));
}
