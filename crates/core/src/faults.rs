//! Seeded faults: each breaks the code on purpose, in one place, and the test that is named with it must notice. Compiled
//! to nothing but in the models and with the feature `faults`, for tests only.
//!
//! A test is named `tests/program::test`, or by its path in the library; `models::` run under loom. What is
//! here is tried by `scripts/mutants.mjs`, which reads this list; a part of it by a test of its own below.

macro_rules! faults {
    ($($(#[doc = $what:literal])+ $fault:ident: $test:literal;)*) => {
        /// What can be broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($(#[doc = $what])+ $fault,)*
        }

        /// Each, and the test that notices.
        #[cfg(any(all(loom, test), feature = "faults"))]
        const ALL: &[(Fault, &str)] = &[$((Fault::$fault, $test),)*];
    };
}

faults! {
    // sys, region
    /// A refused question who lives is taken for a death.
    UnknownIsDead: "sys::life_ofd::tests::whom_nobody_can_be_asked_about_lives";
    /// A segment has its size, but no memory behind it.
    NothingReserved: "tests/registry::a_segment_has_all_its_memory_from_the_start";
    /// Offsets are not bounded.
    SpanUnchecked: "tests/guard::offsets_outside_the_segment_are_refused";

    // agent
    /// A slot is taken by a store.
    SlotByStore: "tests/stopped::a_newcomer_finds_its_slot_taken";
    /// A newcomer has the number of a dead agent.
    InstanceReused: "tests/killed_locks::killed_at_every_step";
    /// A newcomer leaves its dead predecessors as they are.
    EnterWithoutSweep: "tests/registry::a_thousand_agents_and_no_more";
    /// A newcomer joins a domain that is about to be removed.
    EnterRetiredDomain: "tests/killed::killed_at_every_step_alone_in_its_domain";
    /// A domain is removed without a word to who is just coming.
    RetireUntold: "tests/stopped::a_newcomer_notices_that_the_last_one_left";
    /// Who leaves stays in the table.
    LeaveKeepsSlot: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// The first of several handles that is closed detaches the agent.
    FirstCloseDetaches: "tests/registry::it_stays_until_the_last_handle_is_closed";
    /// Who leaves stays a user of what it had open.
    LeaveStaysAttached: "tests/registry::who_leaves_takes_along_what_only_it_had";
    /// That somebody removed the control segment is not looked for.
    LostControlUnnoticed: "tests/registry::a_control_segment_that_somebody_removed_is_noticed";

    // registry
    /// What a dead holder of the registry's lock left is not repaired.
    RegistryUnrepaired: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// Nobody is told that one more entry is in use.
    EntryUnannounced: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// The repair leaves the tags of free entries.
    RepairKeepsTags: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// The repair leaves objects that nobody was told of.
    RepairKeepsUnborn: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// An object is entered as living before its file has a name.
    LiveBeforeFile: "tests/killed::what_persists_is_made_whole_or_not_at_all";
    /// An entry is free before the file behind it is removed.
    FreeBeforeRemoval: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// An object whose name another program has stays entered.
    RefusedStayEntered: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// A handle is taken for one of whatever is in its entry now.
    StaleHandles: "tests/registry::a_handle_is_of_its_object_and_of_none_that_comes_after_it";
    /// Whoever had the entry's last object open counts as a user of the next one.
    PredecessorsAttached: "tests/registry::an_entry_that_is_used_again_forgets_who_used_it";
    /// An object is found though its name leads elsewhere by now.
    FindWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// A name is removed though it leads elsewhere by now.
    RemoveWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// What belongs to a queue outlives it.
    ChildrenStay: "tests/registry::what_belongs_to_a_queue_goes_with_it";
    /// What belongs to an unlinked queue goes at once, whoever uses it.
    ChildrenLoseUsers: "tests/registry::what_belongs_to_a_queue_stays_for_those_who_use_it_without_its_name";
    /// What belongs to an unlinked queue outlives those who use it.
    OrphanedChildrenStay: "tests/registry::what_belongs_to_a_queue_stays_for_those_who_use_it_without_its_name";
    /// A child of a queue goes with whoever made it.
    ParentKeepsNothing: "tests/children::a_message_outlives_whoever_put_it";
    /// The living are swept.
    SweepTheLiving: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// The dead stay in the table of agents.
    SweepKeepsSlots: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// A dead agent's slot is freed by a store.
    SweepByStore: "tests/stopped::a_newcomer_keeps_the_slot_that_is_being_swept";
    /// A newcomer counts as a user of what its predecessor in the slot had.
    NewcomerInherits: "tests/registry::a_newcomer_has_nothing_of_its_predecessor";
    /// The last one out removes the domain that others are still in.
    RetireBesideOthers: "tests/registry::a_domain_lasts_as_long_as_anyone_is_in_it";
    /// The last one out leaves what the dead had.
    LastOneOutSweepsNothing: "tests/registry::the_last_one_out_sweeps_what_the_dead_left";
    /// Named locks go with their last user, and with them who died holding one.
    NamedLocksForgotten: "tests/locks::a_death_is_told_to_who_comes_when_all_have_left";

    // segment, object
    /// A file has its name before its contents.
    NameBeforeContents: "tests/killed::what_persists_is_made_whole_or_not_at_all";
    /// Who opens an object is not entered as its user.
    OpenUnattached: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// Who is refused an object stays its user.
    RefusedStayAttached: "tests/registry::an_overwritten_header_is_refused";
    /// Who closes an object stays its user.
    CloseStaysAttached: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// A file has the size that its entry says.
    SizeTrusted: "tests/registry::a_segment_of_another_size_is_refused";
    /// Memory that another program made is removed by its name alone.
    UnlinkWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// Objects of other domains, whose owners mean nothing here, are opened.
    AnyDomain: "tests/registry::domains_do_not_see_each_other";
    /// An overwritten header is believed.
    HeaderTrusted: "tests/registry::an_overwritten_header_is_refused";

    // guard
    /// The sequence stays even while an update is made.
    UpdateStaysEven: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// A snapshot is not checked afterwards.
    SequenceLookedAtOnce: "tests/stopped::a_snapshot_is_not_of_what_a_writer_began_meanwhile";
    /// The next writer may come before the sequence is even again.
    UnlockBeforeEven: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// What a dead writer left half-changed is copied.
    TornSnapshot: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// The next writer isn't told that one died inside.
    TornUpdateUntold: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// An update is ended by anyone.
    AnyoneEndsUpdate: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";

    // mutex
    /// The mutex is taken by a store.
    PlainStoreForCas: "models::locks::two_agents_exclude_each_other";
    /// The mutex is released without ordering what was done under it.
    RelaxedUnlock: "models::locks::two_agents_exclude_each_other";
    /// Who takes it from a dead holder, or after sleeping, forgets that others may sleep.
    ForgetWaiters: "models::locks::three_agents_exclude_each_other_and_no_wake_up_is_lost";
    /// A dead holder's successor isn't told.
    ForgetDied: "models::locks::one_takes_over_from_the_dead_and_the_others_are_told_until_it_is_repaired";
    /// The mutex is released by anyone.
    UnlockByAnyone: "locks::mutex::tests::one_holds_it_and_only_that_one_releases_it";
    /// A dead holder keeps it.
    DeadHoldMutexes: "locks::mutex::tests::the_dead_lose_it_and_everyone_is_told_until_it_is_repaired";
    /// Who releases it without a repair hides that a holder died.
    UnlockForgetsDied: "locks::mutex::tests::the_dead_lose_it_and_everyone_is_told_until_it_is_repaired";
    /// What a holder left half-changed is told to nobody.
    AbandonedUntold: "locks::mutex::tests::who_abandons_it_is_as_good_as_dead";
    /// Others let whoever has given up go first.
    HungryForEver: "locks::mutex::tests::nobody_goes_hungry_for_who_has_given_up";

    // doorbell
    /// No fence between changing what others wait for and looking who sleeps.
    NoFenceInNotify: "models::locks::what_is_set_before_the_bell_rings_is_seen";
    /// A sleeper looks first, and enters the set of sleepers afterwards.
    LookBeforeInsert: "models::locks::what_is_set_before_the_bell_rings_is_seen";
    /// A dead sleeper is rung, and nobody else.
    RingTheDead: "models::locks::a_dead_sleeper_swallows_no_wake_up";
    /// Who gives up keeps the wake-up that came for it.
    KeepTheBaton: "models::locks::who_gives_up_passes_the_baton";
    /// Who finds what it waited for keeps a wake-up that came for something else.
    ChosenForNothing: "locks::mutex::tests::who_was_rung_for_something_else_rings_the_next";
    /// The doorbell is not changed, only rung.
    SilentBell: "models::locks::what_is_set_before_the_bell_rings_is_seen";

    // rwlock
    /// A writer goes in without looking for readers.
    WriterSkipsReaders: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// A reader lets go without ordering what it read.
    RelaxedReaderExit: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// The last reader wakes nobody.
    ReaderLeavesSilently: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// A writer that finds a dead reader waits for it.
    WaitForDeadReaders: "models::locks::a_writer_does_not_wait_for_a_dead_reader";
    /// A reader enters without the gate.
    ReaderSkipsGate: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// Nobody is told that a writer died inside.
    TornWriteUntold: "tests/killed_locks::killed_at_every_step";
    /// That a writer was inside is cleared before it is known that it died.
    WritingClearedFirst: "tests/killed_locks::a_second_death_hides_no_first_one";
    /// What a dead reader left in a slot counts as its successor's.
    PredecessorReads: "tests/locks::who_has_the_slot_of_a_dead_reader_writes_at_once";
    /// A writer that gives up keeps readers out.
    GateStaysShut: "tests/locks::who_gives_up_is_in_nobodys_way";

    // semaphore, condition, barrier, event
    /// Permits of the dead don't return.
    PermitsOfTheDeadStay: "tests/killed_locks::killed_at_every_step";
    /// What is taken is not counted anew after a death inside.
    NotRecounted: "tests/killed_locks::killed_at_every_step";
    /// What is taken is counted on top of what was counted.
    RecountedTwice: "tests/killed_locks::killed_at_every_step";
    /// Who gives back what it doesn't hold makes permits.
    PermitsOutOfNothing: "tests/locks::what_one_does_not_hold_one_cannot_give_back";
    /// A permit that is given back wakes nobody.
    ReleaseWakesNobody: "tests/locks::whoever_lets_go_rings_a_sleeper";
    /// A share of an object is the next agent's in that slot.
    PredecessorsShare: "tests/killed_locks::killed_at_every_step";
    /// A notification goes with the waiter that died of it.
    NotificationDies: "tests/locks::a_notification_is_never_lost";
    /// A notification goes with the waiter that gave up.
    NotificationKept: "tests/locks::a_notification_is_never_lost";
    /// A meeting waits for the dead.
    DeadMembersWaitedFor: "tests/killed_locks::killed_at_every_step";
    /// The dead are counted among those who have arrived.
    DeadCountedAsParties: "tests/locks::the_dead_are_no_party";
    /// A meeting has ended before it is known how.
    EndBeforeOutcome: "tests/killed_locks::a_meeting_that_a_death_broke_is_never_met";
    /// Who met last counts in the next meeting, too.
    LastMeetingCounted: "tests/killed_locks::killed_at_every_step";
    /// Who waits for an event misses one that is cleared at once.
    PulseMissed: "tests/locks::an_event_that_is_cleared_at_once_is_not_missed";
    /// An event that resets itself is everybody's.
    TakenByAll: "tests/killed_locks::killed_at_every_step";

    // named locks
    /// The dead keep their named locks.
    DeadHoldNames: "locks::named::tests::the_next_holder_hears_of_a_death_and_only_the_next";
    /// Nobody is told that a holder died.
    DeathOfHolderUntold: "locks::named::tests::the_next_holder_hears_of_a_death_and_only_the_next";
    /// A dead holder is forgotten before there is a next one.
    DeadHolderForgotten: "locks::named::tests::a_death_is_told_though_others_still_share_the_lock";
    /// What can be shared overtakes what was asked for before it.
    ReadersOvertake: "locks::named::tests::granted_in_order_and_the_shared_ones_together";
    /// What a death left ungranted stays so.
    LeftUngranted: "locks::named::tests::what_the_dead_left_half_done_is_finished_by_who_comes_next";
    /// A request is ended by anyone.
    AnyoneEndsRequests: "locks::named::tests::a_request_is_ended_by_whoever_made_it";
    /// A run of cells is cut before its second half is one.
    SplitFrontFirst: "tests/killed_locks::killed_at_every_step";

    // spsc, channel
    /// A record is published without ordering what is in it.
    RelaxedPush: "models::rings::records_are_whole_and_in_order";
    /// A record's place is given back without ordering that it was read.
    RelaxedPop: "models::rings::records_are_whole_and_in_order";
    /// The producer believes that there is always room.
    PushWithoutRoom: "models::rings::records_are_whole_and_in_order";
    /// A record is published before its header is written.
    PushBeforeHeader: "tests/killed_channels::killed_at_every_step";
    /// A record is as long as it says.
    RecordLengthTrusted: "queues::spsc::tests::words_that_make_no_sense_are_refused";
    /// A record is taken for one of this lap.
    RecordPositionTrusted: "queues::spsc::tests::words_that_make_no_sense_are_refused";
    /// The dead keep their ends of queues.
    DeadKeepEnds: "tests/killed_channels::killed_at_every_step";
    /// An end is taken by a store.
    EndByStore: "tests/stopped::a_newcomer_finds_its_end_taken";
    /// An end is taken from the living.
    EndOfTheLivingTaken: "tests/queues::an_end_is_its_owners_alone";
    /// Nobody is told that the other end was closed.
    CloseUntold: "tests/killed_channels::killed_at_every_step";
    /// Nobody is told that who had the other end of a pipe died.
    PeerDeathUntold: "tests/killed_channels::killed_at_every_step";
    /// A dead one's end of a pipe is taken over.
    PipeTakenOver: "tests/killed_channels::killed_at_every_step";
    /// Readers are told the end of what they have not looked at again.
    EndBeforeLastRecord: "tests/stopped::a_reader_finds_what_was_pushed_before_the_end";
    /// A record that was reserved before the end is pushed after it.
    CommitAfterClose: "tests/queues::nothing_is_pushed_that_nobody_will_pop";
    /// Records are pushed that nobody will pop.
    PushAfterClose: "tests/killed_channels::killed_at_every_step";

    // claim, index_ring, mpmc
    /// The word of a chunk comes back.
    NoGeneration: "queues::mpmc::tests::a_claim_never_comes_back";
    /// A chunk is queued without ordering what is in it.
    RelaxedPublish: "models::queues::a_chunk_begins_a_next_life";
    /// A chunk is freed without ordering that it was read.
    RelaxedFree: "models::queues::one_chunk_is_used_by_both";
    /// A participant takes its place by a store.
    PlaceByStore: "tests/stopped::a_newcomer_finds_its_place_taken";
    /// A chunk is claimed by a store.
    ClaimByStore: "models::queues::one_chunk_is_used_by_both";
    /// Nobody moves a tail that lags.
    NoTailHelp: "models::queues::what_is_put_is_got_once";
    /// Nobody moves a head that lags.
    NoHeadHelp: "models::queues::what_is_put_is_got_once";
    /// A getter doesn't look again at the slot.
    NoSlotReread: "models::queues::a_chunk_begins_a_next_life";
    /// A slot whose chunk is claimed is left to its claimant.
    NoHelpForClaimed: "models::queues::what_is_put_is_got_once";
    /// A reaper doesn't look whether a queued chunk is linked.
    ReapWithoutScan: "models::queues::dead_with_its_message_put";
    /// What the living have is given back.
    ReapTheLiving: "tests/queues::what_the_living_have_is_theirs";
    /// A message that a dead producer had not linked is left where it is.
    UnlinkedLost: "tests/killed_queues::killed_at_every_step";
    /// A message is linked twice.
    RequeuedTwice: "models::queues::dead_with_a_message_that_is_not_linked";
    /// A dead participant is forgotten before what it had is given back.
    PlaceBeforeChunks: "tests/killed_queues::the_reaper_is_killed_while_reaping";
    /// A dead participant keeps its place.
    DeadKeepPlaces: "tests/killed_queues::a_newcomer_is_killed_while_it_makes_room_for_itself";
    /// A message comes a second time without a word.
    RedeliveryUnmarked: "tests/killed_queues::killed_at_every_step";
    /// A failure that a reaper died over is counted again.
    FailureCountedAgain: "tests/killed_queues::the_reaper_is_killed_while_reaping";
    /// A message that was handed over comes again.
    NotRetired: "tests/killed_queues::killed_at_every_step";
    /// A chunk still names the segment of the message before.
    OldFlags: "tests/killed_queues::what_is_written_where_a_name_was_is_no_name";
    /// Readers are told the end while a message is being written.
    DrainedDespiteWriting: "tests/queues::the_end_comes_after_the_last_message";
    /// Messages that are being read are taken for done.
    FinishedDespiteReading: "tests/queues::what_is_being_read_is_not_finished";

    // queue, spill
    /// A message is put in after the end.
    PutAfterEnd: "tests/killed_queues::killed_at_every_step";
    /// The end of a queue is told to nobody who sleeps.
    EndWakesNobody: "tests/queues::who_waits_at_a_queue_is_told_its_end";
    /// A message is as long as its chunk says.
    MessageLengthTrusted: "tests/scribbled_queues::over_queues";
    /// Who leaves keeps what it had.
    LeaverKeepsChunks: "tests/killed_queues::killed_at_every_step";
    /// The segment of a message is made before its chunk names it.
    SpillBeforeName: "tests/killed_queues::killed_at_every_step";
    /// The segment of a message to an unlinked queue is kept by nobody.
    SpillWithoutKeeper: "tests/children::a_message_outlives_its_queues_name_with_whoever_has_the_queue_open";
    /// What an unlink that died half-way gave to the users of a queue stays theirs.
    RepairKeepsShares: "tests/children::an_unlink_that_died_half_way_keeps_no_message";
    /// Only who finds nothing, or no room, looks for the dead.
    BusyQueuesForgetTheDead: "tests/busy_queues::what_a_dead_reader_had_comes_back_though_nobody_looks_in_vain";
    /// The segment of a message outlives it.
    SpillStays: "tests/killed_queues::killed_at_every_step";

    // file_lock
    /// Giving one lock back gives back what others share.
    UnlockEveryByte: "file_lock::tests::giving_back_one_shared_lock_keeps_the_bytes_of_the_others";
    /// A second lock on the same bytes converts the first.
    OwnRangesOverlap: "file_lock::tests::two_of_one_process_exclude_each_other_where_they_overlap";
}

/// The fault of this process: `CROSSMEM_FAULT`, by its name above.
#[cfg(any(all(loom, test), feature = "faults"))]
pub(crate) fn seeded(fault: Fault) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<Fault>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let wanted = std::env::var("CROSSMEM_FAULT").ok()?;
        ALL.iter().map(|(fault, _)| *fault).find(|fault| format!("{fault:?}") == wanted)
    });
    *chosen == Some(fault)
}

/// Whether the code is to be broken in this way.
#[cfg(not(any(all(loom, test), feature = "faults")))]
#[inline]
pub(crate) const fn seeded(_: Fault) -> bool {
    false
}

#[cfg(all(test, any(loom, feature = "faults")))]
mod tests {
    use std::process::{Command, Output};

    use super::ALL;

    /// In a process for each, since the fault is the process's, and a deadlock in a model ends it.
    fn run(test: &str, fault: &str) -> Output {
        let mut this = Command::new(std::env::current_exe().unwrap());
        this.args(["--exact", test]).env("CROSSMEM_FAULT", fault).env("RUST_BACKTRACE", "0").output().unwrap()
    }

    /// Those whose tests are in this program.
    #[test]
    fn each_is_noticed_by_its_test() {
        let is_here = |test: &str| test.starts_with("models::") == cfg!(loom);
        let all = ALL.iter().filter(|(_, test)| is_here(test));
        let tried = all.map(|(fault, test)| (fault, test, run(test, &format!("{fault:?}"))));
        let says = |ended: &Output, what: &str| String::from_utf8_lossy(&ended.stdout).contains(what);
        let (tried, missed): (Vec<_>, Vec<_>) = tried
            .filter(|(_, test, ended)| says(ended, "running 1 test") || test.starts_with("models::"))
            .partition(|(.., ended)| !ended.status.success() && says(ended, "running 1 test"));
        let missed: Vec<_> = missed.iter().map(|(fault, test, _)| (fault, test)).collect();
        assert!(missed.is_empty(), "these faults went unnoticed: {missed:?}");
        let (_, test, _) = tried.first().expect("some are tested here");
        assert!(run(test, "none").status.success(), "without a fault {test} passes");
    }
}
