//! What both ends do in a run, for any queue.

use std::thread;
use std::time::Instant;

pub struct Order {
    /// Messages in one direction; otherwise trips, there and back.
    pub is_stream: bool,
    pub count: u64,
    /// The quantiles of the trips' times that the answer states, from 0 to 1.
    pub shares: Vec<f64>,
    /// What an end does while it waits.
    pub pause: fn(),
}

/// Reads an order. Returns the size of a message in bytes, and the rest.
pub fn order_of(line: &str, pause: fn()) -> (usize, Order) {
    let words: Vec<&str> = line.split(' ').collect();
    let [kind, bytes, _, count, _, ref shares @ ..] = words[..] else { panic!("no order: {line}") };
    let shares = shares.iter().flat_map(|list| list.split(',')).map(|share| share.parse().expect("a share"));
    let order = Order {
        is_stream: kind == "stream",
        count: count.parse().expect("a count"),
        shares: shares.collect(),
        pause,
    };
    (bytes.parse().expect("a size"), order)
}

pub fn pause_of(pause: &str) -> fn() {
    match pause {
        "spin" => std::hint::spin_loop,
        "yield" => thread::yield_now,
        _ => panic!("spin or yield, not {pause}"),
    }
}

/// Each message carries its number, so the receiver can check that all arrive, in order.
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

/// One end of two queues: one there, one back.
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

    /// Does what the near end has to do. Returns the times of trips.
    pub fn ask(&mut self, order: &Order) -> Vec<f64> {
        if order.is_stream { self.produce(order) } else { self.ping(order) }
    }

    /// Does what the far end has to do.
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

    /// Makes trips. Returns the quantiles of their times that the order asks for.
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
