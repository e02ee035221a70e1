//! Queues of other libraries, between two threads.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;

use crate::clock::cpu_time;
use crate::ends::{End, Message, Order, Receiver, Sender};

/// How many messages a queue has room for.
pub const CAPACITY: usize = 1024;

impl<M: Message> Sender for rtrb::Producer<M> {
    type Message = M;
    fn try_send(&mut self, message: M) -> bool {
        self.push(message).is_ok()
    }
}

impl<M: Message> Receiver for rtrb::Consumer<M> {
    type Message = M;
    fn try_receive(&mut self) -> Option<M> {
        self.pop().ok()
    }
}

impl<M: Message> Sender for Arc<ArrayQueue<M>> {
    type Message = M;
    fn try_send(&mut self, message: M) -> bool {
        self.push(message).is_ok()
    }
}

impl<M: Message> Receiver for Arc<ArrayQueue<M>> {
    type Message = M;
    fn try_receive(&mut self) -> Option<M> {
        self.pop()
    }
}

pub fn array_queue<M: Message>(capacity: usize) -> (Arc<ArrayQueue<M>>, Arc<ArrayQueue<M>>) {
    let queue = Arc::new(ArrayQueue::new(capacity));
    (Arc::clone(&queue), queue)
}

pub fn run<S: Sender + Send, R: Receiver<Message = S::Message> + Send>(
    make: fn(usize) -> (S, R),
    order: &Order,
) -> Vec<f64> {
    let (there, back) = (make(CAPACITY), make(CAPACITY));
    let (mut near, mut far) = (End { out: there.0, into: back.1 }, End { out: back.0, into: there.1 });
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            begin.wait();
            far.answer(order);
            Instant::now()
        });
        begin.wait();
        let (cpu, start) = (cpu_time(), Instant::now());
        let trips = near.ask(order);
        let over = other.join().expect("the other thread ends well");
        let per_message = |ns: f64| ns / order.count as f64;
        let took = per_message((over - start).as_secs_f64() * 1e9);
        let figures = if order.is_stream { vec![took] } else { trips };
        [figures, vec![per_message(cpu_time() - cpu)]].concat()
    })
}
