//! What both sides do in a run, whatever the queue is.

use std::time::Instant;

pub struct Order {
    pub is_stream: bool,
    pub count: u64,
    /// Of trips: the shares of them that are over within the times that are asked for.
    pub shares: Vec<f64>,
    pub pause: fn(),
}

/// Each bears its number, so that the receiver sees that all came, and in order.
pub trait Message: Copy + Send {
    fn numbered(number: u64) -> Self;
    fn number(&self) -> u64;
}

impl<const N: usize> Message for [u64; N] {
    fn numbered(number: u64) -> Self {
        [number; N]
    }

    fn number(&self) -> u64 {
        assert_eq!(self[0], self[N - 1], "a message was torn");
        self[0]
    }
}

pub trait Sender {
    type Message: Message;
    fn try_send(&mut self, message: Self::Message) -> bool;
}

pub trait Receiver {
    type Message: Message;
    fn try_receive(&mut self) -> Option<Self::Message>;
}

/// What a side has of two queues, there and back.
pub struct End<S, R> {
    pub out: S,
    pub into: R,
}

impl<S: Sender, R: Receiver<Message = S::Message>> End<S, R> {
    fn send(&mut self, message: S::Message, order: &Order) {
        while !self.out.try_send(message) {
            (order.pause)();
        }
    }

    fn receive(&mut self, order: &Order) -> S::Message {
        loop {
            match self.into.try_receive() {
                Some(message) => return message,
                None => (order.pause)(),
            }
        }
    }

    /// The near end's part; the times of trips, if it makes any.
    pub fn ask(&mut self, order: &Order) -> Vec<f64> {
        if order.is_stream { self.produce(order) } else { self.ping(order) }
    }

    /// The far end's part.
    pub fn answer(&mut self, order: &Order) {
        if order.is_stream {
            self.consume(order);
        } else {
            self.pong(order);
        }
    }

    fn produce(&mut self, order: &Order) -> Vec<f64> {
        for number in 0..order.count {
            self.send(S::Message::numbered(number), order);
        }
        Vec::new()
    }

    fn consume(&mut self, order: &Order) {
        for number in 0..order.count {
            assert_eq!(self.receive(order).number(), number);
        }
    }

    /// What such shares of the trips took at most.
    fn ping(&mut self, order: &Order) -> Vec<f64> {
        let mut took: Vec<f64> = (0..order.count)
            .map(|number| {
                let start = Instant::now();
                self.send(S::Message::numbered(number), order);
                let answer = self.receive(order);
                let ns = start.elapsed().as_secs_f64() * 1e9;
                assert_eq!(answer.number(), number);
                ns
            })
            .collect();
        took.sort_by(f64::total_cmp);
        order.shares.iter().map(|share| took[((took.len() - 1) as f64 * share) as usize]).collect()
    }

    fn pong(&mut self, order: &Order) {
        for _ in 0..order.count {
            let message = self.receive(order);
            self.send(message, order);
        }
    }
}

/// What all threads of this process have used, in nanoseconds.
pub fn cpu_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a clock of every process, and a whole timespec.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
