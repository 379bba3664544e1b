/// Where a worker hands its finished lines to. Never waits: what cannot be taken is dropped and counted.
pub trait RecordSink: Send {
    /// Takes a batch of complete lines that hold `records` records. `false` when they were dropped.
    fn submit(&mut self, lines: Vec<u8>, records: u64) -> bool;

    /// An empty buffer that was written out before, to fill again.
    fn recycle(&mut self) -> Option<Vec<u8>>;
}
