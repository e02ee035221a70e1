//! What a survivor prepares before each trial, and checks and removes after it.

use std::sync::atomic::Ordering::SeqCst;

use crossmem_core::{
    Agent, Arrived, CONSUMER, End, Got, Kind, Locked, Looked, Object, PRODUCER, Segment, Wait,
};

use crate::found::files;
use crate::scene::{PERMITS, Scene};
use crate::stage::{Outcome, Stage, check, has_group_alone};
use crate::user::{ChannelUser, QueueUser, RecordUser};

/// What an operation needs besides messages in the queues and the ring, which every trial has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Nothing else.
    Plain,
    /// A pipe with records in it, whose first end a survivor owns.
    Pipe,
    /// A survivor waits at a barrier for two.
    Meeting,
    /// A queue of its own, which may be ended.
    Ending,
    /// A survivor waits for a notification of the condition.
    Waiting,
    /// A survivor holds a mutex.
    Held,
}

pub const SETTINGS: [Setting; 6] =
    [Setting::Plain, Setting::Pipe, Setting::Meeting, Setting::Ending, Setting::Waiting, Setting::Held];

/// What was prepared for one trial.
#[derive(Default)]
pub struct Prepared {
    setting: Option<Setting>,
    pipe: Option<(Segment, End)>,
    ending: Option<Segment>,
    meeting: u64,
}

fn records(scene: &Scene) -> RecordUser<'_> {
    let stream = &scene.stage.ledger.records;
    RecordUser { object: scene.on(&scene.records), queue: &scene.records, stream }
}

impl Prepared {
    pub fn prepare(&mut self, scene: &Scene, setting: Setting) -> Outcome {
        let (stage, agent) = (&scene.stage, &scene.agent);
        let ledger = stage.ledger;
        Self::settle_group(&scene.stage)?;
        for (queue, stream) in [(&scene.main, &ledger.main), (&scene.tasks, &ledger.tasks)] {
            let mut user = QueueUser::join(agent, queue, stream)?;
            for large in [false, false, true] {
                check(user.push(large, Wait::Try)?, || "an empty queue has no room".into())?;
            }
            user.leave()?;
        }
        let mut producer = ChannelUser::take(agent, &scene.ring, PRODUCER, &ledger.ring)?;
        producer.push_many(3)?;
        producer.release(false)?;
        check(records(scene).put(3, Wait::Try)?, || "an empty queue of records has no room".into())?;
        match setting {
            Setting::Plain => {}
            Setting::Pipe => {
                let pipe = stage.create(agent, "pipe", Kind::Pipe, [1024, 1024, 0, 0, 0])?;
                let object = Object::new(agent, &pipe);
                let mut end = object.take_end(0)?;
                for _ in 0..3 {
                    object.push_record(&mut end, b"from the survivor", false, Wait::Try)?;
                }
                self.pipe = Some((pipe, end));
            }
            Setting::Meeting => {
                let pair = scene.on(&scene.pair);
                pair.reset_barrier()?;
                let arrived = pair.arrive(Wait::Try)?;
                let Looked::Got(Arrived::Waiting { generation, .. }) = arrived else {
                    return Err(format!("a barrier for two: {arrived:?}").into());
                };
                self.meeting = generation;
            }
            Setting::Ending => {
                self.ending = Some(stage.create(agent, "ending", Kind::MpmcQueue, [4, 24, 0, 0, 0])?);
            }
            Setting::Waiting => scene.on(&scene.condition).enter_condition()?,
            Setting::Held => lock(scene)?,
        }
        self.setting = Some(setting);
        Ok(())
    }

    /// Empties the queues and the ring, and checks that all room, permits and requests are back.
    pub fn settle(&mut self, scene: &Scene) -> Outcome {
        let (agent, ledger) = (&scene.agent, scene.stage.ledger);
        agent.collect_garbage()?;
        if !files(&scene.stage.other_domain())?.is_empty() {
            // An agent that joins removes what a victim left of that domain.
            Agent::register(&scene.stage.other_domain(), 0)?.leave();
        }
        Self::settle_group(&scene.stage)?;
        for (queue, stream) in [(&scene.main, &ledger.main), (&scene.tasks, &ledger.tasks)] {
            let mut user = QueueUser::join(agent, queue, stream)?;
            // The first attempt that finds no message reaps dead participants.
            for _ in 0..2 {
                while user.get(Wait::Try)? {}
            }
            let (unfinished, _) = user.object.unfinished_messages(&mut user.member)?;
            check(unfinished == 0, || format!("{unfinished} chunks are not free"))?;
            // Otherwise the survivors do so later.
            user.object.give_back_memory(&user.member)?;
            user.leave()?;
        }
        let mut consumer = ChannelUser::take(agent, &scene.ring, CONSUMER, &ledger.ring)?;
        while consumer.pop()? {}
        consumer.release(false)?;
        while records(scene).get(Wait::Try)? {}
        let semaphore = scene.on(&scene.semaphore);
        let permits = semaphore.permits()?;
        let used_up = u64::from(ledger.consuming.swap(0, SeqCst));
        check(permits <= PERMITS && permits + used_up >= PERMITS, || format!("{permits} permits"))?;
        semaphore.release((PERMITS - permits) as u32, false)?;
        let requests = scene.on(&scene.named).query_requests()?;
        check(requests.is_empty(), || format!("named locks: {requests:?}"))?;
        self.settle_setting(scene)
    }

    /// An agent that joins the domain of the group, and leaves it, removes what a victim left.
    fn settle_group(stage: &Stage) -> Outcome {
        let prefix = format!(".crossmem-g{}", stage.group());
        if files(&prefix)?.is_empty() {
            return Ok(());
        }
        let agent = stage.join_group();
        stage.create_bytes(&agent, "bytes", 100)?.close(&agent);
        agent.leave();
        let left = files(&prefix)?;
        check(left.is_empty() || !has_group_alone(), || format!("of the group: {left:?}"))
    }

    fn settle_setting(&mut self, scene: &Scene) -> Outcome {
        let agent = &scene.agent;
        match self.setting.take() {
            None | Some(Setting::Plain) => {}
            Some(Setting::Pipe) => {
                let (pipe, end) = self.pipe.take().ok_or("no pipe")?;
                let mut user =
                    ChannelUser { object: Object::new(agent, &pipe), end, stream: &scene.stage.ledger.pipe };
                while user.pop_from_the_gone()? {}
                user.release(true)?;
                pipe.close(agent);
            }
            Some(Setting::Meeting) => {
                let pair = scene.on(&scene.pair);
                if matches!(pair.wait_meeting(self.meeting, Wait::Try)?, Looked::NotYet { .. }) {
                    let waiting = pair.waiting_at_barrier()?;
                    check(waiting == 1, || format!("{waiting} parties wait at a barrier where one does"))?;
                }
                pair.reset_barrier()?;
            }
            Some(Setting::Ending) => {
                let queue = self.ending.take().ok_or("no queue")?;
                let mut user = QueueUser::join(agent, &queue, &scene.stage.ledger.main)?;
                while user.get(Wait::Try)? {}
                let object = Object::new(agent, &queue);
                object.end_queue()?;
                let ended = object.take_message(&mut user.member, Wait::Try)?;
                check(ended == Looked::Got(Got::Ended), || format!("after the end: {ended:?}"))?;
                user.leave()?;
                queue.close(agent);
            }
            Some(Setting::Held) => {
                scene.on(&scene.held).unlock(false)?;
                lock(scene)?;
                scene.on(&scene.held).unlock(false)?;
            }
            Some(Setting::Waiting) => {
                let condition = scene.on(&scene.condition);
                condition.notify_condition(u32::MAX)?;
                let came = condition.wait_condition(0, Wait::Try)?;
                check(came == Looked::Got(()), || "a notification is lost".into())?;
                condition.settle_condition()?;
            }
        }
        Ok(())
    }
}

fn lock(scene: &Scene) -> Outcome {
    let locked = scene.on(&scene.held).lock(Wait::Try)?;
    check(locked == Looked::Got(Locked { owner_died: false }), || {
        format!("a mutex that no other process has: {locked:?}")
    })
}
