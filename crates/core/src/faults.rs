//! Seeded faults: each breaks the code on purpose, in one place, and the test that is named with it
//! must notice. They are compiled to nothing, except in the models and with the feature `faults`,
//! for tests only.
//!
//! A test is named `tests/program::test`, or by its path in the library; `models::` run under loom.
//! `scripts/mutants.mjs` reads this list and tries each fault. The test below tries those whose
//! tests are in the library.

macro_rules! faults {
    ($($(#[doc = $what:literal])+ $fault:ident: $test:literal;)*) => {
        /// A way to break the code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($(#[doc = $what])+ $fault,)*
        }

        /// Each fault, and the test that notices it.
        #[cfg(any(all(loom, test), feature = "faults"))]
        const ALL: &[(Fault, &str)] = &[$((Fault::$fault, $test),)*];
    };
}

faults! {
    // sys, region
    /// An agent counts as dead if the kernel can't tell.
    UnknownIsDead: "sys::life_ofd::tests::an_agent_counts_as_alive_if_the_kernel_cannot_tell";
    /// A segment has its size, but no memory is reserved for it.
    NothingReserved: "tests/registry::a_segment_has_all_its_memory_from_the_start";
    /// A file keeps the mode that it was opened with.
    ModeUnset: "tests/groups::files_of_a_group_have_its_mode_whatever_the_umask";
    /// A directory of any mode passes as the group's.
    AnyDirectoryTrusted: "tests/groups::a_directory_that_is_not_as_a_member_makes_it_is_passed_over";
    /// A group's directory isn't looked at again when a control segment is open.
    DirectoryUnchecked: "tests/killed_groups::a_directory_that_takes_the_place_of_the_groups_is_not_used";
    /// The directory of a group stays when nothing is left in it.
    DirectoryStays: "tests/groups::the_last_one_out_removes_the_directory";
    /// Offsets are not checked.
    SpanUnchecked: "tests/guard::offsets_outside_the_segment_are_refused";

    // agent
    /// A slot is taken by a store.
    SlotByStore: "tests/stopped::a_newcomer_finds_its_slot_taken";
    /// A newcomer gets the instance of a dead agent.
    InstanceReused: "tests/killed_locks::killed_at_every_step";
    /// A newcomer doesn't sweep.
    EnterWithoutSweep: "tests/registry::a_thousand_agents_and_no_more";
    /// A newcomer joins a domain that is about to be removed.
    EnterRetiredDomain: "tests/killed::killed_at_every_step_alone_in_its_domain";
    /// A domain is removed without a mark for agents that are just joining.
    RetireUntold: "tests/stopped::a_newcomer_notices_that_the_last_one_left";
    /// A leaving agent stays in the table.
    LeaveKeepsSlot: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// The first of several handles that is closed detaches the agent.
    FirstCloseDetaches: "tests/registry::an_object_stays_until_its_last_handle_is_closed";
    /// A leaving agent stays attached to the objects that it had open.
    LeaveStaysAttached: "tests/registry::an_agent_that_leaves_removes_objects_that_only_it_had_open";
    /// The check whether the control segment was removed is left out.
    LostControlUnnoticed: "tests/registry::a_removed_control_segment_is_noticed";

    /// A process that waits for an agent's end counts as that agent.
    WatchCountsAsAgent: "tests/handover::a_watch_is_not_taken_for_the_agent_that_it_outlived";
    /// An agent of another domain, which followed under the same name, is taken for the one that is
    /// watched.
    NamesakeWatched: "tests/handover::a_watch_tells_agents_of_two_domains_of_one_name_apart";

    // handover
    /// The receiver is refused the end that was handed over.
    EndStaysOnItsWay: "tests/handover::only_the_receiver_takes_an_end_that_is_on_its_way";
    /// An end that was handed over can be taken by any agent that knows of a handover.
    EndFromAnySender: "tests/handover::only_the_receiver_takes_an_end_that_is_on_its_way";
    /// Cancelling closes the ends.
    CancelClosesEnds: "tests/handover::a_cancelled_handover_changes_nothing";
    /// Cancelling leaves the agent as if it had died.
    CancelStays: "tests/handover::a_cancelled_handover_changes_nothing";

    // registry
    /// The registry is not repaired after the death of its lock's holder.
    RegistryUnrepaired: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// The count of used entries is not advanced.
    EntryUnannounced: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// Entries are used before memory is reserved for them.
    EntriesUnreserved: "tests/registry::more_objects_than_are_reserved_at_first";
    /// After a death, the lists of the index stay as they are.
    ListsNotRebuilt: "domain::registry::index::tests::lists_are_sound_after_every_operation_and_death";
    /// An entry that becomes free stays in the list of its name.
    RemovedStayListed: "domain::registry::index::tests::lists_are_sound_after_every_operation_and_death";
    /// A free entry that is taken stays in the list of free ones.
    TakenStayFree: "domain::registry::index::tests::lists_are_sound_after_every_operation_and_death";
    /// A free entry is linked twice.
    FreedTwice: "domain::registry::index::tests::lists_are_sound_after_every_operation_and_death";
    /// An entry that becomes free is in no list.
    FreedAreLost: "domain::registry::index::tests::lists_are_sound_after_every_operation_and_death";
    /// An entry is taken for free because the list says so.
    FreeListTrusted: "domain::registry::index::tests::overwritten_links_are_noticed";
    /// A free entry in the list of a name is passed over.
    ListedFreeUnnoticed: "domain::registry::index::tests::overwritten_links_are_noticed";
    /// A list that leads back into itself counts as ended.
    LoopTakenForEnd: "domain::registry::index::tests::overwritten_links_are_noticed";
    /// No sweep is due for an object whose name the system refused to remove.
    RefusalForgotten: "tests/registry::an_object_whose_name_could_not_be_removed_is_swept_later";
    /// The repair leaves objects that were never published.
    RepairKeepsUnborn: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// An agent that creates an object rings no agent that waits for its name.
    CreatedInSilence: "tests/awaited::the_creator_rings_those_that_wait_for_the_name";
    /// An object is entered as living before its file has a name.
    LiveBeforeFile: "tests/killed::a_persistent_object_is_created_whole_or_not_at_all";
    /// An entry is free before the file behind it is removed.
    FreeBeforeRemoval: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// An object whose name another program has stays in the registry.
    RefusedStayEntered: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// A handle is taken for one of the object that is in its entry now.
    StaleHandles: "tests/registry::a_handle_is_of_its_object_and_of_none_that_comes_after_it";
    /// Agents that had the entry's last object open count as users of the next one.
    PredecessorsAttached: "tests/registry::a_reused_entry_forgets_its_earlier_users";
    /// An object is found although its name leads to another file by now.
    FindWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// A name is removed although it leads to another file by now.
    RemoveWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// A queue is removed without its arena.
    ArenaStays: "tests/arenas::an_arena_goes_with_its_queue";
    /// An arena is removed by its name alone.
    ForeignArenaRemoved: "tests/arenas::a_file_of_another_program_is_left_alone";
    /// Living agents are swept.
    SweepTheLiving: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// Dead agents stay in the table of agents.
    SweepKeepsSlots: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// The FIFO of a dead agent stays.
    SweepKeepsFifos: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// A dead agent's slot is freed by a store.
    SweepByStore: "tests/stopped::a_newcomer_keeps_the_slot_that_is_being_swept";
    /// A newcomer counts as a user of the objects that its predecessor in the slot had open.
    NewcomerInherits: "tests/registry::a_newcomer_has_nothing_of_its_predecessor";
    /// A leaving agent removes the domain although others are in it.
    RetireBesideOthers: "tests/registry::a_domain_lasts_as_long_as_anyone_is_in_it";
    /// The last agent to leave doesn't sweep.
    LastOneOutSweepsNothing: "tests/registry::the_last_agent_to_leave_cleans_up_after_the_dead";
    /// The table of named locks is removed with its last user, and with it the deaths of holders.
    NamedLocksForgotten: "tests/locks::a_death_is_told_to_the_next_agent_after_all_have_left";

    // segment, object
    /// A file has its name before its contents.
    NameBeforeContents: "tests/killed::a_persistent_object_is_created_whole_or_not_at_all";
    /// An agent that opens an object is not entered as its user.
    OpenUnattached: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// An agent that is refused an object stays its user.
    RefusedStayAttached: "tests/registry::an_overwritten_header_is_refused";
    /// An agent that closes an object stays its user.
    CloseStaysAttached: "tests/registry::the_last_one_out_removes_it_unless_it_persists";
    /// The size of a file is not compared with its entry.
    SizeTrusted: "tests/registry::a_segment_of_another_size_is_refused";
    /// Memory that another program made is removed by its name alone.
    UnlinkWhateverHasTheName: "tests/registry::names_other_programs_have_or_take_are_respected";
    /// Objects of other domains, whose owners can't be seen here, are opened.
    AnyDomain: "tests/registry::domains_do_not_see_each_other";
    /// An object goes with the first of its users, although others live.
    FirstUserDecides: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// An object that a dead agent had open, too, is not found by its name.
    FoundDeadBesideTheDead: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// The sweep of a dead agent detaches the living users of its objects.
    SweepDetachesTheLiving: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// Each close removes the object.
    AnyCloseErases: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// An agent that opens an object detaches the others.
    OpenDetachesOthers: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// Dead users count as company.
    DeadKeepCompany: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// A death doesn't change the outlook of the objects that the dead agent had open.
    DeadKeepOutlook: "tests/users::the_outlook_changes_with_the_company_and_the_name";
    /// An inspection calls objects doomed that a living agent has open beside a dead one.
    DoomedBesideTheDead: "tests/users::an_object_stays_as_long_as_any_of_its_users_and_no_longer";
    /// An overwritten header is trusted.
    HeaderTrusted: "tests/registry::an_overwritten_header_is_refused";

    // guard
    /// The sequence stays even during an update.
    UpdateStaysEven: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// The sequence is not checked after a snapshot was copied.
    SequenceLookedAtOnce: "tests/stopped::a_snapshot_is_not_of_what_a_writer_began_meanwhile";
    /// The mutex is released before the sequence is even again.
    UnlockBeforeEven: "tests/killed::killed_at_every_step_beside_a_survivor";
    /// A snapshot copies data that a dead writer left half-changed.
    TornSnapshot: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// The next writer isn't told that one died inside.
    TornUpdateUntold: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";
    /// Any agent can end an update.
    AnyoneEndsUpdate: "tests/guard::a_writer_that_dies_inside_is_reported_until_an_update_repairs";

    // mutex
    /// The mutex is taken by a store.
    PlainStoreForCas: "models::locks::two_agents_exclude_each_other";
    /// The mutex is released without ordering the accesses under it.
    RelaxedUnlock: "models::locks::two_agents_exclude_each_other";
    /// An agent that takes it from a dead holder, or after sleeping, forgets that others may sleep.
    ForgetWaiters: "models::locks::three_agents_exclude_each_other_and_no_wake_up_is_lost";
    /// A dead holder's successor isn't told.
    ForgetDied: "models::locks::successors_of_a_dead_holder_are_told_until_one_repairs";
    /// Any agent can release the mutex.
    UnlockByAnyone: "locks::mutex::tests::one_agent_holds_it_and_only_that_agent_releases_it";
    /// A dead holder keeps the mutex.
    DeadHoldMutexes: "locks::mutex::tests::a_dead_holder_loses_it_and_each_owner_is_told_until_it_is_repaired";
    /// Releasing it without a repair hides that a holder died.
    UnlockForgetsDied: "locks::mutex::tests::a_dead_holder_loses_it_and_each_owner_is_told_until_it_is_repaired";
    /// The next owner isn't told that the mutex was abandoned.
    AbandonedUntold: "locks::mutex::tests::abandoning_it_counts_as_the_death_of_its_holder";
    /// An agent that only looks takes a dead agent for the holder.
    DeadCountedAsHolders: "locks::mutex::tests::a_dead_holder_loses_it_and_each_owner_is_told_until_it_is_repaired";
    /// Newcomers let an agent that has given up go first.
    HungryForEver: "locks::mutex::tests::a_waiter_that_gave_up_no_longer_goes_first";

    // doorbell
    /// There is no fence between a change and the search for sleepers.
    NoFenceInNotify: "models::locks::a_change_made_before_the_ring_is_seen";
    /// A sleeper makes its attempt first, and enters the set of sleepers afterwards.
    LookBeforeInsert: "models::locks::a_change_made_before_the_ring_is_seen";
    /// A dead sleeper is rung, and no other one.
    RingTheDead: "models::locks::a_dead_sleeper_swallows_no_wake_up";
    /// An agent that gives up keeps the wake-up that came for it.
    KeepTheBaton: "models::locks::a_waiter_that_gives_up_passes_its_wake_up_on";
    /// A sleeper whose attempt succeeded keeps a wake-up that it didn't need.
    ChosenForNothing: "locks::mutex::tests::a_sleeper_that_did_not_need_its_wake_up_passes_it_on";
    /// The doorbell is not changed, only rung.
    SilentBell: "models::locks::a_change_made_before_the_ring_is_seen";
    /// There is no fence between a ring and the look at how its agent sleeps.
    NoFenceInRing: "models::locks::a_change_made_before_the_ring_is_seen";
    /// There is no fence between a change and the look at which reactors are calm.
    NoFenceInNews: "models::news::what_a_calm_reactor_doesnt_see_is_told";
    /// An agent that opens an object doesn't tell the agents that wait at it.
    ArrivalUntold: "tests/news::a_calm_reactor_is_told_of_users_and_names";
    /// An agent that closes an object doesn't tell the agents that wait at it.
    DepartureUntold: "tests/news::a_calm_reactor_is_told_of_users_and_names";
    /// An agent that removes an object doesn't tell the agents that wait at it.
    RemovalUntold: "tests/news::a_calm_reactor_is_told_of_users_and_names";
    /// An agent that hears of a death keeps it for itself.
    EndingUntold: "tests/news::an_agent_that_hears_of_a_death_tells_the_calm_ones";
    /// A ring for many sleepers wakes one.
    OneRingForAll: "tests/locks::as_many_are_rung_as_can_go_on";
    /// An agent that was woken in a tree wakes no others.
    TreeWithoutBranches: "models::locks::all_that_wait_for_an_event_are_woken_in_a_tree";
    /// Sleepers in other words of the set than the caller's are not found.
    NeighboursOnly: "wait::sleepers::tests::slots_are_visited_in_a_circle";
    /// An agent that has what it waited for stays among the sleepers.
    ServedStaysAsleep: "tests/locks::who_has_what_it_waited_for_sleeps_no_more";
    /// A sleeper that no agent rings checks nothing until its time is over.
    SleepWithoutCheck: "locks::mutex::tests::a_sleeper_finds_a_death_that_rang_nobody";

    // rwlock
    /// A writer enters without checking for readers.
    WriterSkipsReaders: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// A reader leaves without ordering its reads.
    RelaxedReaderExit: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// The last reader wakes no writer.
    ReaderLeavesSilently: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// A writer waits for a dead reader.
    WaitForDeadReaders: "models::locks::a_writer_does_not_wait_for_a_dead_reader";
    /// A reader enters without the gate.
    ReaderSkipsGate: "models::locks::a_reader_and_a_writer_exclude_each_other";
    /// No agent is told that a writer died inside.
    TornWriteUntold: "tests/killed_locks::killed_at_every_step";
    /// `writing` is cleared before `torn` is set.
    WritingClearedFirst: "tests/killed_locks::a_second_death_hides_no_first_one";
    /// The entry of a dead reader counts as its successor's in the slot.
    PredecessorReads: "tests/locks::an_agent_in_the_slot_of_a_dead_reader_can_write_at_once";
    /// A writer that gives up keeps readers out.
    GateStaysShut: "tests/locks::an_agent_that_stops_waiting_blocks_no_other";
    /// A writer that waits for readers lets new ones in.
    WaitingWriterOpensGate: "tests/locks::an_agent_that_stops_waiting_blocks_no_other";
    /// A writer that repaired the data doesn't end the news of the death.
    RepairUntold: "tests/locks::an_agent_cannot_release_a_lock_that_it_does_not_hold";
    /// Any agent counts as the writer.
    AnyoneEndsWrite: "tests/locks::an_agent_cannot_release_a_lock_that_it_does_not_hold";

    // semaphore, condition, barrier, event
    /// Permits of dead agents don't return.
    PermitsOfTheDeadStay: "tests/killed_locks::killed_at_every_step";
    /// The taken permits are not counted anew after a death inside.
    NotRecounted: "tests/killed_locks::killed_at_every_step";
    /// The taken permits are added to the old count.
    RecountedTwice: "tests/killed_locks::killed_at_every_step";
    /// An agent that releases a permit that it doesn't hold makes a new one.
    PermitsOutOfNothing: "tests/locks::an_agent_cannot_release_a_lock_that_it_does_not_hold";
    /// Releasing a permit wakes no sleeper.
    ReleaseWakesNobody: "tests/locks::a_release_rings_a_sleeper";
    /// An agent that went first doesn't ring those that let it.
    FedTellsNobody: "tests/locks::who_went_first_rings_the_next";
    /// A permit that was used up comes back.
    ConsumedReturns: "tests/locks::an_agent_cannot_release_a_lock_that_it_does_not_hold";
    /// The share of a dead agent counts as its successor's in the slot.
    PredecessorsShare: "tests/killed_locks::killed_at_every_step";
    /// A notification is lost with a waiter that died.
    NotificationDies: "tests/locks::a_notification_is_never_lost";
    /// A notification is lost with a waiter that gave up.
    NotificationKept: "tests/locks::a_notification_is_never_lost";
    /// A notified waiter isn't rung.
    NotifyRingsNobody: "tests/locks::a_release_rings_a_sleeper";
    /// A notification ends each later wait of its receiver, too.
    HeardForEver: "tests/locks::a_release_rings_a_sleeper";
    /// A notification goes to a dead waiter.
    DeadNotified: "tests/locks::the_dead_are_not_notified";
    /// The end of a meeting wakes no party.
    EndOfMeetingWakesNobody: "tests/locks::a_release_rings_a_sleeper";
    /// A barrier that was reset stays broken.
    ResetStaysBroken: "tests/locks::a_release_rings_a_sleeper";
    /// Any agent can end a meeting.
    AnyoneLeads: "tests/locks::a_meeting_is_ended_by_its_leader_alone";
    /// A party that gives up after its meeting has ended breaks the next one.
    LateAbortBreaks: "tests/locks::a_meeting_is_ended_by_its_leader_alone";
    /// A meeting waits for dead agents.
    DeadMembersWaitedFor: "tests/killed_locks::killed_at_every_step";
    /// Dead agents count as parties that have arrived.
    DeadCountedAsParties: "tests/locks::a_dead_party_does_not_count";
    /// An agent that only looks counts dead parties.
    DeadPartyUnseen: "tests/locks::a_dead_party_does_not_count";
    /// A meeting ends before its outcome is written.
    EndBeforeOutcome: "tests/killed_locks::a_meeting_that_a_death_broke_is_never_met";
    /// The parties of a meeting count in the next one, too.
    LastMeetingCounted: "tests/killed_locks::killed_at_every_step";
    /// Setting an event wakes no waiter.
    SetWakesNobody: "tests/locks::a_release_rings_a_sleeper";
    /// Setting an event wakes one waiter.
    SetWakesOne: "tests/locks::as_many_are_rung_as_can_go_on";
    /// Setting an event that resets itself wakes all waiters.
    SetWakesAll: "tests/locks::as_many_are_rung_as_can_go_on";
    /// A waiter misses an event that is cleared at once.
    PulseMissed: "tests/locks::an_event_that_is_cleared_at_once_is_not_missed";
    /// All waiters take an event that resets itself.
    TakenByAll: "tests/killed_locks::killed_at_every_step";

    // named locks
    /// Dead agents keep their named locks.
    DeadHoldNames: "locks::named::tests::the_next_holder_hears_of_a_death_and_only_the_next";
    /// The next holder isn't told that one died.
    DeathOfHolderUntold: "locks::named::tests::the_next_holder_hears_of_a_death_and_only_the_next";
    /// A dead holder is forgotten before there is a next one.
    DeadHolderForgotten: "locks::named::tests::a_death_is_told_even_if_living_agents_still_share_the_lock";
    /// Shared requests overtake earlier exclusive ones.
    ReadersOvertake: "locks::named::tests::requests_are_granted_in_order_and_shared_ones_together";
    /// Requests that a dead agent left ungranted stay so.
    LeftUngranted: "locks::named::tests::the_next_agent_finishes_the_work_of_a_dead_one";
    /// Any agent can end a request.
    AnyoneEndsRequests: "locks::named::tests::only_its_agent_ends_a_request";
    /// A requester isn't rung when it gets the lock.
    GrantRingsNobody: "locks::named::tests::a_grant_rings_its_requester_and_nobody_else";
    /// A holder isn't rung when its lock is stolen.
    TheftUntold: "locks::named::tests::stealing_ends_the_requests_of_holders_and_leaves_waiting_ones";
    /// A request that wants the lock only at once overtakes those that wait.
    AvailableToAQueueJumper: "locks::named::tests::if_available_is_granted_at_once_or_not_at_all";
    /// Requests of dead agents are shown.
    DeadQueried: "locks::named::tests::no_request_of_a_dead_agent_is_shown";
    /// Requests of dead agents keep their room in a full table.
    DeadFillTable: "locks::named::tests::only_requests_of_living_agents_fill_the_table";
    /// A run of cells is cut before its second part is a run.
    SplitFrontFirst: "tests/killed_locks::killed_at_every_step";

    // spsc, channel
    /// A record is published without ordering its bytes.
    RelaxedPush: "models::rings::records_are_whole_and_in_order";
    /// A record is released without ordering its reads.
    RelaxedPop: "models::rings::records_are_whole_and_in_order";
    /// The producer doesn't check for room.
    PushWithoutRoom: "models::rings::records_are_whole_and_in_order";
    /// A record is published before its header is written.
    PushBeforeHeader: "tests/killed_channels::killed_at_every_step";
    /// The length in a record's header is trusted.
    RecordLengthTrusted: "queues::spsc::tests::impossible_headers_and_positions_are_refused";
    /// The position in a record's header is trusted.
    RecordPositionTrusted: "queues::spsc::tests::impossible_headers_and_positions_are_refused";
    /// Dead agents keep their ends of queues.
    DeadKeepEnds: "tests/killed_channels::killed_at_every_step";
    /// An end is taken by a store.
    EndByStore: "tests/stopped::a_newcomer_finds_its_end_taken";
    /// An end is taken from a living agent.
    EndOfTheLivingTaken: "tests/queues::an_end_is_its_owners_alone";
    /// An end isn't told that the other one was closed.
    CloseUntold: "tests/killed_channels::killed_at_every_step";
    /// An end of a pipe isn't told that the owner of the other one died.
    PeerDeathUntold: "tests/killed_channels::killed_at_every_step";
    /// A dead agent's end of a pipe is taken over.
    PipeTakenOver: "tests/killed_channels::killed_at_every_step";
    /// Readers are told the end before they check for a last record.
    EndBeforeLastRecord: "tests/stopped::a_reader_finds_what_was_pushed_before_the_end";
    /// A record that was reserved before the end is pushed after it.
    CommitAfterClose: "tests/queues::nothing_is_pushed_once_the_consumer_closed_its_end";
    /// Records are pushed although none will be popped.
    PushAfterClose: "tests/killed_channels::killed_at_every_step";
    /// A record that is pushed wakes no consumer.
    PushRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// A record that was reserved and is committed wakes no consumer.
    CommittedRecordRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// Records that are pushed together wake no consumer.
    PushedBatchRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// A record that is popped wakes no producer.
    PopRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// A record that was peeked at and is released wakes no producer.
    ReleasedRecordRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// Records that are popped together wake no producer.
    PoppedBatchRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// An end that used the ring without a call wakes no other end.
    WakePeerRingsNobody: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// The producer's end is closed, and the consumer isn't woken.
    CloseRingsNoReader: "tests/queues::a_waiter_at_a_channel_is_woken";
    /// The consumer's end is closed, and the producer isn't woken.
    CloseRingsNoWriter: "tests/queues::a_waiter_at_a_channel_is_woken";

    // claim, index_ring, mpmc
    /// A get takes a queued chunk that an old slot names, wherever the chunk is queued now.
    PositionIgnored: "models::queues::a_chunk_begins_a_next_life_behind_another";
    /// A chunk is linked without ordering its message.
    RelaxedLink: "models::queues::a_chunk_begins_a_next_life";
    /// A chunk is freed without ordering the reads of its message.
    RelaxedFree: "models::queues::one_chunk_is_used_by_both";
    /// A participant enters the table by a store.
    PlaceByStore: "tests/stopped::a_newcomer_finds_its_place_taken";
    /// A chunk is claimed by a store.
    ClaimByStore: "models::queues::one_chunk_is_used_by_both";
    /// A put doesn't go on from a tail that lags.
    NoTailHelp: "models::queues::each_message_is_got_once";
    /// A get doesn't go on from a head that lags.
    NoHeadHelp: "models::queues::each_message_is_got_once";
    /// A reaper doesn't check whether a queued chunk is linked.
    ReapWithoutLook: "queues::mpmc::tests::a_reaper_leaves_a_linked_message_in_its_place";
    /// Chunks of living participants are reaped.
    ReapTheLiving: "tests/queues::messages_of_live_agents_stay_theirs";
    /// A message that a dead producer had not linked is not linked.
    UnlinkedLost: "tests/killed_queues::killed_at_every_step";
    /// A dead participant leaves the table before its chunks are reaped.
    PlaceBeforeChunks: "tests/killed_queues::the_reaper_is_killed_while_reaping";
    /// A dead participant stays in the table.
    DeadKeepPlaces: "tests/killed_queues::a_newcomer_is_killed_while_it_makes_room_for_itself";
    /// A message comes a second time without its mark.
    RedeliveryUnmarked: "tests/killed_queues::killed_at_every_step";
    /// If a reaper dies, the failure that it counted is counted again.
    FailureCountedAgain: "tests/killed_queues::the_reaper_is_killed_while_reaping";
    /// A message that was handed over is redelivered.
    NotRetired: "tests/killed_queues::killed_at_every_step";
    /// Readers are told the end while a message is being written.
    DrainedDespiteWriting: "tests/queues::the_end_comes_after_the_last_message";
    /// Readers are told the end while a message is put and not linked yet.
    DrainedDespiteQueued: "tests/stopped::the_end_comes_after_a_message_that_is_not_linked_yet";
    /// Readers are told the end while a message may come again.
    DrainedDespiteReading: "tests/queues::the_end_comes_after_messages_that_may_come_again";
    /// A reader waits for the message that it has itself.
    ReaderWaitsForItself: "tests/queues::a_waiter_for_the_last_message_is_woken";
    /// Messages that are being read count as done.
    FinishedDespiteReading: "tests/queues::a_message_that_is_being_read_is_unfinished";

    // record_ring
    /// Positions are read without ordering the records that were written or read.
    RelaxedRecords: "models::records::none_is_left_asleep";
    /// Positions that no agent can have left are taken for granted.
    RecordPositionsTrusted: "tests/record_queues::impossible_positions_are_refused";
    /// Records around the end of the ring are published one part after the other.
    RecordsPutInTwo: "tests/killed_records::killed_at_every_step";
    /// A record is put although the queue has ended.
    RecordAfterEnd: "tests/record_queues::nothing_is_put_after_the_end";
    /// Who moves a position, or leaves an end, wakes no agent.
    RecordsWakeNobody: "models::records::none_is_left_asleep";
    /// Who leaves an end forgets the agents that sleep there.
    RecordSleepersForgotten: "models::records::each_consumer_gets_a_record";
    /// The end of a queue of records wakes no agent.
    RecordEndUntold: "tests/record_queues::waiters_are_told_the_end";

    // queue, spill
    /// A message is put in after the end.
    PutAfterEnd: "tests/killed_queues::killed_at_every_step";
    /// The end of a queue wakes no reader.
    EndWakesNoReader: "tests/queues::a_waiter_at_a_queue_is_told_its_end";
    /// The end of a queue wakes no writer.
    EndWakesNoWriter: "tests/queues::a_waiter_at_a_queue_is_told_its_end";
    /// A put that is refused because of the end keeps its chunk.
    RefusedPutKeepsChunk: "tests/queues::a_waiter_at_a_queue_is_told_its_end";
    /// After the end, the last message that is done with wakes no reader.
    LastMessageEndsNoWait: "tests/queues::a_waiter_for_the_last_message_is_woken";
    /// A message that comes again wakes no reader.
    RequeuedRingsNobody: "tests/queues::a_waiter_for_the_last_message_is_woken";
    /// A message that is put wakes no reader.
    QueuedRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// A message that was reserved and is committed wakes no reader.
    CommittedMessageRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// Messages that are put together wake no reader.
    PutBatchRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// A message that is put back wakes no reader.
    PutBackRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// A message that is done with wakes no writer.
    FreedRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// Messages that are taken together wake no writer.
    GotBatchRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// A chunk that is given back unwritten wakes no writer.
    CancelRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// A chunk of a participant that is gone wakes no writer.
    ReapedRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// The last task that is done wakes no joiner.
    FinishRingsNobody: "tests/queues::a_waiter_at_a_queue_is_woken";
    /// The length in a chunk is trusted.
    MessageLengthTrusted: "tests/scribbled_queues::over_queues";
    /// A leaving participant keeps its chunks.
    LeaverKeepsChunks: "tests/killed_queues::killed_at_every_step";
    /// Only calls that find the queue empty or full check for dead participants.
    BusyQueuesForgetTheDead: "tests/busy_queues::a_dead_readers_messages_come_back_although_no_get_fails";
    /// An agent that only looks counts what dead participants have.
    CountedBeforeReaped: "tests/queues::a_getter_counts_no_messages_of_dead_participants";
    /// A structure is published before it is written.
    StructurePublishedUnwritten: "tests/structures::killed_at_every_step";
    /// A structure that is in the list is added again.
    StructureAddedAgain: "tests/structures::processes_agree_on_numbers";
    /// A large message is put before it is written.
    SpillPutUnwritten: "tests/killed_queues::killed_at_every_step";
    /// A large message that was read keeps its memory.
    SpillStays: "tests/killed_queues::killed_at_every_step";
    /// The chunk of a large message is free before its memory is.
    PunchAfterFree: "tests/stopped::a_reader_frees_no_memory_of_the_next_large_message";
    /// A large message of a dead participant keeps its memory.
    ReaperKeepsSpilled: "tests/killed_queues::killed_at_every_step";
    /// A failure at a large message is counted before its memory is free.
    PunchAfterFailure: "tests/killed_queues::a_failure_that_was_counted_keeps_no_memory";
    /// Any chunk keeps the memory of its large message.
    AllPartsKept: "tests/kept::a_stream_keeps_the_memory_of_few_messages";
    /// Memory that was kept is not given back.
    KeptForEver: "tests/kept::a_reader_gives_memory_back_when_it_leaves";
    /// Memory is given back while a message lies in it.
    GivenBackInUse: "tests/kept::messages_stay_when_memory_is_given_back";
    /// The length of a large message is trusted.
    SpilledLengthTrusted: "tests/arenas::a_length_is_not_trusted";

    // file_lock
    /// Releasing one lock releases bytes that others share.
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

    /// Each in a process of its own, since a fault breaks the whole process, and a deadlock in a
    /// model ends it.
    fn run(test: &str, fault: &str) -> Output {
        let mut this = Command::new(std::env::current_exe().unwrap());
        this.args(["--exact", test]).env("CROSSMEM_FAULT", fault).env("RUST_BACKTRACE", "0").output().unwrap()
    }

    /// The faults whose tests are in this program.
    #[test]
    fn each_fault_is_noticed_by_its_test() {
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
