use super::*;
use std::collections::HashSet;

const KEYS: u64 = 20_000;

type Build = fn(&World) -> Table;
const TABLES: [(&str, Build); 2] = [("ring", World::ring), ("maglev", World::maglev)];

fn places(world: &World, build: impl Fn(&World) -> Table) -> Vec<String> {
    let mut chooser = Chooser::by_table(build(world), None);
    (0..KEYS).map(|key| world.endpoints[chooser.pick_key(world, key).unwrap()].name.clone()).collect()
}

fn moved(before: &[String], after: &[String]) -> f64 {
    before.iter().zip(after).filter(|(before, after)| before != after).count() as f64 / KEYS as f64
}

#[track_caller]
fn check_moves(name: &str, count: usize, build: impl Fn(&World) -> Table) {
    let before = places(&World::equal(count), &build);
    for gone in [0, count / 2] {
        let mut less = World::equal(count);
        less.endpoints.remove(gone);
        let part = moved(&before, &places(&less, &build));
        assert!(part <= 1.2 / count as f64, "{name}: {part} moved when {gone} of {count} went or came");
    }
}

#[test]
fn one_that_is_removed_or_added_moves_little_more_than_its_share() {
    for count in [2, 3, 10, 50, 200] {
        check_moves("ring", count, World::ring);
    }
    for count in [2, 10, 20] {
        check_moves("maglev", count, World::maglev);
    }
    // With more endpoints the table must grow, or its other slots are filled otherwise too.
    check_moves("large maglev", 100, |world| Table::maglev(&world.entries(), 655_373));
}

#[test]
fn one_that_fails_moves_its_own_keys_and_no_other() {
    for (name, build) in TABLES {
        let mut world = World::equal(10);
        let mut chooser = Chooser::by_table(build(&world), None);
        let before: Vec<_> = (0..KEYS).map(|key| chooser.pick_key(&world, key).unwrap()).collect();
        world.change(3, |one| one.standing = Standing::Failing);
        let mut heirs = HashSet::new();
        for (key, before) in (0..).zip(&before) {
            let after = chooser.pick_key(&world, key).unwrap();
            match before {
                3 => assert!(
                    after != 3 && {
                        heirs.insert(after);
                        true
                    },
                    "{name}"
                ),
                _ => assert_eq!(after, *before, "{name}"),
            }
        }
        assert_eq!(heirs.len(), 9, "{name}: its keys are spread over all others");
        world.change(3, |one| one.standing = Standing::Available);
        (0..).zip(&before).for_each(|(key, before)| assert_eq!(chooser.pick_key(&world, key), Some(*before), "{name}"));
    }
}

#[test]
fn tables_do_not_depend_on_the_order_of_endpoints() {
    let forward = World::equal(20);
    let mut backward = World::equal(20);
    backward.endpoints.reverse();
    for (_, build) in TABLES {
        assert_eq!(places(&forward, build), places(&backward, build));
    }
}

/// What a fleet agrees on must not change from release to release.
#[test]
fn hashes_and_tables_stay_as_they_are() {
    assert_eq!(hash(b""), 0xf52a_15e9_a9b5_e89b);
    let world = World::equal(5);
    let picks = |table| {
        let mut chooser = Chooser::by_table(table, None);
        (0..12).map(|key| chooser.pick_key(&world, key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        (picks(world.ring()), picks(world.maglev())),
        (vec![0, 0, 3, 2, 2, 0, 3, 1, 4, 2, 1, 2], vec![0, 4, 2, 0, 4, 4, 1, 0, 4, 0, 1, 1])
    );
}

#[test]
fn a_weight_lowered_in_operation_gives_up_keys_and_takes_none() {
    for (name, build) in TABLES {
        let mut world = World::new(&[10, 10, 10, 10]);
        let mut chooser = Chooser::by_table(build(&world), None);
        let before: Vec<_> = (0..KEYS).map(|key| chooser.pick_key(&world, key).unwrap()).collect();
        world.change(0, |one| one.weight = 5);
        let after: Vec<_> = (0..KEYS).map(|key| chooser.pick_key(&world, key).unwrap()).collect();
        let keys_of = |places: &[usize]| places.iter().filter(|&&place| place == 0).count() as f64;
        let left = keys_of(&after) / keys_of(&before);
        assert!((0.47..0.53).contains(&left), "{name}: {left}");
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || *before == 0), "{name}");
    }
}

#[test]
fn one_in_slow_start_gets_the_same_keys_each_time_and_more_with_time() {
    for (name, build) in TABLES {
        let mut world = World::equal(4);
        world.change(2, |one| one.since_ms = Some(1_000_000));
        let mut chooser = Chooser::by_table(build(&world), None);
        chooser.balance.slow_start = Some(Ramp { duration_ms: 64_000, share_min_percent: 10, aggression: 1.0 });
        let mut held: HashSet<u64> = HashSet::new();
        for elapsed_ms in [0, 16_000, 32_000, 64_000] {
            chooser.now_ms = 1_000_000 + elapsed_ms;
            let keys: HashSet<u64> = (0..KEYS).filter(|&key| chooser.pick_key(&world, key) == Some(2)).collect();
            let part = keys.len() as f64 / KEYS as f64 * 4.0;
            let expected = (elapsed_ms as f64 / 64_000.0).max(0.1);
            assert!((part - expected).abs() < 0.06 + 0.05 * expected, "{name}: {part} after {elapsed_ms} ms");
            let lost = held.difference(&keys).count();
            assert_eq!(lost, 0, "{name}: what it had it keeps");
            held = keys;
        }
    }
}

#[test]
fn no_endpoint_gets_more_than_the_bound_of_its_fair_share() {
    for (name, build) in TABLES {
        for percent in [110, 125, 200] {
            let world = World::new(&[2, 1, 1, 1]);
            let mut chooser = Chooser::by_table(build(&world), Some(percent));
            let mut random = Random::seeded(9);
            let mut running: Vec<usize> = Vec::new();
            for step in 0..5_000u64 {
                // Half of all requests have the same key.
                let key = if step % 2 == 0 { 1 } else { random.below(1000) };
                let picked = chooser.pick_key(&world, key).unwrap();
                world.endpoints[picked].running.set(world.running(picked) + 1);
                running.push(picked);
                let fair = running.len() as f64 * f64::from(world.endpoints[picked].weight) / 5.0;
                let most = (fair * f64::from(percent) / 100.0).ceil();
                assert!(
                    f64::from(world.running(picked)) <= most,
                    "{name} {percent}%: {} > {most}",
                    world.running(picked)
                );
                if running.len() > 50 {
                    let done = running.swap_remove(random.below(50) as usize);
                    world.endpoints[done].running.set(world.running(done) - 1);
                }
            }
        }
    }
}

#[test]
fn while_nobody_is_full_the_bound_moves_no_key() {
    let world = World::equal(5);
    world.endpoints.iter().for_each(|one| one.running.set(10));
    let mut bound = Chooser::by_table(world.maglev(), Some(125));
    let mut free = Chooser::by_table(world.maglev(), None);
    (0..KEYS).for_each(|key| assert_eq!(bound.pick_key(&world, key), free.pick_key(&world, key)));
}
