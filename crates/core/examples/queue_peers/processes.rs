//! crossmem's queues, between two processes.

use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crossmem_core::{
    Agent, CONSUMER, Consumer, End as ChannelEnd, Got, Kind, Object, PRODUCER, Participant, Producer, Put,
    Segment, Spec,
};

use crate::clock::{cpu_time, now};
use crate::ends::{End, Order, Receiver, Sender, order_of};
use crate::threads::CAPACITY;

const RING_BYTES: u64 = 1 << 17;
const MESSAGE_BYTES: u64 = 64;

/// The far process, and the two queues that both processes open by name.
pub struct Pair {
    agent: Agent,
    segments: [Segment; 2],
    far: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Pair {
    pub fn start(queue: &str, pause: &str) -> Pair {
        let agent = join();
        let name = format!("queue-peers-{}", std::process::id());
        let (kind, params) = match queue {
            "spsc" => (Kind::SpscQueue, [RING_BYTES, 0, 0, 0, 0]),
            _ => (Kind::MpmcQueue, [CAPACITY as u64, MESSAGE_BYTES, 0, 0, 0]),
        };
        let make = |which: usize| {
            let name = format!("{name}-{which}");
            let spec = Spec { params: Some(params), ..Spec::new(&name, kind, 0) };
            Segment::create(&agent, &spec).expect("a queue")
        };
        let segments = [0, 1].map(make);
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["far", queue, pause, &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a far process");
        let (orders, answers) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Pair { agent, segments, far: child, orders, answers: BufReader::new(answers).lines() }
    }

    pub fn run(&mut self, line: &str, bytes: usize, order: &Order) -> Vec<f64> {
        writeln!(self.orders, "{line}").expect("the far process lives");
        read(&mut self.answers); // The far process is ready.
        let (cpu, start) = (cpu_time(), now());
        let [there, back] = &self.segments;
        let trips = play(&self.agent, there, back, bytes, Side::Near, order);
        let [over, far_cpu] = read(&mut self.answers)[..] else { panic!("two numbers") };
        let count = order.count as f64;
        let figures = if order.is_stream { vec![(over - start) / count] } else { trips };
        [figures, vec![(cpu_time() - cpu + far_cpu) / count]].concat()
    }

    /// Ends the far process and leaves nothing behind.
    pub fn end(mut self) {
        drop(self.orders);
        let _ = self.far.wait();
        leave(self.agent, self.segments);
    }
}

fn leave(agent: Agent, segments: [Segment; 2]) {
    for segment in segments {
        segment.close(&agent);
    }
    agent.leave();
}

fn read(answers: &mut Lines<BufReader<ChildStdout>>) -> Vec<f64> {
    let line = answers.next().expect("the far process lives").expect("text");
    line.split(' ').map(|number| number.parse().expect("a number")).collect()
}

/// The far process. It prints a line when it is ready for an order, and one with the time and its
/// CPU time when it has done it.
pub fn far(queue: &str, pause: fn(), name: &str) {
    let agent = join();
    let kind = if queue == "spsc" { Kind::SpscQueue } else { Kind::MpmcQueue };
    let [there, back] =
        [0, 1].map(|which| Segment::open(&agent, &format!("{name}-{which}"), Some(kind)).expect("the queue"));
    for line in stdin().lines() {
        let (bytes, order) = order_of(&line.expect("orders are text"), pause);
        println!("0");
        let cpu = cpu_time();
        play(&agent, &back, &there, bytes, Side::Far, &order);
        println!("{} {}", now(), cpu_time() - cpu);
    }
    leave(agent, [there, back]);
}

fn join() -> Agent {
    let domain = std::env::var("CROSSMEM_DOMAIN").unwrap_or_else(|_| "default".to_owned());
    Agent::register(&domain, 0).expect("a domain")
}

#[derive(Clone, Copy)]
enum Side {
    Near,
    Far,
}

fn play(agent: &Agent, out: &Segment, into: &Segment, bytes: usize, side: Side, order: &Order) -> Vec<f64> {
    match bytes {
        8 => play_with::<1>(agent, out, into, side, order),
        64 => play_with::<8>(agent, out, into, side, order),
        _ => panic!("{bytes} bytes?"),
    }
}

fn play_with<const N: usize>(
    agent: &Agent,
    out: &Segment,
    into: &Segment,
    side: Side,
    order: &Order,
) -> Vec<f64> {
    let (out, into) = (Object::new(agent, out), Object::new(agent, into));
    if let Ok(mut producer) = out.take_end(PRODUCER) {
        let mut consumer = into.take_end(CONSUMER).expect("this end is free");
        let trips = {
            let out = Out::<N>(out.producer(&mut producer).expect("it is ours"));
            let into = Into::<N>(into, into.consumer(&mut consumer).expect("it is ours"));
            play_on(End { out, into }, side, order)
        };
        let release =
            |object: Object<'_>, end: ChannelEnd| object.release_end(end, false).expect("it was ours");
        release(out, producer);
        release(into, consumer);
        return trips;
    }
    let mut members = [out, into].map(|object| object.join_queue().expect("there is room"));
    let [sends, receives] = &mut members;
    let end = End {
        out: Shared::<N>(out, out.participant(sends).expect("a sound queue")),
        into: Shared::<N>(into, into.participant(receives).expect("a sound queue")),
    };
    let trips = play_on(end, side, order);
    for (object, member) in [out, into].into_iter().zip(members) {
        object.leave_queue(member).expect("a sound queue");
    }
    trips
}

fn play_on<S: Sender, R: Receiver<Message = S::Message>>(
    mut end: End<S, R>,
    side: Side,
    order: &Order,
) -> Vec<f64> {
    match side {
        Side::Near => end.ask(order),
        Side::Far => {
            end.answer(order);
            Vec::new()
        }
    }
}

struct Out<'a, 'e, const N: usize>(Producer<'a, 'e>);

impl<const N: usize> Sender for Out<'_, '_, N> {
    type Message = [u64; N];
    fn try_send(&mut self, message: [u64; N]) -> bool {
        let pushed = self.0.try_push(message.map(u64::to_le_bytes).as_flattened());
        pushed.expect("a sound ring") == Some(Put::Done(()))
    }
}

struct Into<'a, 'e, const N: usize>(Object<'a>, Consumer<'a, 'e>);

impl<const N: usize> Receiver for Into<'_, '_, N> {
    type Message = [u64; N];
    fn try_receive(&mut self) -> Option<[u64; N]> {
        let Into(object, consumer) = self;
        let mut message = None;
        let popped = consumer.try_pop(|_, record| {
            let mut bytes = [[0; 8]; N];
            let whole =
                record.len as usize == 8 * N && object.read_record(record, bytes.as_flattened_mut()).is_ok();
            message = Some(bytes.map(u64::from_le_bytes));
            whole
        });
        assert!(popped.expect("a sound ring") != Some(Got::Message(false)), "a record of another size");
        message
    }
}

struct Shared<'a, 'm, const N: usize>(Object<'a>, Participant<'a, 'm>);

impl<const N: usize> Sender for Shared<'_, '_, N> {
    type Message = [u64; N];
    fn try_send(&mut self, message: [u64; N]) -> bool {
        let pushed = self.1.try_push(message.map(u64::to_le_bytes).as_flattened());
        pushed.expect("a sound queue") == Some(Put::Done(()))
    }
}

impl<const N: usize> Receiver for Shared<'_, '_, N> {
    type Message = [u64; N];
    fn try_receive(&mut self) -> Option<[u64; N]> {
        let Shared(object, participant) = self;
        let mut message = None;
        let popped = participant.try_pop(|_, chunk| {
            let mut bytes = [[0; 8]; N];
            let whole =
                chunk.len as usize == 8 * N && object.read_message(chunk, bytes.as_flattened_mut()).is_ok();
            message = Some(bytes.map(u64::from_le_bytes));
            whole
        });
        popped.expect("a sound queue");
        message
    }
}
