use super::*;

/// Requests that arrive evenly and are served by endpoints each with its own time to answer.
fn serve(picker: Picker, answer_ms: &[u64], requests: u64, seed: u64) -> Vec<u32> {
    let world = World::equal(answer_ms.len());
    let mut chooser = Chooser::new(picker, seed);
    let mut counts = vec![0; answer_ms.len()];
    let mut under_way: Vec<(u64, usize, u64)> = Vec::new();
    for _ in 0..requests {
        chooser.now_ms += 1;
        let now_ms = chooser.now_ms;
        under_way.retain(|&(ends_ms, endpoint, took_ms)| {
            let runs = ends_ms > now_ms;
            if !runs {
                let one = &world.endpoints[endpoint];
                one.running.set(one.running.get() - 1);
                one.latency.sample(took_ms * 1_000, now_ms, 10_000);
            }
            runs
        });
        let picked = chooser.pick(&world).unwrap();
        counts[picked] += 1;
        let one = &world.endpoints[picked];
        one.running.set(one.running.get() + 1);
        under_way.push((now_ms + answer_ms[picked], picked, answer_ms[picked]));
    }
    counts
}

/// A thousand requests a second over four endpoints of which one takes twenty times as long, for one second.
#[test]
fn a_slow_endpoint_gets_less_than_its_share_within_a_second() {
    let part = |picker: &Picker, seed| f64::from(serve(picker.clone(), &[5, 5, 5, 100], 1_000, seed)[3]) / 1_000.0;
    for seed in 0..50 {
        let least = part(&Picker::LeastRequest { choices: 2 }, seed);
        assert!(least < 0.15, "least_request: {least}");
        let ewma = part(&Picker::PeakEwma { decay_ms: 10_000 }, seed);
        assert!(ewma < 0.05, "peak_ewma: {ewma}");
        let blind = part(&Picker::RoundRobin, seed);
        assert!(blind > 0.24, "round_robin: {blind}");
    }
}

#[test]
fn load_is_measured_against_weight() {
    let world = World::new(&[3, 1]);
    let mut chooser = Chooser::new(Picker::LeastRequest { choices: 2 }, 3);
    for (running, expected) in [([4, 1], 1), ([2, 1], 0), ([30, 11], 0), ([34, 11], 1)] {
        world.endpoints.iter().zip(running).for_each(|(one, running)| one.running.set(running));
        let picked: Vec<_> = (0..20).map(|_| chooser.pick(&world).unwrap()).collect();
        assert_eq!(picked, vec![expected; 20], "{running:?} running");
    }
}

#[test]
fn one_that_never_answers_is_left_alone_and_one_that_was_slow_is_tried_again() {
    let world = World::equal(2);
    let mut chooser = Chooser::new(Picker::PeakEwma { decay_ms: 1_000 }, 5);
    world.endpoints[0].latency.sample(1_000, chooser.now_ms, 1_000);
    world.endpoints[1].running.set(1);
    assert_eq!(chooser.counts(&world, 100), [100, 0], "the second has never answered");
    world.endpoints[1].running.set(0);
    world.endpoints[1].latency.sample(100_000, chooser.now_ms, 1_000);
    assert_eq!(chooser.counts(&world, 100), [100, 0], "the second is slow");
    chooser.now_ms += 8_000;
    world.endpoints[0].latency.sample(1_000, chooser.now_ms, 1_000);
    assert_eq!(chooser.counts(&world, 100), [0, 100], "that is long ago");
}
