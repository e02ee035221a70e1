//! The floor that `bench/` measures queues against: the best known ones between two threads.
//!
//! `cargo run --release -p crossmem-core --example queue_peers -- QUEUE PAUSE` takes orders, one on each line of its
//! standard input, and answers each by a line, as `bench/peers/queue-near.ts` does:
//! `stream BYTES 1 COUNT` → `[ns, CPU ns]` of a message, `trips BYTES 1 COUNT` → `[p50, p99, CPU ns]` of a trip there
//! and back.
//!
//! | QUEUE | what it is |
//! | --- | --- |
//! | `rtrb` | a ring of one sender and one receiver |
//! | `array-queue` | crossbeam's queue of many senders and receivers |
//!
//! PAUSE is what a thread does that must wait: `spin`, or `yield` its core.

#[cfg(unix)]
fn main() {
    unix::main();
}

#[cfg(not(unix))]
fn main() {
    eprintln!("queue_peers measures CPU time on Unix only");
    std::process::exit(2);
}

#[cfg(unix)]
mod unix {
    use std::sync::{Arc, Barrier};
    use std::thread;
    use std::time::Instant;

    use crossbeam_queue::ArrayQueue;

    const CAPACITY: usize = 1024;

    pub fn main() {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [queue, pause] = args.as_slice() else { panic!("queue_peers QUEUE PAUSE") };
        let pause: fn() = match pause.as_str() {
            "spin" => std::hint::spin_loop,
            "yield" => thread::yield_now,
            _ => panic!("spin or yield, not {pause}"),
        };
        println!(r#"{{"version":""}}"#);
        for line in std::io::stdin().lines() {
            let line = line.expect("orders are text");
            let words: Vec<&str> = line.split(' ').collect();
            let [kind, bytes, _, count] = words[..] else { panic!("no order: {line}") };
            let order = Order { is_stream: kind == "stream", count: count.parse().expect("a count"), pause };
            let figures = match (queue.as_str(), bytes) {
                ("rtrb", "8") => run(rtrb::RingBuffer::<[u64; 1]>::new, &order),
                ("rtrb", "64") => run(rtrb::RingBuffer::<[u64; 8]>::new, &order),
                ("array-queue", "8") => run(array_queue::<[u64; 1]>, &order),
                ("array-queue", "64") => run(array_queue::<[u64; 8]>, &order),
                _ => panic!("{queue} with {bytes} bytes?"),
            };
            println!("{figures:?}");
        }
    }

    struct Order {
        is_stream: bool,
        count: u64,
        pause: fn(),
    }

    /// Each bears its number, so that the receiver sees that all came, and in order.
    trait Message: Copy + Send {
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

    trait Sender: Send {
        type Message: Message;
        fn try_send(&mut self, message: Self::Message) -> bool;
    }

    trait Receiver: Send {
        type Message: Message;
        fn try_receive(&mut self) -> Option<Self::Message>;
    }

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

    fn array_queue<M: Message>(capacity: usize) -> (Arc<ArrayQueue<M>>, Arc<ArrayQueue<M>>) {
        let queue = Arc::new(ArrayQueue::new(capacity));
        (Arc::clone(&queue), queue)
    }

    fn run<S: Sender, R: Receiver<Message = S::Message>>(
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

    /// What a thread has of two queues, there and back.
    struct End<S, R> {
        out: S,
        into: R,
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
        fn ask(&mut self, order: &Order) -> Vec<f64> {
            if order.is_stream { self.produce(order) } else { self.ping(order) }
        }

        /// The far end's part.
        fn answer(&mut self, order: &Order) {
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

        /// What half of the trips took at most, and 99 of 100.
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
            [0.5, 0.99].map(|share| took[((took.len() - 1) as f64 * share) as usize]).to_vec()
        }

        fn pong(&mut self, order: &Order) {
            for _ in 0..order.count {
                let message = self.receive(order);
                self.send(message, order);
            }
        }
    }

    /// What all threads of this process have used, in nanoseconds.
    fn cpu_time() -> f64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a clock of every process, and a whole timespec.
        let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
        assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    }
}
